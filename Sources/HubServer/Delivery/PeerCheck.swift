// Who is calling: from the certificate of the TLS handshake to the install.
//
//     no certificate, one of another authority, expired, superseded, revoked, unknown serial     UNAUTHENTICATED
//     the install was revoked, or replaced by another                                            PERMISSION_DENIED
//     the store cannot say                                                                       UNAVAILABLE

internal import GRPCCore
internal import Logging
internal import NIOCore
internal import NIOSSL
internal import SwiftASN1
internal import X509

/// The connection that a call came by.
struct RPCPeer: ServerContext.TransportSpecific {
  let channel: any Channel

  /// What the peer showed in the handshake, which proved that it has the key; nil for nothing that is a certificate.
  var certificate: Certificate? {
    get async {
      guard let shown = try? await channel.nioSSL_peerCertificate().get(), let der = try? shown.toDERBytes() else {
        return nil
      }
      return try? Certificate(derEncoded: der)
    }
  }
}

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
  var metrics = HubMetrics()
  /// Nil unless this hub's database was put back.
  var restoration: Restoration?

  /// The install that makes this call.
  ///
  /// - Throws: `RPCError` with the status of the table above.
  func install(_ context: ServerContext) async throws -> Install { try await peer(context).install }

  /// The install that makes this call, and with what.
  ///
  /// - Throws: `RPCError` with the status of the table above.
  func peer(_ context: ServerContext) async throws -> Peer {
    let certificate = await (context.transportSpecific as? RPCPeer)?.certificate
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

  func peer(_ certificate: Certificate?, address peer: String) async throws(Refusal) -> Peer {
    guard let certificate else {
      metrics.count(.callsRefused, "no_certificate")
      throw .unauthenticated("This call needs the install's client certificate. Enrol with a DataLink code first.")
    }
    let checked: Authorities.CheckedClient
    do throws(CertificateAuthority.ClientFault) {
      checked = try authorities.checkClient(certificate)
    } catch {
      logger.notice("client certificate refused", metadata: ["peer": "\(peer)", "reason": "\(error)"])
      switch error {
      case .notOurs, .notForClients:
        metrics.count(.callsRefused, "foreign_certificate")
        throw .unauthenticated(
          "The client certificate is not one that this hub issued to an install. Enrol at this hub.")
      case .notYetValid:
        metrics.count(.callsRefused, "not_yet_valid")
        throw .unauthenticated(
          "The client certificate is not valid yet by the hub's clock, which says \(timeText(milliseconds: clock.now)). Check the hub's clock."
        )
      case .expired(let end):
        metrics.count(.callsRefused, "expired")
        throw .unauthenticated(
          "The client certificate expired at \(timeText(milliseconds: end)), and the hub's clock says \(timeText(milliseconds: clock.now)). Enrol again with a new DataLink code."
        )
      }
    }
    let serial = checked.serial
    // The certificate is this hub's own, so what it is issued to is no mere claim.
    let refused: Logger.Metadata = [
      "install": "\(Self.commonName(certificate) ?? "unknown")", "peer": "\(peer)", "serial": "\(serial)",
    ]
    let standing: CertificateStanding
    do {
      let known = try await store.useCertificate(serial: serial, now: clock.now)
      let isAdopted = known == .unknown ? try await adopt(certificate, checked, refused) : false
      standing = isAdopted ? try await store.useCertificate(serial: serial, now: clock.now) : known
    } catch {
      metrics.count(.callsRefused, "store_unavailable")
      logger.error("certificate not looked up", metadata: refused.merging(["error": "\(error)"]) { $1 })
      throw .unavailable
    }
    switch standing {
    case .good(let install) where Self.commonName(certificate) == install.id:
      return Peer(
        install: install, serial: serial, notAfter: checked.notAfter, isOfRetiringRoot: checked.isOfRetiringRoot)
    case .good, .unknown:
      metrics.count(.callsRefused, "unknown_certificate")
      logger.warning("client certificate unknown", metadata: refused)
      throw .unauthenticated("This hub does not know the client certificate. Enrol again with a new DataLink code.")
    case .superseded:
      metrics.count(.callsRefused, "superseded")
      logger.notice("client certificate superseded", metadata: refused)
      throw .unauthenticated(
        "The client certificate was replaced by a newer one that was used already. Use that one, or enrol again.")
    case .certificateRevoked:
      metrics.count(.callsRefused, "certificate_revoked")
      logger.notice("revoked certificate refused", metadata: refused)
      throw .unauthenticated(Self.certificateRevokedText)
    case .revoked:
      metrics.count(.callsRefused, "install_revoked")
      logger.notice("revoked install refused", metadata: refused)
      throw .revoked
    }
  }

  /// Takes a certificate that the database was put back behind.
  private func adopt(
    _ certificate: Certificate, _ checked: Authorities.CheckedClient, _ place: Logger.Metadata
  ) async throws -> Bool {
    guard let restoration, restoration.covers(certificate), let install = Self.commonName(certificate) else {
      return false
    }
    let issued = IssuedCertificate(
      serial: checked.serial, der: try derBytes(certificate), notBefore: certificate.notValidBefore.milliseconds,
      notAfter: checked.notAfter)
    guard try await store.adopt(issued, ofInstall: install, now: clock.now) else { return false }
    logger.notice("certificate adopted that was issued after the backup", metadata: place)
    return true
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
