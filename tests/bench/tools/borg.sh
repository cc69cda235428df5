# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# borg, encrypted (repokey-blake2) and with zstd at its default level.
export BORG_BASE_DIR=$TOOLHOME/borg BORG_PASSPHRASE=bench
export BORG_RELOCATED_REPO_ACCESS_IS_OK=yes
tool_kind() { echo backup; }
tool_version() { borg --version; }
tool_init() { borg init -e repokey-blake2 "$REPO"; }
tool_backup() {
	cd "$SRC" || exit
	borg create -C zstd "$REPO::$NAME" .
}
tool_mount() { exec borg mount -f "$REPO" "$MNT"; }
tool_root() { echo "$MNT/$NAME"; }
tool_restore() {
	mkdir -p "$DST"
	cd "$DST" || exit
	borg extract "$REPO::$NAME"
}
