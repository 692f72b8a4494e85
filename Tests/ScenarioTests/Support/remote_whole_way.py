#!/usr/bin/env python3
"""Devices' own pages the whole way: web servers that nobody wrote for this, hostile ones, and a person in Chromium.

    remote_whole_way.py --network 113 [--only WORD]

Prints a line of JSON for each check (remote_site.py). Needs PT_BIN, nginx, ippeveprinter, and Chromium with its playwright in this Python.
"""

import contextlib
import os
import subprocess
import sys
import threading
import time

import remote_site
from remote_chromium import Chromium, Ends
from remote_hostile import Hostile
from remote_servers import Servers
from remote_site import Device, Site, expect

PYTHON, NGINX, EVERYWHERE, HOSTILE, OTHER = 1, 2, 3, 4, 5


def start(directory, network, stopping):
    site = Site(directory, network, [Device(PYTHON), Device(NGINX), Device(EVERYWHERE), Device(HOSTILE, name="rebind"), Device(OTHER)])
    stopping.callback(site.stop)
    site.start_fleet()
    site.make_hub()
    site.start_hub()
    site.certificate = site.path("device.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=printer",
                    "-keyout", site.certificate, "-out", site.path("device.crt")], check=True, capture_output=True)
    with open(site.certificate, "a", encoding="utf-8") as both, open(site.path("device.crt"), encoding="utf-8") as certificate:
        both.write(certificate.read())
    site.start_pages(PYTHON, "--tls", str(site.tls), "--certificate", site.certificate, "--record", site.path("python.jsonl"), "--targets", site.path("targets.json"))
    site.start_pages(OTHER, "--record", site.path("other.jsonl"))
    site.start_pages(HOSTILE, "--neighbour", f"http://{site.address(PYTHON)}:{site.plain}", hostile=True)
    start_nginx(site)
    start_everywhere(site, stopping)
    site.configure_agent(site.allowed + f'\nexclude = ["{site.address(OTHER)}"]')
    site.enrol()
    site.start_agent()
    site.known = site.read_devices()
    return site


def start_nginx(site):
    root = site.path("nginx")
    os.makedirs(os.path.join(root, "settings"))
    for name, text in {"index.html": "<h1>Served by nginx</h1><a href='/settings'>Settings</a>", "settings/index.html": "<h1>Settings</h1>", "big.bin": "b" * 300_000}.items():
        with open(os.path.join(root, name), "w", encoding="utf-8") as file:
            file.write(text)
    os.chmod(site.directory, 0o755)
    configuration = site.write("nginx.conf", f"""
daemon off; worker_processes 1; pid {root}/pid; error_log {root}/error.log;
{'user root;' if os.geteuid() == 0 else ''}
events {{ }}
http {{
  types {{ text/html html; application/octet-stream bin; }}
  access_log off; client_body_temp_path {root}/body; proxy_temp_path {root}/proxy; fastcgi_temp_path {root}/fastcgi; uwsgi_temp_path {root}/uwsgi; scgi_temp_path {root}/scgi;
  gzip on; gzip_min_length 1;
  server {{ listen {site.address(NGINX)}:{site.plain}; root {root}; location = /old {{ return 301 /settings/; }} }}
  server {{ listen {site.address(NGINX)}:{site.tls} ssl; root {root}; ssl_certificate {site.certificate}; ssl_certificate_key {site.certificate}; }}
}}
""")
    site.start("/usr/sbin/nginx", ["-c", configuration, "-p", root, "-e", f"{root}/error.log"], "nginx.log")


# ippeveprinter announces itself by DNS-SD and ends where no daemon for that is on the bus: one of its own, with a directory of its own for its process id.
EVERYWHERE_SCRIPT = """
mount -t tmpfs none /run/avahi-daemon 2>/dev/null
dbus-daemon --nofork --config-file="$1/bus.conf" &
while [ ! -S "$1/bus" ]; do sleep 0.1; done
export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$1/bus"
avahi-daemon --no-drop-root --no-rlimits --no-chroot --no-proc-title &
for attempt in $(seq 100); do ippeveprinter -p "$2" -r off -M Acme -m "Everywhere 7" -s 10,5 -d "$1" "Hall Printer"; sleep 0.2; done
"""


def start_everywhere(site, stopping):
    directory = site.path("everywhere")
    os.mkdir(directory)
    with open(os.path.join(directory, "bus.conf"), "w", encoding="utf-8") as file:
        file.write(f"""<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN" "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig><listen>unix:path={directory}/bus</listen><auth>EXTERNAL</auth><policy context="default">
<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>""")
    apart = ["/usr/bin/unshare", "-m"] if os.geteuid() == 0 else []
    os.makedirs("/run/avahi-daemon", exist_ok=True) if apart else None
    log = open(site.path("everywhere.log"), "wb")
    process = subprocess.Popen([*apart, "/bin/bash", "-c", EVERYWHERE_SCRIPT, "everywhere", directory, str(site.ipp)], stdout=log, stderr=log,
                               stdin=subprocess.DEVNULL, start_new_session=True)

    def stop():
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, 9)
        process.wait()
        log.close()
    stopping.callback(stop)


class Slow:
    """What takes its time: it is asked for first, and what came of it is looked at last."""

    def __init__(self, site):
        self.site = site
        self.page = site.open(site.known[HOSTILE], "tom")
        self.replies = {}
        self.threads = [threading.Thread(target=self.ask, args=(path,), daemon=True) for path in ("/silent", "/drips")]
        for thread in self.threads:
            thread.start()

    def ask(self, path):
        begun = time.monotonic()
        with contextlib.suppress(Exception):
            self.replies[path] = (self.page.get(path), time.monotonic() - begun)

    def check_a_device_that_says_nothing_or_drips_is_told_to_be_slow(self):
        for thread in self.threads:
            thread.join(90)
        for path, sentence, most in (("/silent", "The device is too slow", 40), ("/drips", "its head was not over in 60 s", 75)):
            expect(path in self.replies, f"{path}: no answer")
            reply, seconds = self.replies[path]
            expect(reply.status == 504 and sentence in reply.text and seconds < most, f"{path} after {seconds} s: {reply}")
        expect(self.page.get("/fine").status == 200, "the session goes on")


def checks(site, stopping):
    slow = Slow(site)
    chromium = Chromium(site, stopping)
    return [chromium, Servers(site), Hostile(site), slow, Ends(chromium)]


if __name__ == "__main__":
    sys.exit(remote_site.main(__doc__, start, checks))
