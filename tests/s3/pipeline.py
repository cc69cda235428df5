# SPDX-License-Identifier: GPL-2.0-or-later
"""N ranged GETs of object on one connection, sent before any answer is read.
AWS_... in the environment; fails unless every answer has its 100 bytes."""
import datetime
import http.client
import os
import sys

from s3client import Client

endpoint = os.environ['AWS_ENDPOINT_URL']
s3 = Client(endpoint, os.environ['AWS_REGION'], 'yore', '%s %s' % (
    os.environ['AWS_ACCESS_KEY_ID'], os.environ['AWS_SECRET_ACCESS_KEY']))
s3.connection.connect()
sock = s3.connection.sock
path = '/yore/object'
for i in range(int(sys.argv[1])):
    headers = s3.signed('GET', path, {}, {
        'range': 'bytes=%d-%d' % (i * 100, i * 100 + 99)}, b'',
        datetime.datetime.now(datetime.timezone.utc))
    lines = ['GET %s HTTP/1.1' % path]
    lines += ['%s: %s' % field for field in headers.items()]
    sock.sendall(('\r\n'.join(lines) + '\r\n\r\n').encode())

answers = sock.makefile('rb')
for i in range(int(sys.argv[1])):
    status = answers.readline().decode().strip()
    head = http.client.parse_headers(answers)
    body = answers.read(int(head['Content-Length']))
    said = head['Content-Range'] or ''
    if len(body) != 100 or not said.startswith('bytes %d-' % (i * 100)):
        sys.exit('answer %d: %s, %d bytes, %s' % (i, status, len(body), said))
