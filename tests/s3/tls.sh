#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Over TLS with a certificate of an own authority, buckets in paths and in host
# names; and what is not trusted: other authorities, other names, old versions.
# shellcheck disable=SC2086,SC2154 # words; set by launch
. "${top_srcdir:-.}/tests/s3/lib.sh" || exit 1
need_fuse

new='-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes'
# authority NAME; certificate NAME AUTHORITY SUBJECTALTNAMES
authority() {
	openssl req -x509 $new -days 2 -subj "/CN=$1" -keyout "$1.key" -out "$1.pem" 2>/dev/null
}
certificate() {
	openssl req $new -subj "/CN=$1" -keyout "$1.key" -out "$1.csr" 2>/dev/null
	openssl x509 -req -in "$1.csr" -CA "$2.pem" -CAkey "$2.key" -days 2 \
		-extfile <(echo "subjectAltName=$3") -out "$1.pem" 2>/dev/null
}
# front NAME CERTIFICATE [VERSION]: TLS before the proxy; sets NAME_port
front() { launch "$1" python3 "$s3/tls.py" "$proxy_port" "$2.pem" "$2.key" ${3-}; }
# refused SECONDS WHY OPTIONS: a command with them ends by then and says why
refused() {
	local began=$SECONDS
	run_status 1 yore snapshots -r "s3://yore/r?$3"
	one_line err
	says err "$2"
	[ $((SECONDS - began)) -le "$1" ] || fail "it took $((SECONDS - began)) s"
}

start_ceph
start_proxy
authority ours
authority theirs
certificate server ours DNS:localhost,DNS:yore.localhost
certificate other ours DNS:example.org
front tls server
front named other
front old server TLSv1_1 2>/dev/null
ca=ca=$work/ours.pem
at=endpoint=https://localhost
mkdir tree mnt
head -c 20000000 /dev/urandom >tree/big
echo small >tree/small

for style in path virtual; do
	mark
	export YORE_REPOSITORY="s3://yore/$style?$at:$tls_port&$ca&style=$style"
	yore init -q --no-passphrase
	yore backup -q --host h --source t tree
	mount_yore mnt
	same_tree tree mnt/latest/h/t
	yore umount mnt
	[ $style = path ] && where=/yore/$style/ || where=/$style/
	[ "$(asked PUT "^$where")" -ge 6 ] || fail "no requests for $where"
	exactly "$(asked PUT "^$where")" "$(asked PUT)" 'PUTs of this style'
done
AWS_CA_BUNDLE=$work/ours.pem yore snapshots \
	-r "s3://yore/path?$at:$tls_port" | grep -q h/t
refused 3 'certificate' "$at:$tls_port"
refused 3 'certificate' "$at:$tls_port&ca=$work/theirs.pem"
refused 3 'certificate|host name' "$at:$named_port&$ca"
# it might be a connection that broke: that is tried for a while
refused 12 'TLS|SSL|protocol' "$at:$old_port&$ca"
