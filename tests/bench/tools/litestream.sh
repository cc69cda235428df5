# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# Litestream 0.3, not a Debian package: LITESTREAM03 is the program, of
#   npm pack @flydotio/litestream-linux-x64@1.0.1
# An hour goes by SPEED times faster than it would: so do its clocks.
tool_kind() { echo backup; }
tool_version() { "${LITESTREAM03:-litestream}" version; }
tool_init() { :; }
tool_config() {
	cat >"$TOOLHOME/config.yml" <<C
dbs:
  - path: $DB
    monitor-interval: $INTERVAL
    checkpoint-interval: $CHECKPOINT
    replicas:
      - url: $REPO
        endpoint: $ENDPOINT
        region: $AWS_REGION
        force-path-style: true
        sync-interval: $INTERVAL
C
}
tool_replicate() {
	tool_config
	exec "$LITESTREAM03" replicate -config "$TOOLHOME/config.yml"
}
tool_restore() {
	tool_config
	"$LITESTREAM03" restore -config "$TOOLHOME/config.yml" -o "$DST" "$DB"
}
