// Sends reports to hc. A report that does not arrive is dropped: the next one says more.

package import Platform
package import TLS

internal import GRPCWire
internal import HTTP2

/// Where reports go, and as whom.
package struct HealthTarget: Sendable {
  package var address: HostAndPort
  package var tls: TLSConfiguration
  /// Tells one identity from another.
  package var fingerprint: String

  package init(address: HostAndPort, tls: TLSConfiguration, fingerprint: String) {
    self.address = address
    self.tls = tls
    self.fingerprint = fingerprint
  }
}

/// Why a report did not arrive.
package struct HealthFailure: Error, Equatable, Sendable, CustomStringConvertible {
  package let description: String
}

/// Keeps one connection to hc and posts reports over it.
package actor HealthReporter {
  /// For the whole exchange. A hub that is slower has other troubles than our health.
  private static let timeout: Duration = .seconds(15)

  private let product: String
  private var connection: HTTP2Connection?
  private var connectedTo: (address: HostAndPort, fingerprint: String)?

  /// - Parameter product: the user agent, `ptagent/0.1.0`.
  package init(product: String) { self.product = product }

  /// Posts one report.
  /// - Throws: `HealthFailure` with the connection closed, or `CancellationError`.
  package func send(_ report: HealthReport, to target: HealthTarget) async throws {
    do {
      let connection = try await connection(to: target)
      let response = try await connection.request(
        method: "POST", path: "/v1/health",
        headers: [HTTP2Header("content-type", "application/json"), HTTP2Header("user-agent", product)],
        body: try report.json(), timeout: Self.timeout)
      guard (200..<300).contains(response.status) else {
        throw HealthFailure(
          description: "hc answered \(response.status): \(String(decoding: response.body.prefix(200), as: UTF8.self))")
      }
    } catch let error as CancellationError {
      close()
      throw error
    } catch let error as HealthFailure {
      close()
      throw error
    } catch {
      close()
      throw HealthFailure(description: "\(error)")
    }
  }

  package func close() {
    connection?.close()
    connection = nil
    connectedTo = nil
  }

  private func connection(to target: HealthTarget) async throws -> HTTP2Connection {
    if let connection, connection.isUsable, let connectedTo, connectedTo == (target.address, target.fingerprint) {
      return connection
    }
    close()
    let opened = try await HTTP2Connection.connect(
      to: Endpoint(host: target.address.host, port: target.address.port), tls: target.tls)
    connection = opened
    connectedTo = (target.address, target.fingerprint)
    return opened
  }
}
