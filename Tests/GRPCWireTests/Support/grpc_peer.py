"""The other end of the gRPC transport's tests: a grpcio server with mTLS and generic byte handlers.

    grpc_peer.py PORT CERTIFICATE KEY CLIENT_CA

Serves `test.Peer` on 127.0.0.1:PORT (0 for any), prints `PORT <number>` and ends when its standard input does, so
that it never outlives the tests. An empty CLIENT_CA asks for no client certificate.
"""

import sys
import threading
from concurrent import futures

import grpc


class Peer:
    def __init__(self):
        self.cancelled = threading.Event()

    def echo(self, request, context):
        """Gives back the request, and the metadata that begin with x- as initial and trailing metadata."""
        sent = [(key, value) for key, value in context.invocation_metadata() if key.startswith("x-")]
        context.send_initial_metadata(sent)
        agent = [value for key, value in context.invocation_metadata() if key == "user-agent"]
        context.set_trailing_metadata(tuple(sent) + (("x-agent", agent[0]), ("x-peer", context.peer())))
        return request

    def fail(self, request, context):
        """Ends with a status whose message needs percent-encoding."""
        context.set_trailing_metadata((("x-why", "tested"), ("x-why-bin", b"\x00\xff")))
        context.abort(grpc.StatusCode.NOT_FOUND, "Kein Gerät: 100% weg\n(wirklich)")

    def produce(self, request, context):
        """A message of as many bytes as the request says in decimal."""
        size = int(request)
        return (bytes(range(251)) * (size // 251 + 1))[:size]

    def measure(self, request, context):
        """The size of the request, in decimal."""
        return str(len(request)).encode()

    def hang(self, request, context):
        """Sends its headers and never answers; remembers that it was cancelled."""
        if not context.add_callback(self.cancelled.set):
            self.cancelled.set()
        context.send_initial_metadata(())
        self.cancelled.wait(30)
        return b""

    def was_cancelled(self, request, context):
        """Waits for the cancellation of `hang` to arrive here, and says whether it did."""
        arrived = self.cancelled.wait(10)
        self.cancelled.clear()
        return b"yes" if arrived else b"no"

    def remaining(self, request, context):
        """The milliseconds left until the caller's deadline, in decimal; -1 for none."""
        left = context.time_remaining()
        return str(-1 if left is None else int(left * 1000)).encode()

    def ping_pong(self, requests, context):
        """Gives back each message when it comes."""
        for request in requests:
            yield request

    def count(self, requests, context):
        """The number of messages, when they have ended."""
        return str(sum(1 for _ in requests)).encode()

    def pour(self, request, context):
        """As many messages as the request says in decimal, of 300 bytes."""
        for index in range(int(request)):
            yield index.to_bytes(4, "big") + bytes(296)

    def break_off(self, request, context):
        """Two messages and then an error."""
        yield b"one"
        yield b"two"
        context.abort(grpc.StatusCode.DATA_LOSS, "broken off")

    def handler(self):
        unary = grpc.unary_unary_rpc_method_handler
        return grpc.method_handlers_generic_handler(
            "test.Peer",
            {
                "Echo": unary(self.echo),
                "Fail": unary(self.fail),
                "Produce": unary(self.produce),
                "Measure": unary(self.measure),
                "Hang": unary(self.hang),
                "WasCancelled": unary(self.was_cancelled),
                "Remaining": unary(self.remaining),
                "PingPong": grpc.stream_stream_rpc_method_handler(self.ping_pong),
                "Count": grpc.stream_unary_rpc_method_handler(self.count),
                "Pour": grpc.unary_stream_rpc_method_handler(self.pour),
                "BreakOff": grpc.unary_stream_rpc_method_handler(self.break_off),
            },
        )


def main():
    port, certificate, key, client_ca = sys.argv[1:5]
    options = [("grpc.max_receive_message_length", 16 << 20), ("grpc.so_reuseport", 0)]
    server = grpc.server(futures.ThreadPoolExecutor(max_workers=16), options=options)
    server.add_generic_rpc_handlers((Peer().handler(),))
    pair = (open(key, "rb").read(), open(certificate, "rb").read())
    authority = open(client_ca, "rb").read() if client_ca else None
    credentials = grpc.ssl_server_credentials([pair], authority, authority is not None)
    bound = server.add_secure_port(f"127.0.0.1:{port}", credentials)
    server.start()
    print(f"PORT {bound}", flush=True)
    sys.stdin.buffer.read()
    server.stop(0).wait()


main()
