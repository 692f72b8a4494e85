"""The server of gRPC's interoperability tests (doc/interop-test-descriptions.md in grpc/grpc), on grpcio with mTLS.

    interop_peer.py PORT CERTIFICATE KEY CLIENT_CA [tap]

Serves `grpc.testing.TestService` and `grpc.testing.ReconnectService` on 127.0.0.1:PORT (0 for any), prints `PORT <number>`
and ends when its standard input does. Protobuf is read and written by hand here, so that nothing is shared with the client.

grpcio does not tell its handlers whether a message came compressed. With `tap`, TLS therefore ends before grpcio, and what
passes on to it is looked at frame by frame: the tests that send `expect_compressed` are served so. The flags of messages wait
in the order in which they came, and each message that a handler takes takes one: calls must be made one after the other.
"""

import collections
import socket
import sys
import threading
import time
from concurrent import futures

import grpc

from tls_stream import TLSStream, server_context


def varint(value):
    encoded = bytearray()
    while value > 127:
        encoded.append(value & 127 | 128)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def field(number, value):
    """One field, of bytes or of a number."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


class Message:
    """The fields of a message: numbers, and bytes that may be messages."""

    def __init__(self, data):
        self.fields, self.at, self.data = collections.defaultdict(list), 0, data
        while self.at < len(data):
            tag = self.number()
            if tag & 7 == 0:
                value = self.number()
            elif tag & 7 == 2:
                size = self.number()
                value = data[self.at : self.at + size]
                self.at += size
            else:
                raise ValueError(f"unexpected wire type {tag & 7}")
            self.fields[tag >> 3].append(value)

    def number(self):
        value = shift = 0
        while True:
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    def int(self, number):
        return self.fields[number][-1] if self.fields[number] else 0

    def bytes(self, number):
        return self.fields[number][-1] if self.fields[number] else b""

    def message(self, number):
        """The message in a field; None when it is not set."""
        return Message(self.fields[number][-1]) if self.fields[number] else None

    def messages(self, number):
        return [Message(value) for value in self.fields[number]]


def payload(size):
    return field(1, field(2, bytes(size)))


def status_code(number):
    return next(code for code in grpc.StatusCode if code.value[0] == number)


class TestService:
    """Messages are named by the numbers of their fields in messages.proto."""

    def __init__(self, flags):
        self.flags = flags

    def came_compressed(self):
        """Whether the message that the handler has just taken was compressed; None without a tap."""
        return None if self.flags is None else self.flags.popleft()

    def expect(self, wanted, context):
        """The feature CompressedRequest."""
        compressed = self.came_compressed()
        if wanted is not None and compressed is not None and bool(wanted.int(1)) != compressed:
            context.abort(grpc.StatusCode.INVALID_ARGUMENT, f"compressed: {compressed}")

    @staticmethod
    def echo(context):
        """The feature Echo Metadata; and the encoding of the response, if the client names one."""
        sent = dict(context.invocation_metadata())
        if "x-respond-with" in sent:
            context.set_compression(getattr(grpc.Compression, sent["x-respond-with"]))
        initial, trailing = "x-grpc-test-echo-initial", "x-grpc-test-echo-trailing-bin"
        if initial in sent:
            context.send_initial_metadata(((initial, sent[initial]),))
        if trailing in sent:
            context.set_trailing_metadata(((trailing, sent[trailing]),))

    @staticmethod
    def has_status(status, context):
        """The feature Echo Status."""
        if status is None:
            return False
        context.set_code(status_code(status.int(1)))
        context.set_details(status.bytes(2).decode())
        return True

    def empty_call(self, request, context):
        self.expect(None, context)
        return b""

    def unary_call(self, request, context):
        request = Message(request)
        self.expect(request.message(8), context)
        self.echo(context)
        if self.has_status(request.message(7), context):
            return b""
        if request.message(6) is not None and not request.message(6).int(1):
            context.disable_next_message_compression()
        return payload(request.int(2))

    def streaming_input_call(self, requests, context):
        size = 0
        for request in map(Message, requests):
            self.expect(request.message(2), context)
            size += len(request.message(1).bytes(2))
        return field(1, size)

    def respond(self, request, context):
        for parameters in request.messages(2):
            time.sleep(parameters.int(2) / 1e6)
            if parameters.message(3) is not None and not parameters.message(3).int(1):
                context.disable_next_message_compression()
            yield payload(parameters.int(1))

    def streaming_output_call(self, request, context):
        self.expect(None, context)
        self.echo(context)
        yield from self.respond(Message(request), context)

    def full_duplex_call(self, requests, context):
        self.echo(context)
        for request in map(Message, requests):
            self.expect(None, context)
            if self.has_status(request.message(7), context):
                return
            yield from self.respond(request, context)

    def handler(self):
        unary = grpc.unary_unary_rpc_method_handler
        return grpc.method_handlers_generic_handler(
            "grpc.testing.TestService",
            {
                "EmptyCall": unary(self.empty_call),
                "UnaryCall": unary(self.unary_call),
                "StreamingInputCall": grpc.stream_unary_rpc_method_handler(self.streaming_input_call),
                "StreamingOutputCall": grpc.unary_stream_rpc_method_handler(self.streaming_output_call),
                "FullDuplexCall": grpc.stream_stream_rpc_method_handler(self.full_duplex_call),
            },
        )


class ReconnectService:
    """doc/connection-backoff-interop-test-description.md: a second port that closes whatever connects, and takes the times."""

    def __init__(self):
        self.times = []
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        threading.Thread(target=self.refuse, daemon=True).start()

    def refuse(self):
        while True:
            client, _ = self.listener.accept()
            self.times.append(time.monotonic())
            client.close()

    def start(self, request, context):
        self.times.clear()
        context.send_initial_metadata((("x-retry-port", str(self.listener.getsockname()[1])),))
        return b""

    def stop(self, request, context):
        waits = [int((after - before) * 1000) for before, after in zip(self.times, self.times[1:])]
        packed = b"".join(map(varint, waits))
        return field(1, 1) + (field(2, packed) if waits else b"")

    def handler(self):
        unary = grpc.unary_unary_rpc_method_handler
        return grpc.method_handlers_generic_handler(
            "grpc.testing.ReconnectService", {"Start": unary(self.start), "Stop": unary(self.stop)}
        )


class FlagReader:
    """Reads the client's bytes as HTTP/2 frames (RFC 9113 section 4.1), and their DATA as messages of gRPC."""

    def __init__(self, flags):
        self.flags, self.waiting = flags, bytearray()
        self.preface = len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
        self.streams = collections.defaultdict(bytearray)

    def feed(self, data):
        skipped = min(self.preface, len(data))
        self.preface -= skipped
        self.waiting += data[skipped:]
        while len(self.waiting) >= 9:
            size = int.from_bytes(self.waiting[:3], "big")
            if len(self.waiting) < 9 + size:
                return
            if self.waiting[3] == 0:
                stream = int.from_bytes(self.waiting[5:9], "big")
                self.messages(self.streams[stream], self.waiting[9 : 9 + size])
            del self.waiting[: 9 + size]

    def messages(self, waiting, data):
        waiting += data
        while len(waiting) >= 5 and len(waiting) >= 5 + int.from_bytes(waiting[1:5], "big"):
            self.flags.append(bool(waiting[0]))
            del waiting[: 5 + int.from_bytes(waiting[1:5], "big")]


def tap(context, target, flags):
    """Ends TLS and passes everything on to `target`. Returns the port."""
    listener = socket.create_server(("127.0.0.1", 0))

    def pump(source, sink, seen):
        try:
            while data := source.recv(65536):
                seen(data)
                sink.sendall(data)
        except OSError as error:
            print(error, file=sys.stderr)
        source.close()
        sink.close()

    def serve(client):
        try:
            outside = TLSStream(client, context)
        except OSError as error:
            return print(error, file=sys.stderr)
        inside = socket.create_connection(("127.0.0.1", target))
        threading.Thread(target=pump, args=(inside, outside, lambda data: None), daemon=True).start()
        pump(outside, inside, FlagReader(flags).feed)

    def accept():
        while True:
            client, _ = listener.accept()
            threading.Thread(target=serve, args=(client,), daemon=True).start()

    threading.Thread(target=accept, daemon=True).start()
    return listener.getsockname()[1]


def main():
    port, certificate, key, client_ca = sys.argv[1:5]
    is_tapped = sys.argv[5:] == ["tap"]
    flags = collections.deque() if is_tapped else None
    options = [("grpc.max_receive_message_length", 16 << 20), ("grpc.so_reuseport", 0)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=options)
    server.add_generic_rpc_handlers((TestService(flags).handler(), ReconnectService().handler()))
    if is_tapped:
        context = server_context(certificate, key, client_ca)
        bound = tap(context, server.add_insecure_port("127.0.0.1:0"), flags)
    else:
        pair = (open(key, "rb").read(), open(certificate, "rb").read())
        credentials = grpc.ssl_server_credentials([pair], open(client_ca, "rb").read(), True)
        bound = server.add_secure_port(f"127.0.0.1:{port}", credentials)
    server.start()
    print(f"PORT {bound}", flush=True)
    sys.stdin.buffer.read()
    server.stop(0).wait()


main()
