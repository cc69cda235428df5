# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# casync: chunks of 64 KiB, zstd, not encrypted.
tool_kind() { echo backup; }
tool_version() { casync --version; }
tool_init() { mkdir -p "$REPO/store.castr"; }
tool_backup() {
	casync make --without=privileged --store="$REPO/store.castr" \
		"$REPO/$NAME.caidx" "$SRC"
}
tool_mount() {
	exec casync mount --store="$REPO/store.castr" "$REPO/$NAME.caidx" "$MNT"
}
tool_root() { echo "$MNT"; }
tool_restore() {
	mkdir -p "$DST"
	casync extract --without=privileged --store="$REPO/store.castr" \
		"$REPO/$NAME.caidx" "$DST"
}
