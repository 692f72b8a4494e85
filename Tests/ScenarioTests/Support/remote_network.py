#!/usr/bin/env python3
"""An agent in a network of its own, and what of that network a hub can reach through it: one device, and nothing else.

    remote_network.py --network 119 [--only WORD]

      the hub's side                     |  the customer's network, a network namespace
      10.89.N.1  hub, browser            |  10.89.N.2  the agent, with nothing else behind that address
      ---------- veth ------------------ |  192.0.2.0/24  .11 the printer, .12 its neighbour, .13 a printer at an address that was never found
                                         |  169.254.169.254, 169.254.7.7  a cloud's metadata, a link-local neighbour
                                         |  127.0.0.1  a server of the agent's own machine

Every one of these answers to whoever asks it at its port 80, and writes down that it was asked. Run as root. Prints a line of JSON for each check (remote_site.py).
"""

import json
import os
import subprocess
import sys

import remote_site
from hostile_hub import HostileHub
from remote_site import SUPPORT, Device, Site, expect

PRINTER, NEIGHBOUR = 11, 12
FORBIDDEN = ["192.0.2.12", "192.0.2.13", "169.254.169.254", "169.254.7.7", "127.0.0.1"]


class Customer(Site):
    """The hub is outside, and the agent inside; its programs are started by `inside`."""

    def __init__(self, directory, network, devices):
        super().__init__(directory, network, devices, prefix="192.0.2")
        self.outer, self.inner = f"10.89.{network}.1", f"10.89.{network}.2"
        self.plain = 80
        self.link = f"pt{network}"

    def make_network(self):
        """The namespace lives as long as the program in it that does nothing."""
        self.holder = self.start("/usr/bin/unshare", ["--net", "--mount", "/bin/sh", "-c", "echo ready; exec sleep 600"], "holder.log", "ready")
        self.inside = ["/usr/bin/nsenter", "--net", "--mount", f"--target={self.holder.process.pid}"]

        def ip(*words, before=()):
            subprocess.run([*before, "ip", *words], check=True, capture_output=True, text=True)
        ip("link", "add", self.link, "type", "veth", "peer", "name", "eth0", "netns", str(self.holder.process.pid))
        ip("address", "add", f"{self.outer}/24", "dev", self.link)
        ip("link", "set", self.link, "up")
        for words in (["link", "set", "lo", "up"], ["address", "add", f"{self.inner}/24", "dev", "eth0"], ["link", "set", "eth0", "up"],
                      ["link", "add", "lan", "type", "veth", "peer", "name", "nobody"], ["link", "set", "lan", "up"], ["link", "set", "nobody", "up"]):
            ip(*words, before=self.inside)
        for address in ("192.0.2.1/24", "192.0.2.11/24", "192.0.2.12/24", "192.0.2.13/24", "169.254.169.254/16", "169.254.7.7/16"):
            ip("address", "add", address, "dev", "lan", before=self.inside)

    def listening(self):
        """TCP ports that processes of the agent's listen at, as addresses and ports."""
        said = subprocess.run([*self.inside, "ss", "-Hltnp"], check=True, capture_output=True, text=True).stdout
        return [line.split()[3] for line in said.splitlines() if '"ptagent"' in line]

    def asks_of(self, address):
        """What a server was asked, however it came."""
        path = self.path(f"{address}.jsonl")
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]


def start(directory, network, stopping):
    site = Customer(directory, network, [Device(PRINTER)])
    # At the very end: programs whose network is gone would wait for each other.
    stopping.callback(subprocess.run, ["ip", "link", "delete", site.link], capture_output=True, check=False)
    stopping.callback(site.stop)
    site.make_network()
    site.start_fleet(before=site.inside)
    for address in ["192.0.2.11", *FORBIDDEN]:
        program = site.start("/usr/bin/python3", [os.path.join(SUPPORT, "device_pages.py"), "--address", address, "--plain", "80", "--record", site.path(f"{address}.jsonl")],
                             f"pages-{address}.log", "ready", before=site.inside)
        expect(program.process.poll() is None, program.text)
    site.start("/usr/bin/python3", [os.path.join(SUPPORT, "hostile_pages.py"), "--address", "192.0.2.11", "--plain", str(site.tls), "--neighbour", "http://192.0.2.12"],
               "hostile.log", "ready", before=site.inside)
    site.make_hub()
    site.start_hub(at=site.outer)
    # The printer is an address of the agent's own machine here, which no session leads to where nobody says so. Its neighbours are refused twice.
    site.configure_agent('allow_addresses = ["192.0.2.11"]', hub=site.outer)
    # Only the printers' addresses are looked at; where nobody was found, nobody is known.
    site.change_file(f'range = "{site.prefix}.1-20"', f'range = "{site.prefix}.11"')
    site.enrol(before=site.inside)
    site.start_agent(before=site.inside)
    site.known = site.read_devices()
    return site


class Networks:
    def __init__(self, site):
        self.site = site

    def check_the_page_of_the_printer_is_seen(self):
        page = self.page = self.site.open(self.site.known[PRINTER])
        expect("Front page" in page.get("/.printtrail/go/http/80/").text or "Front page" in page.get("/").text, page.get("/"))
        expect(self.site.asks_of("192.0.2.11"), "the printer was asked")

    def check_the_servers_beside_it_would_answer(self):
        """What must not be reached is there for whoever stands in the network: else nothing would be shown by its silence."""
        for address in FORBIDDEN:
            said = subprocess.run([*self.site.inside, "curl", "--silent", "--max-time", "5", f"http://{address}/probe.js?from=inside"], capture_output=True, text=True, check=False)
            expect(said.returncode == 0 and len(self.site.asks_of(address)) == 1, f"{address}: {said}")

    def check_the_agent_listens_nowhere(self):
        """With a session open, at no address but loopback's; and nothing can be connected to from the hub's side."""
        outside = [place for place in self.site.listening() if not place.startswith(("127.", "[::1]"))]
        expect(not outside, f"the agent listens at {outside}")
        # The instrument sees what listens: the printers' web servers do.
        said = subprocess.run([*self.site.inside, "ss", "-Hltn"], check=True, capture_output=True, text=True).stdout
        expect("192.0.2.12:80" in said, said)

    def check_a_browser_gets_nowhere_else(self):
        page = self.page
        for address in FORBIDDEN:
            for host in (address, f"{address}:80"):
                page.raw(f"GET / HTTP/1.1\r\nHost: {host}\r\nCOOKIES\r\nConnection: close\r\n\r\n")
            page.raw(f"GET http://{address}/ HTTP/1.1\r\nHost: {page.shown}\r\nCOOKIES\r\nConnection: close\r\n\r\n")
            page.raw(f"GET http://{address}/ HTTP/1.1\r\nHost: {address}\r\nCOOKIES\r\nConnection: close\r\n\r\n")
            page.raw(f"CONNECT {address}:80 HTTP/1.1\r\nHost: {address}:80\r\nCOOKIES\r\nConnection: close\r\n\r\n")
            for path in (f"//{address}/", f"/.printtrail/go/http/{address}/", f"/.printtrail/go/http/80@{address}/", f"/http://{address}/", f"/@{address}:80/"):
                page.get(path)
            page.get("/next", X_Forwarded_Host=address, Forwarded=f"host={address}", X_Original_URL=f"http://{address}/", Origin=f"http://{address}")
        self.nothing_was_asked()

    def check_a_redirect_gets_nowhere_else(self):
        page = self.page
        page.get(f"/.printtrail/go/http/{self.site.tls}/")
        for path in ("/metadata", "/loopback", "/neighbour", "/raw-printing", "/elsewhere-user", "/rebinding"):
            reply = page.get(path)
            expect(reply.status == 502 and "The device wanted to send you elsewhere" in reply.text, f"{path}: {reply}")
        self.nothing_was_asked()
        page.end()

    def nothing_was_asked(self):
        for address in FORBIDDEN:
            asked = [line for line in self.site.asks_of(address) if "from=inside" not in line["path"]]
            expect(not asked, f"{address} was asked {asked}")

    def check_a_hub_that_asks_for_addresses_gets_nowhere_else(self):
        hostile = HostileHub(self.site, self.site.stopping, at=self.site.outer)
        self.site.configure(f'remotetechnician = "{self.site.outer}:{self.site.remote}"', f'remotetechnician = "{self.site.outer}:{hostile.port}"')
        for address, user in zip(FORBIDDEN, ("tess", "tess", "tom", "tom", "tara"), strict=True):
            told, session = hostile.order({"ask": [{":authority": f"{address}:80"}]}, self.site.known[PRINTER], user)
            expect(told["goodbye"] and told["goodbye"]["text"].startswith("target: "), f"{address}: {told}")
            expect("never an address or a name" in session["endReason"], session)
        more = [{":authority": "DEVICE:80", ":path": f"http://{FORBIDDEN[0]}/"}, {":authority": "DEVICE:80", ":path": f"//{FORBIDDEN[0]}/"},
                {":authority": "DEVICE:80", "host": FORBIDDEN[0]}, {":authority": "DEVICE:80@192.0.2.12"}, {":authority": "192.0.2.12@DEVICE:80"}]
        told, _ = hostile.order({"ask": more}, self.site.known[PRINTER], "tara")
        expect(told["hello"]["names"][0] == "192.0.2.11", told)
        self.nothing_was_asked()

    def check_a_device_said_to_be_elsewhere_is_not_opened(self):
        """A hub that names a device gets that one, where the agent knows it to be; there is no other way to say where."""
        opened = [event["data"]["address"] for event in self.site.events("RemoteSessionOpened")]
        expect(opened and set(opened) == {"192.0.2.11"}, opened)


def checks(site, stopping):
    site.stopping = stopping
    return [Networks(site)]


if __name__ == "__main__":
    sys.exit(remote_site.main(__doc__, start, checks))
