// Who is calling: from the certificate of the TLS handshake to the install.
//
//     no certificate, one of another authority, expired, superseded, revoked, unknown serial     UNAUTHENTICATED
//     the install was revoked, or replaced by another                                            PERMISSION_DENIED
//     the store cannot say                                                                       UNAVAILABLE

internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import Logging
internal import X509

/// An install that calls, and the certificate that it calls with.
struct Peer: Sendable, Equatable {
  let install: Install
  let serial: String
  /// When the certificate ends, milliseconds since 1970 UTC.
  let notAfter: Int64
  /// Whether the certificate's root is on its way out.
  let isOfRetiringRoot: Bool
}

struct PeerCheck: Sendable {
  /// Why a caller is refused, for its operator.
  enum Refusal: Error, Equatable {
    case unauthenticated(String)
    case revoked
    case unavailable
  }

  let authorities: Authorities
  let store: any RegistryStore
  let clock: HubClock
  let logger: Logger

  /// The install that makes this call.
  ///
  /// - Throws: `RPCError` with the status of the table above.
  func install(_ context: ServerContext) async throws -> Install { try await peer(context).install }

  /// The install that makes this call, and with what.
  ///
  /// - Throws: `RPCError` with the status of the table above.
  func peer(_ context: ServerContext) async throws -> Peer {
    let certificate = (context.transportSpecific as? HTTP2ServerTransport.Posix.Context)?.peerCertificate
    do throws(Refusal) {
      return try await self.peer(certificate, address: context.remotePeer)
    } catch {
      switch error {
      case .unauthenticated(let reason): throw RPCError(code: .unauthenticated, message: reason)
      case .revoked: throw RPCError(code: .permissionDenied, message: Self.revokedText)
      case .unavailable: throw RPCError.storeUnavailable
      }
    }
  }

  static let revokedText =
    "This install was revoked at the hub, or replaced by another. Enrol again with a new DataLink code if that was a mistake."

  static let certificateRevokedText =
    "This client certificate was revoked at the hub; the install's other certificates are good. Enrol again with a new DataLink code."

  /// The install of a certificate whose key the peer has proved to hold.
  func install(_ certificate: Certificate?, peer: String) async throws(Refusal) -> Install {
    try await self.peer(certificate, address: peer).install
  }

  private func peer(_ certificate: Certificate?, address peer: String) async throws(Refusal) -> Peer {
    guard let certificate else {
      throw .unauthenticated("This call needs the install's client certificate. Enrol with a DataLink code first.")
    }
    let checked: Authorities.CheckedClient
    do throws(CertificateAuthority.ClientFault) {
      checked = try authorities.checkClient(certificate)
    } catch {
      logger.notice("client certificate refused", metadata: ["peer": "\(peer)", "reason": "\(error)"])
      switch error {
      case .notOurs, .notForClients:
        throw .unauthenticated(
          "The client certificate is not one that this hub issued to an install. Enrol at this hub.")
      case .notYetValid:
        throw .unauthenticated(
          "The client certificate is not valid yet by the hub's clock, which says \(timeText(milliseconds: clock.now)). Check the hub's clock."
        )
      case .expired(let end):
        throw .unauthenticated(
          "The client certificate expired at \(timeText(milliseconds: end)), and the hub's clock says \(timeText(milliseconds: clock.now)). Enrol again with a new DataLink code."
        )
      }
    }
    let serial = checked.serial
    let standing: CertificateStanding
    do {
      standing = try await store.useCertificate(serial: serial, now: clock.now)
    } catch {
      logger.error("certificate not looked up", metadata: ["serial": "\(serial)", "error": "\(error)"])
      throw .unavailable
    }
    switch standing {
    case .good(let install) where Self.commonName(certificate) == install.id:
      return Peer(
        install: install, serial: serial, notAfter: checked.notAfter, isOfRetiringRoot: checked.isOfRetiringRoot)
    case .good, .unknown:
      logger.warning("client certificate unknown", metadata: ["peer": "\(peer)", "serial": "\(serial)"])
      throw .unauthenticated("This hub does not know the client certificate. Enrol again with a new DataLink code.")
    case .superseded:
      logger.notice("client certificate superseded", metadata: ["peer": "\(peer)", "serial": "\(serial)"])
      throw .unauthenticated(
        "The client certificate was replaced by a newer one that was used already. Use that one, or enrol again.")
    case .certificateRevoked:
      logger.notice("revoked certificate refused", metadata: ["peer": "\(peer)", "serial": "\(serial)"])
      throw .unauthenticated(Self.certificateRevokedText)
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
