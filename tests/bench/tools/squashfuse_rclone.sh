# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# A squashfs image in a bucket, read by squashfuse through a mount of rclone's.
# shellcheck source=tests/bench/tools/rclone.sh
. "$(dirname "$0")/rclone.sh"
tool_version() { mksquashfs -version; }
tool_mount() {
	mkdir -p "$TOOLHOME/image"
	far_rclone --vfs-read-chunk-size 1M --vfs-read-ahead 0 \
		--buffer-size 0 ":s3:${REPO#s3://}" "$TOOLHOME/image" &
	rclone=$!
	until [ -e "$TOOLHOME/image/$NAME.sqfs" ]; do
		kill -0 $rclone || exit 1
		sleep 0.005
	done
	squashfuse_ll -f "$TOOLHOME/image/$NAME.sqfs" "$MNT" || :
	umount "$TOOLHOME/image" || umount -l "$TOOLHOME/image"
	wait $rclone
}
