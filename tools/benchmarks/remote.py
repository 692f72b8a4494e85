"""A device's own page through hub and agent, beside the same page loaded directly: how long a browser takes, how fast a large file comes, how soon
after the job the first byte is there, also while the agent looks for printers, and twenty sessions at once.

usage: run.py --bin DIR remote

The device's page is nginx's: HTML with twenty files of styles, scripts and pictures, as embedded web servers have. The browser is Chromium, driven by
playwright, which `tools/test` puts into .build/peers; without either, what it would show is left out. Everything is on loopback, so that a round trip
of the network takes next to nothing; the one that is told is that of a small request through browser's connection, hub, tunnel, agent and device.
"""

import concurrent.futures
import contextlib
import http.client
import json
import os
import random
import ssl
import statistics
import subprocess
import time

from common import ROOT, program, say, summary

SNMP, PAGES = 16106, 16180
CSR, DCAM, HC, CONSOLE, TUNNELS, WEB = 16181, 16182, 16183, 16184, 16185, 16186
DEVICES = 20
# A user may have five sessions open.
USERS = ["ann", "ben", "cem", "dana"]
PASSWORD = "four words by chance"
LARGE = 50_000_000
ROUNDS = 15
GOALS = {"load_ratio": 1.3, "round_trips": 3, "mbit_per_second": 200, "sessions": 20, "first_byte_ms": 1_000}

# Loads the page in turns, directly and through the tunnel; prints milliseconds to the end of its load event. A page that is not whole is none.
LOADS = """
import json, sys
from playwright.sync_api import sync_playwright
direct, way, key, rounds = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
with sync_playwright() as p:
    browser = p.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    context = browser.new_context(ignore_https_errors=True)
    page = context.new_page()
    page.goto(way + "#" + key)
    origin = "/".join(way.split("/")[:3])
    page.wait_for_url(origin + "/", timeout=30000)
    found = {"direct": [], "tunnel": []}
    for round in range(rounds + 2):
        for name, address in (("direct", direct), ("tunnel", origin + "/")):
            page.goto(address, wait_until="load")
            page.wait_for_function("performance.getEntriesByType('navigation')[0].loadEventEnd > 0")
            entry = page.evaluate('''() => ({ms: performance.getEntriesByType("navigation")[0].loadEventEnd,
                files: performance.getEntriesByType("resource").filter(e => e.responseStatus === 200).length, ok: window.scripts === 6})''')
            if entry["files"] < 20 or not entry["ok"]:
                sys.exit(f"{name}: only {entry}")
            if round >= 2:
                found[name].append(entry["ms"])
    print(json.dumps(found))
"""


def write_pages(directory):
    """A page such as devices have: made of the same bytes in each run."""
    chance = random.Random(7)
    names = [f"style{n}.css" for n in range(3)] + [f"script{n}.js" for n in range(6)] + [f"icon{n}.png" for n in range(7)] + [f"photo{n}.gif" for n in range(4)]
    gif = bytes.fromhex("47494638396101000100800000000000ffffff21f90401000000002c00000000010001000002024401003b")
    for name in names:
        if name.endswith(".css"):
            body = "".join(f".c{n} {{ color: #{chance.randrange(1 << 24):06x}; padding: {n % 7}px }}\n" for n in range(400)).encode()
        elif name.endswith(".js"):
            body = ("window.scripts = (window.scripts || 0) + 1;\n" + "".join(f"function f{n}(a) {{ return a * {chance.randrange(1000)} + {n}; }}\n" for n in range(400))).encode()
        else:
            # What follows a picture's end is passed over: it is as large as they are.
            body = gif + chance.randbytes(2_000 if name.startswith("icon") else 9_000)
        with open(os.path.join(directory, name), "wb") as file:
            file.write(body)
    parts = [f'<link rel="stylesheet" href="/{name}">' for name in names if name.endswith(".css")]
    parts += [f'<script src="/{name}"></script>' for name in names if name.endswith(".js")]
    rows = "".join(f"<tr><td>Tray {n}</td><td>A4, plain, {chance.randrange(500)} sheets</td></tr>" for n in range(300))
    images = "".join(f'<img src="/{name}" alt="">' for name in names if not name.endswith((".css", ".js")))
    with open(os.path.join(directory, "index.html"), "w", encoding="utf-8") as file:
        file.write(f"<!doctype html><html><head><title>Device status</title>{''.join(parts)}</head><body>{images}<table>{rows}</table></body></html>")
    with open(os.path.join(directory, "small"), "wb") as file:
        file.write(b"x")
    with open(os.path.join(directory, "large"), "wb") as file:
        for _ in range(LARGE // 1_000_000):
            file.write(chance.randbytes(1_000_000))
    return names


def nginx(work):
    """As devices serve: HTTP/1.1 with keep-alive, and nothing that a browser may keep."""
    directory = os.path.join(work, "pages")
    os.mkdir(directory)
    names = write_pages(directory)
    config = os.path.join(work, "nginx.conf")
    with open(config, "w", encoding="utf-8") as file:
        file.write(f"""{"user root; " if os.geteuid() == 0 else ""}daemon off; worker_processes 1; pid {work}/nginx.pid; error_log {work}/nginx.log;
events {{ worker_connections 512; }}
http {{ access_log off; default_type application/octet-stream; sendfile on; keepalive_timeout 15s; client_body_temp_path {work}/nginx-body;
  types {{ text/html html; text/css css; text/javascript js; image/png png; image/gif gif; }}
  server {{ listen 0.0.0.0:{PAGES} backlog=511; root {directory}; add_header Cache-Control no-store; }} }}
""")
    return names, program(["nginx", "-p", work, "-c", config])


class Later(Exception):
    """The hub wants a user to ask more slowly."""


class Asks:
    """One HTTP connection: requests one after the other, with the cookies that it was given."""

    def __init__(self, port, host, encrypted=True):
        context = ssl.create_default_context()
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        self.connection = (http.client.HTTPSConnection("127.0.0.1", port, context=context, timeout=60) if encrypted
                           else http.client.HTTPConnection("127.0.0.1", port, timeout=60))
        self.headers = {"Host": f"{host}:{port}"}

    def ask(self, method, path, body=None, headers=None):
        self.connection.request(method, path, body, {**self.headers, **(headers or {})})
        answer = self.connection.getresponse()
        data = answer.read()
        cookie = answer.getheader("Set-Cookie")
        if cookie:
            self.headers["Cookie"] = cookie.split(";")[0]
        if answer.status == 422 and b"Wait " in data:
            raise Later(data)
        if answer.status >= 400:
            raise SystemExit(f"{method} {path} was answered {answer.status}: {data[:500]!r}")
        return data

    def api(self, method, path, body=None):
        data = self.ask(method, f"/api/v1/{path}", None if body is None else json.dumps(body), {"X-PrintTrail": "1", "Content-Type": "application/json"})
        return json.loads(data) if data else None


class Site:
    """A hub, an agent behind it with twenty simulated printers, and technicians. Ends with the block."""

    def __init__(self, bin, work, stack):
        self.bin, self.work = bin, work
        fleet = os.path.join(work, "fleet.toml")
        with open(fleet, "w", encoding="utf-8") as file:
            file.write(f'port = {SNMP}\nseed = 20\nmodels = "{ROOT}/Fixtures/devices"\n[[patterns]]\naddresses = "127.27.0.0/24"\ncount = {DEVICES}\n'
                       'models = ["hp-color-laserjet-m555", "kyocera-taskalfa-3253ci", "ricoh-im-c3000", "brother-mfc-l8900"]\nlocation = "Benchmark"\n')
        stack.enter_context(program([f"{bin}/ptsim", "serve", "--fleet", fleet, "--speed", "0"], ready="ready"))
        said = self.hub("init")
        pin = next(line.split()[-1] for line in said.splitlines() if line.startswith("pin"))
        self.hub("entity", "add", "Bench")
        for user in USERS:
            self.hub("user", "add", user, "--role", "technician", "--role", "operator", input=PASSWORD + "\n")
        stack.enter_context(program([
            f"{bin}/pthub", "serve", "--directory", f"{work}/hub", "--csr", f"127.0.0.1:{CSR}", "--dcam", f"127.0.0.1:{DCAM}", "--hc", f"127.0.0.1:{HC}",
            "--metrics", "none", "--console", f"127.0.0.1:{CONSOLE}", "--remote", f"127.0.0.1:{TUNNELS}", "--remote-web", f"127.0.0.1:{WEB}"], ready="ready"))
        self.hub("remote", "enable", "--entity", "Bench")
        config = os.path.join(work, "ptagent.toml")
        with open(config, "w", encoding="utf-8") as file:
            file.write(f'[hub]\ncsr = "127.0.0.1:{CSR}"\nca_pin = "{pin}"\nremotetechnician = "127.0.0.1:{TUNNELS}"\n[state]\ndirectory = "{work}/agent"\n'
                       f'[discovery]\nranges = [{{ range = "127.27.0.1-{DEVICES}" }}, {{ range = "127.27.8.0/21" }}]\nport = {SNMP}\npackets_per_second = 200\n[console]\nenabled = false\n'
                       f'[remote]\nenabled = true\nports = [{PAGES}]\nallow_addresses = ["127.27.0.0/24"]\nrequests_per_second = 1000\n[log]\nlevel = "warning"\n')
        code = json.loads(self.hub("code", "create", "--entity", "Bench", "--output", "json"))["code"]
        subprocess.run([f"{bin}/ptagent", "enroll", "--code", code, "--config", config], check=True, capture_output=True, timeout=120)
        stack.enter_context(program([f"{bin}/ptagent", "run", "--config", config]))
        end = time.monotonic() + 180
        while True:
            devices = [one["id"] for one in json.loads(self.hub("device", "list", "--output", "json")) if one["state"] == "read"]
            if len(devices) == DEVICES:
                break
            if time.monotonic() > end:
                raise SystemExit(f"the hub has {len(devices)} of {DEVICES} devices")
            time.sleep(0.5)
        self.devices = devices
        self.consoles = [Asks(CONSOLE, "localhost") for _ in USERS]
        for user, console in zip(USERS, self.consoles):
            console.api("POST", "session", {"user": user, "password": PASSWORD})

    def hub(self, *words, input=None):
        count = 2 if len(words) > 1 and not words[1].startswith("-") else 1
        done = subprocess.run([f"{self.bin}/pthub", *words[:count], "--directory", f"{self.work}/hub", *words[count:]], input=input, capture_output=True,
                              text=True, timeout=120, check=False)
        if done.returncode != 0:
            raise SystemExit(f"pthub {words}: {done.stdout}{done.stderr}")
        return done.stdout

    def open(self, console, device, seconds=60):
        """Asks for a device's page, and waits until it is open: the job's id."""
        end = time.monotonic() + seconds
        while True:
            with contextlib.suppress(Later):
                job = console.api("POST", f"devices/{device}/page", {"reason": "benchmark", "seconds": 1800})["id"]
                break
            time.sleep(0.5)
        while True:
            session = console.api("GET", f"jobs/{job}/page")
            if session["state"] == "open":
                return job
            if session["state"] == "ended" or time.monotonic() > end:
                raise SystemExit(f"no session came: {session}")
            time.sleep(0.01)

    def enter(self, console, job):
        """As a browser does, without one: a connection to the session's origin, with its cookie; and the origin."""
        way = console.api("POST", f"jobs/{job}/page")
        origin = "/".join(way["url"].split("/")[:3])
        browser = Asks(WEB, origin.split("//")[1].split(":")[0])
        browser.ask("POST", "/.printtrail/enter", way["key"], {"X-PrintTrail": "1", "Origin": origin, "Content-Type": "text/plain"})
        return browser, origin

    def first_byte(self, console, device):
        """Milliseconds from the click that asks for a page to the page, with all that a console does in between."""
        start = time.perf_counter()
        job = self.open(console, device)
        browser, _ = self.enter(console, job)
        browser.ask("GET", "/")
        elapsed = (time.perf_counter() - start) * 1000
        console.api("DELETE", f"jobs/{job}/page")
        return elapsed


def seconds_for(asks, path, size):
    start = time.perf_counter()
    count = len(asks.ask("GET", path))
    if count != size:
        raise SystemExit(f"{path} has {count} bytes, and not {size}")
    return time.perf_counter() - start


def median_ms(asks, path, rounds):
    size = len(asks.ask("GET", path))
    times = [seconds_for(asks, path, size) * 1000 for _ in range(rounds + 5)]
    return statistics.median(times[5:])


def browser_loads(site, job):
    python = f"{ROOT}/.build/peers/bin/python"
    if not (os.path.exists(python) and os.path.exists("/usr/bin/chromium")):
        return None
    way = site.consoles[0].api("POST", f"jobs/{job}/page")
    done = subprocess.run([python, "-c", LOADS, f"http://127.0.0.1:{PAGES}/", way["url"], way["key"], str(ROUNDS)], capture_output=True, text=True,
                          timeout=600, check=False)
    if done.returncode != 0:
        raise SystemExit(f"Chromium: {done.stderr[-1500:]}")
    return json.loads(done.stdout)


def curl(origin, names, cookie):
    """A page with all of its files by six connections, as browsers have: its seconds, and whether each file came."""
    command = ["curl", "--silent", "--insecure", "--http1.1", "--parallel", "--parallel-max", "6", "--cookie", cookie, "--write-out", "%{http_code}\\n"]
    for name in ["", *names]:
        command += ["--output", "/dev/null", f"{origin}/{name}"]
    start = time.perf_counter()
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    return time.perf_counter() - start, done.stdout.split() == ["200"] * (len(names) + 1)


def remote(bin, work):
    names, server = nginx(work)
    with contextlib.ExitStack() as stack:
        stack.enter_context(server)
        site = Site(bin, work, stack)
        console = site.consoles[0]

        first = [site.first_byte(console, device) for device in site.devices[:8]]
        scan = site.hub("job", "create", "scan", "--entity", "Bench", "--output", "json")
        time.sleep(1.5)
        during = [site.first_byte(site.consoles[1], device) for device in site.devices[:8]]
        running = [one["state"] for one in json.loads(site.hub("job", "list", "--output", "json")) if one["id"] in scan]
        say(benchmark="remote.first_byte", ms=[round(one) for one in first], during_scan_ms=[round(one) for one in during], scan=running)

        job = site.open(console, site.devices[0])
        browser, origin = site.enter(console, job)
        direct = Asks(PAGES, "127.0.0.1", encrypted=False)
        small, kinds = {}, {}
        for name, asks in (("direct", direct), ("tunnel", browser)):
            small[name] = median_ms(asks, "/small", 50)
            # What is read for links, and what passes as it is.
            kinds[name] = {path: round(median_ms(asks, path, 10), 2) for path in ("/", "/style0.css", "/script0.js", "/photo0.gif")}
        say(benchmark="remote.files", **{f"{name}_ms": times for name, times in kinds.items()})
        large = {name: statistics.median(seconds_for(asks, "/large", LARGE) for _ in range(3)) for name, asks in (("direct", direct), ("tunnel", browser))}
        mbit = {name: LARGE * 8 / seconds / 1e6 for name, seconds in large.items()}
        say(benchmark="remote.large", bytes=LARGE, **{f"{name}_mbit_per_second": round(value) for name, value in mbit.items()},
            **{f"{name}_round_trip_ms": round(value, 2) for name, value in small.items()})

        loads = browser_loads(site, job)
        console.api("DELETE", f"jobs/{job}/page")

        pairs = [(site.consoles[index % len(USERS)], device) for index, device in enumerate(site.devices)]
        jobs = [(asks, site.open(asks, device)) for asks, device in pairs]
        entered = [site.enter(asks, one) for asks, one in jobs]
        alone = curl(entered[0][1], names, entered[0][0].headers["Cookie"])
        with concurrent.futures.ThreadPoolExecutor(len(entered)) as pool:
            done = list(pool.map(lambda one: curl(one[1], names, one[0].headers["Cookie"]), entered))
        whole, times = sum(good for _, good in done), sorted(seconds for seconds, _ in done)
        say(benchmark="remote.sessions", sessions=len(done), whole=whole, alone_ms=round(alone[0] * 1000), median_ms=round(statistics.median(times) * 1000),
            most_ms=round(times[-1] * 1000))
        for asks, one in jobs:
            asks.api("DELETE", f"jobs/{one}/page")
    told(first, during, running, small, mbit, loads, whole, alone, times)


def told(first, during, running, small, mbit, loads, whole, alone, times):
    missed = [name for name, bad in (
        ("first_byte_ms", statistics.median(first) >= GOALS["first_byte_ms"] or statistics.median(during) >= GOALS["first_byte_ms"]),
        ("mbit_per_second", mbit["tunnel"] < GOALS["mbit_per_second"]), ("sessions", whole < GOALS["sessions"])) if bad]
    text = ""
    if loads:
        direct, tunnel = (statistics.median(loads[name]) for name in ("direct", "tunnel"))
        allowed = GOALS["load_ratio"] * direct + GOALS["round_trips"] * small["tunnel"]
        if tunnel > allowed:
            missed.append("load")
        say(benchmark="remote.load", direct_ms=round(direct, 1), tunnel_ms=round(tunnel, 1), round_trip_ms=round(small["tunnel"], 2), allowed_ms=round(allowed, 1),
            ratio=round(tunnel / direct, 2), all=loads)
        text = f"a page of 21 files in Chromium {tunnel:.0f} ms, directly {direct:.0f} ms ({allowed:.0f} ms allowed), "
    say(benchmark="remote", goals=GOALS, missed=missed)
    summary(f"a device's page through the tunnel: {text}a round trip {small['tunnel']:.1f} ms ({small['direct']:.1f} directly); 50 MB at {mbit['tunnel']:,.0f} Mbit/s "
            f"({mbit['direct']:,.0f} directly); the page is there {statistics.median(first):.0f} ms after it was asked for, {statistics.median(during):.0f} ms during a scan "
            f"(job {', '.join(running)}); {whole} of {len(times)} sessions at once load it in {statistics.median(times) * 1000:.0f} ms, {times[-1] * 1000:.0f} at most, alone "
            f"{alone[0] * 1000:.0f} ms" + (f"; MISSED: {', '.join(missed)}" if missed else ""))
