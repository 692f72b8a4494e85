"""A site whose devices have pages of their own, and a technician who looks at them through hub and agent. All real programs over loopback.

    browser (`Page`) ──> pthub --remote-web ──tunnel──> ptagent ──> a web server at the address of a simulated printer

What it is checked with is in the programs beside it (remote_*.py); each of them prints a line of JSON for each check: {"check", "ok", "seconds", "detail"}.
"""

import argparse
import contextlib
import http.client
import inspect
import json
import os
import socket
import ssl
import subprocess
import sys
import tempfile
import time
import traceback
import urllib.parse

SUPPORT = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(SUPPORT, "..", "..", "BrowserTests", "Support"))

from console_site import MODELS, ROOT, Program  # noqa: E402

PASSWORD = "four words by chance"
ENTITY = "Scenario"
NETWORK_PORTS = 20
TECHNICIANS = ["tess", "tom", "tara"]


class Failed(Exception):
    """A check that found what should not be."""


def expect(condition, what):
    if not condition:
        raise Failed(str(what)[:3000])


def eventually(look, what, seconds=30):
    """Looks again and again until something true comes, and returns it."""
    end = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() > end:
            raise Failed(f"waited {seconds} s in vain for {what() if callable(what) else what}")
        time.sleep(0.1)


class Device:
    """A simulated printer: the last number of its address, its model and what it calls itself; or a recorded one, which is the same at any address."""

    def __init__(self, number, model=None, name=None, walk=None):
        self.number, self.model, self.name, self.walk = number, model or MODELS[number % len(MODELS)], name or f"P{number}", walk

    @property
    def contents(self):
        if self.walk:
            return f'walk = "{ROOT}/Fixtures/walks/{self.walk}.snmprec"'
        return f'model = "{self.model}"\nname = {json.dumps(self.name)}'


class Site:
    """
    @param network  a number of its own: printers are 127.30.NETWORK.1 and on, ports the twenty from 21000 + 10 * NETWORK on
    @param devices  the printers
    """

    def __init__(self, directory, network, devices, prefix=None):
        self.directory, self.network, self.devices = directory, network, devices
        self.bin = os.environ["PT_BIN"]
        self.prefix = prefix or f"127.30.{network}"
        base = 21_000 + network * 10
        self.csr, self.dcam, self.hc, self.snmp, self.console = range(base, base + 5)
        self.remote, self.web, self.plain, self.tls, self.ipp = range(base + 5, base + 10)
        self.more = range(base + 10, base + NETWORK_PORTS)
        self.programs = []
        self.fleet = self.hub = self.agent = None
        self.store = None
        self.cookies = {}

    def address(self, number):
        return f"{self.prefix}.{number}"

    def path(self, *names):
        return os.path.join(self.directory, *names)

    def write(self, name, text):
        with open(self.path(name), "w", encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    # Programs

    def start(self, path, arguments, log, waits=None, before=()):
        command = [*before, path, *arguments]
        program = Program(command[0], command[1:], self.path(log))
        self.programs.append(program)
        if waits:
            program.waits(waits)
        return program

    def start_pages(self, number, *options, hostile=False):
        """A web server of Support's at a printer's address; hostile: one that breaks HTTP."""
        name = "hostile_pages" if hostile else "device_pages"
        return self.start("/usr/bin/python3", [os.path.join(SUPPORT, f"{name}.py"), "--address", self.address(number), "--plain", str(self.plain),
                                               *options], f"{name}-{number}.log", waits="ready")

    def command(self, program, *arguments, good=(0,)):
        done = subprocess.run([f"{self.bin}/{program}", *arguments], capture_output=True, text=True, timeout=120, check=False)
        if done.returncode not in good:
            raise RuntimeError(f"{program} {arguments} ended with {done.returncode}: {done.stdout}{done.stderr}")
        return done.stdout

    def stop(self):
        for program in reversed(self.programs):
            program.stop()

    # Printers

    def start_fleet(self, devices=None, before=()):
        if self.fleet:
            self.fleet.stop()
        text = f'port = {self.snmp}\nseed = {self.network}\nmodels = "{ROOT}/Fixtures/devices"\n'
        for device in devices or self.devices:
            text += f'\n[[printers]]\naddress = "{self.address(device.number)}"\n{device.contents}\n'
        self.fleet = self.start(f"{self.bin}/ptsim", ["serve", "--fleet", self.write("fleet.toml", text), "--speed", "60"], "fleet.log", "ready", before)

    # The hub

    def hub_command(self, *arguments, good=(0,)):
        count = 2 if len(arguments) > 1 and not arguments[1].startswith("-") else 1
        return self.command("pthub", *arguments[:count], "--directory", self.path("hub"), *arguments[count:], good=good)

    def listed(self, *arguments):
        return json.loads(self.hub_command(*arguments, "--output", "json"))

    def make_hub(self, store=None):
        said = self.hub_command("init", *(["--store", store] if store else []))
        self.pin = next(line.split()[-1] for line in said.splitlines() if line.startswith("pin"))
        self.hub_command("entity", "add", ENTITY)
        for name in TECHNICIANS:
            self.add_user(name, "technician")
        self.add_user("vic", "viewer")
        self.hub_command("remote", "enable", "--entity", ENTITY)

    def add_user(self, name, *roles):
        arguments = [f"{self.bin}/pthub", "user", "add", name, "--directory", self.path("hub"), *(part for role in roles for part in ("--role", role))]
        subprocess.run(arguments, input=PASSWORD + "\n", text=True, check=True, capture_output=True, timeout=60)

    def start_hub(self, *options, at="127.0.0.1", before=()):
        self.hub = self.start(f"{self.bin}/pthub", [
            "serve", "--directory", self.path("hub"), "--csr", f"{at}:{self.csr}", "--dcam", f"{at}:{self.dcam}", "--hc", f"{at}:{self.hc}",
            "--metrics", "none", "--console", f"127.0.0.1:{self.console}", "--remote", f"{at}:{self.remote}", "--remote-web",
            f"127.0.0.1:{self.web}", *options], "hub.log", "ready", before)

    def trail(self, *arguments):
        return self.hub_command("audit", "--limit", "1000", "--output", "json", *arguments)

    # The agent

    def configure_agent(self, remote="", more="", hub="127.0.0.1", remotetechnician=None, poll="5m"):
        self.write("ptagent.toml", f"""
[hub]
csr = "{hub}:{self.csr}"
dcam = "{hub}:{self.dcam}"
hc = "{hub}:{self.hc}"
remotetechnician = "{hub}:{remotetechnician or self.remote}"
ca_pin = "{self.pin}"

[state]
directory = "{self.path('agent')}"

[discovery]
ranges = [{{ range = "{self.prefix}.1-20" }}]
port = {self.snmp}
sweep_interval = "1h"

[poll]
interval = "{poll}"

[console]
enabled = false

[remote]
enabled = true
ports = [{self.tls}, {self.plain}, {self.ipp}]
{remote}
{more}
""")

    @property
    def allowed(self):
        return f'allow_addresses = ["{self.prefix}.0/24"]'

    def enrol(self, before=()):
        code = json.loads(self.hub_command("code", "create", "--entity", ENTITY, "--output", "json"))["code"]
        done = subprocess.run([*before, f"{self.bin}/ptagent", "enroll", "--code", code, "--config", self.path("ptagent.toml")], capture_output=True,
                              text=True, timeout=120, check=False)
        expect(done.returncode == 0, f"not enrolled: {done.stdout}{done.stderr}")

    def start_agent(self, before=()):
        """@param before  what goes before the program's name, now and when it is started anew"""
        self.before = before
        self.agent = self.start(f"{self.bin}/ptagent", ["run", "--config", self.path("ptagent.toml")], "agent.log", before=before)

    def change_file(self, old, new):
        """Changes a line of the agent's file."""
        with open(self.path("ptagent.toml"), encoding="utf-8") as file:
            text = file.read()
        expect(old in text, f"{old} is not in {text}")
        self.write("ptagent.toml", text.replace(old, new))

    def configure(self, old, new):
        """Changes a line of the agent's file, and starts the agent anew."""
        self.agent.stop()
        self.change_file(old, new)
        self.start_agent(self.before)

    def agent_command(self, *arguments, good=(0,)):
        return self.command("ptagent", *arguments, "--config", self.path("ptagent.toml"), good=good)

    def events(self, *types):
        """What is in the agent's journal, as `ptjournal export` prints it."""
        lines = self.command("ptjournal", "export", self.path("agent", "journal"), *(part for name in types for part in ("--type", name)))
        return [json.loads(line) for line in lines.splitlines()]

    def read_devices(self, count=None):
        """The hub's devices by the last number of their addresses, once it has so many that were read."""
        wanted = count or len(self.devices)

        def look():
            read = [device for device in self.listed("device", "list") if device["state"] == "read"]
            return read if len(read) >= wanted else None
        found = eventually(look, lambda: f"{wanted} devices at the hub, which has {self.listed('device', 'list')}; the agent: {self.agent.text[-2000:]}", 90)
        return {int(device["address"].split(":")[0].split(".")[-1]): device for device in found}

    # A technician at the hub's console

    def context(self):
        return ssl.create_default_context(cafile=self.path("hub", "ca.pem"))

    def ask(self, method, path, body=None, user="tess", console=None):
        """@return status and JSON"""
        cookie = self.cookies.get((user, console))
        if cookie is None and path != "session":
            self.log_in(user, console)
            cookie = self.cookies[(user, console)]
        connection = Connection("localhost", console or self.console, self.context())
        headers = {"X-PrintTrail": "1", "Content-Type": "application/json", **({"Cookie": cookie} if cookie else {})}
        with contextlib.closing(connection):
            connection.request(method, f"/api/v1/{path}", json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            if answer.getheader("set-cookie") and path == "session":
                self.cookies[(user, console)] = answer.getheader("set-cookie").split(";")[0]
            text = answer.read()
            return answer.status, json.loads(text) if text else None

    def log_in(self, user, console=None):
        status, answer = self.ask("POST", "session", {"user": user, "password": PASSWORD}, user, console)
        expect(status in (200, 201) and answer["authenticated"], f"{user} is not logged in: {status} {answer}")

    def session(self, job, user="tess", console=None):
        """How a session is, as the job's page shows it."""
        return self.ask("GET", f"jobs/{job}/page", user=user, console=console)[1]

    def asked(self, device, user="tess", seconds=1800, reason="a jam that comes back", console=None):
        """@return the job of a session that was asked for"""
        status, answer = self.ask("POST", f"devices/{device['id']}/page", {"reason": reason, "seconds": seconds}, user, console)
        expect(status == 201, f"not asked: {status} {answer}")
        return answer["id"]

    def becomes(self, job, state, user="tess", seconds=40, console=None):
        """@return the session, once it is `open` or has `ended`"""
        def look():
            session = self.session(job, user, console)
            expect(session["state"] in (state, "asked", "open"), f"{session}; the agent: {self.agent.text[-1500:]}")
            return session if session["state"] == state else None
        return eventually(look, lambda: f"the session to be {state}: {self.session(job, user, console)}", seconds)

    def open(self, device, user="tess", seconds=1800, console=None, web=None):
        """A session as a technician opens it: asked for, open, and entered by its key."""
        job = self.asked(device, user, seconds, console=console)
        self.becomes(job, "open", user, console=console)
        return self.enter(job, user, console, web)

    def enter(self, job, user="tess", console=None, web=None):
        status, answer = self.ask("POST", f"jobs/{job}/page", {}, user, console)
        expect(status == 201, f"not entered: {status} {answer}")
        return Page(self, job, answer["url"], answer["key"], web)

    def refusal(self, device, user="tess"):
        """Why a session that was asked for did not come about, as the technician reads it."""
        return self.becomes(self.asked(device, user), "ended", user, 60)["endReason"]


class Connection(http.client.HTTPSConnection):
    """To this machine, whatever the name."""

    def __init__(self, host, port, context, timeout=100):
        super().__init__(host, port, context=context, timeout=timeout)
        self.own_context = context

    def connect(self):
        self.sock = self.own_context.wrap_socket(socket.create_connection(("127.0.0.1", self.port), self.timeout), server_hostname=self.host)


class Reply:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def text(self):
        return self.body.decode("utf-8", "replace")

    def header(self, name):
        return next((value for key, value in self.headers if key.lower() == name), None)

    def __repr__(self):
        return f"{self.status} {self.headers} {self.text[:400]}"


class Page:
    """A browser's HTTP client at a session's origin: it keeps the cookies, and follows nothing."""

    def __init__(self, site, job, url, key, web=None):
        self.site, self.job = site, job
        address = urllib.parse.urlsplit(url)
        self.host, self.port, self.shown = address.hostname, web or address.port, address.netloc
        self.origin = f"https://{address.netloc}"
        self.cookies = {}
        if key:
            entered = self.ask("POST", "/.printtrail/enter", key, {"X-PrintTrail": "1", "Origin": self.origin, "Content-Type": "text/plain"})
            expect(entered.status == 204, f"not entered: {entered}")

    def ask(self, method, path, body=None, headers=None, timeout=100):
        connection = Connection(self.host, self.port, self.site.context(), timeout)
        sent = {"Host": self.shown, "Accept": "text/html,*/*", **(headers or {})}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        with contextlib.closing(connection):
            connection.request(method, path, body, sent, encode_chunked="Transfer-Encoding" in sent)
            answer = connection.getresponse()
            reply = Reply(answer.status, answer.getheaders(), answer.read())
        for name, value in reply.headers:
            if name.lower() == "set-cookie":
                pair = value.split(";")[0].split("=", 1)
                self.cookies[pair[0]] = pair[1]
        return reply

    def get(self, path, **headers):
        return self.ask("GET", path, headers={name.replace("_", "-"): value for name, value in headers.items()})

    def raw(self, text, timeout=20):
        """Sends these bytes, with the cookies in the place of COOKIES, and reads to the end."""
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        connection = Connection(self.host, self.port, self.site.context(), timeout)
        with contextlib.closing(connection):
            connection.connect()
            connection.sock.sendall(text.replace("COOKIES", f"Cookie: {cookies}").encode())
            answer = b""
            with contextlib.suppress(OSError):
                while part := connection.sock.recv(65_536):
                    answer += part
            return answer.decode("utf-8", "replace")

    def end(self):
        """As "End now" does."""
        for user in TECHNICIANS:
            if self.site.ask("DELETE", f"jobs/{self.job}/page", user=user)[0] == 200:
                return


def main(about, start, checks_of, needed=()):
    """The program: starts a site, and prints a line of JSON for each check. Returns 1 if one failed.

    @param start      start(directory, network, stopping, ...): the site; what is put on the stack `stopping` is called at the end
    @param checks_of  checks_of(site, stopping): objects, each of whose methods that begin with check_ is a check; they go on from each other as they
                      are written
    @param needed     further options of the program, whose values go to `start`
    """
    parser = argparse.ArgumentParser(description=about, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", type=int, required=True)
    parser.add_argument("--only", help="checks with this in their names alone")
    for option in needed:
        parser.add_argument(option, required=True)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="printtrail-remote-", dir=os.environ.get("TMPDIR")) as directory:
        stopping = contextlib.ExitStack()
        with stopping:
            try:
                site = start(directory, options.network, stopping, *(getattr(options, option.strip("-")) for option in needed))
                checks = checks_of(site, stopping)
            except Exception:  # noqa: BLE001: told as a check that failed
                told("the site starts", 0, traceback.format_exc())
                return 1
            wanted = [method for each in checks for method in named(each) if not options.only or options.only in method.__name__]
            return 0 if all([passes(method) for method in wanted]) else 1


def named(checks):
    methods = [method for name, method in inspect.getmembers(checks, inspect.ismethod) if name.startswith("check_")]
    return sorted(methods, key=lambda method: method.__func__.__code__.co_firstlineno)


def passes(method):
    start = time.monotonic()
    detail = None
    try:
        method()
    except Exception as error:  # noqa: BLE001: a check that ended otherwise failed as well, and the others go on
        detail = f"{type(error).__name__}: {error}" if isinstance(error, Failed) else traceback.format_exc()
        detail += getattr(method.__self__, "seen", lambda: "")()
    return told(method.__name__.removeprefix("check_").replace("_", " "), time.monotonic() - start, detail)


def told(name, seconds, detail):
    print(json.dumps({"check": name, "ok": detail is None, "seconds": round(seconds, 1), "detail": detail}), flush=True)
    return detail is None
