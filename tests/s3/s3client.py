# SPDX-License-Identifier: GPL-2.0-or-later
"""A small S3 client for tests, with signatures of its own (version 4)."""
import datetime
import hashlib
import hmac
import html
import http.client
import re
import urllib.parse


def quote(text, safe=''):
    return urllib.parse.quote(text, safe=safe + '-._~')


def sign(key, text):
    return hmac.new(key, text.encode(), hashlib.sha256).digest()


class Answer:
    def __init__(self, response):
        self.status = response.status
        self.headers = response.headers
        self.body = response.read()

    def all(self, element):
        """The texts of all XML elements of this name."""
        found = re.findall('<%s>(.*?)</%s>' % (element, element),
                           self.body.decode(), re.DOTALL)
        return [html.unescape(text) for text in found]

    def one(self, element):
        return (self.all(element) or [None])[0]

    def __repr__(self):
        return '%d %s' % (self.status, self.one('Code') or '')


class Client:
    def __init__(self, endpoint, region, bucket, credentials):
        self.address = endpoint.split('//')[1]
        self.region = region
        self.bucket = bucket
        self.id, self.secret = credentials.split(' ')
        self.connection = http.client.HTTPConnection(self.address, timeout=30)

    def close(self):
        self.connection.close()

    def signed(self, method, path, query, headers, content, when):
        """The headers with those that a signature needs."""
        day = when.strftime('%Y%m%d')
        headers = {name.lower(): value for name, value in headers.items()}
        headers.setdefault('host', self.address)
        headers.setdefault('x-amz-date', when.strftime('%Y%m%dT%H%M%SZ'))
        headers.setdefault('x-amz-content-sha256',
                           hashlib.sha256(content).hexdigest())
        names = ';'.join(sorted(headers))
        lines = [method, quote(path, '/'),
                 '&'.join(sorted('%s=%s' % (quote(k), quote(v))
                                 for k, v in query.items()))]
        lines += ['%s:%s' % (name, headers[name]) for name in sorted(headers)]
        lines += ['', names, headers['x-amz-content-sha256']]
        scope = '%s/%s/s3/aws4_request' % (day, self.region)
        text = 'AWS4-HMAC-SHA256\n%s\n%s\n%s' % (
            headers['x-amz-date'], scope,
            hashlib.sha256('\n'.join(lines).encode()).hexdigest())
        key = ('AWS4' + self.secret).encode()
        for part in (day, self.region, 's3', 'aws4_request'):
            key = sign(key, part)
        headers['authorization'] = (
            'AWS4-HMAC-SHA256 Credential=%s/%s, SignedHeaders=%s, Signature=%s'
            % (self.id, scope, names, sign(key, text).hex()))
        return headers

    def call(self, method, key='', query=None, headers=None, body=b'',
             late=0, after_signing=None):
        """Sign and send; late is the error of our clock in seconds,
        after_signing what is sent differently from what was signed."""
        path = '/%s' % self.bucket + ('/' + key if key else '')
        query = query or {}
        when = (datetime.datetime.now(datetime.timezone.utc)
                + datetime.timedelta(seconds=late))
        headers = self.signed(method, path, query, headers or {}, body, when)
        headers.update(after_signing or {})
        target = quote(path, '/')
        if query:
            target += '?' + '&'.join('%s=%s' % (quote(k), quote(v))
                                     for k, v in query.items())
        self.connection.putrequest(method, target, skip_host=True,
                                   skip_accept_encoding=True)
        if method in ('PUT', 'POST'):
            headers.setdefault('content-length', str(len(body)))
        for name, value in headers.items():
            if value is not None:
                self.connection.putheader(name, value)
        self.connection.endheaders(body or None)
        return Answer(self.connection.getresponse())
