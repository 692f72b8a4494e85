#!/usr/bin/env python3
"""Two hubs over one database: the agent is connected to the one, the browser to the other, and the first is killed in the middle of a session.

    remote_hubs.py --network 117 --store postgres://... [--only WORD]

Prints a line of JSON for each check (remote_site.py). Needs PT_BIN and a PostgreSQL database with nothing in it.
"""

import hashlib
import os
import shutil
import sys
import threading
import time

import remote_site
from remote_site import Device, Site, eventually, expect

GOOD, SLOW = 1, 2


class TwoHubs(Site):
    """The agent knows the first hub alone; the technician is logged in at the second."""

    def __init__(self, directory, network, devices):
        super().__init__(directory, network, devices)
        self.other_console, self.other_remote, self.other_web = self.more[3:6]

    def start_first(self):
        self.start_hub("--remote-relay", f"127.0.0.1:{self.remote}")

    def start_second(self):
        """On a copy of the first one's directory, as on another machine."""
        shutil.copytree(self.path("hub"), self.path("other-hub"))
        for own in ("server.key", "server.pem", "lock"):
            if os.path.exists(self.path("other-hub", own)):
                os.unlink(self.path("other-hub", own))
        csr, dcam, hc = self.more[:3]
        self.other = self.start(f"{self.bin}/pthub", [
            "serve", "--directory", self.path("other-hub"), "--csr", f"127.0.0.1:{csr}", "--dcam", f"127.0.0.1:{dcam}", "--hc", f"127.0.0.1:{hc}",
            "--metrics", "none", "--console", f"127.0.0.1:{self.other_console}", "--remote", f"127.0.0.1:{self.other_remote}", "--remote-web",
            f"127.0.0.1:{self.other_web}", "--remote-relay", f"127.0.0.1:{self.other_remote}"], "other-hub.log", "ready")

    def open_at_second(self, number, user="tess"):
        return self.open(self.known[number], user, console=self.other_console)


def start(directory, network, stopping, store):
    site = TwoHubs(directory, network, [Device(GOOD), Device(SLOW)])
    stopping.callback(site.stop)
    site.start_fleet()
    site.make_hub(store)
    site.start_first()
    site.start_second()
    site.start_pages(GOOD, "--record", site.path("good.jsonl"))
    site.start_pages(SLOW, hostile=True)
    site.configure_agent(site.allowed)
    site.enrol()
    site.start_agent()
    site.known = site.read_devices()
    return site


class Hubs:
    def __init__(self, site):
        self.site = site

    def check_a_browser_at_one_hub_sees_a_device_whose_agent_is_at_the_other(self):
        page = self.page = self.site.open_at_second(GOOD)
        expect(page.port == self.site.other_web, f"the browser is at {page.origin}")
        expect("Front page" in page.get("/").text, page.get("/"))
        expect(page.get("/redirect").header("location") == "/next" and "Next page" in page.get("/next").text, "a redirect")
        expect(page.get("/large").body == bytes(5 << 20), "5 MiB")
        file = os.urandom(2_000_000)
        body = b'--x\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n' + file + b"\r\n--x--\r\n"
        reply = page.ask("POST", "/upload", body, {"Content-Type": "multipart/form-data; boundary=x"})
        expect(hashlib.sha256(file).hexdigest() in reply.text, reply)

    def check_either_hub_shows_what_was_asked(self):
        def requests(console):
            return sorted((request["method"], request["path"]) for request in self.site.session(self.page.job, console=console)["requests"])
        eventually(lambda: requests(None) == requests(self.site.other_console) and ("POST", "/upload") in requests(None), "the requests at both hubs")

    def check_a_device_breaks_off_the_same_over_two_hubs(self):
        page = self.slow = self.site.open_at_second(SLOW, "tom")
        for path, sentence in (("/http09", "What the device answers is no HTTP"), ("/endless-headers", "too large"), ("/bad-chunk", "broke off"), ("/metadata", "169.254.169.254")):
            reply = page.get(path)
            expect(reply.status == 502 and sentence in reply.text, f"{path}: {reply}")
        expect("a page" in page.get("/fine").text, "and goes on")

    def check_whoever_waits_is_told_that_the_agents_hub_was_killed(self):
        replies = []
        waiting = threading.Thread(target=lambda: replies.append(self.slow.get("/silent")))
        waiting.start()
        # The request is at the device once the agent has journalled those before it; it is given a moment to get there.
        time.sleep(1)
        self.site.hub.process.kill()
        self.site.hub.process.wait()
        waiting.join(40)
        expect(replies and replies[0].status == 502 and "The way to the device broke off" in replies[0].text, replies)
        reply = self.page.get("/")
        expect(reply.status == 502 and "The session cannot be reached" in reply.text and "cannot be reached" in reply.text, reply)

    def check_a_new_session_is_opened_once_the_hub_is_back(self):
        site = self.site
        site.start_first()
        closed = eventually(lambda: (lambda reply: reply if reply.status == 403 else None)(self.page.get("/")), "the session's end")
        expect("started anew" in closed.text or "connection was lost" in closed.text, closed.text[-400:])
        page = site.open_at_second(GOOD, "tara")
        expect("Front page" in page.get("/").text, page.get("/"))
        page.end()
        ended = eventually(lambda: (lambda reply: reply if reply.status == 403 else None)(page.get("/")), "its end")
        expect("This page is closed" in ended.text, ended)

    def check_the_agents_journal_has_both_ends(self):
        ends = lambda: [event["data"] for event in self.site.events("RemoteSessionClosed")]  # noqa: E731
        closed = eventually(lambda: (lambda all: all if len(all) == 3 else None)(ends()), "three ends in the journal")
        expect(all(end["reason"] == "hub" for end in closed), closed)
        expect(sum("broke" in end["message"] or "The hub ended it." in end["message"] for end in closed) == 2, closed)

    def check_nobody_but_a_hub_relays(self):
        """Without a hub's certificate the relay's protocol leads nowhere, whatever session is named."""
        import socket
        import ssl
        context = ssl.create_default_context(cafile=self.site.path("hub", "ca.pem"))
        context.check_hostname = False
        context.set_alpn_protocols(["printtrail-relay/1"])
        with context.wrap_socket(socket.create_connection(("127.0.0.1", self.site.remote), 10)) as connection:
            connection.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes([0, 0, 0, 4, 0, 0, 0, 0, 0]) + bytes([0, 0, 3, 1, 5, 0, 0, 0, 1, 0x82, 0x84, 0x86]))
            heard = b""
            try:
                while part := connection.recv(4_096):
                    heard += part
            except OSError:
                pass
            expect(b"pt-" not in heard and b"Front" not in heard, heard)


if __name__ == "__main__":
    sys.exit(remote_site.main(__doc__, start, lambda site, stopping: [Hubs(site)], ["--store"]))
