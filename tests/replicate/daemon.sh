#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# The replicator as a daemon: what it tells systemd, its socket, its signals,
# databases it cannot replicate yet, snapshots now and then, --once.
. "${top_srcdir:-.}/tests/lib.sh"
. "$top_srcdir/tests/replicate/lib.sh"
make_repository

run_status 1 yore status --state-dir "$state"
one_line err
run_status 2 yore replicate --sync-interval soon app.db
run_status 2 yore replicate --host h --source x --pattern '*' .
run_status 1 yore replicate --host h --state-dir "$state" .
says err 'pattern'
run_status 10 yore replicate -r "$work/none" --state-dir "$state" app.db

# a rollback journal is no reason to be silent, and may become a log
sqlite3 app.db 'CREATE TABLE t(a)'
run_status 1 yore replicate --host h --once --state-dir "$state" app.db
says err 'app.db is not in WAL mode: set it with PRAGMA journal_mode=WAL'
python3 - "$work/notify" >told <<'PY' &
import socket, sys
s = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
s.bind(sys.argv[1])
while True:
    said = s.recv(1000).decode()
    print(said, flush=True)
    if said == 'STOPPING=1':
        break
PY
listener=$!
until [ -S notify ]; do sleep 0.02; done
export NOTIFY_SOCKET=$work/notify
start_replicator --sync-interval 0.1 --snapshot-interval 0.5
run_status 1 yore status --state-dir "$state"
says out 'app.db: (waiting|base|starting); stored nothing yet.*not in WAL mode'
[ "$(stat -c %a "$state/control/$replicator")" = 600 ] || fail 'socket mode'
[ "$(stat -c %a "$state/control")" = 700 ] || fail 'directory mode'
run_status 1 yore sync --wait --state-dir "$state" app.db
says err 'not in WAL mode'
sqlite3 app.db 'PRAGMA journal_mode=WAL'
for _ in $(seq 50); do
	stored 2>err && break
	sleep 0.2
done

kill -HUP "$replicator"
for i in $(seq 30); do
	sqlite3 app.db "INSERT INTO t VALUES($i)"
	sleep 0.05
done
stored
# a snapshot may be under way whenever it is asked
for _ in $(seq 100); do
	yore status --json --state-dir "$state" app.db >status
	grep -q '"state": *"base"' status || break
	sleep 0.02
done
python3 -c 'import json, sys
d = json.load(open("status"))
assert d["state"] == "replicating" and d["lag_milliseconds"] == 0, d
assert d["bases"] >= 2 and d["deltas"] >= 5 and "error" not in d, d'
run_status 1 yore status --state-dir "$state" other.db
stop_replicator
wait $listener
says told '^READY=1$'
says told '^STATUS='
says told '^STOPPING=1$'
[ ! -e "$state/control/$replicator" ] || fail 'the socket is still there'
unset NOTIFY_SOCKET

# a stop stores what was committed just before; --once does the same
start_replicator --sync-interval 60
sqlite3 app.db 'INSERT INTO t VALUES(1000)'
stop_replicator
yore cat h/app.db:app.db >copy
[ "$(sqlite3 copy 'SELECT max(a) FROM t')" = 1000 ] || fail 'not flushed'
sqlite3 app.db 'INSERT INTO t VALUES(1001)'
yore replicate --host h --once --state-dir "$state" app.db
yore cat h/app.db:app.db >copy
[ "$(sqlite3 copy 'SELECT max(a) FROM t')" = 1001 ] || fail '--once'
