#!/usr/bin/env python3
"""An agent whose only way out is an HTTP proxy that wants a name and a password: the tunnel goes through it as everything else does.

    remote_proxy.py --network 121 [--only WORD]

Prints a line of JSON for each check (remote_site.py). Needs PT_BIN and tinyproxy.
"""

import sys

import remote_site
from remote_site import Device, Site, eventually, expect

GOOD = 1
PASSWORD = "s3cret-word-of-the-proxy"


def start(directory, network, stopping):
    site = Site(directory, network, [Device(GOOD)])
    stopping.callback(site.stop)
    site.proxy_port = site.more[0]
    allowed = "".join(f"ConnectPort {port}\n" for port in (site.csr, site.dcam, site.hc, site.remote))
    configuration = site.write("tinyproxy.conf", f'Port {site.proxy_port}\nListen 127.0.0.1\nMaxClients 20\nLogFile "{site.path("tinyproxy.log")}"\nLogLevel Connect\n'
                                                 f"BasicAuth dealer {PASSWORD}\n{allowed}")
    site.proxy = site.start("tinyproxy", ["-d", "-c", configuration], "proxy.log")
    site.start_fleet()
    site.make_hub()
    site.start_hub()
    site.start_pages(GOOD, "--record", site.path("good.jsonl"))
    site.write("proxy-password", PASSWORD)
    site.configure_agent(site.allowed, f'[proxy]\naddress = "127.0.0.1:{site.proxy_port}"\nuser = "dealer"\npassword_file = "proxy-password"\n')
    site.enrol()
    site.start_agent()
    site.known = site.read_devices()
    return site


class Proxy:
    def __init__(self, site):
        self.site = site

    def tunnels(self):
        with open(self.site.path("tinyproxy.log"), encoding="utf-8") as file:
            return file.read().count(f"CONNECT 127.0.0.1:{self.site.remote} ")

    def check_the_tunnel_goes_through_the_proxy(self):
        expect(self.tunnels() == 0, "nobody asked yet")
        page = self.page = self.site.open(self.site.known[GOOD])
        expect("Front page" in page.get("/").text and page.get("/large").body == bytes(5 << 20), "its pages")
        expect(self.tunnels() == 1, f"{self.tunnels()} tunnels")

    def check_a_session_ends_with_its_proxy(self):
        self.site.proxy.stop()
        closed = eventually(lambda: (lambda reply: reply if reply.status == 403 else None)(self.page.get("/")), "its end")
        expect("the agent's connection was lost" in closed.text.replace("&#39;", "'"), closed.text[-400:])
        eventually(lambda: [event["data"] for event in self.site.events("RemoteSessionClosed") if event["data"]["reason"] == "hub"], "its end in the journal")

    def check_a_proxy_that_lets_no_tunnel_through_is_told(self):
        with open(self.site.path("tinyproxy.conf"), encoding="utf-8") as file:
            text = file.read()
        self.site.write("tinyproxy.conf", text.replace(f"ConnectPort {self.site.remote}\n", ""))
        self.site.proxy = self.site.start("tinyproxy", ["-d", "-c", self.site.path("tinyproxy.conf")], "proxy-again.log")
        said = self.site.refusal(self.site.known[GOOD], "tom")
        expect("did not take the session" in said and "opened no tunnel" in said, said)
        expect(any("opened no tunnel" in event["data"]["message"] for event in self.site.events("JobFailed")), "in the journal")

    def check_the_proxys_password_is_told_to_nobody(self):
        for program in (self.site.agent, self.site.hub):
            expect(PASSWORD not in program.text, program.log)
        expect(PASSWORD not in str(self.site.events()), "the journal")


if __name__ == "__main__":
    sys.exit(remote_site.main(__doc__, start, lambda site, stopping: [Proxy(site)]))
