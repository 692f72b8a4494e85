#!/usr/bin/env python3
"""How much memory a hub needs for a delivery stream that is idle.

    idle_streams.py --hub-directory DIR --code CODE [--streams 1000] [--csr 127.0.0.1:7443] [--dcam ...] [--metrics ...]

Enrols so many installs with one code (pthub code create --uses N), opens one connection with one stream for each, says Hello, waits for the Welcome,
and reads the hub's own metrics before and after (with --pid what the system says of that process). Prints a JSON object. Needs h2 and cryptography (tools/test puts them into .build/peers).
"""

import argparse
import json
import os
import resource
import socket
import ssl
import struct
import tempfile
import time
import urllib.request

import h2.config
import h2.connection
import h2.events
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519
from cryptography.x509.oid import NameOID

ENROLL = "/printtrail.csr.v1.CertificateSigning/Enroll"
STREAM = "/printtrail.dcam.v1.DeviceCollection/Stream"


def field(number, value):
    """A length-delimited field of protobuf."""
    value = value.encode() if isinstance(value, str) else value
    return varint(number << 3 | 2) + varint(len(value)) + value


def varint(value):
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def fields(data):
    """The length-delimited fields of a message; others are passed over."""
    at = 0

    def read():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value
    while at < len(data):
        key = read()
        if key & 7 == 0:
            read()
        else:
            length = read()
            yield key >> 3, data[at:at + length]
            at += length


class Connection:
    def __init__(self, address, context):
        host, port = address.rsplit(":", 1)
        self.socket = context.wrap_socket(socket.create_connection((host, int(port)), timeout=60))
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=True, header_encoding="utf-8"))
        self.h2.initiate_connection()
        self.flush()

    def flush(self):
        self.socket.sendall(self.h2.data_to_send())

    def call(self, path, message, ends):
        """Sends a message and gives the first that comes back."""
        stream = self.h2.get_next_available_stream_id()
        self.h2.send_headers(stream, [
            (":method", "POST"), (":scheme", "https"), (":path", path), (":authority", "localhost"),
            ("content-type", "application/grpc"), ("te", "trailers")])
        self.h2.send_data(stream, struct.pack(">BI", 0, len(message)) + message, end_stream=ends)
        self.flush()
        answer = b""
        while len(answer) < 5 or len(answer) < 5 + struct.unpack(">I", answer[1:5])[0]:
            data = self.socket.recv(65536)
            if not data:
                raise RuntimeError("the hub ended the connection")
            for event in self.h2.receive_data(data):
                if isinstance(event, h2.events.DataReceived) and event.stream_id == stream:
                    answer += event.data
                    self.h2.acknowledge_received_data(event.flow_controlled_length, stream)
                elif isinstance(event, h2.events.TrailersReceived) and event.stream_id == stream and not answer:
                    raise RuntimeError(str(dict(event.headers)))
            self.flush()
        return answer[5:]


def metrics(address):
    text = urllib.request.urlopen(f"http://{address}/metrics", timeout=20).read().decode()
    return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1]) for line in text.splitlines() if not line.startswith("#")}


def trust(options):
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(os.path.join(options.hub_directory, "ca.pem"))
    context.set_alpn_protocols(["h2"])
    return context


def enrol(connection, code):
    key = ec.generate_private_key(ec.SECP256R1())
    request = x509.CertificateSigningRequestBuilder().subject_name(
        x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "idle")])).sign(key, hashes.SHA256())
    journal = os.urandom(16)
    signer = ed25519.Ed25519PrivateKey.generate().public_key().public_bytes(
        serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    answer = connection.call(ENROLL, field(1, code) + field(2, os.urandom(16)) + field(
        3, request.public_bytes(serialization.Encoding.DER)) + field(4, journal) + field(5, signer) + field(
        6, field(1, "idle") + field(2, "Linux") + field(3, "0.1.0")), True)
    certificate = next(value for number, value in fields(answer) if number == 3)
    pem = ssl.DER_cert_to_PEM_cert(certificate) + key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()).decode()
    return pem, field(1, field(1, journal) + field(2, signer) + field(3, "0.1.0"))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hub-directory", required=True)
    parser.add_argument("--code", required=True)
    parser.add_argument("--streams", type=int, default=1000)
    parser.add_argument("--csr", default="127.0.0.1:7443")
    parser.add_argument("--dcam", default="127.0.0.1:7444")
    parser.add_argument("--metrics", default="127.0.0.1:7446")
    parser.add_argument("--pid", type=int)
    parser.add_argument("--settle", type=float, default=35, help="seconds before memory is read: a hub waits 30 for a Hello")
    options = parser.parse_args()
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))

    enroller = Connection(options.csr, trust(options))
    agents = [enrol(enroller, options.code) for _ in range(options.streams)]

    def memory():
        time.sleep(options.settle)
        if options.pid:
            with open(f"/proc/{options.pid}/statm") as file:
                return int(file.read().split()[1]) * resource.getpagesize()
        return metrics(options.metrics)["process_resident_memory_bytes"]

    def connect(pem, hello, is_calling):
        context = trust(options)
        with tempfile.NamedTemporaryFile("w", suffix=".pem") as file:
            file.write(pem)
            file.flush()
            context.load_cert_chain(file.name)
        connection = Connection(options.dcam, context)
        if is_calling:
            connection.call(STREAM, hello, False)
        return connection

    # The first streams warm up what is made once.
    warm = [connect(*agent, True) for agent in agents[:20]]
    before = memory()
    began = time.monotonic()
    streams = [connect(*agent, True) for agent in agents[20:]]
    seconds = time.monotonic() - began
    after = memory()
    print(json.dumps({
        "streams": len(streams), "seconds": round(seconds, 1), "before_bytes": before, "after_bytes": after,
        "bytes_per_stream": round((after - before) / len(streams))}))
    del warm


if __name__ == "__main__":
    main()
