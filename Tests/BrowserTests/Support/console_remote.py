"""A technician at the hub who opens devices' own pages through a site's agent: what the checks of the agent's console end."""

import http.cookiejar
import json
import os
import ssl
import subprocess
import sys
import time
import urllib.request

from console_site import Program

PASSWORD = "four words by chance"


class Technician:
    """Switches remote technician on at the agent and at the hub, which are started anew for it, and logs in."""

    def __init__(self, site):
        self.site = site
        base = site.console
        self.pages, tunnels, web, console = base + 1, base + 2, base + 3, site.metrics
        self.server = Program(sys.executable, ["-u", "-m", "http.server", str(self.pages), "--directory", site.path("agent")], site.path("pages.log"))
        self.server.waits("Serving HTTP")
        site.hub.stop()
        self.add_user()
        site.hub = Program(f"{site.bin}/pthub", [
            "serve", "--directory", site.path("hub"), "--csr", f"127.0.0.1:{site.csr}", "--dcam", f"127.0.0.1:{site.dcam}", "--hc", f"127.0.0.1:{site.hc}",
            "--metrics", "none", "--console", f"127.0.0.1:{console}", "--remote", f"127.0.0.1:{tunnels}", "--remote-web", f"127.0.0.1:{web}"], site.path("hub-remote.log"))
        site.hub.waits("ready")
        site.hub_command("remote", "enable", "--entity", "Example Ltd")
        site.agent.stop()
        with open(site.path("ptagent.toml"), "a", encoding="utf-8") as file:
            file.write(f'\n[remote]\nenabled = true\nports = [{self.pages}]\nallow_addresses = ["127.30.{site.network}.0/24"]\n')
        # As the console saves it: the hub's service is at another port than the usual one here.
        path = os.path.join(site.path("agent"), "console.toml")
        with open(path, encoding="utf-8") as file:
            text = file.read()
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace("[hub]", f'[hub]\nremotetechnician = "127.0.0.1:{tunnels}"'))
        site.start_agent()
        trust = ssl.create_default_context()
        trust.check_hostname, trust.verify_mode = False, ssl.CERT_NONE
        self.opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=trust), urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar()))
        self.api = f"https://localhost:{console}/api/v1"
        self.ask("session", {"user": "tess", "password": PASSWORD})

    def add_user(self):
        subprocess.run([f"{self.site.bin}/pthub", "user", "add", "tess", "--directory", self.site.path("hub"), "--role", "technician"],
                       input=PASSWORD + "\n", text=True, check=True, capture_output=True, timeout=60)

    def ask(self, path, body):
        request = urllib.request.Request(f"{self.api}/{path}", json.dumps(body).encode(), {"X-PrintTrail": "1", "Content-Type": "application/json"})
        with self.opener.open(request, timeout=20) as answer:
            return json.load(answer)

    def opens(self, count, reason, seconds=60):
        """Opens the pages of so many devices, and waits until the agent has the sessions."""
        devices = [one for one in json.loads(self.site.hub_command("device", "list", "--output", "json")) if one["state"] == "read"][:count]
        for device in devices:
            self.ask(f"devices/{device['id']}/page", {"reason": reason, "seconds": 600})
        self.waits(count, seconds)

    def waits(self, count, seconds=20):
        """Until so many sessions are open at the agent."""
        end = time.monotonic() + seconds
        while True:
            open_now = len(self.site.get("remote")["sessions"])
            if open_now == count:
                return
            if time.monotonic() > end:
                jobs = self.site.hub_command("job", "list", "--output", "json")
                raise RuntimeError(f"{open_now} sessions are open, and not {count}: {jobs}\n{self.site.agent.text[-3000:]}")
            time.sleep(0.1)

    def stop(self):
        self.server.stop()
