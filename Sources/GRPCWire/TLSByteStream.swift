// Where HTTP/2 and TLS meet: TLS connections are the byte streams of HTTP/2.

package import HTTP2
package import TLS

extension TLSConnection: ByteStream {}

extension HTTP2Connection {
  /// Connects to `endpoint` with TLS and HTTP/2, for gRPC as for HTTPS with JSON.
  /// - Parameter configuration: nil means the endpoint's name as authority and the usual limits.
  /// - Throws: `HTTP2Error`, whose `connection` case holds a `TLSError`; or `CancellationError`.
  package static func connect(
    to endpoint: Endpoint, tls: TLSConfiguration, configuration: HTTP2Configuration? = nil
  ) async throws -> HTTP2Connection {
    var tls = tls
    tls.applicationProtocols = ["h2"]
    let stream: TLSConnection
    do { stream = try TLSConnection(to: endpoint, configuration: tls) } catch { throw HTTP2Error.connection(error) }
    return try await open(
      over: stream, configuration: configuration ?? HTTP2Configuration(authority: authority(of: endpoint)))
  }

  /// The authority of requests to `endpoint`: the port of HTTPS is left out (RFC 9110 section 4.2.3).
  package static func authority(of endpoint: Endpoint) -> String {
    let text = "\(endpoint)"
    return endpoint.port == 443 ? String(text.dropLast(":443".count)) : text
  }
}
