# SPDX-License-Identifier: GPL-2.0-or-later
"""What an S3 server does, asked of the test server and of real ones alike:

    contract.py KIND        KIND is server, ceph or swift

with s3_endpoint, s3_region, s3_bucket, s3_rw (and s3_ro, s3_put where there are
such users) in the environment.  Where kinds differ, the check says so.
"""
import base64
import hashlib
import os
import sys
import urllib.parse

from s3client import Client

KIND = sys.argv[1]
FAILED = []


def client(user='rw', **other):
    return Client(os.environ['s3_endpoint'],
                  other.get('region', os.environ['s3_region']),
                  other.get('bucket', os.environ['s3_bucket']),
                  other.get('credentials', os.environ['s3_' + user]))


def expect(what, answer, status, code=None, **by_kind):
    """The answer has this status, and its body this code; other ones for the
    kinds that are named."""
    wanted = by_kind.get(KIND, (status, code))
    got = (answer.status, answer.one('Code'))
    if got[0] != wanted[0] or (wanted[1] and got[1] != wanted[1]):
        FAILED.append('%s: %r, not %r' % (what, got, wanted))


def same(what, got, wanted):
    if got != wanted:
        FAILED.append('%s: %r, not %r' % (what, got, wanted))


def md5(body):
    return base64.b64encode(hashlib.md5(body).digest()).decode()


def objects(s3):
    body = bytes(range(256)) * 40
    answer = s3.call('PUT', 'a/object', body=body)
    expect('put', answer, 200)
    same('etag', answer.headers['ETag'], '"%s"' % hashlib.md5(body).hexdigest())
    same('get', s3.call('GET', 'a/object').body, body)
    head = s3.call('HEAD', 'a/object')
    same('size', (head.status, head.headers['Content-Length']), (200, '10240'))
    expect('put again', s3.call('PUT', 'a/object', body=body[:99]), 200)
    same('the new one', s3.call('GET', 'a/object').body, body[:99])
    expect('put nothing', s3.call('PUT', 'a/empty'), 200)
    same('get nothing', s3.call('GET', 'a/empty').body, b'')
    expect('delete', s3.call('DELETE', 'a/empty'), 204)
    expect('gone', s3.call('GET', 'a/empty'), 404, 'NoSuchKey')
    expect('head of nothing', s3.call('HEAD', 'a/empty'), 404)
    expect('delete nothing', s3.call('DELETE', 'a/empty'), 204)
    expect('no such bucket', client(bucket='elsewhere').call('GET', 'x'), 404,
           'NoSuchBucket')


def ranges(s3):
    body = b'0123456789'
    s3.call('PUT', 'digits', body=body)
    for text, part, said in (('0-0', b'0', '0-0'), ('3-5', b'345', '3-5'),
                             ('7-', b'789', '7-9'), ('-2', b'89', '8-9'),
                             ('8-99', b'89', '8-9'), ('-99', body, '0-9')):
        answer = s3.call('GET', 'digits', headers={'Range': 'bytes=' + text})
        same('range ' + text, (answer.status, answer.body,
                               answer.headers['Content-Range']),
             (206, part, 'bytes %s/10' % said))
    for text in '10-', '99-100':
        answer = s3.call('GET', 'digits', headers={'Range': 'bytes=' + text})
        expect('range ' + text, answer, 416, 'InvalidRange')


def conditions(s3):
    absent = {'If-None-Match': '*'}
    expect('put if absent', s3.call('PUT', 'once', headers=absent, body=b'1'),
           200, swift=(501, 'NotImplemented'))
    expect('put what is there', s3.call('PUT', 'once', headers=absent,
                                        body=b'2'),
           412, 'PreconditionFailed', swift=(501, 'NotImplemented'))
    if KIND != 'swift':
        same('the first', s3.call('GET', 'once').body, b'1')


def odd_keys(s3):
    keys = ["k/a b", 'k/a+b', 'k/a&b=c', 'k/a%41', 'k/\u00e9', "k/~!*'();:@,$"]
    for key in keys:
        expect('put %r' % key, s3.call('PUT', key, body=key.encode()), 200)
        same(key, s3.call('GET', key).body, key.encode())
    listed = s3.call('GET', query={'list-type': '2', 'prefix': 'k/',
                                   'encoding-type': 'url'}).all('Key')
    same('listed', [urllib.parse.unquote(key) for key in listed], sorted(keys))


def names(answer):
    return [urllib.parse.unquote(key) for key in answer.all('Key')]


def listings(s3):
    keys = ['l/%02d/%d' % (i, k) for i in range(4) for k in range(3)]
    for key in reversed(keys):
        s3.call('PUT', key, body=b'x' * 5)

    def listing(**query):
        query = {k.replace('_', '-'): v for k, v in query.items()}
        return s3.call('GET', query={'list-type': '2', **query})
    answer = listing(prefix='l/')
    same('all', names(answer), keys)
    same('sizes', answer.all('Size'), ['5'] * len(keys))
    same('all of them', answer.one('IsTruncated'), 'false')
    same('after', names(listing(prefix='l/', start_after='l/01/2')), keys[6:])
    same('after none', names(listing(prefix='l/', start_after='l/01/')),
         keys[3:])
    same('nothing', names(listing(prefix='nothing/')), [])
    answer = listing(prefix='l/', delimiter='/')
    same('folders', [p for p in answer.all('Prefix') if p != 'l/'],
         ['l/%02d/' % i for i in range(4)])
    paged, query = [], {}
    while len(paged) < 2 * len(keys):
        answer = listing(prefix='l/', max_keys='5', **query)
        paged += names(answer)
        if answer.one('IsTruncated') == 'false':
            break
        query = {'continuation_token': answer.one('NextContinuationToken')}
    same('paged', paged, keys)


def signatures(s3):
    def wrong(what, status, code, **how):
        by_kind = {k: how.pop(k) for k in ('ceph', 'swift') if k in how}
        expect(what, s3.call('PUT', 'signed', body=b'content', **how), status,
               code, **by_kind)
    key_id = os.environ['s3_rw'].split(' ')[0]
    other = client(credentials=key_id + ' wrong')
    expect('another secret', other.call('GET', 'signed'), 403,
           'SignatureDoesNotMatch')
    other = client(credentials='nobody:x wrong')
    expect('nobody', other.call('GET', 'signed'), 403, 'InvalidAccessKeyId',
           swift=(403, 'SignatureDoesNotMatch'))
    other = client(region='mars-1')
    expect('another region', other.call('GET', 'signed'), 400,
           'AuthorizationHeaderMalformed', ceph=(404, None))
    wrong('another hash', 400, 'XAmzContentSHA256Mismatch',
          swift=(400, 'BadDigest'),
          headers={'x-amz-content-sha256': '0' * 64})
    wrong('a header changed', 403, 'SignatureDoesNotMatch',
          headers={'x-amz-meta-a': 'b'}, after_signing={'x-amz-meta-a': 'c'})
    wrong('late', 403, 'RequestTimeTooSkewed', late=-3600)
    wrong('early', 403, 'RequestTimeTooSkewed', late=3600)
    wrong('not signed', 403, 'AccessDenied', swift=(400, None),
          after_signing={'authorization': None})
    wrong('another MD5', 400, 'BadDigest', headers={'Content-MD5': md5(b'x')})
    expect('nothing was put', s3.call('GET', 'signed'), 404, 'NoSuchKey')
    wrong('right', 200, None, headers={'Content-MD5': md5(b'content')})
    wrong('without a hash', 200, None,
          headers={'x-amz-content-sha256': 'UNSIGNED-PAYLOAD'})
    expect('no length', s3.call('PUT', 'x', after_signing={
        'content-length': None}), 411, 'MissingContentLength')
    s3.close()


def multipart(s3):
    def parts(*numbered):
        return ('<CompleteMultipartUpload>%s</CompleteMultipartUpload>' % ''.join(
            '<Part><PartNumber>%d</PartNumber><ETag>%s</ETag></Part>' % part
            for part in numbered)).encode()
    content = [os.urandom(5 << 20), b'tail']
    answer = s3.call('POST', 'big', query={'uploads': ''})
    expect('begin', answer, 200)
    upload = answer.one('UploadId')
    etags = []
    for i, part in enumerate(content):
        answer = s3.call('PUT', 'big', body=part, query={
            'partNumber': str(i + 1), 'uploadId': upload})
        expect('part', answer, 200)
        etags.append(answer.headers['ETag'])
    expect('not yet', s3.call('GET', 'big'), 404, 'NoSuchKey')
    expect('wrong part', s3.call('POST', 'big', query={'uploadId': upload},
                                 body=parts((1, etags[1]))), 400, 'InvalidPart')
    expect('complete', s3.call('POST', 'big', query={'uploadId': upload},
                               body=parts(*zip((1, 2), etags))), 200)
    same('put together', s3.call('GET', 'big').body, b''.join(content))
    upload = s3.call('POST', 'other', query={'uploads': ''}).one('UploadId')
    expect('abort', s3.call('DELETE', 'other', query={'uploadId': upload}), 204)
    expect('aborted', s3.call('PUT', 'other', body=b'x', query={
        'partNumber': '1', 'uploadId': upload}), 404, 'NoSuchUpload')


def batch(s3):
    keys = ['b/1', 'b/a&b', 'b/not there']
    for key in keys[:2]:
        s3.call('PUT', key)
    body = ('<Delete>%s</Delete>' % ''.join(
        '<Object><Key>%s</Key></Object>' % key.replace('&', '&amp;')
        for key in keys)).encode()
    expect('without MD5', s3.call('POST', query={'delete': ''}, body=body), 400,
           'InvalidRequest', ceph=(200, None))
    answer = s3.call('POST', query={'delete': ''}, body=body,
                     headers={'Content-MD5': md5(body)})
    expect('with MD5', answer, 200)
    if KIND != 'ceph':
        same('deleted', sorted(answer.all('Key')), keys)
    for key in keys:
        expect('deleted', s3.call('GET', key), 404, 'NoSuchKey')


def rights(s3):
    if KIND == 'swift':
        return
    s3.call('PUT', 'r/1', body=b'secret')
    reader, putter = client('ro'), client('put')
    same('reads', reader.call('GET', 'r/1').body, b'secret')
    same('lists', names(reader.call('GET', query={
        'list-type': '2', 'prefix': 'r/'})), ['r/1'])
    expect('misses', reader.call('GET', 'r/2'), 404, 'NoSuchKey')
    expect('puts', putter.call('PUT', 'r/3', body=b'x'), 200)
    for what, answer in (
            ('reader puts', reader.call('PUT', 'r/4', body=b'x')),
            ('reader deletes', reader.call('DELETE', 'r/1')),
            ('putter gets', putter.call('GET', 'r/1')),
            ('putter gets nothing', putter.call('GET', 'r/nothing')),
            ('putter lists', putter.call('GET', query={'list-type': '2'})),
            ('putter deletes', putter.call('DELETE', 'r/1'))):
        expect(what, answer, 403, 'AccessDenied')
    expect('putter heads', putter.call('HEAD', 'r/1'), 403)


for check in (objects, ranges, conditions, odd_keys, listings, signatures,
              multipart, batch, rights):
    try:
        check(client())
    except Exception as error:
        FAILED.append('%s: %r' % (check.__name__, error))
print('\n'.join(FAILED))
sys.exit(1 if FAILED else 0)
