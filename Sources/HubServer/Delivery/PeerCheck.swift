// Who is calling: from the certificate of the TLS handshake to the install.
//
//     no certificate, one of another authority, expired, superseded, unknown serial     UNAUTHENTICATED
//     the install was revoked                                                           PERMISSION_DENIED
//     the store cannot say                                                              UNAVAILABLE

internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Logging
internal import X509

struct PeerCheck: Sendable {
  /// Why a caller is refused, for its operator.
  enum Refusal: Error, Equatable {
    case unauthenticated(String)
    case revoked
    case unavailable
  }

  let authority: CertificateAuthority
  let store: any RegistryStore
  let clock: HubClock
  let logger: Logger

  /// The install that makes this call.
  ///
  /// - Throws: `RPCError` with the status of the table above.
  func install(_ context: ServerContext) async throws -> Install {
    let certificate = (context.transportSpecific as? HTTP2ServerTransport.Posix.Context)?.peerCertificate
    do throws(Refusal) {
      return try await install(certificate, peer: context.remotePeer)
    } catch {
      switch error {
      case .unauthenticated(let reason): throw RPCError(code: .unauthenticated, message: reason)
      case .revoked: throw RPCError(code: .permissionDenied, message: Self.revokedText)
      case .unavailable: throw RPCError.storeUnavailable
      }
    }
  }

  static let revokedText =
    "This install was revoked at the hub. Enrol again with a new DataLink code if that was a mistake."

  /// The install of a certificate whose key the peer has proved to hold.
  func install(_ certificate: Certificate?, peer: String) async throws(Refusal) -> Install {
    guard let certificate else {
      throw .unauthenticated("This call needs the install's client certificate. Enrol with a DataLink code first.")
    }
    let serial: String
    do throws(CertificateAuthority.ClientFault) {
      serial = try authority.checkClient(certificate)
    } catch {
      logger.notice("client certificate refused", metadata: ["peer": "\(peer)", "reason": "\(error)"])
      switch error {
      case .notOurs, .notForClients:
        throw .unauthenticated(
          "The client certificate is not one that this hub issued to an install. Enrol at this hub.")
      case .notYetValid:
        throw .unauthenticated("The client certificate is not valid yet. Check the clocks of the agent and of the hub.")
      case .expired(let end):
        throw .unauthenticated(
          "The client certificate expired at \(timeText(milliseconds: end)). Enrol again with a new DataLink code.")
      }
    }
    let standing: CertificateStanding
    do {
      standing = try await store.useCertificate(serial: serial, now: clock.now)
    } catch {
      logger.error("certificate not looked up", metadata: ["serial": "\(serial)", "error": "\(error)"])
      throw .unavailable
    }
    switch standing {
    case .good(let install) where Self.commonName(certificate) == install.id: return install
    case .good, .unknown:
      logger.warning("client certificate unknown", metadata: ["peer": "\(peer)", "serial": "\(serial)"])
      throw .unauthenticated("This hub does not know the client certificate. Enrol again with a new DataLink code.")
    case .superseded:
      logger.notice("client certificate superseded", metadata: ["peer": "\(peer)", "serial": "\(serial)"])
      throw .unauthenticated(
        "The client certificate was replaced by a newer one that was used already. Use that one, or enrol again.")
    case .revoked:
      logger.notice("revoked install refused", metadata: ["peer": "\(peer)", "serial": "\(serial)"])
      throw .revoked
    }
  }

  private static func commonName(_ certificate: Certificate) -> String? {
    for relative in certificate.subject {
      for attribute in relative where attribute.type == .RDNAttributeType.commonName {
        return String(attribute.value)
      }
    }
    return nil
  }
}

extension RPCError {
  static let storeUnavailable = RPCError(
    code: .unavailable, message: "The hub cannot store now. Try again with backoff.")
  static let shuttingDown = RPCError(code: .unavailable, message: "The hub is going down. Try again with backoff.")

  /// RESOURCE_EXHAUSTED with the hint when to come back.
  static func tooMuch(_ message: String, retryAfter: Duration) -> RPCError {
    RPCError(
      code: .resourceExhausted, message: message, metadata: ["retry-after-ms": "\(retryAfter.milliseconds)"])
  }
}
