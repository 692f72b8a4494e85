"""A server's end of TLS that one thread may read while others write, which Python's own socket does not promise."""

import ssl
import threading


class TLSStream:
    def __init__(self, socket, context):
        """Shakes hands. Raises OSError (ssl.SSLError is one) when that fails."""
        self.socket, self.lock = socket, threading.Lock()
        self.incoming, self.outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self.tls = context.wrap_bio(self.incoming, self.outgoing, server_side=True)
        self._repeat(self.tls.do_handshake)

    def _repeat(self, step):
        """Takes the step until TLS needs nothing more from the network for it."""
        while True:
            with self.lock:
                try:
                    return step()
                except ssl.SSLWantReadError:
                    pass
                finally:
                    self._flush()
            data = self.socket.recv(65536)
            with self.lock:
                if data:
                    self.incoming.write(data)
                else:
                    self.incoming.write_eof()

    def _flush(self):
        if self.outgoing.pending:
            self.socket.sendall(self.outgoing.read())

    def recv(self, size):
        """Bytes; none at the end."""
        try:
            return self._repeat(lambda: self.tls.read(size))
        except (ssl.SSLZeroReturnError, ssl.SSLEOFError):
            return b""

    def sendall(self, data):
        with self.lock:
            self.tls.write(data)
            self._flush()

    def end(self):
        """Says that nothing more will be sent."""
        with self.lock:
            try:
                self.tls.unwrap()
            except ssl.SSLError:
                pass
            self._flush()

    def close(self):
        self.socket.close()


def server_context(certificate, key, client_ca=None):
    """A context for HTTP/2, with mTLS when there is an authority for clients."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    if client_ca:
        context.load_verify_locations(client_ca)
        context.verify_mode = ssl.CERT_REQUIRED
    context.set_alpn_protocols(["h2"])
    return context
