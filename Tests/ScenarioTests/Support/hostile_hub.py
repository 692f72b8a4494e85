"""A hub that asks agents for what no hub may ask for (hostile_tunnel.py): a session begins at the sound one, and the agent's tunnel leads to this."""

import json
import os
import select
import subprocess
import sys

from remote_site import SUPPORT, expect


class HostileHub:
    """
    @param at  where it listens, at the first of the site's further ports
    """

    def __init__(self, site, stopping, at="127.0.0.1"):
        self.site = site
        self.port = site.more[0]
        self.log = open(site.path("tunnel.log"), "wb")
        self.program = subprocess.Popen([sys.executable, os.path.join(SUPPORT, "hostile_tunnel.py"), "--listen", f"{at}:{self.port}", "--hub", site.path("hub")],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self.log, text=True)
        stopping.callback(self.stop)
        expect(self.program.stdout.readline() == "ready\n", "the hostile hub does not listen")

    def stop(self):
        self.program.kill()
        self.program.wait()
        self.log.close()

    def order(self, order, device, user="tess"):
        """@return what came of it, and the session as the technician sees it"""
        self.program.stdin.write(json.dumps(order) + "\n")
        self.program.stdin.flush()
        job = self.site.asked(device, user)
        heard, _, _ = select.select([self.program.stdout], [], [], 60)
        expect(heard, f"no agent came to the hostile hub: {self.site.session(job, user)}")
        told = json.loads(self.program.stdout.readline())
        expect("failed" not in told, told)
        return told, self.site.becomes(job, "ended", user)
