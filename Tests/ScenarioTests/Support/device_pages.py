#!/usr/bin/env python3
"""A printer's web pages, as a well-behaved printer has them, over HTTP and over HTTPS with a certificate of its own.

    device_pages.py --address 127.30.113.1 --plain 22137 [--tls 22138 --certificate FILE] --record FILE [--targets FILE]

Each request is a line of JSON in the file `--record`: {"method", "path", "headers", "length", "sha256", "body", "scheme"}; of a form the body is in it,
of what is uploaded the file's length and digest. `--targets` is a JSON object of addresses that a script of the front page tries to reach.
"""

import argparse
import base64
import gzip
import hashlib
import http.server
import json
import os
import socketserver
import ssl
import threading

FRONT = """<!doctype html><meta charset="utf-8"><title>Device</title><h1>Front page</h1><img src="{own}/logo.svg" id="logo" alt="">
<p><a id="next" href="{own}/next">Supplies</a> <a id="other" href="{other}/next">The other way</a></p>
<form action="/upload" method="post" enctype="multipart/form-data"><input type="file" name="firmware"><button id="send">Send</button></form>
<form action="{own}/login" method="post"><input name="user"><input type="password" name="password"><button id="enter">Log in</button></form>
<p id="socket"></p><ul id="reach"></ul><script src="/probe.js"></script>"""

# Each way is tried against each address; the page says what came of it, and the device records that.
PROBE = """"use strict";
const say = (what, reached) => {
  const item = document.createElement("li");
  item.textContent = `${what}: ${reached ? "reached" : "refused"}`;
  document.querySelector("#reach").append(item);
};
const patience = 2500;
const late = (promise) => Promise.race([promise, new Promise((_, fail) => setTimeout(fail, patience))]);
const element = (name, address) => new Promise((good, fail) => {
  const e = document.createElement(name);
  e.onload = good; e.onerror = fail; e.src = address;
  document.body.append(e);
});
const ways = {
  fetch: (a) => fetch(a, { credentials: "include", mode: "no-cors" }),
  image: (a) => element("img", a + "/favicon.svg"),
  script: (a) => element("script", a + "/app.js"),
  // A frame that was refused loads as well, with an error's page in it: only one that can be read, or that tells of itself, was reached.
  frame: (a) => element("iframe", a + "/").then(() => { const d = document.querySelector("iframe:last-of-type").contentDocument; if (!d || !d.body.innerText) throw 0; }),
  beacon: (a) => new Promise((good, fail) => { document.addEventListener("securitypolicyviolation", (e) => e.blockedURI.startsWith(a) && fail()); navigator.sendBeacon(a + "/beacon", "x"); setTimeout(good, 1500); }),
  socket: (a) => new Promise((good, fail) => { const s = new WebSocket(a.replace("https", "wss") + "/"); s.onopen = good; s.onerror = fail; }),
};
(async () => {
  const targets = await (await fetch("/targets.json")).json();
  await Promise.all(Object.entries(targets).filter(([, address]) => address !== location.origin).flatMap(([name, address]) => Object.entries(ways).map(([way, go]) =>
    late(Promise.resolve().then(() => go(address))).then(() => say(`${name} by ${way}`, true), () => say(`${name} by ${way}`, false)))));
  await (navigator.serviceWorker ? late(navigator.serviceWorker.register("/worker.js")).then(() => say("worker", true), () => say("worker", false)) : say("worker", false));
  say("cookie of the hub's", /printtrail|pthub/.test(document.cookie));
  say("opener", window.opener !== null);
  await fetch("/record", { method: "POST", body: JSON.stringify([...document.querySelectorAll("#reach li")].map(e => e.textContent)) });
  const socket = new WebSocket(`wss://${location.host}/socket`);
  socket.onopen = () => socket.send("ready?");
  socket.onmessage = (e) => { document.querySelector("#socket").textContent = `the socket says ${e.data}`; };
})();
"""


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments):
        pass

    @property
    def scheme(self):
        return "https" if isinstance(self.connection, ssl.SSLSocket) else "http"

    def own(self, other=False):
        is_secure = (self.scheme == "https") != other
        port = options.tls if is_secure else options.plain
        return f"{'https' if is_secure else 'http'}://{options.address}:{port or options.plain}"

    def body(self):
        if self.headers.get("transfer-encoding") == "chunked":
            whole = b""
            while size := int(self.rfile.readline(), 16):
                whole += self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return whole
        return self.rfile.read(int(self.headers.get("content-length", 0)))

    def answer(self, status, body=b"", kind="text/html; charset=utf-8", headers=()):
        body = body if isinstance(body, bytes) else body.encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in headers:
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def do_GET(self):
        if self.headers.get("upgrade") == "websocket":
            self.record(b"")
            return self.socket()
        body = self.body()
        path = self.path.split("?")[0]
        if path == "/upload":
            body = body[body.index(b"\r\n\r\n") + 4:body.rindex(b"\r\n--")] if b"\r\n\r\n" in body else body
        self.record(body)
        page = {
            "/": lambda: self.answer(200, FRONT.format(own=self.own(), other=self.own(other=True)), headers=[
                ("Set-Cookie", f"ews=one; Path=/; Domain={options.address}"), ("Set-Cookie", "__Host-printtrail-page=stolen; Secure; Path=/"),
                ("Strict-Transport-Security", "max-age=31536000"), ("Access-Control-Allow-Origin", "*")]),
            "/next": lambda: self.answer(200, f"<!doctype html><title>x</title><h1>Next page</h1><p>over {self.scheme}</p>"),
            "/probe.js": lambda: self.answer(200, PROBE, "text/javascript"),
            "/worker.js": lambda: self.answer(200, "", "text/javascript"),
            "/logo.svg": lambda: self.answer(200, '<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>', "image/svg+xml"),
            "/targets.json": lambda: self.answer(200, open(options.targets, "rb").read() if options.targets and os.path.exists(options.targets) else b"{}", "application/json"),
            "/record": lambda: self.answer(204),
            "/redirect": lambda: self.answer(302, headers=[("Location", self.own() + "/next")]),
            "/redirect-other": lambda: self.answer(302, headers=[("Location", self.own(other=True) + "/next")]),
            "/gzip": lambda: self.answer(200, gzip.compress(f'<a href="{self.own()}/next">on</a>'.encode()), headers=[("Content-Encoding", "gzip")]),
            "/chunked": self.chunked,
            "/old": self.old,
            "/upload": lambda: self.answer(200, f"<p id=got>{len(body)} bytes {hashlib.sha256(body).hexdigest()}</p>"),
            "/login": lambda: self.answer(303, headers=[("Location", "/next"), ("Set-Cookie", "login=secret-of-the-device; HttpOnly")]),
            "/headers": lambda: self.answer(200, json.dumps(self.headers.items()), "application/json"),
            "/large": lambda: self.answer(200, bytes(5 << 20), "application/octet-stream"),
        }.get(path)
        if page:
            return page()
        self.answer(404, "<h1>Nothing here</h1>")

    do_POST = do_HEAD = do_PUT = do_GET

    def chunked(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for part in (b"one ", b"two ", b"three"):
            self.wfile.write(b"%x;note=x\r\n%s\r\n" % (len(part), part))
        self.wfile.write(b"0\r\nX-Trailer: dropped\r\n\r\n")

    def old(self):
        """As HTTP/1.0 has it: the end of the connection is that of the body."""
        self.close_connection = True
        self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\nan old page")

    def socket(self):
        """RFC 6455: says back what it hears in one frame of under 126 bytes."""
        key = hashlib.sha1((self.headers["sec-websocket-key"] + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").encode()).digest()
        self.wfile.write(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: " + base64.b64encode(key) + b"\r\n\r\n")
        self.close_connection = True
        while len(head := self.rfile.read(2)) == 2 and head[0] & 0x0F == 1:
            mask = self.rfile.read(4)
            text = bytes(byte ^ mask[index % 4] for index, byte in enumerate(self.rfile.read(head[1] & 0x7F)))
            self.wfile.write(bytes([0x81, len(text)]) + text)

    def record(self, body):
        line = {"method": self.command, "path": self.path, "headers": dict(self.headers.items()), "length": len(body),
                "sha256": hashlib.sha256(body).hexdigest(), "body": body.decode("utf-8", "replace") if len(body) < 10_000 else "", "scheme": self.scheme}
        with lock, open(options.record, "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True
    request_queue_size = 64

    def handle_error(self, request, client_address):
        pass


class SecureServer(Server):
    """The handshake is made where it keeps nobody waiting."""

    def finish_request(self, request, client_address):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate)
        super().finish_request(context.wrap_socket(request, server_side=True), client_address)


parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--address", required=True)
parser.add_argument("--plain", type=int, required=True)
parser.add_argument("--tls", type=int)
parser.add_argument("--certificate")
parser.add_argument("--record", required=True)
parser.add_argument("--targets")
options = parser.parse_args()
lock = threading.Lock()
servers = [Server((options.address, options.plain), Handler)]
if options.tls:
    servers.append(SecureServer((options.address, options.tls), Handler))
threads = [threading.Thread(target=server.serve_forever) for server in servers]
for thread in threads:
    thread.start()
print("ready", flush=True)
