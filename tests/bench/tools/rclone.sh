# SPDX-License-Identifier: GPL-2.0-or-later
# shellcheck shell=bash
# The plain files in a bucket, mounted by rclone; not encrypted, one state.
tool_kind() { echo image; }
tool_version() { rclone version | head -n 1; }
# What both of rclone's mounts are told.
far_rclone() {
	rclone --config /dev/null mount --read-only --dir-cache-time 1h \
		--cache-dir "$TOOLHOME/cache" --vfs-cache-mode full \
		--s3-provider Ceph --s3-env-auth --s3-endpoint "$FAR_URL" \
		"$@"
}
tool_mount() { far_rclone ":s3:${REPO#s3://}" "$MNT"; }
tool_root() { echo "$MNT"; }
