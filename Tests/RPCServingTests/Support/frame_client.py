#!/usr/bin/env python3
"""A client of a transport's test service (TestService.swift) that does what no sound one does, frame by frame, over plaintext.

    frame_client.py PORT CASE

Prints one JSON object: what the server answered.
"""

import json
import socket
import struct
import sys
import time
import zlib

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
DATA, HEADERS, PRIORITY, RESET, SETTINGS, PUSH, PING, GOAWAY, WINDOW, CONTINUATION = range(10)
END_STREAM, END_HEADERS, ACK = 1, 4, 1


def frame(kind, flags=0, stream=0, payload=b""):
    return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload


def message(data, flag=0):
    return struct.pack(">BI", flag, len(data)) + data


class Peer:
    def __init__(self, port, settings=b""):
        self.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
        self.encoder, self.decoder = hpack.Encoder(), hpack.Decoder()
        self.waiting, self.frames, self.closed = b"", [], None
        self.send(PREFACE + frame(SETTINGS, payload=settings))

    def send(self, data):
        """False when the other side is gone."""
        try:
            self.socket.sendall(data)
            return True
        except OSError:
            return False

    def head(self, stream, method="Echo", extra=(), end=False, fields=None):
        fields = fields or [(":method", "POST"), (":scheme", "http"), (":path", "/test.Service/" + method),
                            (":authority", "x"), ("content-type", "application/grpc"), ("te", "trailers"), *extra]
        return frame(HEADERS, END_HEADERS | (END_STREAM if end else 0), stream, self.encoder.encode(fields))

    def take(self, seconds):
        """Takes what comes within a time; false when nothing did."""
        self.socket.settimeout(max(seconds, 0.001))
        try:
            data = self.socket.recv(1 << 16)
        except TimeoutError:
            return False
        except OSError as error:
            self.closed = type(error).__name__
            return False
        if not data:
            self.closed = "in order"
            return False
        self.waiting += data
        while len(self.waiting) >= 9:
            size = int.from_bytes(self.waiting[:3], "big")
            if len(self.waiting) < 9 + size:
                break
            kind, flags, stream = self.waiting[3], self.waiting[4], int.from_bytes(self.waiting[5:9], "big")
            self.note(kind, flags, stream, self.waiting[9:9 + size])
            self.waiting = self.waiting[9 + size:]
        return True

    def note(self, kind, flags, stream, payload):
        self.frames.append((kind, flags, stream, payload))
        if kind == SETTINGS and not flags & ACK:
            self.send(frame(SETTINGS, ACK))
        if kind == PING and not flags & ACK:
            self.send(frame(PING, ACK, 0, payload))

    def listen(self, until=lambda peer: False, seconds=10.0):
        end = time.monotonic() + seconds
        while not self.closed and not until(self) and time.monotonic() < end:
            self.take(end - time.monotonic())
        return self

    def answers(self, stream=1):
        """What came, told."""
        told = {"closed": self.closed, "data": 0, "fields": {}, "heads": 0}
        for kind, _, number, payload in self.frames:
            if kind == HEADERS:
                fields = dict(self.decoder.decode(payload))
                if number == stream:
                    told["fields"].update(fields)
                    told["heads"] += 1
            elif kind == DATA and number == stream:
                told["data"] += len(payload)
            elif kind == RESET and number == stream:
                told["reset"] = int.from_bytes(payload, "big")
            elif kind == GOAWAY:
                told.setdefault("goaway", int.from_bytes(payload[4:8], "big"))
        return told

    def is_over(self, stream=1):
        return self.closed or any(
            kind == GOAWAY or number == stream and (kind == RESET or kind == HEADERS and flags & END_STREAM)
            for kind, flags, number, _ in self.frames)


def over(stream=1):
    return lambda peer: peer.is_over(stream)


def one(port, sent, seconds=10.0):
    """One call, whose bytes `sent` makes."""
    peer = Peer(port)
    peer.send(sent(peer))
    return peer.listen(over(), seconds).answers()


def cut_at_each_byte(port):
    peer = Peer(port)
    for byte in peer.head(1) + frame(DATA, END_STREAM, 1, message(b"hello")):
        peer.send(bytes([byte]))
        time.sleep(0.001)
    return peer.listen(over()).answers()


def bytewise(port):
    """A message of which each byte comes in a frame of its own, some frames with padding."""
    peer = Peer(port)
    whole = message(bytes(3000))
    body = b"".join(frame(DATA, 8, 1, bytes([3, byte, 0, 0, 0])) for byte in whole)
    peer.send(peer.head(1) + body + frame(DATA, END_STREAM, 1))
    return peer.listen(over()).answers()


def no_grpc(port):
    return one(port, lambda peer: peer.head(1, fields=[
        (":method", "POST"), (":scheme", "http"), (":path", "/test.Service/Echo"), (":authority", "x"),
        ("content-type", "text/html")], end=True))


def get(port):
    return one(port, lambda peer: peer.head(1, fields=[
        (":method", "GET"), (":scheme", "http"), (":path", "/test.Service/Echo"), (":authority", "x"),
        ("content-type", "application/grpc")], end=True))


def unknown_encoding(port):
    return one(port, lambda peer: peer.head(1, extra=[("grpc-encoding", "brotli")], end=True))


def cut_message(port):
    return one(port, lambda peer: peer.head(1) + frame(DATA, END_STREAM, 1, message(bytes(100))[:50]))


def cut_prefix(port):
    return one(port, lambda peer: peer.head(1) + frame(DATA, END_STREAM, 1, b"\0\0"))


def unknown_flag(port):
    return one(port, lambda peer: peer.head(1) + frame(DATA, 0, 1, message(b"x", 7)))


def unnamed_encoding(port):
    return one(port, lambda peer: peer.head(1) + frame(DATA, 0, 1, message(zlib.compress(b"x"), 1)))


def corrupt(port):
    return one(port, lambda peer: peer.head(1, extra=[("grpc-encoding", "deflate")]) + frame(DATA, 0, 1, message(b"xyz", 1)))


def announced(port):
    return one(port, lambda peer: peer.head(1) + frame(DATA, 0, 1, struct.pack(">BI", 0, 1 << 30)))


def bomb(port):
    packed = zlib.compress(bytes(8 << 20), 9)
    return one(port, lambda peer: peer.head(1, extra=[("grpc-encoding", "deflate")]) + frame(DATA, 0, 1, message(packed, 1)))


def trailers(port):
    """What a client must not send."""
    return one(port, lambda peer: peer.head(1) + frame(
        HEADERS, END_HEADERS | END_STREAM, 1, peer.encoder.encode([("x", "y")])))


def half_closed(port):
    """The other half goes on after this one has ended."""
    peer = Peer(port, settings=struct.pack(">HI", 4, 1 << 24))
    peer.send(peer.head(1, "Count") + frame(DATA, END_STREAM, 1, message(struct.pack(">II", 20, 1000))))
    return peer.listen(over()).answers()


def response_window(port):
    """A peer that lets nothing through: what the service has under way stays bounded."""
    peer = Peer(port)
    peer.send(peer.head(1, "Flood") + frame(DATA, END_STREAM, 1, message(b"")))
    peer.listen(seconds=2)
    before = peer.answers()["data"]
    peer.decoder = hpack.Decoder()
    peer.send(frame(WINDOW, 0, 0, struct.pack(">I", 100000)) + frame(WINDOW, 0, 1, struct.pack(">I", 100000)))
    peer.listen(seconds=2)
    after = peer.answers()["data"]
    peer.send(frame(RESET, 0, 1, struct.pack(">I", 8)))
    peer.listen(seconds=1)
    return {"before": before, "after": after}


def request_window(port):
    """A service that does not read: no more is taken than the window says; what it reads then makes room."""
    peer = Peer(port)
    peer.listen(lambda peer: any(kind == SETTINGS and flags & ACK for kind, flags, _, _ in peer.frames), 5)
    window = 0
    for kind, flags, _, payload in peer.frames:
        if kind == SETTINGS and not flags & ACK:
            for at in range(0, len(payload), 6):
                key, value = struct.unpack(">HI", payload[at:at + 6])
                window = value if key == 4 else window
    connection = 65535 + sum(
        int.from_bytes(payload, "big") for kind, _, stream, payload in peer.frames if kind == WINDOW and stream == 0)
    peer.send(peer.head(1, "Hold"))
    body, sent = message(bytes(1 << 20)) * 3, 0

    def credit(stream, begin):
        return begin + sum(int.from_bytes(payload, "big") for kind, _, number, payload in peer.frames
                           if kind == WINDOW and number == stream)
    opened = connection - 65535

    def push():
        nonlocal sent
        while True:
            room = min(credit(1, window), credit(0, 65535), sent + 16384, len(body)) - sent
            if room <= 0:
                return
            peer.send(frame(DATA, 0, 1, body[sent:sent + room]))
            sent += room
    push()
    stuck = sent
    peer.listen(seconds=1)
    still = credit(1, window) == window
    # The service is told, by another call, that it may read.
    peer.send(peer.head(3, "Release", end=True))
    end = time.monotonic() + 20
    while sent < len(body) and time.monotonic() < end:
        peer.take(0.2)
        push()
    peer.send(frame(DATA, END_STREAM, 1))
    told = peer.listen(over()).answers()
    return {"window": window, "connection": opened, "stuck": stuck, "still": still, "sent": sent, **told}


def excess(port):
    """More than the window says."""
    peer = Peer(port)
    peer.send(peer.head(1, "Hold"))
    for _ in range(80):
        if not peer.send(frame(DATA, 0, 1, bytes(16384))):
            break
    return peer.listen(over()).answers()


def flooded(port, frames):
    peer = Peer(port)
    for each in frames(peer):
        if not peer.send(each):
            break
    return peer.listen(lambda peer: peer.closed or any(kind == GOAWAY for kind, *_ in peer.frames), 10).answers()


def resets(port):
    return flooded(port, lambda peer: (
        peer.head(2 * number + 1) + frame(RESET, 0, 2 * number + 1, struct.pack(">I", 8)) for number in range(5000)))


def made_resets(port):
    """Calls that the server has to reset for what comes on them, a few at a time, no more than it allows."""
    peer = Peer(port)
    peer.listen(lambda peer: len(peer.frames) >= 2, 5)
    for number in range(2000):
        stream = 2 * number + 1
        peer.send(peer.head(stream) + frame(WINDOW, 0, stream, struct.pack(">I", 0x7fffffff)))
        if number % 8 == 7:
            peer.listen(over(stream), 5)
        if peer.closed or any(kind == GOAWAY for kind, *_ in peer.frames):
            break
    return {"sent": number, **peer.listen(lambda peer: peer.closed, 2).answers()}


def answered(port, size, accepted):
    """A message of so many bytes, asked for by who says what it reads: its flag, its length on the wire and what it holds."""
    peer = Peer(port, settings=struct.pack(">HI", 4, 1 << 24))
    extra = [("grpc-accept-encoding", accepted)] if accepted else []
    peer.send(frame(WINDOW, 0, 0, struct.pack(">I", 1 << 24)))
    peer.send(peer.head(1, "Size", extra) + frame(DATA, END_STREAM, 1, message(struct.pack(">I", size))))
    peer.listen(over())
    body = b"".join(payload for kind, _, _, payload in peer.frames if kind == DATA)
    told = peer.answers()
    flag, length = struct.unpack(">BI", body[:5])
    packed = body[5:]
    whole = zlib.decompress(packed, 47) if flag else packed
    zeros = len(whole) == size and not any(whole)
    return {"flag": flag, "before": length, "still": length == len(packed) and zeros, **told}


def packed_gzip(port):
    return answered(port, 100000, "identity,gzip")


def packed_deflate(port):
    return answered(port, 100000, "deflate, gzip")


def packed_not(port):
    return answered(port, 100000, "identity")


def packed_unasked(port):
    return answered(port, 100000, None)


def packed_small(port):
    return answered(port, 100, "gzip")


def pings(port):
    return flooded(port, lambda peer: (frame(PING, 0, 0, bytes(8)) for _ in range(5000)))


def settings(port):
    return flooded(port, lambda peer: (frame(SETTINGS) for _ in range(5000)))


def empties(port):
    return flooded(port, lambda peer: (
        peer.head(1, "Hold") if number == 0 else frame(DATA, 0, 1) for number in range(5000)))


def continuations(port):
    def frames(peer):
        yield frame(HEADERS, 0, 1, peer.encoder.encode([(":method", "POST")]))
        for number in range(5000):
            yield frame(CONTINUATION, 0, 1, peer.encoder.encode([(f"x{number}", "y" * 3000)]))
    return flooded(port, frames)


def large_head(port):
    """A head beyond what is taken, in two frames."""
    def frames(peer):
        yield frame(HEADERS, 0, 1, peer.encoder.encode([(":method", "POST"), ("content-type", "application/grpc")]))
        yield frame(CONTINUATION, END_HEADERS, 1, peer.encoder.encode([(f"x-{number}", "y" * 700) for number in range(25)]))
    return flooded(port, frames)


def nonsense(port):
    peer = Peer.__new__(Peer)
    peer.socket = socket.create_connection(("127.0.0.1", port), timeout=20)
    peer.decoder, peer.waiting, peer.frames, peer.closed = hpack.Decoder(), b"", [], None
    peer.send(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
    return peer.listen(seconds=5).answers()


def too_many(port):
    """Calls beyond those that one connection has, of a peer that has been told how many these are."""
    peer = Peer(port)
    peer.listen(lambda peer: len(peer.frames) >= 2, 5)
    for number in range(20):
        peer.send(peer.head(2 * number + 1, "Hold"))
    peer.listen(seconds=2)
    return {"served": sum(kind == HEADERS for kind, *_ in peer.frames), **peer.answers()}


def unread(port):
    """A peer that asks for more and more and reads nothing."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=20)
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    encoder = hpack.Encoder()
    fields = [(":method", "POST"), (":scheme", "http"), (":path", "/none"), (":authority", "x"),
              ("content-type", "application/grpc")]
    raw.sendall(PREFACE + frame(SETTINGS))
    raw.settimeout(3)
    sent, stream = 0, 1
    try:
        while sent < 64 << 20:
            piece = b""
            for _ in range(200):
                piece += frame(HEADERS, END_HEADERS | END_STREAM, stream, encoder.encode(fields))
                stream += 2
            raw.sendall(piece)
            sent += len(piece)
    except OSError as error:
        return {"sent": sent, "stopped": type(error).__name__}
    return {"sent": sent, "stopped": None}


def silent(port):
    """Says that it speaks HTTP/2, and never answers a ping."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=20)
    raw.sendall(PREFACE + frame(SETTINGS))
    begin = time.monotonic()
    while raw.recv(4096):
        pass
    return {"seconds": time.monotonic() - begin}


def mute(port):
    """Says nothing at all."""
    raw = socket.create_connection(("127.0.0.1", port), timeout=20)
    begin = time.monotonic()
    while raw.recv(4096):
        pass
    return {"seconds": time.monotonic() - begin}


print(json.dumps(globals()[sys.argv[2]](int(sys.argv[1]))))
