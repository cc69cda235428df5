# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A zstd squashfs image read through FUSE: no backup (one state, no history,
# not encrypted), but the FUSE reader to beat.
tool_kind() { echo image; }
tool_version() { mksquashfs -version; }
tool_init() { mkdir -p "$REPO"; }
tool_backup() {
	mksquashfs "$SRC" "$REPO/$NAME.sqfs" -comp zstd -Xcompression-level 3 \
		-b 128K -noappend -quiet -no-progress
}
tool_mount() { exec squashfuse_ll -f "$REPO/$NAME.sqfs" "$MNT"; }
tool_root() { echo "$MNT"; }
tool_restore() {
	unsquashfs -q -no-progress -f -d "$DST" "$REPO/$NAME.sqfs"
}
