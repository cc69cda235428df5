# SPDX-License-Identifier: GPL-2.0-or-later
#
# A shell test:  dist_check_SCRIPTS += tests/s3/NAME.sh  (it is run too)

s3_net = tests/s3/net.c tests/s3/net.h tests/s3/http.c tests/s3/http.h \
	tests/s3/journal.c tests/s3/journal.h tests/s3/control.c \
	tests/s3/control.h

check_PROGRAMS += tests/s3/proxy
tests_s3_proxy_SOURCES = tests/s3/proxy.c tests/s3/pace.c tests/s3/pace.h $(s3_net)

EXTRA_DIST += tests/s3/ceph.sh
EXTRA_DIST += tests/s3/daemons.sh
EXTRA_DIST += tests/s3/swift.sh
EXTRA_DIST += tests/s3/swift_servers.py

check_PROGRAMS += tests/s3/server
tests_s3_server_SOURCES = tests/s3/server.c tests/s3/server.h \
	tests/s3/call.c tests/s3/fault.c tests/s3/fault.h tests/s3/keys.c \
	tests/s3/keys.h tests/s3/list.c tests/s3/object.c tests/s3/reply.c \
	tests/s3/sign.c tests/s3/upload.c tests/s3/xml.c tests/s3/xml.h \
	$(s3_net)

EXTRA_DIST += tests/s3/cell.sh
EXTRA_DIST += tests/s3/contract.py
EXTRA_DIST += tests/s3/lib.sh
EXTRA_DIST += tests/s3/pipeline.py
EXTRA_DIST += tests/s3/readers.py
EXTRA_DIST += tests/s3/s3client.py
dist_check_SCRIPTS += tests/s3/accidents.sh
dist_check_SCRIPTS += tests/s3/again.sh
dist_check_SCRIPTS += tests/s3/databases.sh
dist_check_SCRIPTS += tests/s3/thin.sh
dist_check_SCRIPTS += tests/s3/blind.sh
dist_check_SCRIPTS += tests/s3/blind_accidents.sh
dist_check_SCRIPTS += tests/s3/blind_lost.sh
dist_check_SCRIPTS += tests/s3/commands.sh
dist_check_SCRIPTS += tests/s3/contract.sh
dist_check_SCRIPTS += tests/s3/contract_swift.sh
dist_check_SCRIPTS += tests/s3/cached.sh
dist_check_SCRIPTS += tests/s3/moments.sh
dist_check_SCRIPTS += tests/s3/damaged.sh
dist_check_SCRIPTS += tests/s3/full_cache.sh
dist_check_SCRIPTS += tests/s3/hang.sh
dist_check_SCRIPTS += tests/s3/key.sh
dist_check_SCRIPTS += tests/s3/killed.sh
dist_check_SCRIPTS += tests/s3/keep.sh
dist_check_SCRIPTS += tests/s3/copy.sh
dist_check_SCRIPTS += tests/s3/counts.sh
dist_check_SCRIPTS += tests/s3/counts_backup.sh
dist_check_SCRIPTS += tests/s3/metrics.sh
dist_check_SCRIPTS += tests/s3/orphans.sh
dist_check_SCRIPTS += tests/s3/mirror.sh
dist_check_SCRIPTS += tests/s3/outage.sh
dist_check_SCRIPTS += tests/s3/proxy.sh
dist_check_SCRIPTS += tests/s3/pruned.sh
dist_check_SCRIPTS += tests/s3/refresh.sh
dist_check_SCRIPTS += tests/s3/rights.sh
dist_check_SCRIPTS += tests/s3/interior.sh
dist_check_SCRIPTS += tests/s3/scattered.sh
dist_check_SCRIPTS += tests/s3/server.sh
dist_check_SCRIPTS += tests/s3/snapshots.sh
check_PROGRAMS += tests/s3/many
tests_s3_many_SOURCES = tests/s3/many.c tests/s3/write_record.c tests/s3/write_record.h
check_PROGRAMS += tests/s3/wide
tests_s3_wide_SOURCES = tests/s3/wide.c tests/s3/write_record.c tests/s3/write_record.h
dist_check_SCRIPTS += tests/s3/reads.sh
dist_check_SCRIPTS += tests/s3/spine.sh
dist_check_SCRIPTS += tests/s3/versions.sh
dist_check_SCRIPTS += tests/s3/versions_stopped.sh
dist_check_SCRIPTS += tests/s3/wide.sh
check_PROGRAMS += tests/s3/objects
tests_s3_objects_SOURCES = tests/s3/objects.c
dist_check_SCRIPTS += tests/s3/objects.sh
dist_check_SCRIPTS += tests/s3/server_others.sh
dist_check_SCRIPTS += tests/s3/whole_swift.sh

check_PROGRAMS += tests/s3/test_matrix
TESTS += tests/s3/test_matrix
tests_s3_test_matrix_SOURCES = tests/s3/test_matrix.c tests/s3/cells.c \
	tests/s3/cells.h tests/s3/net.c tests/s3/net.h
dist_check_SCRIPTS += tests/s3/tls.sh
EXTRA_DIST += tests/s3/tls.py
dist_check_SCRIPTS += tests/s3/web.sh
dist_check_SCRIPTS += tests/s3/forget.sh
dist_check_SCRIPTS += tests/s3/prune.sh
dist_check_SCRIPTS += tests/s3/prune_counts.sh
dist_check_SCRIPTS += tests/s3/cycle.sh
dist_check_SCRIPTS += tests/s3/versioned.sh
dist_check_SCRIPTS += tests/s3/prune_stopped.sh
dist_check_SCRIPTS += tests/s3/check.sh
dist_check_SCRIPTS += tests/s3/check_ceph.sh
