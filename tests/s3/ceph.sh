#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Ceph's S3 service from Debian's packages: one monitor, one OSD that keeps
# everything in memory, one radosgw, without authentication among themselves, on
# free ports of the loopback.  See daemons.sh for how it is started and ends.
#
# It has a bucket "yore" and three users: rw owns it, ro may list it and get
# what is in it, put may put and nothing else.  (What put has put is put's: even
# the owner of the bucket reads it only since the policy says so.)
. "$(dirname "$0")/daemons.sh"

mon_port=$(free_port)
port=$(free_port)
fsid=$(</proc/sys/kernel/random/uuid)
osd=$(</proc/sys/kernel/random/uuid)
classes=$(echo /usr/lib/*/rados-classes)
mkdir mon osd rgw

# Queues and caches are small, logs are off, names may have 1,024 bytes.  With
# cephx off nothing can be encrypted, and radosgw would insist on it.
cat >ceph.conf <<C
[global]
fsid = $fsid
mon host = v2:127.0.0.1:$mon_port
public addr = 127.0.0.1
ms bind msgr1 = false
ms mon client mode = crc
auth cluster required = none
auth service required = none
auth client required = none
auth supported = none
keyring = $dir/keyring
run dir = $dir
admin socket =
pid file =
log to file = false
log to stderr = false
mon cluster log to file = false
debug default = 0/0
debug ms = 0/0
debug rgw = 0/0
debug osd = 0/0
debug objecter = 0/0
debug rocksdb = 0/0
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 1
osd pool default pgp num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
[mon]
mon data = $dir/mon
mon initial members = a
mon allow pool size one = true
mon max pg per osd = 1000
mon data avail crit = 1
mon data avail warn = 1
paxos propose interval = 0.01
[osd]
osd data = $dir/osd
osd objectstore = memstore
memstore device bytes = 8589934592
osd class dir = $classes
osd max object name len = 2048
[client]
rgw dns name = localhost
rgw frontends = beast endpoint=127.0.0.1:$port tcp_nodelay=1
rgw data = $dir/rgw
rgw enable apis = s3, admin
rgw enable usage log = false
rgw dynamic resharding = false
rgw override bucket index max shards = 1
rgw rados pool pg num min = 1
C
export CEPH_CONF=$dir/ceph.conf

# user NAME [OPTIONS]: with keys that tell whose they are.
user() {
	local name=$1
	shift
	timeout 60 radosgw-admin user create --uid="$name" \
		--display-name="$name" --access-key="$name-key" \
		--secret-key="$name-secret/+=" "$@" \
		>"log/user-$name.out" 2>&1 || complain "user $name"
}

# call METHOD PATH?QUERY [CURL ARGUMENTS]: as the owner; must succeed.
call() {
	local method=$1 path=$2
	shift 2
	curl -sS --fail-with-body -o log/call.out -X "$method" \
		--aws-sigv4 aws:amz:us-east-1:s3 --user 'rw-key:rw-secret/+=' \
		-H 'x-amz-content-sha256: UNSIGNED-PAYLOAD' "$@" \
		"http://127.0.0.1:$port/$path" || complain "$method $path"
}

# allow USER ACTION...: one statement of a bucket policy.
allow() {
	local user=$1
	shift
	printf '{"Effect": "Allow",
		"Principal": {"AWS": ["arn:aws:iam:::user/%s"]},
		"Action": [%s],
		"Resource": ["arn:aws:s3:::yore", "arn:aws:s3:::yore/*"]}' \
		"$user" "$(printf '"s3:%s"\n' "$@" | paste -sd,)"
}

ceph-authtool --create-keyring keyring --gen-key -n mon. \
	--cap mon 'allow *' >/dev/null
monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$mon_port]" monmap \
	>/dev/null
ceph-mon -i a --mkfs --monmap monmap --keyring keyring
launch mon ceph-mon -i a -f
ceph-osd -i 0 --mkfs --osd-uuid "$osd" >log/mkfs.out 2>&1 &
mkfs=$!
timeout 60 ceph --connect-timeout 30 osd new "$osd" 0 >log/new.out 2>&1 ||
	complain 'no monitor'
wait $mkfs || complain 'no OSD'
launch osd ceph-osd -i 0 -f
user rw
launch rgw radosgw -f -n client.admin --no-mon-config
user ro &
others=$!
user put
wait $others || complain 'no users'
until_ok 60 radosgw listens "$port"

call PUT yore
call PUT 'yore/?policy=' -H 'Content-Type: application/json' --data-raw \
	"{\"Version\": \"2012-10-17\", \"Statement\": [
	$(allow rw GetObject ListBucket PutObject DeleteObject),
	$(allow ro GetObject ListBucket),
	$(allow put PutObject AbortMultipartUpload)]}"

ready <<E
s3_endpoint=http://127.0.0.1:$port
s3_region=us-east-1
s3_bucket=yore
s3_rw='rw-key rw-secret/+='
s3_ro='ro-key ro-secret/+='
s3_put='put-key put-secret/+='
E
