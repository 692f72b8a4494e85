#!/usr/bin/env python3
"""A hub's service for technicians' sessions as somebody would run it who broke into a hub: it has the hub's own certificate, and asks agents for what no
hub may ask for.

    hostile_tunnel.py --listen 127.0.0.1:22170 --hub DIRECTORY

Takes orders on its standard input, a line of JSON for each connection that an agent opens, and prints a line of JSON for what came of it:

    {"ask": [{":authority": "169.254.169.254:80", ":path": "/"}, ...]}   one request after the other; DEVICE in a value stands for the device's id
    {"flood": 10000, "port": 22167, "heeds": false}                      so many at once, without waiting for the agent's limit, or after it was told

    {"hello": {...}, "answers": [{"status": 403, "error": "target", "text": "..."}, ...], "goodbye": {"code": 0, "text": "..."}}
"""

import argparse
import json
import socket
import ssl
import sys
import time

import h2.config
import h2.connection
import h2.events

parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
parser.add_argument("--listen", required=True)
parser.add_argument("--hub", required=True)
options = parser.parse_args()
PATIENCE = 20


class Tunnel:
    """One agent's connection, on which this asks."""

    def __init__(self, connection):
        self.socket = connection
        self.socket.settimeout(0.5)
        # Headers that no sound client would send are the point.
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, validate_outbound_headers=False, normalize_outbound_headers=False))
        self.h2.initiate_connection()
        self.answers, self.goodbye, self.is_open, self.is_settled = {}, None, True, False
        self.buffer = b""
        self.flush()

    def flush(self):
        try:
            self.socket.sendall(self.h2.data_to_send())
        except OSError:
            self.is_open = False

    def take(self):
        """What comes within half a second."""
        try:
            data = self.socket.recv(65_536)
        except TimeoutError:
            return
        except OSError:
            data = b""
        if not data:
            self.is_open = False
            return
        self.buffer += data
        while len(self.buffer) >= 9 and len(self.buffer) >= (size := 9 + int.from_bytes(self.buffer[:3], "big")):
            frame, self.buffer = self.buffer[:size], self.buffer[size:]
            if self.goodbye:
                continue
            self.hear(frame)
        self.flush()

    def hear(self, frame):
        for event in self.h2.receive_data(frame):
            answer = self.answers.setdefault(getattr(event, "stream_id", None), {"status": 0, "error": "", "text": "", "over": False})
            if isinstance(event, h2.events.ResponseReceived):
                headers = {name.decode(): value.decode() for name, value in event.headers} if event.headers and isinstance(event.headers[0][0], bytes) else dict(event.headers)
                answer["status"], answer["error"] = int(headers[":status"]), headers.get("pt-error", "")
            elif isinstance(event, h2.events.DataReceived):
                answer["text"] += event.data.decode("utf-8", "replace")
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                answer["over"] = True
            elif isinstance(event, h2.events.StreamReset):
                answer["over"], answer["error"] = True, answer["error"] or f"reset {int(event.error_code)}"
            elif isinstance(event, h2.events.RemoteSettingsChanged):
                self.is_settled = True
            elif isinstance(event, h2.events.ConnectionTerminated):
                self.goodbye = {"code": int(event.error_code), "text": (event.additional_data or b"").decode("utf-8", "replace")}

    def until(self, condition):
        end = time.monotonic() + PATIENCE
        while self.is_open and not condition() and time.monotonic() < end:
            self.take()

    def ask(self, headers):
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, headers, end_stream=True)
        self.flush()
        self.until(lambda: self.answers.get(stream, {}).get("over"))
        return self.answers.get(stream, {"status": 0, "error": "", "text": "", "over": False})

    def flood(self, count, headers, heeds):
        """As many streams as bytes can be written for: what is allowed is not asked."""
        if heeds:
            self.until(lambda: self.is_settled)
        first = self.h2.get_next_available_stream_id()
        encoder = self.h2.encoder
        sent = 0
        for index in range(count):
            block = encoder.encode(headers)
            stream = first + 2 * index
            # HEADERS with END_STREAM and END_HEADERS (RFC 9113 section 6.2).
            frame = len(block).to_bytes(3, "big") + b"\x01\x05" + stream.to_bytes(4, "big") + block
            try:
                self.socket.sendall(frame)
            except OSError:
                break
            sent += 1
        counts = {"sent": sent, "refused": 0, "answered": 0, "other": 0}
        end = time.monotonic() + PATIENCE
        buffer = b""
        while time.monotonic() < end:
            try:
                data = self.socket.recv(65_536)
            except TimeoutError:
                if counts["refused"]:
                    break
                continue
            except OSError:
                data = b""
            if not data:
                self.is_open = False
                break
            buffer += data
            while len(buffer) >= 9 and len(buffer) >= 9 + (size := int.from_bytes(buffer[:3], "big")):
                kind, payload = buffer[3], buffer[9:9 + size]
                if kind == 3:
                    counts["refused" if int.from_bytes(payload, "big") == 7 else "other"] += 1
                elif kind == 1:
                    counts["answered"] += 1
                elif kind == 7:
                    self.goodbye = {"code": int.from_bytes(payload[4:8], "big"), "text": payload[8:].decode("utf-8", "replace")}
                buffer = buffer[9 + size:]
        return counts


def serve(connection, order):
    tunnel = Tunnel(connection)
    base = [(":method", "GET"), (":scheme", "https"), (":authority", "agent"), (":path", "/hello")]
    hello = json.loads(tunnel.ask(base)["text"] or "{}")
    result = {"hello": hello, "answers": []}

    def headers(wanted):
        wanted = {":method": "GET", ":scheme": "http", ":authority": "DEVICE", ":path": "/", **wanted}
        return [(name, value.replace("DEVICE", hello.get("device", ""))) for name, value in wanted.items()]
    if "flood" in order:
        result["flood"] = tunnel.flood(order["flood"], headers({":authority": f"DEVICE:{order['port']}", ":path": "/silent"}), order.get("heeds", False))
    for wanted in order.get("ask", []):
        if not tunnel.is_open or tunnel.goodbye:
            break
        result["answers"].append(tunnel.ask(headers(wanted)))
    tunnel.until(lambda: tunnel.goodbye or order.get("stays"))
    result["goodbye"] = tunnel.goodbye
    connection.close()
    return result


host, _, port = options.listen.rpartition(":")
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(f"{options.hub}/server.pem", f"{options.hub}/server.key")
context.load_verify_locations(f"{options.hub}/ca.pem")
context.verify_mode = ssl.CERT_OPTIONAL
context.set_alpn_protocols(["printtrail-tunnel/1"])
listener = socket.create_server((host, int(port)))
print("ready", flush=True)
for line in sys.stdin:
    accepted, _ = listener.accept()
    try:
        told = serve(context.wrap_socket(accepted, server_side=True), json.loads(line))
    except Exception as error:  # noqa: BLE001: told, for whoever gave the order
        told = {"failed": repr(error)}
    print(json.dumps(told), flush=True)
