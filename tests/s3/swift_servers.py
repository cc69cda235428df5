# SPDX-License-Identifier: GPL-2.0-or-later
"""Swift's rings and its four servers, for swift.sh:

    swift_servers.py DIRECTORY ACCOUNT-PORT CONTAINER-PORT OBJECT-PORT

The rings have one device of one copy.  The servers are children that die with
this process; it ends when one of them does.

Swift wants a memcached beside it.  As the proxy is a single process here, a
dictionary is enough: the filter "cache" that proxy.conf takes from this file.
"""
import ctypes
import os
import signal
import sys

import eventlet.wsgi  # what all four need, imported once
import swift.account.server
import swift.container.server
import swift.obj.server
import swift.proxy.server
from swift.common.ring import RingBuilder
from swift.common.utils import set_swift_dir
from swift.common.wsgi import run_wsgi

PR_SET_PDEATHSIG = 1


class Cache:
    """What the proxy uses of Swift's memcached client; nothing expires."""

    def __init__(self):
        self.values = {}

    def get(self, key, *args, **kwargs):
        return self.values.get(key)

    def set(self, key, value, *args, **kwargs):
        self.values[key] = value

    def delete(self, key, *args, **kwargs):
        self.values.pop(key, None)


def cache_filter(conf, **local):
    cache = Cache()

    def wrap(app):
        def with_cache(env, start_response):
            env['swift.cache'] = cache
            return app(env, start_response)
        return with_cache
    return wrap


def make_ring(path, port):
    builder = RingBuilder(part_power=4, replicas=1, min_part_hours=0)
    builder.add_dev({
        'id': 0, 'region': 1, 'zone': 1, 'weight': 1, 'meta': '',
        'device': 'one', 'ip': '127.0.0.1', 'port': port,
        'replication_ip': '127.0.0.1', 'replication_port': port})
    builder.rebalance()
    builder.get_ring().save(path)


def serve(directory, server):
    if os.fork():
        return
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    os._exit(run_wsgi('%s/%s.conf' % (directory, server), server + '-server'))


def main(directory, *ports):
    stored = ('account', 'container', 'object')
    set_swift_dir(directory)  # else /etc/swift must exist
    for server, port in zip(stored, ports):
        make_ring('%s/%s.ring.gz' % (directory, server), int(port))
    for server in stored + ('proxy',):
        serve(directory, server)
    _, status = os.wait()
    sys.exit('a server ended with %d' % status)


if __name__ == '__main__':
    main(*sys.argv[1:])
