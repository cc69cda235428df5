#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""TLS before a server of the loopback:

    tls.py PORT CERTIFICATE KEY [OLDEST]

prints its own port as "port=N" and passes on, undone, what comes there.  With
OLDEST (TLSv1, TLSv1_1, TLSv1_2) it speaks that version and nothing newer."""
import socket
import ssl
import sys
import threading


def pump(source, sink):
    try:
        while data := source.recv(65536):
            sink.sendall(data)
    except OSError:
        pass
    for end in source, sink:
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def serve(plain, context, port):
    try:
        near = context.wrap_socket(plain, server_side=True)
        far = socket.create_connection(("127.0.0.1", port))
    except OSError:  # who does not trust us says so to our face
        plain.close()
        return
    # one thread reads a TLS connection while another one writes to it
    up = threading.Thread(target=pump, args=(near, far), daemon=True)
    up.start()
    pump(far, near)
    up.join()
    near.close()
    far.close()


def main():
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[2], sys.argv[3])
    if len(sys.argv) > 4:
        version = getattr(ssl.TLSVersion, sys.argv[4])
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version = context.maximum_version = version
    listener = socket.create_server(("127.0.0.1", 0), backlog=64)
    print(f"port={listener.getsockname()[1]}", "control=0", flush=True)
    while True:
        threading.Thread(target=serve, daemon=True, args=(
            listener.accept()[0], context, int(sys.argv[1]))).start()


main()
