"""The other end of the HTTPS tests: an HTTP/2 server on Python's `h2` that misbehaves on request.

    http2_peer.py PORT CERTIFICATE KEY

Prints `PORT <number>` and ends when its standard input does. The path says what to do: /echo gives back the body with
status 200, /missing answers 404, /silent never answers, /goaway answers and then sends GOAWAY, /reset resets the
stream, /large sends 3,000,000 bytes, /grpc-less answers text as a misconfigured proxy would.
"""

import os
import socket
import ssl
import sys
import threading

import h2.config
import h2.connection
import h2.events


def serve(connection):
    config = h2.config.H2Configuration(client_side=False, header_encoding="utf-8")
    h2c = h2.connection.H2Connection(config=config)
    h2c.initiate_connection()
    connection.sendall(h2c.data_to_send())
    paths, bodies, waiting = {}, {}, {}

    def flush():
        for stream in list(waiting):
            while waiting[stream]:
                size = min(h2c.local_flow_control_window(stream), h2c.max_outbound_frame_size, len(waiting[stream]))
                if size == 0:
                    break
                h2c.send_data(stream, waiting[stream][:size])
                waiting[stream] = waiting[stream][size:]
            if not waiting[stream]:
                h2c.end_stream(stream)
                del waiting[stream]
        connection.sendall(h2c.data_to_send())

    def answer(stream):
        path = paths[stream]
        if path == "/silent":
            return
        if path == "/reset":
            h2c.reset_stream(stream, 11)
            return
        status = "404" if path == "/missing" else "200"
        kind = "text/html" if path.endswith("grpc-less") else "application/json"
        h2c.send_headers(stream, [(":status", status), ("content-type", kind)])
        waiting[stream] = bytes(3000000) if path == "/large" else bytes(bodies[stream]) or b"{}"
        flush()
        if path == "/goaway":
            h2c.close_connection(last_stream_id=stream, additional_data=b"maintenance")

    while data := connection.recv(65536):
        for event in h2c.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                path = dict(event.headers)[":path"]
                paths[event.stream_id], bodies[event.stream_id] = path, bytearray()
            elif isinstance(event, h2.events.DataReceived):
                bodies[event.stream_id] += event.data
                h2c.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                answer(event.stream_id)
        flush()


def main():
    port, certificate, key = sys.argv[1:4]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    context.set_alpn_protocols(["h2"])
    listener = socket.create_server(("127.0.0.1", int(port)))
    print(f"PORT {listener.getsockname()[1]}", flush=True)
    threading.Thread(target=lambda: (sys.stdin.buffer.read(), os._exit(0)), daemon=True).start()

    def handle(client):
        try:
            with context.wrap_socket(client, server_side=True) as connection:
                serve(connection)
        except OSError as error:
            print(error, file=sys.stderr)

    while True:
        client, _ = listener.accept()
        threading.Thread(target=handle, args=(client,), daemon=True).start()


main()
