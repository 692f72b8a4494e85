"""A customer's site for browsers: simulated printers, a hub, and an agent with its console. All real programs over loopback."""

import json
import os
import signal
import subprocess
import time
import urllib.request

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", "..", ".."))
MODELS = ["hp-color-laserjet-m555", "kyocera-taskalfa-3253ci", "ricoh-im-c3000", "brother-mfc-l8900", "lexmark-mx522"]

# Addresses at which nothing answers.
SILENT = 4

# What a printer may call itself. The pages show it as the text that it is.
HOSTILE = '<img src=x onerror="window.pwned=1">'


class Program:
    def __init__(self, path, arguments, log):
        self.log = log
        self.output = open(log, "wb")
        self.process = subprocess.Popen([path, *arguments], stdout=self.output, stderr=self.output, stdin=subprocess.DEVNULL)

    def waits(self, text, seconds=60):
        end = time.monotonic() + seconds
        while text not in self.text:
            if self.process.poll() is not None or time.monotonic() > end:
                raise RuntimeError(f"{self.log} has no {text!r}:\n{self.text[-3000:]}")
            time.sleep(0.05)

    @property
    def text(self):
        with open(self.log, encoding="utf-8", errors="replace") as file:
            return file.read()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.output.close()


class Site:
    """
    @param network  a number of its own: the printers are 127.30.NETWORK.1 and on, the ports those of the scenario tests
    @param printers  how many
    """

    def __init__(self, directory, network, printers=8, programs=None):
        self.directory = directory
        self.network = network
        self.printers = printers
        self.bin = programs or os.environ["PT_BIN"]
        base = 21_000 + network * 10
        self.csr, self.dcam, self.hc, self.snmp, self.console = base, base + 1, base + 2, base + 3, base + 4
        self.nowhere, self.metrics = base + 8, base + 9
        self.fleet = self.hub = self.agent = None
        self.url = f"http://localhost:{self.console}"

    def path(self, name):
        return os.path.join(self.directory, name)

    def start_fleet(self, speed=600):
        if not os.path.exists(self.path("fleet.toml")):
            self.write_fleet()
        self.fleet = Program(f"{self.bin}/ptsim", ["serve", "--fleet", self.path("fleet.toml"), "--speed", str(speed)], self.path("fleet.log"))
        self.fleet.waits("ready")

    def write_fleet(self):
        text = f'port = {self.snmp}\nseed = {self.network}\nmodels = "{ROOT}/Fixtures/devices"\n'
        for index in range(self.printers):
            name = HOSTILE if index == 1 else f"FLOOR{index // 10 + 1}-{index + 1:02d}"
            place = "<script>window.pwned=2</script>" if index == 1 else f"Floor {index // 10 + 1}"
            text += f"""
[[printers]]
address = "127.30.{self.network}.{index + 1}"
model = "{MODELS[index % len(MODELS)]}"
name = {json.dumps(name)}
location = {json.dumps(place)}
"""
        # Behind them some that never answer, as addresses without a printer do: on loopback those would refuse, and a sweep take no time.
        for index in range(self.printers, self.printers + SILENT):
            text += f"""
[[printers]]
address = "127.30.{self.network}.{index + 1}"
model = "{MODELS[0]}"
faults = ["drops:100"]
"""
        self.write("fleet.toml", text)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)

    def command(self, program, *arguments):
        done = subprocess.run([f"{self.bin}/{program}", *arguments], capture_output=True, text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{program} {arguments} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def hub_command(self, *arguments):
        count = 2 if len(arguments) > 1 and not arguments[1].startswith("-") else 1
        return self.command("pthub", *arguments[:count], "--directory", self.path("hub"), *arguments[count:])

    def start_hub(self):
        if not os.path.exists(self.path("hub")):
            said = self.hub_command("init")
            self.pin = next(line.split()[-1] for line in said.splitlines() if line.startswith("pin"))
            self.hub_command("entity", "add", "Example Ltd")
        self.hub = Program(f"{self.bin}/pthub", ["serve", "--directory", self.path("hub"), "--csr", f"127.0.0.1:{self.csr}", "--dcam", f"127.0.0.1:{self.dcam}",
                                                 "--hc", f"127.0.0.1:{self.hc}", "--metrics", f"127.0.0.1:{self.metrics}", "--console", "none"], self.path("hub.log"))
        self.hub.waits("ready")

    def code(self):
        return json.loads(self.hub_command("code", "create", "--entity", "Example Ltd", "--output", "json"))["code"]

    def start_agent(self, extra=""):
        if not os.path.exists(self.path("ptagent.toml")):
            # The interval of polls is left to the console, which is to change it.
            self.write("ptagent.toml", f"""
[state]
directory = "{self.path('agent')}"

[console]
listen = "127.0.0.1:{self.console}"

[discovery]
ranges = [{{ range = "127.30.{self.network}.1-{self.printers + SILENT}" }}]
port = {self.snmp}
{extra}
""")
        self.agent = Program(f"{self.bin}/ptagent", ["run", "--config", self.path("ptagent.toml")], self.path("agent.log"))
        end = time.monotonic() + 60
        while True:
            try:
                self.get("session")
                return
            except OSError as error:
                if time.monotonic() > end or self.agent.process.poll() is not None:
                    raise RuntimeError(f"the console did not come: {error}\n{self.agent.text[-3000:]}") from error
                time.sleep(0.1)

    def get(self, path):
        with urllib.request.urlopen(f"{self.url}/api/v1/{path}", timeout=20) as answer:
            return json.load(answer)

    def wait_devices(self, count, seconds=120):
        """Until so many devices were read."""
        end = time.monotonic() + seconds
        while True:
            known = self.get("dashboard")["devices"]["byState"].get("read", 0)
            if known >= count:
                return
            if time.monotonic() > end:
                raise RuntimeError(f"{known} of {count} devices were read:\n{self.agent.text[-3000:]}")
            time.sleep(0.2)

    def stop(self):
        for program in (self.agent, self.hub, self.fleet):
            if program:
                program.stop()
