# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
export XDG_CACHE_HOME=$TOOLHOME/cache XDG_STATE_HOME=$TOOLHOME/state
unset YORE_REPOSITORY YORE_PASSWORD YORE_PASSWORD_FILE YORE_PASSWORD_COMMAND
tool_kind() { echo backup; }
tool_version() { yore version; }
tool_init() { yore init -r "$REPO" --no-passphrase; }
# WHEN: the time the snapshot is to carry, by default now.
tool_backup() {
	yore backup -r "$REPO" --host bench --source tree --tag "$NAME" \
		${WHEN:+--time "$WHEN"} "$SRC"
}
tool_mount() { exec yore mount -f -r "$REPO" "$MNT"; }
tool_umount() { yore umount "$MNT"; }
tool_root() { echo "$MNT/tags/$NAME/bench/tree/latest"; }
tool_restore() { yore restore -r "$REPO" bench/tree@latest "$DST"; }
# Of databases, as application and database are called: $DB.
tool_replicate() {
	exec yore replicate -r "$REPO" --host bench --sync-interval "${INTERVAL%s}" \
		--state-dir "$TOOLHOME/queue" "$DB"
}
tool_database_restore() { yore restore -r "$REPO" "bench/base.db@$WHEN" "$DST"; }
