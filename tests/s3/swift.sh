#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# OpenStack Swift with its S3 interface, on one node and one device, from the
# package python3-swift alone (swift-proxy and its like would install services
# that start).  See daemons.sh for how it is started and ends.  Stricter than
# Ceph: the region, the hash of the content and Content-MD5 must be right;
# conditional PUTs are answered with 501.
#
# It has a bucket "yore" of a user rw.  DIRECTORY must be on a file system with
# extended attributes of users.
. "$(dirname "$0")/daemons.sh"

region=eu-test-1
declare -A port
for server in account container object proxy; do
	port[$server]=$(free_port)
done
mkdir -p disk/one

cat >swift.conf <<C
[swift-hash]
swift_hash_path_prefix = yore
swift_hash_path_suffix = test
C
for server in account container object; do
	cat >$server.conf <<C
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port[$server]}
user = $(id -un)
swift_dir = $dir
devices = $dir/disk
mount_check = false
workers = 0
disable_fallocate = true
log_level = WARNING
[pipeline:main]
pipeline = $server-server
[app:$server-server]
use = egg:swift#$server
C
done
cat >proxy.conf <<C
[DEFAULT]
bind_ip = 127.0.0.1
bind_port = ${port[proxy]}
user = $(id -un)
swift_dir = $dir
workers = 0
log_level = WARNING
[pipeline:main]
pipeline = catch_errors cache s3api tempauth bulk slo proxy-server
[app:proxy-server]
use = egg:swift#proxy
account_autocreate = true
[filter:catch_errors]
use = egg:swift#catch_errors
[filter:cache]
paste.filter_factory = swift_servers:cache_filter
[filter:s3api]
use = egg:swift#s3api
location = $region
check_bucket_owner = false
[filter:tempauth]
use = egg:swift#tempauth
user_test_rw = rw-secret .admin
[filter:bulk]
use = egg:swift#bulk
[filter:slo]
use = egg:swift#slo
C

launch swift /usr/bin/python3 "$(dirname "$(realpath "$0")")/swift_servers.py" "$dir" \
	"${port[account]}" "${port[container]}" "${port[object]}"
for server in account container object proxy; do
	until_ok 60 $server listens "${port[$server]}"
done
# curl takes the colon in the key's name from the URL only
curl -sS --fail-with-body -o log/bucket.out -X PUT \
	--aws-sigv4 "aws:amz:$region:s3" \
	-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' \
	"http://test%3Arw:rw-secret@127.0.0.1:${port[proxy]}/yore" ||
	complain 'no bucket'

ready <<E
s3_endpoint=http://127.0.0.1:${port[proxy]}
s3_region=$region
s3_bucket=yore
s3_rw='test:rw rw-secret'
E
