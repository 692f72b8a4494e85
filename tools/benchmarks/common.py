"""What the benchmarks share: how lines are printed, programs run, and time, processor time and bytes counted."""

import contextlib
import json
import os
import resource
import signal
import subprocess
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
SUMMARY = []


def say(**line):
    print(json.dumps(line), flush=True)


def summary(text):
    SUMMARY.append(text)


def interface(name):
    """The counters of an interface of this network namespace: bytes received first, bytes sent at index 8, packets sent at 9."""
    with open("/proc/net/dev") as file:
        line = next(line for line in file if line.strip().startswith(f"{name}:"))
    return [int(field) for field in line.split(":")[1].split()]


def wire_bytes():
    """Bytes that crossed the loopback interface of this network namespace, IP headers included."""
    return interface("lo")[8]


def cpu_of(pid):
    """CPU seconds of a process, its ended children included."""
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rsplit(")", 1)[1].split()
    return sum(int(x) for x in fields[11:15]) / os.sysconf("SC_CLK_TCK")


def lines(output):
    return [json.loads(line) for line in output.splitlines() if line.startswith("{")]


@contextlib.contextmanager
def program(arguments, ready=None, **options):
    """Runs a program until the block ends. Waits for a line that contains `ready`."""
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, **options)
    try:
        while ready:
            line = process.stdout.readline()
            if not line:
                raise SystemExit(f"{arguments[0]} ended before it was ready")
            if ready in line:
                break
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def fleet(bin, name):
    return program([f"{bin}/ptsim", "serve", "--fleet", f"{ROOT}/Fixtures/fleets/{name}.toml", "--speed", "0"], ready="ready")


def measured(name, devices, body, pid=None):
    """Runs `body`; reports devices per second, CPU seconds and bytes on the wire, and returns devices per CPU second. They are those of the
    process, or without one of the children that `body` waited for."""
    before, cpu, children, start = wire_bytes(), cpu_of(pid) if pid else 0, resource.getrusage(resource.RUSAGE_CHILDREN), time.monotonic()
    body()
    seconds = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    used = cpu_of(pid) - cpu if pid else after.ru_utime + after.ru_stime - children.ru_utime - children.ru_stime
    per_device = (wire_bytes() - before) / devices
    say(benchmark=name, devices=devices, seconds=round(seconds, 3), cpu_seconds=round(used, 3),
        devices_per_second=round(devices / seconds, 1), devices_per_cpu_second=round(devices / used, 1), wire_bytes_per_device=round(per_device))
    summary(f"{name}: {devices / seconds:,.0f} devices/s, {devices / used:,.0f} per CPU second, {per_device:,.0f} bytes on the wire a device")
    return devices / used
