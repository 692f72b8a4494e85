// Sends reports to hc. A report that does not arrive is dropped: the next one says more.

package import Platform
package import TLS

internal import FoundationEssentials
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
  /// Who must do something about it.
  package enum Cause: Equatable, Sendable {
    /// hc, or the way to it, is not there, or has troubles of its own.
    case unavailable
    /// hc does not accept this install.
    case refused
    /// What answers is not hc of this agent's hub.
    case foreign
  }

  package let cause: Cause
  package let description: String
  /// What to do about it, in sentences.
  package let remedy: String

  private static let setting = "hub.hc"

  private init(_ cause: Cause, _ description: String, remedy: String) {
    self.cause = cause
    self.description = description
    self.remedy = remedy
  }

  /// An answer other than success. What a hub gives as its reason is told; a page that a proxy made up is not.
  init(status: Int, body: [UInt8]) {
    let reason = (try? JSONDecoder().decode(Refusal.self, from: Data(body)))?.error
    let description = "hc answered with HTTP \(status)\(reason.map { ": \($0)" } ?? ".")"
    switch status {
    case 401, 403:
      self.init(
        .refused, description,
        remedy: "Ask the hub's operator; a revoked install needs: ptagent enroll --again --code CODE")
    case 404, 405: self.init(.foreign, description, remedy: "Check that \(Self.setting) names the hub's hc port.")
    default:
      self.init(.unavailable, description, remedy: "If it stays, ask the hub's operator what the hub's log says.")
    }
  }

  init(_ error: any Error) {
    guard let failure = TLSError.below(error) else {
      self.init(.unavailable, "\(error)", remedy: "If it stays, ask the hub's operator what the hub's log says.")
      return
    }
    let cause: Cause =
      switch failure {
      case .ownCertificateRefused: .refused
      case _ where failure.isAboutServer: .foreign
      default: .unavailable
      }
    self.init(
      cause, "\(failure)", remedy: failure.remedy(setting: Self.setting, untrusted: TLSError.otherAuthorityRemedy))
  }
}

/// The body of hc's errors.
private struct Refusal: Decodable {
  let error: String
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
        throw HealthFailure(status: response.status, body: response.body)
      }
    } catch let error as CancellationError {
      close()
      throw error
    } catch let error as HealthFailure {
      close()
      throw error
    } catch {
      close()
      throw HealthFailure(error)
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
