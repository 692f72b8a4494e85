"""An HTTP/2 server that breaks the protocol, or uses it against its client, as the method of a call says.

    hostile_peer.py PORT CERTIFICATE KEY CLIENT_CA [VERSION]

VERSION is the only version of TLS to speak, such as TLSv1_2.

Frames (RFC 9113) are written by hand, over TLS; only header blocks go through `hpack`. Prints `PORT <number>` and ends when its
standard input does. Well-behaved methods, for those who share the connection:

    Good        answers with the number of the connection
    Echo        gives back each message when it comes
    Resumed     answers with the version of TLS, and whether the handshake resumed an earlier one
    Report      what the hostilities of this process came to, by name: bytes that they could send, or what they saw

The others are the methods of `Hostilities`.
"""

import os
import socket
import ssl
import struct
import sys
import threading
import time

import hpack

from tls_stream import TLSStream, server_context

DATA, HEADERS, PRIORITY, RST_STREAM, SETTINGS, PUSH_PROMISE, PING, GOAWAY, WINDOW_UPDATE, CONTINUATION = range(10)
END_STREAM = ACK = 1
END_HEADERS = 4
HEADER_TABLE_SIZE, ENABLE_PUSH, MAX_CONCURRENT_STREAMS, INITIAL_WINDOW_SIZE, MAX_FRAME_SIZE = range(1, 6)

# The most that a flood sends before it gives up: far beyond what any client may let it.
FLOOD_BYTES_MAX = 64 << 20

report = {}
connection_count = 0


def frame(kind, flags=0, stream=0, payload=b""):
    return len(payload).to_bytes(3, "big") + bytes([kind, flags]) + stream.to_bytes(4, "big") + payload


def message(payload):
    return b"\0" + len(payload).to_bytes(4, "big") + payload


def settings(*pairs):
    return frame(SETTINGS, payload=b"".join(struct.pack(">HI", *pair) for pair in pairs))


def literal(name, value):
    """A field without indexing and without Huffman coding (RFC 7541 section 6.2.2), short ones only."""
    return bytes([0, len(name)]) + name + bytes([len(value)]) + value


HEAD = literal(b":status", b"200") + literal(b"content-type", b"application/grpc")
GOOD_END = literal(b"grpc-status", b"0")


class Connection:
    def __init__(self, client, context):
        global connection_count
        connection_count += 1
        self.number = connection_count
        self.stream = TLSStream(client, context)
        self.socket = client
        self.decoder = hpack.Decoder()
        self.waiting = bytearray()
        self.paths, self.bodies, self.ended = {}, {}, set()
        self.pongs = 0
        self.settings_sent = self.settings_held = 0
        self.changed = threading.Condition()
        # Streams whose bytes are taken without giving window for more.
        self.starved = set()
        self.may_read = threading.Event()
        self.may_read.set()

    def send(self, *frames):
        self.stream.sendall(b"".join(frames))

    def begin(self, stream, *messages):
        self.send(frame(HEADERS, END_HEADERS, stream, HEAD), *(frame(DATA, 0, stream, message(m)) for m in messages))

    def send_block(self, stream, flags, block):
        """A header block of several frames, which nothing may come between."""
        pieces = [block[start : start + 16384] for start in range(0, len(block), 16384)]
        more = [frame(CONTINUATION, 0, stream, piece) for piece in pieces[1:-1]]
        self.send(frame(HEADERS, flags, stream, pieces[0]), *more, frame(CONTINUATION, END_HEADERS, stream, pieces[-1]))

    def end(self, stream, *messages):
        data = (frame(DATA, 0, stream, message(m)) for m in messages)
        self.send(*data, frame(HEADERS, END_HEADERS | END_STREAM, stream, GOOD_END))

    def change(self, *pairs):
        """Sends settings and waits until they hold."""
        self.settings_sent += 1
        self.send(settings(*pairs))
        with self.changed:
            self.changed.wait_for(lambda: self.settings_held >= self.settings_sent, timeout=30)

    def take(self, stream, count):
        """Waits until `count` messages of the stream have come; returns how many bytes have, with prefixes."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.messages(stream)) >= count, timeout=30)
            return len(self.bodies[stream])

    def take_all(self, stream):
        """Waits until the client has ended the stream."""
        with self.changed:
            self.changed.wait_for(lambda: stream in self.ended, timeout=30)

    def messages(self, stream):
        body, found, at = self.bodies[stream], [], 0
        while len(body) >= at + 5 and len(body) >= at + 5 + int.from_bytes(body[at + 1 : at + 5], "big"):
            size = int.from_bytes(body[at + 1 : at + 5], "big")
            found.append(bytes(body[at + 5 : at + 5 + size]))
            at += 5 + size
        return found

    def flood(self, name, piece):
        """Sends the same bytes until the client has had enough; tells how many it took."""
        piece *= max(1, 16384 // len(piece))
        sent = 0
        try:
            while sent < FLOOD_BYTES_MAX:
                self.stream.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
        report[name] = sent

    def serve(self):
        self.settings_sent += 1
        self.send(settings((MAX_CONCURRENT_STREAMS, 100)), frame(WINDOW_UPDATE, payload=(1 << 30).to_bytes(4, "big")))
        preface = 24
        while data := self.stream.recv(65536):
            skipped = min(preface, len(data))
            preface -= skipped
            self.waiting += data[skipped:]
            while len(self.waiting) >= 9 and len(self.waiting) >= 9 + int.from_bytes(self.waiting[:3], "big"):
                size = int.from_bytes(self.waiting[:3], "big")
                head, payload = bytes(self.waiting[:9]), bytes(self.waiting[9 : 9 + size])
                del self.waiting[: 9 + size]
                self.received(head[3], head[4], int.from_bytes(head[5:], "big"), payload)
            self.may_read.wait()

    def received(self, kind, flags, stream, payload):
        if kind == HEADERS:
            # Without padding, as nghttp2 sends them; with a priority it would have five bytes more.
            block = payload[5:] if flags & 0x20 else payload
            self.paths[stream] = dict(self.decoder.decode(block))[":path"].rpartition("/")[2]
            self.bodies[stream] = bytearray()
            self.start(stream)
        elif kind == DATA:
            with self.changed:
                self.bodies[stream] += payload
                self.changed.notify_all()
            if payload and stream not in self.starved and not flags & END_STREAM:
                self.send(frame(WINDOW_UPDATE, 0, stream, len(payload).to_bytes(4, "big")))
        elif kind == SETTINGS and flags & ACK:
            with self.changed:
                self.settings_held += 1
                self.changed.notify_all()
        elif kind == SETTINGS:
            self.send(frame(SETTINGS, ACK))
        elif kind == PING and flags & ACK:
            with self.changed:
                self.pongs += 1
                self.changed.notify_all()
        elif kind == PING:
            self.send(frame(PING, ACK, 0, payload))
        if kind in (DATA, HEADERS) and flags & END_STREAM:
            with self.changed:
                self.ended.add(stream)
                self.changed.notify_all()

    def start(self, stream):
        method = getattr(Hostilities, self.paths[stream])

        def run():
            try:
                method(self, stream)
            except OSError as error:
                print(self.paths[stream], error, file=sys.stderr)

        threading.Thread(target=run, daemon=True).start()


class Hostilities:
    """Each is a method of a call; it has its connection and its stream."""

    # Well-behaved.

    def Good(c, stream):
        c.begin(stream, str(c.number).encode())
        c.end(stream)

    def Resumed(c, stream):
        c.begin(stream, f"{c.stream.tls.version()} {c.stream.tls.session_reused}".encode())
        c.end(stream)

    def Echo(c, stream):
        c.begin(stream)
        given = 0
        while True:
            with c.changed:
                c.changed.wait_for(lambda: len(c.messages(stream)) > given or stream in c.ended)
                messages = c.messages(stream)[given:]
            if not messages:
                return c.end(stream)
            given += len(messages)
            c.send(*(frame(DATA, 0, stream, message(m)) for m in messages))

    def Report(c, stream):
        # Floods may still be noticing that nobody listens.
        deadline = time.monotonic() + 20
        c.take(stream, 1)
        name = c.messages(stream)[0].decode()
        while name not in report and time.monotonic() < deadline:
            time.sleep(0.01)
        c.begin(stream, str(report.get(name, "nothing")).encode())
        c.end(stream)

    # Going away.

    def GoAwayLater(c, stream):
        """Announces that it goes (RFC 9113 section 6.8), goes, and ends the call when its next message comes."""
        c.begin(stream, str(c.number).encode())
        c.send(frame(GOAWAY, payload=struct.pack(">II", (1 << 31) - 1, 0)), frame(PING, payload=bytes(8)))
        c.send(frame(GOAWAY, payload=struct.pack(">II", stream, 0) + b"maintenance"))
        c.take(stream, 2)
        c.end(stream, b"still here")

    def GoAwayAtOnce(c, stream):
        """The first connection has begun with nothing; the next one counts the messages."""
        if c.number == 1:
            return c.send(frame(GOAWAY, payload=struct.pack(">II", 0, 0)))
        c.take_all(stream)
        c.begin(stream, str(len(c.messages(stream))).encode())
        c.end(stream)

    def RefuseTwice(c, stream):
        """Refuses (RFC 9113 section 8.7) until the third time."""
        report["RefuseTwice"] = report.get("RefuseTwice", 0) + 1
        if report["RefuseTwice"] < 3:
            return c.send(frame(RST_STREAM, 0, stream, (7).to_bytes(4, "big")))
        Hostilities.Good(c, stream)

    def RefuseAlways(c, stream):
        report["RefuseAlways"] = report.get("RefuseAlways", 0) + 1
        c.send(frame(RST_STREAM, 0, stream, (7).to_bytes(4, "big")))

    def RefuseLate(c, stream):
        """Refuses what it has answered already."""
        report["RefuseLate"] = report.get("RefuseLate", 0) + 1
        c.begin(stream, b"begun")
        c.send(frame(RST_STREAM, 0, stream, (7).to_bytes(4, "big")))

    def GoAwayCalm(c, stream):
        c.begin(stream)
        c.send(frame(GOAWAY, payload=struct.pack(">II", stream, 11) + b"too_many_pings"))
        c.stream.end()
        c.socket.shutdown(socket.SHUT_RDWR)

    def GoAwayFlood(c, stream):
        c.begin(stream)
        for _ in range(2000):
            c.send(frame(GOAWAY, payload=struct.pack(">II", stream, 0) + bytes(8000)))
        c.end(stream)

    # Settings in mid-call.

    def WindowDownAndUp(c, stream):
        """Takes the window away, below zero, sees that nothing comes, and gives it again."""
        c.starved.add(stream)
        c.change((INITIAL_WINDOW_SIZE, 0))
        before = c.take(stream, 0)
        time.sleep(0.3)
        report["WindowDownAndUp"] = c.take(stream, 0) - before
        c.begin(stream, b"closed")
        c.change((INITIAL_WINDOW_SIZE, 1 << 20))
        c.take(stream, 1)
        c.end(stream, str(len(c.messages(stream)[0])).encode())

    def StreamsDownAndUp(c, stream):
        c.change((MAX_CONCURRENT_STREAMS, 0))
        c.begin(stream, b"none")
        c.take(stream, 2)
        c.change((MAX_CONCURRENT_STREAMS, 100))
        c.end(stream, b"many")

    def TablesAndFrames(c, stream):
        """One change of settings for each message that comes."""
        c.begin(stream)
        for index, size in enumerate((0, 4096, 1 << 24, 0, 0, 100)):
            c.take(stream, index + 1)
            c.decoder.max_allowed_table_size = max(size, 4096)
            c.change((HEADER_TABLE_SIZE, size), (MAX_FRAME_SIZE, (1 << 24) - 1 if index % 2 else 1 << 14))
            c.send(frame(DATA, 0, stream, message(b"changed")))
        c.end(stream)

    def SettingsOfAClient(c, stream):
        c.send(settings((ENABLE_PUSH, 1)))

    def SettingsBeyondReason(c, stream):
        c.send(settings((INITIAL_WINDOW_SIZE, 1 << 31)))

    def SettingsFlood(c, stream):
        c.may_read.clear()
        c.flood("SettingsFlood", settings((INITIAL_WINDOW_SIZE, 1 << 16)))
        c.may_read.set()

    # Flow control.

    def NeverReads(c, stream):
        """Gives the call no window beyond the first one."""
        c.starved.add(stream)
        c.begin(stream)

    def OverWindow(c, stream):
        """Sends 16 MB whatever the window."""
        c.begin(stream)
        for _ in range(16):
            c.send(frame(DATA, 0, stream, message(bytes(16000))) * 64)
        report["OverWindow"] = "sent"

    def WindowOverflow(c, stream):
        c.send(*[frame(WINDOW_UPDATE, 0, stream, ((1 << 31) - 1).to_bytes(4, "big"))] * 2)

    def WindowOverflowOfAll(c, stream):
        c.send(*[frame(WINDOW_UPDATE, 0, 0, ((1 << 31) - 1).to_bytes(4, "big"))] * 2)

    def TinyData(c, stream):
        """A message of 200,000 bytes, a frame for each."""
        body = message(bytes(200000))
        c.begin(stream)
        for start in range(0, len(body), 1000):
            c.send(*(frame(DATA, 0, stream, bytes([byte])) for byte in body[start : start + 1000]))
        c.end(stream)

    def EmptyData(c, stream):
        c.begin(stream)
        for _ in range(200):
            c.send(frame(DATA, 0, stream) * 1000)
        c.end(stream)

    # Floods.

    def PingFlood(c, stream):
        """Never reads what the client answers."""
        c.may_read.clear()
        c.flood("PingFlood", frame(PING, payload=bytes(8)))
        c.may_read.set()

    def PingStorm(c, stream):
        """Reads the answers."""
        c.begin(stream)
        for round in range(100):
            c.send(frame(PING, payload=bytes(8)) * 500)
            with c.changed:
                c.changed.wait_for(lambda: c.pongs == 500 * (round + 1), timeout=30)
        c.end(stream)

    def ResetFlood(c, stream):
        c.send(frame(RST_STREAM, 0, stream, (8).to_bytes(4, "big")) * 100000)

    def ResetOfNothing(c, stream):
        c.send(frame(RST_STREAM, 0, stream + 1000, (8).to_bytes(4, "big")))

    def ContinuationFlood(c, stream):
        """CVE-2024-27316 and its kind: a header block that never ends."""
        c.send(frame(HEADERS, 0, stream, HEAD))
        c.flood("ContinuationFlood", frame(CONTINUATION, 0, stream, literal(b"x-more", bytes(100))))

    def EmptyContinuationFlood(c, stream):
        c.send(frame(HEADERS, 0, stream, HEAD))
        c.flood("EmptyContinuationFlood", frame(CONTINUATION, 0, stream))

    def InterimFlood(c, stream):
        for _ in range(100):
            c.send(frame(HEADERS, END_HEADERS, stream, literal(b":status", b"103") + literal(b"link", bytes(b"a" * 100))) * 100)
        c.begin(stream)
        c.end(stream)

    def PriorityFlood(c, stream):
        """Frames that mean nothing: priorities, and kinds that nobody knows."""
        c.begin(stream)
        for _ in range(100):
            c.send(*(frame(PRIORITY, 0, other, bytes(4) + b"\1") for other in range(1001, 3001, 2)))
            c.send(frame(0xAB, 0xFF, stream, bytes(1000)) * 100)
        c.end(stream)

    # Headers.

    def HugeHeaders(c, stream):
        """100 KB in one block, within what CONTINUATION frames may be."""
        fields = HEAD + b"".join(literal(b"x-%d" % index, b"v" * 120) for index in range(800))
        c.send_block(stream, 0, fields)

    def HeaderBomb(c, stream):
        """4,000 bytes in the dynamic table (RFC 7541 section 6.2.1), named 12,000 times: 48 MB in 16 KB."""
        value = b"\x7f" + bytes([0xA1, 0x1E]) + b"v" * 4000
        c.send(frame(HEADERS, END_HEADERS, stream, HEAD + b"\x40\1x" + value + b"\xbe" * 12000))

    def HugeTrailers(c, stream):
        c.begin(stream, b"before")
        fields = GOOD_END + b"".join(literal(b"x-%d" % index, b"v" * 120) for index in range(800))
        c.send_block(stream, END_STREAM, fields)

    def BrokenCompression(c, stream):
        c.send(frame(HEADERS, END_HEADERS, stream, b"\xff\xff\xff\xff\xff\xff"))

    def UpperCase(c, stream):
        c.send(frame(HEADERS, END_HEADERS, stream, HEAD + literal(b"X-Loud", b"v")))

    # Endings.

    def HalfClose(c, stream):
        """Says in the middle that nothing more will come, and goes on to listen."""
        c.begin(stream, b"one")
        c.stream.end()
        c.socket.shutdown(socket.SHUT_WR)

    def Vanish(c, stream):
        """Breaks the TCP connection."""
        c.begin(stream, b"one")
        c.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        # The reader hears the end and closes, without a goodbye.
        c.socket.shutdown(socket.SHUT_RD)

    def NoTrailers(c, stream):
        c.begin(stream, b"one")
        c.send(frame(DATA, END_STREAM, stream))

    def NoStatus(c, stream):
        c.begin(stream, b"one")
        c.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, literal(b"x", b"y")))

    def HeadersAlone(c, stream):
        c.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, HEAD))

    def CutMessage(c, stream):
        c.begin(stream)
        c.send(frame(DATA, 0, stream, message(bytes(100))[:50]))
        c.end(stream)

    def DataFirst(c, stream):
        c.send(frame(DATA, 0, stream, message(b"one")))

    def HeadersTwice(c, stream):
        c.begin(stream)
        c.begin(stream)

    def DataAfterEnd(c, stream):
        """Once both sides have ended: before that, nghttp2 takes it for an error of the connection."""
        c.take_all(stream)
        c.begin(stream, b"one")
        c.end(stream)
        c.send(frame(DATA, 0, stream, message(b"two")))

    def TrailersAfterEnd(c, stream):
        c.take_all(stream)
        c.begin(stream, b"one")
        c.end(stream)
        c.send(frame(HEADERS, END_HEADERS | END_STREAM, stream, GOOD_END))

    def Push(c, stream):
        block = b"".join(map(literal, (b":method", b":scheme", b":path", b":authority"), (b"GET", b"https", b"/", b"a")))
        c.send(frame(PUSH_PROMISE, END_HEADERS, stream, (2).to_bytes(4, "big") + block))

    def StreamOfItsOwn(c, stream):
        c.send(frame(HEADERS, END_HEADERS, 2, HEAD))

    def LongerThanAllowed(c, stream):
        c.send(frame(DATA, 0, stream, bytes(16385)))

    def Deaf(c, stream):
        """Reads nothing any more, and says nothing."""
        c.may_read.clear()
        c.begin(stream)


def main():
    port, certificate, key, client_ca = sys.argv[1:5]
    context = server_context(certificate, key, client_ca)
    for version in sys.argv[5:]:
        context.minimum_version = context.maximum_version = getattr(ssl.TLSVersion, version)
    listener = socket.create_server(("127.0.0.1", int(port)))
    # Little is on its way when a client stops to listen, so that the bytes a flood could send say something.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 65536)
    print(f"PORT {listener.getsockname()[1]}", flush=True)
    threading.Thread(target=lambda: (sys.stdin.buffer.read(), os._exit(0)), daemon=True).start()

    def handle(client):
        try:
            Connection(client, context).serve()
        except OSError as error:
            print(error, file=sys.stderr)
        client.close()

    while True:
        client, _ = listener.accept()
        threading.Thread(target=handle, args=(client,), daemon=True).start()


main()
