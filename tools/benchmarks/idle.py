"""An agent at rest: a hundred devices, a hub in service mode, nothing to do between polls.

usage: idle.py BIN WORK [seconds]      run.py runs it; a few seconds are a smoke test, 300 the figure

What is measured: the share of a core and the resident memory while it waits (polls each 30 minutes, as by default: their cost is measured apart, as a
share over such an interval), and what passes from the start of the process to the end of its first poll, the very first time and with the devices known.
"""

import json
import os
import subprocess
import sys
import time

from common import ROOT, SUMMARY, cpu_of, program, say, summary

DEVICES = 100
PORT = 16104
PORTS = {"csr": 16110, "dcam": 16111, "hc": 16112, "metrics": 16113}
# After the last device was read: what was begun ends, and the heap is given back (HeapService).
SETTLE_SECONDS = 45
POLL_INTERVAL_SECONDS = 1800
# The goals of the agent at rest.
GOALS = {"share_of_a_core": 0.01, "resident_mb": 64, "first_poll_seconds": 2}


def run(arguments):
    return subprocess.run(arguments, check=True, capture_output=True, text=True).stdout


def fleet_file(work):
    path = os.path.join(work, "hundred.toml")
    with open(f"{ROOT}/Fixtures/fleets/thousand.toml") as file:
        text = file.read()
    text = text.replace("port = 16101", f"port = {PORT}").replace("count = 1000", f"count = {DEVICES}")
    text = text.replace('models = "../devices"', f'models = "{ROOT}/Fixtures/devices"')
    with open(path, "w") as file:
        file.write(text)
    return path


def memory(pid):
    with open(f"/proc/{pid}/status") as file:
        values = dict(line.split(":", 1) for line in file)
    return {name: int(values[key].split()[0]) / 1024
            for name, key in (("resident_mb", "VmRSS"), ("anonymous_mb", "RssAnon"), ("peak_mb", "VmHWM"))}


def devices_read(state):
    try:
        with open(os.path.join(state, "status.json")) as file:
            return json.load(file)["devices"].get("read", 0)
    except (OSError, ValueError, KeyError):
        return 0


def first_poll(bin, work, config):
    """Seconds from the start of the process to the end of its first poll."""
    debug = os.path.join(work, "debug.toml")
    with open(config) as file:
        text = file.read()
    with open(debug, "w") as file:
        file.write(text.replace('level = "warning"', 'level = "debug"'))
    start = time.monotonic()
    agent = subprocess.Popen([f"{bin}/ptagent", "run", "--config", debug], stderr=subprocess.PIPE, stdout=subprocess.DEVNULL, text=True)
    try:
        for line in agent.stderr:
            if 'msg="a device was read"' in line:
                return time.monotonic() - start
        raise SystemExit("ptagent ended before it read a device")
    finally:
        agent.terminate()
        agent.stderr.read()
        agent.wait()


def idle(bin, work, seconds=300):
    state, hub = os.path.join(work, "agent"), os.path.join(work, "hub")
    pin = next(line.split()[1] for line in run([f"{bin}/pthub", "init", "--directory", hub]).splitlines() if line.startswith("pin"))
    run([f"{bin}/pthub", "entity", "add", "--directory", hub, "Idle"])
    code = json.loads(run([f"{bin}/pthub", "code", "create", "--directory", hub, "--entity", "Idle", "--output", "json"]))["code"]
    config = os.path.join(work, "ptagent.toml")
    with open(config, "w") as file:
        file.write(f'[hub]\ncsr = "127.0.0.1:{PORTS["csr"]}"\nca_pin = "{pin}"\n[state]\ndirectory = "{state}"\n'
                   f'[discovery]\nranges = [{{ range = "127.21.0.1-127.21.0.{DEVICES + 20}" }}]\nport = {PORT}\n[log]\nlevel = "warning"\n')
    serve = [f"{bin}/pthub", "serve", "--directory", hub, "--console", "none"] + [
        word for name, port in PORTS.items() for word in (f"--{name}", f"127.0.0.1:{port}")]
    with program([f"{bin}/ptsim", "serve", "--fleet", fleet_file(work), "--speed", "0"], ready="ready"), \
            program(serve, ready="ready"):
        run([f"{bin}/ptagent", "enroll", "--config", config, "--code", code])
        fresh = first_poll(bin, work, config)
        with program([f"{bin}/ptagent", "run", "--config", config]) as agent:
            end = time.monotonic() + 180
            while devices_read(state) < DEVICES:
                if time.monotonic() > end:
                    raise SystemExit(f"only {devices_read(state)} of {DEVICES} devices were read")
                time.sleep(0.5)
            round_cpu = cpu_of(agent.pid)
            time.sleep(SETTLE_SECONDS if seconds >= 60 else 5)
            before, start = cpu_of(agent.pid), time.monotonic()
            time.sleep(seconds)
            share = (cpu_of(agent.pid) - before) / (time.monotonic() - start)
            held = memory(agent.pid)
        known = first_poll(bin, work, config)
    found = {"share_of_a_core": share, "resident_mb": held["resident_mb"], "first_poll_seconds": max(fresh, known)}
    missed = [name for name, goal in GOALS.items() if found[name] >= goal]
    say(benchmark="idle", devices=DEVICES, seconds=seconds, share_of_a_core=round(share, 5),
        first_round_cpu_seconds=round(round_cpu, 2), with_a_round_each_interval=round(share + round_cpu / POLL_INTERVAL_SECONDS, 5),
        first_poll_seconds_fresh=round(fresh, 2), first_poll_seconds_known=round(known, 2),
        **{name: round(value, 1) for name, value in held.items()}, goals=GOALS, missed=missed)
    summary(f"agent at rest with {DEVICES} devices and a hub: {100 * share:.2f} % of a core ({100 * (share + round_cpu / POLL_INTERVAL_SECONDS):.2f} % with a whole "
            f"round of polls each half hour), {held['resident_mb']:.0f} MB resident, of which {held['anonymous_mb']:.0f} MB its own; first poll "
            f"{fresh:.1f} s after its first start, {known:.1f} s after a later one" + (f"; MISSED: {', '.join(missed)}" if missed else ""))


if __name__ == "__main__":
    idle(sys.argv[1], sys.argv[2], float(sys.argv[3]) if len(sys.argv) > 3 else 300)
    print("\n".join(SUMMARY))
