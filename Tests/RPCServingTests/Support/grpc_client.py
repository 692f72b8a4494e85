#!/usr/bin/env python3
"""grpcio as the client of a transport's test service (TestService.swift), over plaintext.

    grpc_client.py PORT CASE

Ends with 0 if all is as it must be; says on standard error what is not.
"""

import os
import struct
import sys
import threading
import time

import grpc

SERVICE = "/test.Service/"
SPECIAL = "\t\n100 % of it\r\nand Unicode BMP \u263a and non-BMP \U0001f608 \t\n"


class Client:
    def __init__(self, port, **options):
        self.channel = grpc.insecure_channel(f"127.0.0.1:{port}", options=[
            ("grpc.max_receive_message_length", 16 << 20), *options.items()])

    def unary(self, method):
        return self.channel.unary_unary(SERVICE + method)

    def many_one(self, method):
        return self.channel.stream_unary(SERVICE + method)

    def one_many(self, method):
        return self.channel.unary_stream(SERVICE + method)

    def many(self, method):
        return self.channel.stream_stream(SERVICE + method)


def equal(seen, wanted):
    if seen != wanted:
        raise AssertionError(f"{str(seen)[:300]!r} is not {str(wanted)[:300]!r}")


def failure(call):
    """The code and the text with which a call fails."""
    try:
        call()
    except grpc.RpcError as error:
        return error.code(), error.details()
    raise AssertionError("no error")


def empty_unary(client):
    equal(client.unary("Echo")(b"", timeout=30), b"")


def large_unary(client):
    request = struct.pack(">I", 314159) + bytes(271828 - 4)
    equal(client.unary("Size")(request, timeout=30), bytes(314159))


def compressed_unary(client):
    request = struct.pack(">I", 314159) + bytes(271828 - 4)
    for compression in (grpc.Compression.Gzip, grpc.Compression.Deflate):
        equal(client.unary("Size")(request, timeout=30, compression=compression), bytes(314159))
        # What cannot be made shorter goes as it is.
        noise = os.urandom(40000)
        equal(client.unary("Echo")(noise, timeout=30, compression=compression), noise)


def client_streaming(client):
    sizes = (27182, 8, 1828, 45904)
    equal(client.many_one("Sum")((bytes(size) for size in sizes), timeout=30), b"74922")


def compressed_streaming(client):
    sizes = (27182, 8, 1828, 45904)
    equal(client.many_one("Sum")((bytes(size) for size in sizes), timeout=30, compression=grpc.Compression.Gzip), b"74922")


def server_streaming(client):
    answer = list(client.one_many("Count")(struct.pack(">II", 5, 58979), timeout=30))
    equal(answer, [bytes(58979)] * 5)


def empty_streams(client):
    equal(client.many_one("Sum")(iter(()), timeout=30), b"0")
    equal(list(client.one_many("Count")(struct.pack(">II", 0, 1), timeout=30)), [])
    equal(list(client.many("Chat")(iter(()), timeout=30)), [])
    equal(list(client.many("Direct")(iter(()), timeout=30)), [])


def ping_pong(client, method="Chat"):
    turn = threading.Semaphore(0)

    def requests():
        for number in range(50):
            yield bytes([number]) * (number * 997)
            turn.acquire()
    seen = 0
    for answer in client.many(method)(requests(), timeout=60):
        equal(answer, bytes([seen]) * (seen * 997))
        seen += 1
        turn.release()
    equal(seen, 50)


def ping_pong_past_the_server(client):
    ping_pong(client, "Direct")


def many_messages(client):
    """Back pressure both ways, with what each side may hold used up."""
    count, sizes = 0, [1 + number % 60000 for number in range(400)]
    for answer, size in zip(client.many("Chat")((bytes(size) for size in sizes), timeout=120), sizes):
        equal(len(answer), size)
        count += 1
    equal(count, 400)


def metadata(client):
    sent = (("x-initial", "test value"), ("x-trailing-bin", b"\xab\x00\xff\xab"), ("x-initial", "another"))
    answer, call = client.unary("Echo").with_call(b"x", metadata=sent, timeout=30)
    equal(answer, b"x")
    equal([value for key, value in call.initial_metadata() if key == "x-initial"], ["test value", "another"])
    equal([value for key, value in call.trailing_metadata() if key == "x-trailing-bin"], [b"\xab\x00\xff\xab"])


def special_status(client):
    def chat():
        list(client.many("Chat")(iter((b"fail",)), timeout=30))
    equal(failure(chat), (grpc.StatusCode.ABORTED, SPECIAL))

    def direct():
        list(client.many("Direct")(iter((b"fail",)), timeout=30))
    equal(failure(direct), (grpc.StatusCode.ABORTED, SPECIAL))


def unimplemented(client):
    equal(failure(lambda: client.unary("Nothing")(b"", timeout=30))[0], grpc.StatusCode.UNIMPLEMENTED)
    other = client.channel.unary_unary("/no.Service/Echo")
    equal(failure(lambda: other(b"", timeout=30))[0], grpc.StatusCode.UNIMPLEMENTED)
    nameless = client.channel.unary_unary("/x")
    equal(failure(lambda: nameless(b"", timeout=30))[0], grpc.StatusCode.UNIMPLEMENTED)
    # The connection is good for more.
    equal(client.unary("Echo")(b"y", timeout=30), b"y")


def deadline(client):
    begin = time.monotonic()
    equal(failure(lambda: client.unary("Wait")(b"", timeout=0.5))[0], grpc.StatusCode.DEADLINE_EXCEEDED)
    assert time.monotonic() - begin < 20
    wait_for(client, b"cancelled", 1)


def cancel(client):
    call = client.unary("Wait").future(b"", timeout=60)
    wait_for(client, b"waiting", 1)
    call.cancel()
    wait_for(client, b"cancelled", 1)
    # In mid-stream.
    stream = client.many("Chat")(endless(), timeout=60)
    next(stream)
    stream.cancel()
    wait_for(client, b"broken", 1)


def endless():
    while True:
        yield b"x"
        time.sleep(0.01)


def wait_for(client, what, count):
    """Until the service has counted so many."""
    for _ in range(600):
        if int(client.unary("Counted")(what, timeout=30)) >= count:
            return
        time.sleep(0.05)
    raise AssertionError(f"never {what}")


def many_calls(client):
    """More at once than a connection has."""
    echo = client.unary("Echo")
    calls = [echo.future(bytes([number % 256]) * number, timeout=60) for number in range(300)]
    for number, call in enumerate(calls):
        equal(call.result(), bytes([number % 256]) * number)


def too_long(client):
    code, _ = failure(lambda: client.unary("Echo")(bytes(5 << 20), timeout=60))
    assert code in (grpc.StatusCode.CANCELLED, grpc.StatusCode.RESOURCE_EXHAUSTED), code
    equal(client.unary("Echo")(b"z", timeout=30), b"z")


def bomb(client):
    """Five megabytes of zeros in five kilobytes."""
    code, _ = failure(lambda: client.unary("Echo")(bytes(5 << 20), timeout=60, compression=grpc.Compression.Gzip))
    assert code in (grpc.StatusCode.CANCELLED, grpc.StatusCode.RESOURCE_EXHAUSTED), code
    equal(client.unary("Echo")(b"z", timeout=30), b"z")


def orderly_end(client):
    """The server ends while a stream is open: what is open goes on, and nothing new begins."""
    ready, more = threading.Event(), threading.Event()

    def requests():
        yield b"shutdown"
        more.wait(30)
        yield b"still here"
    stream = client.many("Chat")(requests(), timeout=60)
    equal(next(stream), b"shutdown")
    time.sleep(0.5)
    equal(failure(lambda: Client(PORT).unary("Echo")(b"", timeout=5))[0], grpc.StatusCode.UNAVAILABLE)
    more.set()
    equal(list(stream), [b"still here"])


PORT = 0


def main():
    global PORT
    PORT = int(sys.argv[1])
    case = globals()[sys.argv[2]]
    case(Client(PORT))
    print("well")


main()
