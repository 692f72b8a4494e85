#!/usr/bin/env python3
"""Runs PrintTrail's benchmarks beside their peers and prints JSON lines and a summary. Loopback only; everything started here is ended here.

usage: run.py --bin DIR [journal] [replay] [millions] [offline] [decode] [compression] [wire] [delivery] [herd] [poll] [sweep] [memory] [fleet] [idle] [console] [remote]
"""

import argparse
import concurrent.futures
import contextlib
import json
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import sweeps
from compression import compression
from delivery import delivery, herd
from console import console
from idle import idle
from remote import remote
from wire import wire
from common import HERE, ROOT, SUMMARY, cpu_of, fleet, lines, measured, program, say, summary

THOUSAND = [f"127.21.{n // 256}.{n % 256}" for n in range(1, 1001)]
TABLES = ["1.3.6.1.2.1.1", "1.3.6.1.2.1.25.3.2", "1.3.6.1.2.1.25.3.5"] + [
    f"1.3.6.1.2.1.43.{group}" for group in (5, 6, 7, 8, 9, 10, 11, 12, 16, 18)
]


def journal(bin, work, rounds=7):
    """Append beside plain C on LMDB, the ceiling, and SQLite doing the same work; in turns, so that a slow moment of the disk meets all."""
    lmdb, sqlite = os.path.join(work, "lmdb_append"), os.path.join(work, "sqlite_append")
    subprocess.run(["cc", "-O2", "-o", lmdb, f"{HERE}/lmdb_append.c", "-llmdb"], check=True)
    subprocess.run(["cc", "-O2", "-o", sqlite, f"{HERE}/sqlite_append.c", "-lsqlite3", "-lcrypto"], check=True)

    def rate(arguments, directory):
        output = subprocess.run(arguments, check=True, capture_output=True, text=True).stdout
        shutil.rmtree(directory)
        return lines(output)[0]["events_per_second"]

    for batch, events in ((1, 8000), (50, 200_000), (500, 1_200_000)):
        rates = {"own": [], "two": [], "lmdb": [], "sqlite": []}
        for _ in range(rounds):
            directory = os.path.join(work, "append")
            for name, peer in (("lmdb", lmdb), ("sqlite", sqlite)):
                os.mkdir(directory)
                rates[name].append(rate([peer, directory, str(batch), str(events)], directory))
            own = [f"{bin}/ptbench", "journal", "--directory", directory, "--batch", str(batch), "--events", str(events), "--append-only"]
            rates["own"].append(rate(own, directory))
            rates["two"].append(rate(own + ["--callers", "2"], directory))
            say(benchmark="journal.append", batch=batch, **{name: found[-1] for name, found in rates.items()},
                ratio=round(rates["own"][-1] / rates["lmdb"][-1], 3))
        median = {name: statistics.median(found) for name, found in rates.items()}
        ratio = {name: statistics.median(own / other for own, other in zip(rates["own"], found)) for name, found in rates.items()}
        two = statistics.median(own / other for own, other in zip(rates["two"], rates["lmdb"]))
        summary(f"append, {batch} a commit: {median['own']:,.0f}/s; plain C on LMDB {median['lmdb']:,.0f}/s, ratio {ratio['lmdb']:.2f}; "
                f"SQLite {median['sqlite']:,.0f}/s, ratio {ratio['sqlite']:.2f}; two callers at once {median['two']:,.0f}/s, ratio {two:.2f} to plain C")


def millions(bin, work, events=10_000_000):
    """A journal of ten million records: what a start takes, what an inspection, what a verification."""
    directory = os.path.join(work, "millions")
    for options in (["--append-only"], ["--existing"]):
        output = subprocess.run(
            [f"{bin}/ptbench", "journal", "--directory", directory, "--batch", "500", "--events", str(events)] + options,
            check=True, capture_output=True, text=True).stdout
        for line in lines(output):
            say(**line)
    found = {line["benchmark"] + (".thorough" if line.get("thorough") else ""): line for line in lines(output)}
    start, verify, size = found["journal.start"], found["journal.verify"], found["journal.size"]
    summary(f"{events:,} records: start {start['seconds']:.2f} s and {start['resident_bytes'] / 1e6:.0f} MB resident, inspection "
            f"{found['journal.inspect']['seconds']:.2f} s, thorough {found['journal.inspect.thorough']['seconds']:.1f} s, verify "
            f"{verify['seconds']:.1f} s, {size['bytes_per_record']:.0f} bytes a record of 300")
    shutil.rmtree(directory)


def offline(bin, work):
    """A season without a hub, with an accelerated clock."""
    output = subprocess.run([f"{bin}/ptbench", "offline", "--directory", os.path.join(work, "offline")],
                            check=True, capture_output=True, text=True).stdout
    for line in lines(output):
        say(**line)
    last = lines(output)[-1]
    summary(f"{last['days']} days offline with {last['devices']:,} devices: {last['polls']:,} polls, {last['records']:,} records, "
            f"{last['file_bytes'] / (1 << 20):,.0f} MiB")


def replay(bin, work):
    directory = os.path.join(work, "replay")
    output = subprocess.run([f"{bin}/ptbench", "replay", "--directory", directory, "--events", "1000000"],
                            check=True, capture_output=True, text=True).stdout
    shutil.rmtree(directory)
    found = {line["benchmark"]: line for line in lines(output)}
    scan = found["replay.scan"]["events_per_second"]
    for name, line in found.items():
        say(**line, ratio_to_scan=round(line["events_per_second"] / scan, 3))
        summary(f"{name.split('.')[1]} of {line['events']:,} events of {line['devices']:,} devices: "
                f"{line['events_per_second']:,}/s, {line['events_per_second'] / scan:.2f} of a plain scan")


def decode(bin, work):
    """The decoder's messages a second and allocations, and the interpretation of a whole walk. Counting costs time: it is a run of its own."""
    command = [f"{bin}/ptbench", "decode", "--walk", f"{ROOT}/Fixtures/walks/colour-mfp.snmprec"]
    fast, counted = (lines(subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ, **more)).stdout)
                     for more in ({}, {"LD_PRELOAD": f"{bin}/libAllocationCounter.so"}))
    for line, count in zip(fast, counted):
        say(**{**line, **{key: value for key, value in count.items() if key.startswith("allocations")}})
    messages, reading = fast
    summary(f"decoder: {messages['messages_per_second']:,} messages/s of {messages['bindings_per_message']} objects at most, "
            f"{messages['bindings_per_second']:,} objects/s, {counted[0]['allocations_per_message']:.1f} allocations a message "
            f"and {counted[0]['allocations_per_binding']:.2f} an object")
    summary(f"interpretation of a reading of {reading['objects']} objects: {reading['microseconds']:.0f} microseconds")


def recorded(bin):
    """Polls of recorded devices in memory: our own processor time, without kernel, engine and simulator; and bytes, of the corpus too where
    PT_CORPUS names it."""
    def polls(walks, times):
        return lines(subprocess.run([f"{bin}/ptbench", "polls", "--times", str(times), *walks], check=True, capture_output=True, text=True).stdout)

    for line in polls([f"{ROOT}/Fixtures/walks/colour-mfp.snmprec"], 500):
        say(**line)
        summary(f"{line['benchmark'].split('.')[1]} poll of colour-mfp.snmprec in memory: {line['microseconds']:.0f} microseconds, {line['requests']} requests, "
                f"{line['wire_bytes']:,} bytes")
    corpus = os.environ.get("PT_CORPUS")
    if not corpus:
        return
    walks = sorted(os.path.join(folder, name) for folder, _, names in os.walk(corpus) for name in names
                   if name.endswith(".snmprec") and "@" not in name)
    first = [line for line in polls(walks, 0) if line["benchmark"] == "polls.first"]
    bytes = sorted(line["probe_wire_bytes"] + line["wire_bytes"] for line in first)
    say(benchmark="polls.corpus", devices=len(bytes), median=statistics.median(bytes), most=bytes[-1], within_8_kib=sum(x <= 8192 for x in bytes),
        requests=sum(line["requests"] for line in first))
    summary(f"probe and first full poll of {len(bytes)} recorded devices: median {statistics.median(bytes):,.0f} bytes, {sum(x <= 8192 for x in bytes)} within "
            f"8 KiB, {bytes[-1]:,} at most; {sum(line['requests'] for line in first) / len(first):.1f} requests each")


def poll(bin, work):
    recorded(bin)
    with fleet(bin, "thousand"):
        own = [f"{bin}/ptbench", "collect", "--range", "127.21.0.1-127.21.3.232", "--port", "16101"]
        for name, options in (("ptagent, sweep and full poll", ["--rounds", "1"]), ("ptagent, sweep, a full and nine light polls (per poll)", ["--rounds", "10"])):
            output = []
            polls = 1000 * int(options[1])
            measured(name, polls, lambda: output.append(
                subprocess.run(own + options, check=True, capture_output=True, text=True).stdout))
            for line in lines(output[0]):
                say(**line)
        rates = apart(own)
        sample = THOUSAND[:100]

        def walk(address):
            for table in TABLES:
                subprocess.run(["snmpbulkwalk", "-v2c", "-c", "public", "-Oqn", f"{address}:16101", table],
                               check=True, stdout=subprocess.DEVNULL)

        with concurrent.futures.ThreadPoolExecutor(2) as pool:
            measured("snmpbulkwalk of the same tables", len(sample), lambda: list(pool.map(walk, sample)))
        peers = {"prometheus-snmp-exporter": exporter(THOUSAND), "fusioninventory-netinventory": inventory(sample)}
    for name, rate in rates.items():
        ratios = ", ".join(f"{rate / other:,.1f} x {peer}" for peer, other in peers.items())
        summary(f"devices per CPU second, {name}: {ratios}")


def apart(own):
    """The probe, a first and a later full poll, and a light one on their own, as ptbench counts them: the process's start is not among them.
    Returns devices per CPU second of each poll."""
    full, light = (lines(subprocess.run(own + options, check=True, capture_output=True, text=True).stdout)
                   for options in (["--rounds", "3", "--full"], ["--rounds", "4"]))
    probe = full[0]["wire_bytes_per_found"]
    summary(f"ptagent, probe of the sweep: {probe:,} bytes a device")
    rates = {}
    for name, line in (("first full poll", full[1]), ("later full poll", full[-1]), ("light poll of a device that stands still", light[-1])):
        say(**line)
        rates[name] = line["readings"] / line["cpu_seconds"]
        summary(f"ptagent, {name}: {line['wire_bytes_per_device']:,} bytes and {line['requests_per_device']:.1f} requests a device, "
                f"{rates[name]:,.0f} devices per CPU second")
    return rates


def inventory(sample, seconds_max=400):
    """fusioninventory-netinventory as it comes: SNMPv1, the community public, one thread; one process for the whole sample, its start included."""
    command = ["fusioninventory-netinventory", "--host", ",".join(sample), "--port", "16101"]

    def ask():
        output = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds_max).stdout
        read = output.count("<DEVICE>")
        if read != len(sample):
            raise SystemExit(f"fusioninventory-netinventory read {read} of {len(sample)} devices")

    return measured("fusioninventory-netinventory", len(sample), ask)


def exporter(sample):
    arguments = ["prometheus-snmp-exporter", f"--config.file={HERE}/snmp.yml", "--web.listen-address=127.0.0.1:19116"]
    with program(arguments) as process:
        for _ in range(100):
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", 19116), 1).close()
                break
            time.sleep(0.1)

        def scrape(address):
            url = f"http://127.0.0.1:19116/snmp?target={address}:16101&module=printer_mib"
            with urllib.request.urlopen(url, timeout=30) as answer:
                assert b"prtMarkerSuppliesLevel" in answer.read()

        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            return measured("prometheus-snmp-exporter, printer_mib (HTTP included)", len(sample), lambda: list(pool.map(scrape, sample)), process.pid)


def memory(bin, work):
    state = os.path.join(work, "agent")
    path = os.path.join(work, "memory.toml")
    with open(path, "w") as file:
        file.write(f'[state]\ndirectory = "{state}"\n[discovery]\nranges = [{{ range = "127.21.0.1-127.21.3.232" }}]\nport = 16101\n'
                   'packets_per_second = 2000\n[poll]\ninterval = "10s"\n[log]\nlevel = "warning"\n')
    with fleet(bin, "thousand"), program([f"{bin}/ptagent", "run", "--config", path]) as agent:
        devices, peak = 0, 0
        end = time.monotonic() + 90
        while time.monotonic() < end:
            time.sleep(5)
            with open(f"/proc/{agent.pid}/status") as file:
                values = dict(line.split(":", 1) for line in file)
            rss = int(values["VmRSS"].split()[0]) / 1024
            peak = max(peak, rss)
        listed = subprocess.run([f"{bin}/ptagent", "devices", "--config", path, "--output", "json"], capture_output=True, text=True).stdout
        devices = len(json.loads(listed)["devices"])
        cpu = cpu_of(agent.pid)
    say(benchmark="memory", devices=devices, resident_mb=round(rss, 1), peak_mb=round(peak, 1), cpu_seconds=round(cpu, 1))
    summary(f"agent with {devices:,} devices polled each 10 s, after 90 s: {rss:.0f} MB resident, at most {peak:.0f} MB, {cpu:.1f} CPU seconds")


def ten_thousand(bin, work, interval=300, first_round=240, settle=430, measured=120):
    """The agent with 10,000 devices: what it holds once each was found, read whole and read again, and what that took. They are polled each five
    minutes here, so that nobody waits for half an hour; a round of polls costs what it costs, and its share of a core is reckoned for half an hour."""
    state = os.path.join(work, "agent")
    path = os.path.join(work, "fleet.toml")
    with open(path, "w") as file:
        file.write(f'[state]\ndirectory = "{state}"\n[discovery]\nranges = [{{ range = "127.24.0.1-127.24.39.16" }}]\nport = 16103\n'
                   f'packets_per_second = 1000\n[poll]\ninterval = "{interval}s"\n[log]\nlevel = "warning"\n')

    def held(pid):
        with open(f"/proc/{pid}/status") as file:
            values = dict(line.split(":", 1) for line in file)
        return {name: int(values[key].split()[0]) / 1024
                for name, key in (("resident_mb", "VmRSS"), ("anonymous_mb", "RssAnon"), ("peak_mb", "VmHWM"))}

    with fleet(bin, "tenthousand"), program([f"{bin}/ptagent", "run", "--config", path]) as agent:
        time.sleep(first_round)
        first, after_first = cpu_of(agent.pid), held(agent.pid)
        time.sleep(settle - first_round)
        light, start = cpu_of(agent.pid) - first, time.monotonic()
        time.sleep(measured)
        used, seconds, memory = cpu_of(agent.pid) - first - light, time.monotonic() - start, held(agent.pid)
        listed = subprocess.run([f"{bin}/ptagent", "devices", "--config", path, "--output", "json"], capture_output=True, text=True).stdout
        devices = len(json.loads(listed)["devices"])
    say(benchmark="fleet", devices=devices, **{name: round(value, 1) for name, value in memory.items()},
        resident_mb_after_first_round=round(after_first["resident_mb"], 1), first_round_cpu_seconds=round(first, 1),
        second_round_cpu_seconds=round(light, 1), idle_share_of_a_core=round(used / seconds, 4),
        share_of_a_core=round(used / seconds + light / 1800, 4), share_of_a_core_at_most=round(used / seconds + first / 1800, 4))
    summary(f"agent with {devices:,} devices, each read whole and then again: {memory['resident_mb']:.0f} MB resident, of which "
            f"{memory['anonymous_mb']:.0f} MB its own and the rest files ({after_first['resident_mb']:.0f} MB after the first round, {memory['peak_mb']:.0f} MB at most); "
            f"{100 * used / seconds:.1f} % of a core while it waits; polled each 30 minutes {100 * (used / seconds + light / 1800):.1f} %, "
            f"{100 * (used / seconds + first / 1800):.1f} % if every round cost what sweep and first round did ({first:.1f} and {light:.1f} CPU seconds)")


def main():
    known = {"journal": journal, "replay": replay, "millions": millions, "offline": offline, "decode": decode, "compression": compression,
             "wire": wire, "delivery": delivery, "herd": herd, "poll": poll, "sweep": sweeps.sweep,
             "memory": memory, "fleet": ten_thousand, "idle": idle, "console": console, "remote": remote}
    parser = argparse.ArgumentParser(description="PrintTrail's benchmarks, each beside its peer.")
    parser.add_argument("--bin", required=True, help="where the release build is")
    parser.add_argument("names", nargs="*", choices=[[], *known], help="which; all without a name")
    options = parser.parse_args()
    say(machine=os.uname().release, cores=os.cpu_count(), load=os.getloadavg()[0])
    for name in options.names or known:
        work = tempfile.mkdtemp(prefix="printtrail-bench-")
        try:
            known[name](options.bin, work)
        finally:
            shutil.rmtree(work, ignore_errors=True)
    print("\n".join(["", "Summary", "-------", *SUMMARY]))


if __name__ == "__main__":
    sys.exit(main())
