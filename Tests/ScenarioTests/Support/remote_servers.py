"""What servers that keep to HTTP have, seen by a browser at a session's origin: Python's, nginx, and CUPS' ippeveprinter, which nobody here wrote."""

import hashlib
import json
import os
import re

from remote_site import expect


class Servers:
    def __init__(self, site):
        self.site = site

    def recorded(self, path):
        with open(self.site.path("python.jsonl"), encoding="utf-8") as file:
            return [line for line in map(json.loads, file) if line["path"].split("?")[0] == path]

    def check_python_shows_its_pages_with_links_and_cookies(self):
        page = self.page = self.site.open(self.site.known[1])
        front = page.get("/")
        expect(front.status == 200 and 'href="/next"' in front.text, front)
        expect(front.text.count('href="/next"') >= 2 and "/.printtrail/go/" not in front.text, f"the link to the port without TLS: {front}")
        expect(self.site.address(1) not in front.text, f"the device's address is not the browser's: {front}")
        expect(page.cookies.get("ews") == "one" and page.cookies["__Host-printtrail-page"] != "stolen", page.cookies)
        for name in ("strict-transport-security", "access-control-allow-origin"):
            expect(front.header(name) is None, f"{name}: {front}")
        policy = front.header("content-security-policy")
        expect("sandbox" in policy and "default-src 'self'" in policy and "frame-ancestors 'self'" in policy, policy)

    def check_python_is_asked_without_what_is_the_hubs(self):
        page = self.page
        page.get("/headers", X_Forwarded_For="198.51.100.9", Forwarded="for=198.51.100.9", Via="1.1 x", Authorization="Basic ZGV2aWNl", Referer=page.origin + "/next",
                 X_Real_IP="198.51.100.9", Pt_Session="x")
        sent = {name.lower(): value for name, value in self.recorded("/headers")[-1]["headers"].items()}
        expect(sent["cookie"] == "ews=one" and sent["host"] == f"{self.site.address(1)}:{self.site.tls}", sent)
        expect(sent["authorization"] == "Basic ZGV2aWNl", "the device's own login passes")
        expect(sent["referer"] == f"https://{self.site.address(1)}:{self.site.tls}/next", sent)
        expect(not {"x-forwarded-for", "forwarded", "via", "x-real-ip", "pt-session"} & set(sent) and "198.51.100.9" not in json.dumps(sent), sent)

    def check_python_redirects_packs_and_chunks(self):
        page = self.page
        expect(page.get("/redirect").header("location") == "/next", page.get("/redirect"))
        packed = page.get("/gzip", Accept_Encoding="gzip")
        expect(packed.text == '<a href="/next">on</a>' and packed.header("content-encoding") is None, packed)
        expect(page.get("/chunked").text == "one two three", page.get("/chunked"))
        expect(page.get("/old").text == "an old page", page.get("/old"))
        expect(page.get("/absent").status == 404 and "Nothing here" in page.get("/absent").text, "its own 404")
        expect(page.ask("HEAD", "/large").header("content-length") == str(5 << 20), "the length without the body")
        expect(page.get("/large").body == bytes(5 << 20), "5 MiB")

    def check_python_is_not_left_for_its_port_without_TLS(self):
        """Neither a redirect, nor a link, nor whoever writes the hub's own path leads from TLS to none."""
        page = self.page
        expect(page.get("/redirect-other").header("location") == "/next", "to HTTP")
        expect("over https<" in page.get("/next").text, page.get("/next"))
        for scheme, port in (("http", self.site.plain), ("https", self.site.tls)):
            way = page.get(f"/.printtrail/go/{scheme}/{port}/next")
            expect(way.status == 302 and way.header("location") == "/next" and "over https<" in page.get("/next").text, way)
        for wrong in ("https/22", "https/9100", "ftp/21", "http/127.0.0.1:80"):
            expect(page.get(f"/.printtrail/go/{wrong}/").status == 404, wrong)

    def check_python_gets_what_is_uploaded(self):
        file = os.urandom(1_500_000)
        body = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + file + b"\r\n--x--\r\n"
        reply = self.page.ask("POST", "/upload", body, {"Content-Type": "multipart/form-data; boundary=x"})
        expect(hashlib.sha256(file).hexdigest() in reply.text, reply)
        chunks = self.page.ask("PUT", "/upload", iter([b"a" * 1_000, b"b" * 70_000]), {"Transfer-Encoding": "chunked"})
        expect(hashlib.sha256(b"a" * 1_000 + b"b" * 70_000).hexdigest() in chunks.text, chunks)

    def check_nothing_but_the_device_is_asked_whatever_the_request_says(self):
        """Host, absolute-form, authority-form, a path that climbs, a name that leads here: nobody's page, or the device's own."""
        page = self.page
        port = self.site.web
        for host in ("rebind.example", "169.254.169.254", "localhost", f"127.0.0.1:{port}", f"evil.{page.host}:{port}", page.host.replace(page.host[:4], "0000") + f":{port}"):
            answer = page.raw(f"GET / HTTP/1.1\r\nHost: {host}\r\nCOOKIES\r\nConnection: close\r\n\r\n")
            expect(answer.startswith("HTTP/1.1 404") and "There is nothing here." in answer, f"{host}: {answer[:400]}")
        for target in ("http://169.254.169.254/latest", f"http://{self.site.address(2)}:{self.site.plain}/", "169.254.169.254:80", "*"):
            answer = page.raw(f"GET {target} HTTP/1.1\r\nHost: {page.shown}\r\nCOOKIES\r\nConnection: close\r\n\r\n")
            expect(answer.startswith("HTTP/1.1 400"), f"{target}: {answer[:400]}")
        answer = page.raw(f"CONNECT 169.254.169.254:80 HTTP/1.1\r\nHost: {page.shown}\r\nCOOKIES\r\nConnection: close\r\n\r\n")
        expect(answer.startswith(("HTTP/1.1 400", "HTTP/1.1 405")), answer[:400])
        answer = page.raw(f"GET / HTTP/1.1\r\nHost: {page.shown}\r\nHost: evil.example\r\nCOOKIES\r\nConnection: close\r\n\r\n")
        expect(answer.startswith(("HTTP/1.1 400", "HTTP/1.1 404")), f"two hosts: {answer[:400]}")

    def check_nginx_is_what_it_is(self):
        page = self.site.open(self.site.known[2], "tara")
        front = page.get("/", Accept_Encoding="gzip")
        expect("Served by nginx" in front.text, front)
        # Its own redirect, to a directory's page, names the address by which it was asked.
        moved = page.get("/settings")
        expect(moved.status == 301 and moved.header("location") == "/settings/", moved)
        expect(page.get("/settings/").text == "<h1>Settings</h1>", "behind it")
        expect(page.get(f"/.printtrail/go/http/{self.site.plain}/old").header("location") == "/old", "to HTTP, which TLS is not left for")
        part = page.get("/big.bin", Range="bytes=10-19")
        expect(part.status == 206 and part.text == "b" * 10, part)
        whole = page.get("/big.bin")
        known = page.get("/big.bin", If_None_Match=whole.header("etag"))
        expect(len(whole.body) == 300_000 and known.status == 304 and not known.body, known)
        expect(page.ask("DELETE", "/big.bin").status == 405, "its own refusal")
        page.end()

    def check_ippeveprinter_shows_its_pages(self):
        page = self.site.open(self.site.known[3], "tara")
        front = page.get("/")
        expect(front.status == 200 and "Hall Printer" in front.text, front)
        expect("content-security-policy" in [name.lower() for name, _ in front.headers], front)
        links = re.findall(r'href="(/[^"]*)"', front.text, re.IGNORECASE)
        expect({"/supplies", "/media"} <= set(links), f"its links: {links} in {front}")
        supplies = page.get("/supplies")
        expect(supplies.status == 200 and "<form" in supplies.text, supplies)
        expect(page.get("/icon.png").body.startswith(b"\x89PNG"), "its picture")
        page.end()

    def check_an_excluded_device_is_refused_at_its_agent(self):
        said = self.site.refusal(self.site.known[5], "tara")
        expect("excluded at this agent (remote.exclude)" in said, said)
        self.page.end()
