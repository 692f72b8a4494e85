"""Bytes between an agent and its hub for each reading, beside the same readings as JSON over HTTP.

A hundred simulated printers that print, polled each 15 s, an agent in service mode and a hub; a relay between the two counts what TCP carries in both
directions. Then the very records of that time are sent as JSON (what is in them, and device and time, without hashes) to a server over HTTPS
through such a relay: each in a request of its own over one connection, and the same compressed. What carries a whole backlog is looked at as well.
"""

import http.client
import http.server
import json
import os
import shutil
import socket
import ssl
import subprocess
import threading
import time
import zlib

from common import program, say, summary
from delivery import Hub
from idle import DEVICES, PORT, devices_read, fleet_file, run

SECONDS = 120
POLL_INTERVAL = "15s"
# Simulated seconds a second: half an hour between two polls.
SPEED = 120
READINGS = ("printtrail.ReadingTaken.v1", "printtrail.ReadingChanged.v1", "printtrail.ReadingUnchanged.v1")
BACKLOG = 500


class Relay:
    """Passes connections on to a port of this machine, and counts."""

    def __init__(self, port):
        self.target, self.up, self.down, self.lock = port, 0, 0, threading.Lock()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            server = socket.create_connection(("127.0.0.1", self.target))
            for source, sink, is_up in ((client, server, True), (server, client, False)):
                threading.Thread(target=self.carry, args=(source, sink, is_up), daemon=True).start()

    def carry(self, source, sink, is_up):
        try:
            while data := source.recv(65_536):
                with self.lock:
                    self.up, self.down = (self.up + len(data), self.down) if is_up else (self.up, self.down + len(data))
                sink.sendall(data)
            sink.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def total(self):
        with self.lock:
            return self.up + self.down


class Receiver(http.server.BaseHTTPRequestHandler):
    """The least that a server can say."""

    protocol_version = "HTTP/1.1"

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response_only(204)
        self.end_headers()


def https(work):
    """A server with a certificate of its own."""
    key, certificate = os.path.join(work, "key.pem"), os.path.join(work, "certificate.pem")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=127.0.0.1",
                    "-keyout", key, "-out", certificate], check=True, capture_output=True)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server


def gzip(text):
    pack = zlib.compressobj(1, zlib.DEFLATED, 31)
    return pack.compress(text) + pack.flush()


def post(relay, bodies, compressed):
    """Bytes that the bodies take, each in a request of its own, over one connection."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    before = relay.total()
    connection = http.client.HTTPSConnection("127.0.0.1", relay.port, context=context)
    for body in bodies:
        headers = {"Content-Type": "application/json"}
        if compressed:
            body, headers["Content-Encoding"] = gzip(body), "gzip"
        connection.request("POST", "/readings", body, headers)
        connection.getresponse().read()
    connection.close()
    time.sleep(0.2)
    return relay.total() - before


def head(bin, journal):
    """Epoch and sequence of the newest record."""
    found = json.loads(run([f"{bin}/ptjournal", "stat", journal, "--output", "json"]))["head"]
    return found["epoch"], found["sequence"]


def delivered(bin, config, sequence):
    """Waits until the hub has acknowledged a record."""
    end = time.monotonic() + 60
    while time.monotonic() < end:
        queue = json.loads(run([f"{bin}/ptagent", "queue", "--config", config, "--output", "json"]))
        if int(queue["acknowledged"]["sequence"]) >= sequence:
            return
        time.sleep(0.2)
    raise SystemExit(f"the hub did not acknowledge record {sequence} within a minute")


def agent_file(work, hub, relay):
    config, state = os.path.join(work, "ptagent.toml"), os.path.join(work, "agent")
    with open(config, "w") as file:
        file.write(f'[hub]\ncsr = "{hub.at["csr"]}"\nca_pin = "{hub.at["pin"]}"\ndcam = "127.0.0.1:{relay.port}"\n[state]\ndirectory = "{state}"\n'
                   f'[discovery]\nranges = [{{ range = "127.21.0.1-127.21.0.{DEVICES}" }}]\nport = {PORT}\n[poll]\ninterval = "{POLL_INTERVAL}"\n'
                   '[log]\nlevel = "warning"\n')
    return config, state


def as_json(bin, journal, first, last, work):
    """The records of readings from one record to another as JSON, and how many records there are in all."""
    into = os.path.join(work, "export")
    run([f"{bin}/ptjournal", "export", journal, "--into", into, "--from", f"{first[0]}/{first[1] + 1}", "--to", f"{last[0]}/{last[1]}"])
    with open(os.path.join(into, "events.jsonl")) as file:
        events = [json.loads(line) for line in file]
    shutil.rmtree(into)
    readings = [event for event in events if event["type"] in READINGS]
    kept = ("type", "subject", "time", "sequence", "data")
    return [json.dumps({name: event[name] for name in kept if name in event}, separators=(",", ":")).encode() for event in readings], len(events)


def wire(bin, work):
    hub = Hub(bin, os.path.join(work, "hub")).start()
    relay = Relay(int(hub.at["dcam"].rsplit(":", 1)[1]))
    config, state = agent_file(work, hub, relay)
    journal = os.path.join(state, "journal")
    try:
        run([f"{bin}/ptagent", "enroll", "--config", config, "--code", hub.code])
        with program([f"{bin}/ptsim", "serve", "--fleet", fleet_file(work), "--speed", str(SPEED)], ready="ready"), \
                program([f"{bin}/ptagent", "run", "--config", config]):
            end = time.monotonic() + 120
            while devices_read(state) < DEVICES:
                if time.monotonic() > end:
                    raise SystemExit(f"only {devices_read(state)} of {DEVICES} devices were read")
                time.sleep(0.5)
            time.sleep(5)
            first = head(bin, journal)
            delivered(bin, config, first[1])
            before = relay.total()
            time.sleep(SECONDS)
            last = head(bin, journal)
            delivered(bin, config, last[1])
            own = relay.total() - before
        bodies, records = as_json(bin, journal, first, last, work)
    finally:
        hub.process.terminate()
        hub.process.wait(60)
    server = https(work)
    peer = Relay(server.server_address[1])
    plain, packed = (post(peer, bodies, compressed) / len(bodies) for compressed in (False, True))
    batches = [b"[" + b",".join(bodies[i:i + BACKLOG]) + b"]" for i in range(0, len(bodies), BACKLOG)]
    batched = post(peer, batches, True) / len(bodies)
    server.shutdown()
    ours = own / records
    say(benchmark="wire", records=records, readings=len(bodies), own=round(ours, 1), json=round(plain, 1), json_gzip=round(packed, 1),
        json_batch_gzip=round(batched, 1), json_body=round(sum(map(len, bodies)) / len(bodies), 1))
    summary(f"a reading from agent to hub, one by one as they are read: {ours:.0f} bytes of TCP both ways ({records} records, {len(bodies)} of them readings); the same as JSON over "
            f"HTTPS, one connection: {plain:.0f} ({plain / ours:.1f} x), compressed {packed:.0f} ({packed / ours:.1f} x), {BACKLOG} in a compressed request {batched:.0f}")
