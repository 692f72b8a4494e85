"""From agents to a hub: records a second, a backlog beside alerts, PostgreSQL beside plain libpq, and thousands of agents at one hub.

The hub is `pthub serve` and nothing else; agents are `ptbench deliver` (the agent's replicator, or a plain client of grpc-swift-nio-transport)
and `ptbench herd`.
"""

import contextlib
import json
import os
import pwd
import shutil
import sqlite3
import statistics
import subprocess
import threading
import time

from common import HERE, cpu_of, lines, say, summary

POSTGRES = "/usr/lib/postgresql/15/bin"


class Hub:
    """A hub in a directory of its own, with entity and code."""

    def __init__(self, bin, directory, store=None, null=False, uses=1):
        self.bin, self.directory, self.null, self.process = bin, directory, null, None
        init = [f"{bin}/pthub", "init", "-d", directory, "--name", "127.0.0.1"] + (["--store", store] if store else [])
        subprocess.run(init, check=True, capture_output=True)
        self.command("entity", "add", "Bench")
        self.code = json.loads(self.command("code", "create", "--entity", "Bench", "--uses", str(uses), "-o", "json"))["code"]

    def command(self, *arguments):
        return subprocess.run([f"{self.bin}/pthub", arguments[0], arguments[1], "-d", self.directory, *arguments[2:]],
                              check=True, capture_output=True, text=True).stdout

    def start(self, ports=(0, 0, 0)):
        listen = [part for name, port in zip(("csr", "dcam", "hc"), ports) for part in (f"--{name}", f"127.0.0.1:{port}")]
        self.process = subprocess.Popen(
            [f"{self.bin}/pthub", "serve", "-d", self.directory, "--log-level", "error", "--console", "none", *listen, *(["--null-store"] if self.null else [])],
            stdout=subprocess.PIPE, text=True)
        words = self.process.stdout.readline().split()
        if not words or words[0] != "ready":
            raise SystemExit("pthub did not come up")
        self.at = dict(word.split("=", 1) for word in words[1:])
        return self

    def ports(self):
        return tuple(int(self.at[name].rsplit(":", 1)[1]) for name in ("csr", "dcam", "hc"))

    def kill(self):
        self.process.kill()
        self.process.wait()

    def resident(self):
        with open(f"/proc/{self.process.pid}/status") as file:
            return next(int(line.split()[1]) * 1024 for line in file if line.startswith("VmRSS"))

    def agent(self):
        return ["--csr", self.at["csr"], "--pin", self.at["pin"], "--code", self.code]


@contextlib.contextmanager
def hub(*arguments, **options):
    served = Hub(*arguments, **options).start()
    try:
        yield served
    finally:
        served.process.terminate()
        served.process.wait(60)
        shutil.rmtree(served.directory, ignore_errors=True)


@contextlib.contextmanager
def postgres(work):
    """A cluster of its own that flushes, on a socket; what root runs is Debian's user postgres."""
    directory = os.path.join(work, "postgres")
    os.mkdir(directory)
    user = {}
    if os.getuid() == 0:
        entry = pwd.getpwnam("postgres")
        os.chown(directory, entry.pw_uid, entry.pw_gid)
        os.chmod(work, 0o755)
        user = {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}
    data = os.path.join(directory, "data")
    subprocess.run([f"{POSTGRES}/initdb", "-D", data, "-U", "hub", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8"],
                   check=True, capture_output=True, cwd="/", **user)
    server = subprocess.Popen([f"{POSTGRES}/postgres", "-D", data, "-k", directory, "-c", "listen_addresses=", "-c", "max_wal_size=4GB"],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd="/", **user)
    try:
        deadline = time.monotonic() + 30
        while subprocess.run([f"{POSTGRES}/pg_isready", "-h", directory], capture_output=True).returncode:
            if time.monotonic() > deadline:
                raise SystemExit("PostgreSQL did not come up")
            time.sleep(0.1)
        yield directory
    finally:
        server.terminate()
        server.wait(60)
        shutil.rmtree(directory)


def sql(directory, database, text):
    subprocess.run(["psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", directory, "-U", "hub", "-d", database, "-c", text], check=True, capture_output=True)


def deliver(served, work, client, records, *options):
    journal = os.path.join(work, "journal")
    before = cpu_of(served.process.pid)
    output = subprocess.run([f"{served.bin}/ptbench", "deliver", *served.agent(), "--directory", journal, "--client", client,
                             "--records", str(records), *options], check=True, capture_output=True, text=True).stdout
    shutil.rmtree(journal)
    found = lines(output)
    return dict(found[-1], hub_cpu_seconds=round(cpu_of(served.process.pid) - before, 3)), found[:-1]


def rates(bin, work, rounds=3, records=400_000):
    """Null store and SQLite, the agent's replicator and the plain client, in turns."""
    for store in ("null", "SQLite"):
        found = {"own": [], "plain": [], "gzip": []}
        for turn in range(rounds):
            for client in found:
                with hub(bin, os.path.join(work, "hub"), null=store == "null") as served:
                    line, _ = deliver(served, work, client, records)
                    found[client].append(line)
                    say(**line, store=store)
        rate = {client: statistics.median(line["records_per_second"] for line in of) for client, of in found.items()}
        ratio = {client: statistics.median(own["records_per_second"] / other["records_per_second"] for own, other in zip(found["own"], found[client]))
                 for client in ("plain", "gzip")}
        cpu = {client: statistics.median(line["cpu_seconds"] for line in of) for client, of in found.items()}
        summary(f"{store}: agent {rate['own']:,.0f} records/s; plain grpc-swift-nio-transport {rate['plain']:,.0f}, ratio {ratio['plain']:.2f}; the same with "
                f"gzip, as the agent does it, {rate['gzip']:,.0f}, ratio {ratio['gzip']:.2f}; their own processor time {cpu['own']:.2f}, {cpu['plain']:.2f} and "
                f"{cpu['gzip']:.2f} s for {records:,} records")


def backlog(bin, work, records=1_000_000):
    """A million records, and an alert every half second meanwhile: when does the hub's database have it?"""
    with hub(bin, os.path.join(work, "hub")) as served:
        arrived, over = {}, threading.Event()

        def look():
            database = sqlite3.connect(f"file:{served.directory}/hub.sqlite?mode=ro", uri=True)
            while not over.is_set():
                with contextlib.suppress(sqlite3.OperationalError):
                    for sequence, received in database.execute("SELECT sequence, received_at FROM express"):
                        arrived.setdefault(sequence, received)
                time.sleep(0.02)

        watcher = threading.Thread(target=look)
        watcher.start()
        line, alerts = deliver(served, work, "own", records, "--alerts", "500")
        over.set()
        watcher.join()
    delays = sorted(arrived[alert["sequence"]] - alert["appended"] for alert in alerts if alert["sequence"] in arrived)
    say(**line, store="SQLite", alerts=len(alerts), ahead=len(delays), alert_milliseconds=delays)
    summary(f"backlog of {records:,} records: {line['seconds']:.1f} s; of {len(alerts)} alerts meanwhile {len(delays)} were in the database ahead of "
            f"their turn, after {statistics.median(delays):.0f} ms in the middle and {delays[-1]:.0f} at most" if delays else
            f"backlog of {records:,} records: {line['seconds']:.1f} s; no alert went ahead")


def on_postgres(bin, work, rounds=3, records=400_000):
    peer = os.path.join(work, "pg_append")
    include = subprocess.run(["pg_config", "--includedir"], check=True, capture_output=True, text=True).stdout.strip()
    subprocess.run(["cc", "-O2", f"-I{include}", "-o", peer, f"{HERE}/pg_append.c", "-lpq"], check=True)
    with postgres(work) as directory:
        found = {"own": [], "plain": [], "copy": [], "insert": []}
        for turn in range(rounds):
            for client in ("own", "plain"):
                sql(directory, "postgres", "DROP DATABASE IF EXISTS bench")
                sql(directory, "postgres", "CREATE DATABASE bench")
                with hub(bin, os.path.join(work, "hub"), store=f"postgres://hub@/bench?host={directory}") as served:
                    line, _ = deliver(served, work, client, records)
                    found[client].append(line["records_per_second"])
                    say(**line, store="PostgreSQL")
            rows = subprocess.run(["psql", "-qAt", "-h", directory, "-U", "hub", "-d", "bench", "-c",
                                   "SELECT count(*), round(avg(length(payload))) FROM record"], check=True, capture_output=True, text=True).stdout
            payload = rows.strip().split("|")[1]
            for form in ("copy", "insert"):
                sql(directory, "bench", "TRUNCATE record")
                output = subprocess.run([peer, f"host={directory} user=hub dbname=bench", form, "500", str(records), payload],
                                        check=True, capture_output=True, text=True).stdout
                line = lines(output)[0]
                found[form].append(line["rows_per_second"])
                say(**line, payload_bytes=int(payload))
            sql(directory, "postgres", "DROP DATABASE bench")
    rate = {name: statistics.median(of) for name, of in found.items()}
    ratio = {client: {form: statistics.median(own / other for own, other in zip(found[client], found[form])) for form in ("copy", "insert")}
             for client in ("own", "plain")}
    summary(f"PostgreSQL: agent to hub {rate['own']:,.0f} records/s, a plain client {rate['plain']:,.0f}; libpq alone, 500 rows a commit: COPY "
            f"{rate['copy']:,.0f} (ratio {ratio['own']['copy']:.2f}, {ratio['plain']['copy']:.2f}), INSERT {rate['insert']:,.0f} "
            f"({ratio['own']['insert']:.2f}, {ratio['plain']['insert']:.2f})")


def delivery(bin, work):
    rates(bin, work)
    backlog(bin, work)
    on_postgres(bin, work)


def herd(bin, work, agents=10_000, patience=120):
    """So many agents with a stream each, at rest; then the hub is killed and comes back."""
    with hub(bin, os.path.join(work, "hub"), uses=agents) as served:
        idle = served.resident()
        many = subprocess.Popen([f"{bin}/ptbench", "herd", *served.agent(), "--agents", str(agents), "--spread", "20"],
                                stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        try:
            enrolled = json.loads(many.stdout.readline())
            say(**enrolled)

            def until(welcomed, within):
                start = time.monotonic()
                while True:
                    line = json.loads(many.stdout.readline())
                    took = time.monotonic() - start
                    if line["welcomed"] >= welcomed or took > within:
                        return dict(line, seconds=round(took, 1))

            first = until(agents, patience)
            say(**first, phase="first")
            until(agents + 1, 10)
            resident, cpu, start = served.resident(), cpu_of(served.process.pid), time.monotonic()
            until(agents + 1, 30)
            share = (cpu_of(served.process.pid) - cpu) / (time.monotonic() - start)
            per_stream = (resident - idle) / max(first["welcomed"], 1)
            say(benchmark="herd.memory", resident=resident, before=idle, bytes_per_stream=round(per_stream), processor_share=round(share, 3))
            ports = served.ports()
            served.kill()
            gone = until(agents + 1, 5)
            served.start(ports)
            back = until(agents, patience)
            refused = {code: count - gone["failures"].get(code, 0) for code, count in back["failures"].items()}
            say(**back, phase="back", refused={code: count for code, count in refused.items() if count})
            summary(f"{enrolled['agents']:,} agents enrolled in {enrolled['seconds']:.0f} s; {first['welcomed']:,} streams after {first['seconds']} s; "
                    f"{per_stream / 1024:.0f} KiB a stream at rest, {share:.1%} of a core; after the hub's death {back['welcomed']:,} were back "
                    f"{back['seconds']} s after its start; failures meanwhile {refused}")
        finally:
            many.stdin.close()
            try:
                many.wait(60)
            except subprocess.TimeoutExpired:
                many.kill()
                many.wait()
