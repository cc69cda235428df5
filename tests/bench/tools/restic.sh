# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# restic with its defaults: repository version 2, zstd.
export RESTIC_PASSWORD=bench RESTIC_CACHE_DIR=$TOOLHOME/cache
tool_kind() { echo backup; }
tool_version() { restic version; }
tool_init() { restic -q -r "$REPO" init; }
tool_backup() {
	cd "$SRC" || exit
	restic -q -r "$REPO" backup --host bench --tag "$NAME" .
}
tool_mount() { exec restic -q -r "$REPO" mount "$MNT"; }
tool_root() { echo "$MNT/tags/$NAME/latest"; }
tool_restore() {
	restic -q -r "$REPO" restore latest --host bench --tag "$NAME" \
		--target "$DST"
}
