// Why a connection could not be made or went away, in the words of someone who must repair it: the cause, and apart from it the remedy,
// because what to do depends on what the connection was for.

package import OpenSSL

package enum TLSError: Error, Hashable, Sendable, CustomStringConvertible {
  /// DNS or /etc/hosts has no address for the host.
  case nameNotResolved(host: String, reason: String)
  /// Nobody listens at the address and port.
  case refused(address: String)
  /// The network does not lead there.
  case unreachable(address: String, reason: String)
  /// The deadline passed during this step.
  case timedOut(step: String)
  /// The proxy did not open the tunnel.
  case proxyRefused(proxy: String, reason: String)
  /// What answers does not speak TLS.
  case notTLS(reason: String)
  /// The server's chain does not lead to a trusted authority.
  case certificateNotTrusted(reason: String)
  /// The server's certificate, or one above it, has expired; or this machine's clock is ahead.
  case certificateExpired(subject: String)
  /// The server's certificate, or one above it, is not valid yet; or this machine's clock is behind.
  case certificateNotYetValid(subject: String)
  /// The server's certificate is for other names.
  case wrongHost(expected: String, names: [String])
  /// No certificate of the server's chain has the pinned key.
  case wrongPin(expected: PublicKeyPin)
  /// The server refused our certificate, or that we showed none. In TLS 1.3 this arrives after the handshake.
  case ownCertificateRefused(reason: String)
  /// The server closed the connection after it had asked for a certificate and before it said anything: it may not accept ours, or the connection
  /// broke at that moment. Nothing tells which.
  case closedUnexplained(withCertificate: Bool)
  /// The server speaks TLS, but none of the protocols offered through ALPN.
  case protocolNotAgreed(offered: [String])
  /// The handshake failed in another way.
  case handshakeFailed(reason: String)
  /// The connection broke.
  case connectionLost(reason: String)
  /// The connection was interrupted by its owner.
  case interrupted
  /// Our own certificates or keys are unusable.
  case configuration(OpenSSLError)

  package var description: String {
    switch self {
    case .nameNotResolved(let host, let reason):
      "The name \(host) has no address (\(reason))."
    case .refused(let address): "\(address) refused the connection: nothing listens there."
    case .unreachable(let address, let reason): "\(address) cannot be reached: \(reason)."
    case .timedOut(let step): "No answer in time while \(step)."
    case .proxyRefused(let proxy, let reason): "The proxy \(proxy) opened no tunnel: \(reason)."
    case .notTLS(let reason): "What answers there does not speak TLS (\(reason))."
    case .certificateNotTrusted(let reason):
      "The server's certificate is not trusted: \(reason)."
    case .certificateExpired(let subject): "The certificate '\(subject)' has expired, or this machine's clock is ahead."
    case .certificateNotYetValid(let subject):
      "The certificate '\(subject)' is not valid yet, or this machine's clock is behind."
    case .wrongHost(let expected, let names):
      "The server's certificate is for \(names.isEmpty ? "no name" : names.joined(separator: ", ")), not for \(expected)."
    case .wrongPin(let expected): "No certificate of the server has the pinned key \(expected)."
    case .ownCertificateRefused(let reason): "The server refused this agent's certificate: \(reason)."
    case .closedUnexplained(let withCertificate):
      "The server closed the connection before it said anything"
        + (withCertificate ? "; it may be that it does not accept this agent's certificate." : ".")
    case .protocolNotAgreed(let offered): "The server speaks none of \(offered.joined(separator: ", "))."
    case .handshakeFailed(let reason): "The TLS handshake failed: \(reason)."
    case .connectionLost(let reason): "The connection was lost: \(reason)."
    case .interrupted: "The connection was interrupted by its owner."
    case .configuration(let error): "TLS could not be set up. \(error)"
    }
  }

  /// What to do about it, in sentences.
  ///
  /// - Parameters:
  ///   - setting: what names the address, for example `hub.csr`.
  ///   - untrusted: what to do about a server that another authority vouches for.
  package func remedy(setting: String, untrusted: String) -> String {
    switch self {
    case .nameNotResolved: "Check the name in \(setting), and the DNS server."
    case .refused: "Check \(setting), and that the hub runs."
    case .unreachable, .timedOut:
      "Check \(setting), and that the network and its firewalls let the connection through."
    case .proxyRefused:
      "Check [proxy], its user and password, and that the proxy lets connections to \(setting) through."
    case .notTLS, .protocolNotAgreed, .handshakeFailed: "Check that \(setting) names the hub's own port."
    case .certificateNotTrusted, .wrongPin: untrusted
    case .certificateExpired:
      "Check this machine's clock; if it is right, the hub's operator must renew the hub's certificate."
    case .certificateNotYetValid:
      "Set this machine's clock; if it is right, the hub's clock was ahead when its certificate was made."
    case .wrongHost:
      "Set \(setting) to a name that the certificate has, or have the hub's operator add this one to the hub's names."
    case .ownCertificateRefused:
      "Ask the hub's operator; a revoked install needs: ptagent enroll --again --code CODE"
    case .closedUnexplained(withCertificate: true):
      "If it stays, ask the hub's operator; a revoked install needs: ptagent enroll --again --code CODE"
    case .connectionLost, .closedUnexplained, .interrupted:
      "If it stays, ask the hub's operator what the hub's log says."
    case .configuration: "Restore the identity's files from a copy, or run: ptagent enroll --again --code CODE"
    }
  }

  /// Why a proxy was not reached, as the end of a sentence.
  var asOfProxy: String {
    switch self {
    case .nameNotResolved(_, let reason): "its name has no address (\(reason))"
    case .refused: "nothing listens there"
    case .unreachable(_, let reason): "the network does not lead there (\(reason))"
    case .timedOut: "it does not answer"
    default: description
    }
  }

  /// What to do about a server that is not under the authority of an enrolment.
  package static let otherAuthorityRemedy = """
    If the hub was made anew, run: ptagent enroll --again --code CODE. If it was not, something between here and the hub inspects the \
    connection.
    """

  /// Whether what answers failed to prove that it is the server that was asked for.
  package var isAboutServer: Bool {
    switch self {
    case .notTLS, .certificateNotTrusted, .certificateExpired, .certificateNotYetValid, .wrongHost, .wrongPin,
      .protocolNotAgreed:
      true
    default: false
    }
  }

  /// Whether trying again without a change of settings, certificates or clocks could help.
  package var isTransient: Bool {
    switch self {
    case .nameNotResolved, .refused, .unreachable, .timedOut, .proxyRefused, .connectionLost, .closedUnexplained,
      .handshakeFailed:
      true
    case .notTLS, .certificateNotTrusted, .certificateExpired, .certificateNotYetValid, .wrongHost, .wrongPin,
      .ownCertificateRefused, .protocolNotAgreed, .interrupted, .configuration:
      false
    }
  }
}
