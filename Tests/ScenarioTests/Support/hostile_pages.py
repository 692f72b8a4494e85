#!/usr/bin/env python3
"""A device that breaks HTTP, or uses it against whoever looks at it: what it does is in the path that it is asked for.

    hostile_pages.py --address 127.30.113.4 --plain 22137 --neighbour http://127.30.113.1:22137
"""

import argparse
import gzip
import socket
import struct
import threading
import time

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--address", required=True)
parser.add_argument("--plain", type=int, required=True)
parser.add_argument("--neighbour", default="http://10.0.0.1")
options = parser.parse_args()

# 300 MB of one letter in 300 KB.
BOMB = gzip.compress(b"<p>" + b"A" * (300 << 20))


def head(status, *fields):
    return ("HTTP/1.1 " + "\r\n".join([status, "Connection: close", *fields]) + "\r\n\r\n").encode()


def redirect(address):
    return lambda connection: connection.sendall(head("302 Found", f"Location: {address}", "Content-Length: 0"))


def page(*fields, body=b"<h1>a page</h1>"):
    return lambda connection: connection.sendall(head("200 OK", "Content-Type: text/html", f"Content-Length: {len(body)}", *fields) + body)


def endless(first, again):
    def serve(connection):
        connection.sendall(first)
        while True:
            connection.sendall(again)
    return serve


def drips(connection):
    for byte in head("200 OK", "X-A: " + "a" * 60) * 10:
        connection.sendall(bytes([byte]))
        time.sleep(2)


def resets(connection):
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def breaks_off(first, then):
    """The head is on its way before what is wrong comes."""
    def serve(connection):
        connection.sendall(first)
        time.sleep(0.3)
        connection.sendall(then)
    return serve


CHUNKED = head("200 OK", "Content-Type: text/html", "Transfer-Encoding: chunked")
ACTS = {
    "/fine": page(),
    "/http09": lambda connection: connection.sendall(b"<html><h1>no head at all</h1></html>"),
    "/endless-headers": endless(b"HTTP/1.1 200 OK\r\n", b"X-More: aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\r\n"),
    "/endless-line": endless(b"HTTP/1.1 200 ", b"a" * 4_096),
    "/two-lengths": lambda connection: connection.sendall(head("200 OK", "Content-Length: 3", "Content-Length: 900") + b"abc"),
    "/length-and-chunks": lambda connection: connection.sendall(head("200 OK", "Content-Length: 3", "Transfer-Encoding: gzip") + b"abc"),
    "/bad-chunk": breaks_off(CHUNKED, b"5\r\nhello\r\nthis is no length\r\n"),
    "/huge-chunk": breaks_off(CHUNKED, b"ffffffffffffffffffff\r\nhello"),
    "/cut": breaks_off(head("200 OK", "Content-Type: text/html", "Content-Length: 500"), b"<p>half"),
    "/bomb": page("Content-Encoding: gzip", body=BOMB),
    "/silent": lambda connection: time.sleep(120),
    "/drips": drips,
    "/resets": resets,
    "/closes": lambda connection: None,
    "/elsewhere": redirect("https://evil.example/login"),
    "/elsewhere-slashes": redirect("//evil.example/login"),
    "/elsewhere-backslashes": redirect("/\\\\evil.example/login"),
    "/elsewhere-user": redirect(f"http://{options.address}:{options.plain}@evil.example/"),
    "/metadata": redirect("http://169.254.169.254/latest/meta-data/"),
    "/loopback": redirect("http://localhost/"),
    "/neighbour": redirect(options.neighbour + "/"),
    "/raw-printing": redirect(f"http://{options.address}:9100/"),
    "/script": redirect("javascript:alert(1)"),
    # A name that leads to the device's address today and to another tomorrow: nobody looks it up, and it is none of the device's.
    "/rebinding": redirect(f"http://rebind.example:{options.plain}/"),
    "/refresh": page("Refresh: 0; url=http://evil.example/"),
    "/forges": lambda connection: connection.sendall(head("200 OK", "pt-error: hub", "Set-Cookie: __Host-printtrail-page=x; Secure; Path=/", "Content-Length: 2") + b"hi"),
}


def serve(connection):
    with connection:
        try:
            request = b""
            while b"\r\n\r\n" not in request:
                part = connection.recv(65_536)
                if not part:
                    return
                request += part
            path = request.split(b" ")[1].decode().split("?")[0]
            ACTS.get(path, page())(connection)
        except OSError:
            pass


listener = socket.create_server((options.address, options.plain), backlog=64)
print("ready", flush=True)
while True:
    threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()
