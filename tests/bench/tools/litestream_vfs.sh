# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The VFS extension of Litestream 0.5, not a Debian package: LITESTREAM_VFS is
# litestream-vfs.so, of   npm pack litestream-vfs-linux-amd64@0.5.17
tool_kind() { echo image; }
tool_version() { echo "0.5.17, ${LITESTREAM_VFS##*/}"; }
# A sqlite3 that reads commands, its database open.
tool_shell() {
	export LITESTREAM_REPLICA_URL="$REPO?endpoint=$ENDPOINT&region=$AWS_REGION&forcePathStyle=true"
	export LITESTREAM_ACCESS_KEY_ID=$AWS_ACCESS_KEY_ID
	export LITESTREAM_SECRET_ACCESS_KEY=$AWS_SECRET_ACCESS_KEY
	export LITESTREAM_LOG_FILE=$TOOLHOME/vfs.log
	exec sqlite3 -batch -cmd ".load $LITESTREAM_VFS" \
		-cmd '.open file:base.db?vfs=litestream'
}
