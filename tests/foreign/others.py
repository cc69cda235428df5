#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Replicas as alopex, tito and zlayer-storage write them:

    others.py DIRECTORY [PAUSE]

makes DIRECTORY/metrics (alopex), DIRECTORY/backups/shop (tito) and
DIRECTORY/sqlite/orders (zlayer), and expected.tsv beside it: source, id, path,
SHA-256 of what a view shows there.  Objects of zlayer, whose order is their
times, are written PAUSE seconds apart, in that order (without: dated so)."""

import gzip, hashlib, json, os, sqlite3, sys, time, zlib
import zstandard

top, pause = sys.argv[1], float(sys.argv[2]) if len(sys.argv) > 2 else 0
expected = open(top.rstrip('/') + '.expected.tsv', 'w')
NOON = 1791201600  # 2026-10-05 12:00:00


def put(path, data, when=None):
    path = os.path.join(top, path)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, 'wb') as f:
        f.write(data)
    if pause:
        time.sleep(pause if when else 0)
    elif when:
        os.utime(path, (when, when))


def expect(source, id, path, data):
    sum = hashlib.sha256(data).hexdigest()
    expected.write('\t'.join((source, id, path, sum)) + '\n')


def alopex():
    backups = 'metrics/.lifecycle/backup/'
    files = {'catalog/schema.json': b'{"tables":[]}', 'empty': b'',
             'lsm.wal': b'wal' + bytes(1 << 20)}
    for ts in 1791176400, 1791262800, 1791349200:
        files['sst/%d.sst' % ts] = b'table of %d' % ts
        entries = []
        for path, data in files.items():
            put('%sts-%d/%s' % (backups, ts, path), data)
            entries.append({'path': path, 'size': len(data),
                            'crc32': zlib.crc32(data)})
            if ts < 1791349200:
                expect('alopex/metrics', 'ts-%d' % ts, path, data)
        if ts < 1791349200:  # the last one is not finished
            put('%sts-%d/snapshot.manifest' % (backups, ts), json.dumps(
                {'version': 1, 'entries': entries}, indent=2).encode())
    put(backups + 'latest', b'/var/lib/gone/.lifecycle/backup/ts-1791262800')


def tito():
    def chunk(kind, second, number, entries):
        put('backups/shop/%s/%d/chunk-%04d.json.gz' % (kind, second, number),
            gzip.compress(json.dumps([
                {'op': 'put' if value is not None else 'delete', 'key': key,
                 'data': value} for key, value in entries],
                ensure_ascii=False).encode()))

    def state(second, files):
        for path, value in files.items():
            expect('tito/shop', str(second), path,
                   json.dumps(value, ensure_ascii=False).encode())

    many = [('table:users:%04d' % i, {'n': i}) for i in range(1000)]
    files = {'table/users/%04d.json' % i: {'n': i} for i in range(1000)}
    chunk('full', 1791245505, 0, many[:600])
    chunk('full', 1791245505, 1, many[600:] + [
        ('table:docs:../../etc/passwd', 'up'), ('table:docs:ü', [1.5, None])])
    files['table/docs/%2E.%2F..%2Fetc%2Fpasswd.json'] = 'up'
    files['table/docs/ü.json'] = [1.5, None]
    state(1791245505, files)
    chunk('changelog', 1791248442, 0, [('table:users:0000', None),
                                       ('event:e:1:2:3', True)])
    del files['table/users/0000.json']
    files['event/e/1/2/3.json'] = True
    state(1791248442, files)
    chunk('full', 1791249000, 0, many[:10])
    put('backups/shop/LATEST_FULL', b'1791245505')
    put('backups/shop/LATEST', b'1791248442377')


def zlayer():
    work = top.rstrip('/') + '.work'
    os.makedirs(work)
    path = work + '/db'
    db = sqlite3.connect(path, isolation_level=None)
    read = lambda name: open(name, 'rb').read()
    number = lambda wal: (len(wal) - 32) // (24 + 4096)

    def wal(second):
        data = read(path + '-wal')
        n = number(data) if data else 0
        put('sqlite/orders/wal/%020d.wal.zst' % n,
            zstandard.ZstdCompressor(3, write_content_size=False)
            .compress(data), NOON + second)
        return n

    def snapshot(second):
        put('sqlite/orders/snapshots/20261005_1200%02d.sqlite.zst' % second,
            zstandard.ZstdCompressor(3, write_content_size=False)
            .compress(read(path)), NOON + second)

    def state(second, n=None):
        for suffix in '', '-wal':
            with open(work + '/copy' + suffix, 'wb') as f:
                f.write(read(path + suffix))
        copy = sqlite3.connect(work + '/copy')
        copy.execute('PRAGMA wal_checkpoint(TRUNCATE)')
        copy.close()
        id = '20261005_1200%02d' % second
        expect('zlayer/orders', id if n is None else '%s-%d' % (id, n),
               'orders.raw', read(work + '/copy'))

    db.executescript('PRAGMA journal_mode=WAL; PRAGMA wal_autocheckpoint=0;'
                     'CREATE TABLE t(id INTEGER PRIMARY KEY, x)')
    insert = lambda n: [db.execute('INSERT INTO t(x) VALUES(randomblob(900))')
                        for _ in range(n)]
    insert(40)
    wal(0)
    db.execute('PRAGMA wal_checkpoint(TRUNCATE)')
    snapshot(10)
    state(10)
    for second in 20, 25:
        insert(3)
        state(10, wal(second))
    db.execute('PRAGMA wal_checkpoint(TRUNCATE)')
    insert(1)  # of a log that is never uploaded
    db.execute('PRAGMA wal_checkpoint(TRUNCATE)')
    insert(15)
    wal(28)  # so that this one follows nothing
    put('sqlite/orders/metadata.json', b'{"latest_wal_sequence": null}')


alopex()
tito()
zlayer()
