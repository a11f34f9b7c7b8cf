"""Connects by TLS 1.2 with one certificate, renegotiates with another, and posts a form.

Prints the answer, and before it whether the renegotiation took place. Node's own client cannot change its certificate.
Arguments: port, certificate and key of the first, certificate and key of the second (PEM files).
"""
import socket
import sys

from OpenSSL import SSL, crypto

port, first_certificate, first_key, second_certificate, second_key = sys.argv[1:]
BODY = b"grant_type=client_credentials&client_id=c"
REQUEST = (
    b"POST /token HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
    b"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: %d\r\n\r\n" % len(BODY)
) + BODY


def read(path):
    with open(path, "rb") as file:
        return file.read()


context = SSL.Context(SSL.TLS_CLIENT_METHOD)
context.set_max_proto_version(SSL.TLS1_2_VERSION)
context.use_certificate_file(first_certificate)
context.use_privatekey_file(first_key)
connection = SSL.Connection(context, socket.create_connection(("127.0.0.1", int(port)), 10))
connection.setblocking(1)
connection.set_connect_state()
connection.do_handshake()

connection.use_certificate(crypto.load_certificate(crypto.FILETYPE_PEM, read(second_certificate)))
connection.use_privatekey(crypto.load_privatekey(crypto.FILETYPE_PEM, read(second_key)))
renegotiated = False
try:
    renegotiated = connection.renegotiate()
    connection.do_handshake()
    renegotiated = connection.total_renegotiations() > 0
except SSL.Error:
    renegotiated = False

print("renegotiated" if renegotiated else "refused")
answer = b""
try:
    connection.sendall(REQUEST)
    while True:
        answer += connection.recv(65536)
except (SSL.Error, OSError):
    pass
print(answer.decode("latin-1"))
