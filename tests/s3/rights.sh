#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Whose keys suffice for what; what they do not suffice for ends with one line
# that says so, and changes nothing.
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_fuse

start_ceph
start_proxy
export YORE_REPOSITORY=s3://yore/r
mkdir -p tree/sub
echo content >tree/file
echo more >tree/sub/file

# refused COMMAND...: with status 1, one line that names the bucket and why
refused() {
	run_status 1 "$@"
	one_line err
	says err "^yore: .*s3://yore.*(access is denied|keys are refused)"
}

# nothing is there: no repository, neither for readers nor to be made by them
as ro
run_status 10 yore snapshots
refused yore init --no-passphrase
as rw
yore init -q --no-passphrase
yore backup -q --host h --source t tree

# reading takes a key that may read; it writes nothing
as ro
mark
yore snapshots >/dev/null
yore ls h/t:sub | grep -qx file
yore cat h/t:file | cmp - tree/file
yore find h/t -name file >/dev/null
yore stats >/dev/null
echo changed >tree/file
as rw
yore backup -q --host h --source t tree
as ro
mark
run_status 0 yore diff h/t@latest "h/t@$(yore snapshots --json h/t |
	jq -rs '.[0].time')"
says out file
yore restore -q h/t new
same_tree tree new
mkdir mnt
mount_yore mnt
same_tree tree mnt/latest/h/t
yore umount mnt
exactly $(($(asked PUT) + $(asked DELETE) + $(asked BEGIN))) 0 'writes'
refused yore backup --host h --source t tree

# a key that may only put reads nothing, and backs up only where it is known
# what there is (blind.sh)
as put
mark
for command in 'snapshots' 'ls h/t' 'cat h/t:file'; do
	# shellcheck disable=SC2086 # words
	refused yore $command
done
XDG_STATE_HOME=$work/elsewhere refused yore backup --host h --source t tree
exactly "$(asked PUT)" 0 'PUTs without a right to read'

# keys that are none, a bucket that is none
AWS_SECRET_ACCESS_KEY=wrong refused yore ls h/t
as ro
run_status 1 yore ls -r s3://elsewhere/r h/t
one_line err
says err NoSuchBucket
