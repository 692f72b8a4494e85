#!/usr/bin/env python3
"""An enrolled agent gone bad: calls to a hub's dcam that no sound agent makes, frame by frame (h2, from PyPI).

    hostile_agent.py --hub 127.0.0.1:7444 --identity STATE/identity ATTACK

Prints one JSON object: what the hub answered. Ends with 0 if it answered at all.
"""

import argparse
import base64
import json
import os
import socket
import ssl
import struct
import sys
import tempfile
import time

import h2.config
import h2.connection
import h2.errors
import h2.events
import h2.exceptions
import hpack

METHOD = "/printtrail.dcam.v1.DeviceCollection/Stream"
GIGABYTE = 1 << 30


class Connection:
    """HTTP/2 over mTLS with an agent's identity."""

    def __init__(self, options):
        identity = json.load(open(os.path.join(options.identity, "identity.json")))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.load_verify_locations(cadata="\n".join(pem(part) for part in identity["roots"]))
        context.set_alpn_protocols(["h2"])
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as chain:
            chain.write("\n".join(pem(part) for part in identity["chain"]))
            chain.flush()
            context.load_cert_chain(chain.name, os.path.join(options.identity, identity["key"]))
        host, port = options.hub.rsplit(":", 1)
        self.socket = context.wrap_socket(socket.create_connection((host, int(port)), timeout=20))
        self.socket.settimeout(20)
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(
            client_side=True, header_encoding="utf-8", validate_outbound_headers=False))
        self.h2.initiate_connection()
        self.flush()
        self.events = []
        self.is_closed = False

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def open(self, extra=()):
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, [
            (":method", "POST"), (":scheme", "https"), (":path", METHOD), (":authority", "localhost"),
            ("content-type", "application/grpc"), ("te", "trailers"), *extra])
        self.flush()
        return stream

    def receive(self, seconds=5.0):
        """Takes what comes within a time; False if nothing came."""
        self.socket.settimeout(max(seconds, 0.001))
        try:
            data = self.socket.recv(65536)
        except (TimeoutError, ssl.SSLWantReadError):
            return False
        except OSError as error:
            self.is_closed = True
            self.events.append({"closed": type(error).__name__})
            return True
        finally:
            self.socket.settimeout(20)
        if not data:
            self.is_closed = True
            self.events.append({"closed": "in order"})
            return True
        for event in self.h2.receive_data(data):
            self.note(event)
        try:
            self.flush()
        except OSError:
            # What the hub said before it went may still be read.
            pass
        return True

    def note(self, event):
        if isinstance(event, h2.events.DataReceived):
            self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, (h2.events.ResponseReceived, h2.events.TrailersReceived)):
            headers = dict(event.headers)
            if "grpc-status" in headers:
                self.events.append({"stream": event.stream_id, "status": int(headers["grpc-status"]),
                                    "message": headers.get("grpc-message", "")})
        elif isinstance(event, h2.events.StreamReset):
            self.events.append({"stream": event.stream_id, "reset": int(event.error_code)})
        elif isinstance(event, h2.events.ConnectionTerminated):
            self.events.append({"goaway": int(event.error_code)})

    def is_over(self, stream):
        return self.is_closed or any(
            "goaway" in event or event.get("stream") == stream for event in self.events)

    def wait(self, stream, seconds=20):
        end = time.monotonic() + seconds
        while not self.is_over(stream) and time.monotonic() < end:
            self.receive(end - time.monotonic())

    def send(self, stream, data):
        """Sends as the windows allow, until the stream is over.
        @return how many bytes went."""
        sent = 0
        while sent < len(data) and not self.is_over(stream):
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size, len(data) - sent)
            if room == 0:
                if not self.receive():
                    break
                continue
            try:
                self.h2.send_data(stream, data[sent:sent + room])
                self.flush()
            except (OSError, h2.exceptions.ProtocolError) as error:
                self.events.append({"closed": type(error).__name__})
                self.is_closed = True
                break
            sent += room
            # What the hub says meanwhile is heard.
            self.receive(0.001)
        return sent


def pem(text):
    if "BEGIN CERTIFICATE" in text:
        return text
    return ssl.DER_cert_to_PEM_cert(base64.b64decode(text))


def prefix(length):
    return struct.pack(">BI", 0, length)


def declared(options):
    """A message of 1 GB is announced, and nothing of it comes."""
    connection = Connection(options)
    stream = connection.open()
    connection.send(stream, prefix(GIGABYTE))
    connection.wait(stream)
    return {"sent": 5, "answers": connection.events}


def streamed(options):
    """A message of 1 GB is announced, and comes for as long as the hub takes it."""
    connection = Connection(options)
    stream = connection.open()
    sent = connection.send(stream, prefix(GIGABYTE))
    piece = b"\x5a" * (1 << 20)
    while sent < GIGABYTE and not connection.is_over(stream):
        went = connection.send(stream, piece)
        sent += went
        if went == 0:
            break
    connection.wait(stream)
    return {"sent": sent, "answers": connection.events}


def garbage(options):
    """A message that is no protobuf."""
    connection = Connection(options)
    stream = connection.open()
    body = b"\xff\xff\xff\xff\x0f" * 40
    connection.send(stream, prefix(len(body)) + body)
    connection.wait(stream)
    return {"answers": connection.events}


def truncated(options):
    """A Hello whose inner length is longer than the message."""
    connection = Connection(options)
    stream = connection.open()
    body = b"\x0a\x7f" + b"\x0a\x10" + bytes(16)
    connection.send(stream, prefix(len(body)) + body)
    connection.wait(stream)
    return {"answers": connection.events}


def headers(options):
    """A megabyte of headers, in one HEADERS frame and its CONTINUATIONs."""
    connection = Connection(options)
    # The hub says how much it takes; this peer does not listen.
    block = hpack.Encoder().encode([
        (":method", "POST"), (":scheme", "https"), (":path", METHOD), (":authority", "localhost"),
        ("content-type", "application/grpc"), ("te", "trailers")]
        + [(f"x-{number}", "y" * 4000) for number in range(256)], huffman=False)
    frames = [block[at:at + 16000] for at in range(0, len(block), 16000)]
    try:
        for index, frame in enumerate(frames):
            flags = 4 if index == len(frames) - 1 else 0
            kind = 1 if index == 0 else 9
            connection.socket.sendall(struct.pack(">I", len(frame))[1:] + bytes([kind, flags]) + struct.pack(">I", 1) + frame)
    except OSError as error:
        connection.events.append({"closed": type(error).__name__})
    connection.wait(1)
    return {"answers": connection.events}


def streams(options):
    """Many streams of one identity, over several connections."""
    connections = [Connection(options) for _ in range(4)]
    opened = 0
    for connection in connections:
        for _ in range(12):
            connection.open()
            opened += 1
        connection.receive(0.3)
    end = time.monotonic() + 5
    while time.monotonic() < end:
        for connection in connections:
            if not connection.is_closed:
                connection.receive(0.1)
    answers = [event for connection in connections for event in connection.events]
    return {"opened": opened, "answers": answers}


def plaintext(options):
    """No TLS at all."""
    host, port = options.hub.rsplit(":", 1)
    raw = socket.create_connection((host, int(port)), timeout=10)
    raw.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + bytes(64))
    answers = []
    try:
        while True:
            data = raw.recv(4096)
            if not data:
                answers.append({"closed": "in order"})
                break
            answers.append({"bytes": len(data)})
    except OSError as error:
        answers.append({"closed": type(error).__name__})
    return {"answers": answers}


def floods(options):
    """Streams that are opened and reset at once, as fast as it goes (CVE-2023-44487)."""
    connection = Connection(options)
    opened = 0
    try:
        while opened < 5000 and not connection.is_closed:
            stream = connection.open()
            connection.h2.reset_stream(stream, h2.errors.ErrorCodes.CANCEL)
            connection.flush()
            opened += 1
            if opened % 50 == 0:
                connection.receive(0.001)
    except (OSError, h2.exceptions.ProtocolError) as error:
        connection.events.append({"closed": type(error).__name__})
    connection.receive(1)
    return {"opened": opened, "answers": connection.events}


ATTACKS = {attack.__name__: attack for attack in (
    declared, streamed, garbage, truncated, headers, streams, plaintext, floods)}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hub", required=True)
    parser.add_argument("--identity", required=True)
    parser.add_argument("attack", choices=sorted(ATTACKS))
    options = parser.parse_args()
    outcome = ATTACKS[options.attack](options)
    print(json.dumps(outcome))
    return 0 if outcome["answers"] else 1


if __name__ == "__main__":
    sys.exit(main())
