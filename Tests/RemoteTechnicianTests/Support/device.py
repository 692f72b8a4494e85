"""A device's own pages, as an independent HTTP server serves them: python3 device.py [CERTIFICATE KEY [old]].

With `old` it speaks TLS 1.0 and 1.1 alone.

Prints its port, and ends with its standard input.
"""

import base64
import gzip
import hashlib
import http.server
import json
import os
import ssl
import sys
import threading

GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, body, headers=()):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if path == "/":
            self.answer(200, b"<h1>Device</h1>", [("Content-Type", "text/html"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("pt-error", "forged"), ("Via", "1.1 x"), ("Keep-Alive", "timeout=5")])
        elif path == "/headers":
            body = json.dumps({"line": self.requestline, "headers": [[name, value] for name, value in self.headers.items()]})
            self.answer(200, body.encode(), [("Content-Type", "application/json")])
        elif path == "/gzip":
            self.answer(200, gzip.compress(b"a" * 100_000), [("Content-Encoding", "gzip")])
        elif path == "/redirect":
            self.answer(302, b"", [("Location", "http://elsewhere.example/")])
        elif path == "/large":
            self.send_response(200)
            self.send_header("Content-Length", query)
            self.end_headers()
            piece, left = b"x" * (1 << 18), int(query)
            while left > 0:
                self.wfile.write(piece[:left])
                left -= len(piece)
        elif path == "/chunked":
            self.send_response(200)
            self.send_header("Transfer-Encoding", "chunked")
            self.end_headers()
            for word in (b"one ", b"two ", b"three"):
                self.wfile.write(b"%x\r\n%s\r\n" % (len(word), word))
            self.wfile.write(b"0\r\nX-Trailer: y\r\n\r\n")
        elif path == "/ws":
            self.websocket()
        else:
            self.answer(404, b"nothing")

    do_HEAD = do_GET

    def do_POST(self):
        digest, total = hashlib.sha256(), 0
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline().strip(), 16):
                data = self.rfile.read(size)
                digest.update(data)
                total += len(data)
                self.rfile.readline()
            self.rfile.readline()
        else:
            left = int(self.headers["Content-Length"])
            while left > 0:
                data = self.rfile.read(min(left, 1 << 16))
                digest.update(data)
                total += len(data)
                left -= len(data)
        self.answer(200, f"{total} {digest.hexdigest()}".encode())

    def websocket(self):
        accept = base64.b64encode(hashlib.sha1((self.headers["Sec-WebSocket-Key"] + GUID).encode()).digest()).decode()
        self.send_response(101)
        self.send_header("Upgrade", "websocket")
        self.send_header("Connection", "Upgrade")
        self.send_header("Sec-WebSocket-Accept", accept)
        self.end_headers()
        while data := self.rfile.read1(65_536):
            self.wfile.write(data)
        self.close_connection = True


server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
server.daemon_threads = True
if len(sys.argv) >= 3:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    if len(sys.argv) == 4:
        context.set_ciphers("ALL:@SECLEVEL=0")
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1
    context.load_cert_chain(sys.argv[1], sys.argv[2])
    server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_address[1], flush=True)
threading.Thread(target=server.serve_forever, daemon=True).start()
sys.stdin.read() if not sys.stdin.isatty() else None
threading.Event().wait()
