"""The agent's console with five thousand devices: how long its server takes for what the pages ask, and how soon a browser shows them.

usage: console.py BIN WORK      run.py runs it

The browser is Chromium, driven by playwright, which `tools/test` puts into .build/peers; without either, what it would show is left out.
"""

import http.client
import json
import os
import statistics
import subprocess
import sys
import time

from common import ROOT, SUMMARY, program, say, summary
from idle import devices_read

DEVICES = 5_000
PORT = 16105
CONSOLE = 16114
ROUNDS = 20
# What the pages ask: each once while warming up, and then ROUNDS times.
ASKED = {
    "devices": "/api/v1/devices?limit=50",
    "devices, by total, descending": "/api/v1/devices?limit=50&sort=-total",
    "devices, searched": "/api/v1/devices?limit=50&q=kyocera%20benchmark",
    "devices, 500": "/api/v1/devices?limit=500",
    "alerts": "/api/v1/alerts?limit=50",
    "dashboard": "/api/v1/dashboard",
}
GOALS = {"devices_ms": 50, "first_paint_ms": 1_000, "page_kb": 150}
FIRST_PAINT = """
import json, sys
from playwright.sync_api import sync_playwright
with sync_playwright() as p:
    browser = p.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
    shown = []
    for round in range(5):
        page = browser.new_context().new_page()
        page.goto(sys.argv[1] + "#/devices")
        page.wait_for_selector("tbody tr[data-key]")
        shown.append(page.evaluate('''() => ({
            paint: performance.getEntriesByName("first-contentful-paint")[0].startTime, rows: performance.now(),
            kb: [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource").filter(e => !e.name.includes("/api/"))]
                .reduce((sum, e) => sum + e.encodedBodySize, 0) / 1024})'''))
    print(json.dumps(shown))
"""


def fleet_file(work):
    path = os.path.join(work, "fivethousand.toml")
    with open(f"{ROOT}/Fixtures/fleets/tenthousand.toml") as file:
        text = file.read()
    text = text.replace("port = 16103", f"port = {PORT}").replace("count = 10000", f"count = {DEVICES}").replace("127.24.0.0", "127.26.0.0")
    text = text.replace('models = "../devices"', f'models = "{ROOT}/Fixtures/devices"')
    with open(path, "w") as file:
        file.write(text)
    return path


def asked(path):
    """Milliseconds from sending the request to the last byte of its answer, over a connection that is open; and the bytes of the answer."""
    connection = http.client.HTTPConnection("127.0.0.1", CONSOLE, timeout=30)
    times = []
    for _ in range(ROUNDS + 1):
        start = time.perf_counter()
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        size = len(answer.read())
        times.append((time.perf_counter() - start) * 1000)
        if answer.status != 200:
            raise SystemExit(f"{path} was answered {answer.status}")
    connection.close()
    return times[1:], size


def first_paint():
    python = f"{ROOT}/.build/peers/bin/python"
    if not (os.path.exists(python) and os.path.exists("/usr/bin/chromium")):
        return None
    done = subprocess.run([python, "-c", FIRST_PAINT, f"http://127.0.0.1:{CONSOLE}/"], capture_output=True, text=True, timeout=300, check=False)
    if done.returncode != 0:
        raise SystemExit(f"Chromium: {done.stderr[-1000:]}")
    return json.loads(done.stdout)


def console(bin, work):
    state, config = os.path.join(work, "agent"), os.path.join(work, "ptagent.toml")
    with open(config, "w") as file:
        file.write(f'[state]\ndirectory = "{state}"\n[discovery]\nranges = [{{ range = "127.26.0.1-127.26.19.140" }}]\nport = {PORT}\n'
                   f'packets_per_second = 1000\n[console]\nlisten = "127.0.0.1:{CONSOLE}"\n[log]\nlevel = "warning"\n')
    with program([f"{bin}/ptsim", "serve", "--fleet", fleet_file(work), "--speed", "0"], ready="ready"), \
            program([f"{bin}/ptagent", "run", "--config", config]):
        end = time.monotonic() + 300
        # Of so many made up at random two may have one serial number, and are one device.
        while devices_read(state) < DEVICES * 0.999:
            if time.monotonic() > end:
                raise SystemExit(f"only {devices_read(state)} of {DEVICES} devices were read")
            time.sleep(1)
        # What was begun ends.
        time.sleep(10)
        figures = {}
        for name, path in ASKED.items():
            times, size = asked(path)
            figures[name] = statistics.median(times)
            say(benchmark="console", asked=name, devices=DEVICES, median_ms=round(figures[name], 2), most_ms=round(max(times), 2), bytes_gzip=size)
        shown = first_paint()
    found = {"devices_ms": figures["devices"]}
    text = ", ".join(f"{name} {value:.1f} ms" for name, value in figures.items())
    if shown:
        paint, rows, kb = (statistics.median(one[key] for one in shown) for key in ("paint", "rows", "kb"))
        found |= {"first_paint_ms": paint, "page_kb": kb}
        text += f"; Chromium paints first after {paint:.0f} ms and has the devices after {rows:.0f} ms, of {kb:.0f} KB compressed"
    missed = [name for name, value in found.items() if value >= GOALS[name]]
    say(benchmark="console", devices=DEVICES, **{name: round(value, 1) for name, value in found.items()}, goals=GOALS, missed=missed)
    summary(f"console with {DEVICES:,} devices: {text}" + (f"; MISSED: {', '.join(missed)}" if missed else ""))


if __name__ == "__main__":
    console(sys.argv[1], sys.argv[2])
    print("\n".join(SUMMARY))
