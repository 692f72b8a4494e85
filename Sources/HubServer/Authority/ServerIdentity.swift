// The certificate that the hub shows, and its renewal.
//
// It is made at start if it is missing, damaged, of another root, without one of the names, or in the last third of its
// life; while the hub runs it is looked at every hour. A new one is used from the next handshake on; connections that
// exist keep what they have. Nothing else depends on it: agents trust the root. Behind it stands what leads to each root that an agent may
// know the hub by (`Roots.servingChain`); when the roots change, it is made anew at once.
//
// TLS, for all three ports alike: 1.2 or later, ALPN h2 (and http/1.1 for hc), a client certificate *requested* but not
// demanded. Who must have one is decided per call (`PeerCheck`), because a gRPC status or a JSON sentence tells an
// operator more than a TLS alert, because one that expired a minute ago must get a reason, and because load balancers
// ask `/healthz` without one. The handshake proves that the peer holds the key of the certificate it shows; nothing
// more is concluded from it.

internal import Crypto
internal import Logging
internal import NIOCore
internal import NIOSSL
internal import ServiceLifecycle
internal import SwiftASN1
internal import Synchronization
internal import X509

final class ServerIdentity: Service {
  private struct Current: Sendable {
    var certificate: Certificate
    var chain: [NIOSSLCertificate]
    /// Of which clients' certificates may be: what the hub asks for by name.
    var trusted: [NIOSSLCertificate]
    var key: NIOSSLPrivateKey
  }

  private let directory: HubDirectory
  private let authorities: Authorities
  private let names: [ServerName]
  private let clock: HubClock
  private let logger: Logger
  private let current: Mutex<Current>

  /// - Parameter extraNames: addresses that the hub listens on, besides the names of the directory.
  convenience init(directory: HubDirectory, extraNames: [ServerName], clock: HubClock, logger: Logger) throws {
    try self.init(
      directory: directory, authorities: Authorities(directory, clock: clock), extraNames: extraNames, clock: clock,
      logger: logger)
  }

  init(
    directory: HubDirectory, authorities: Authorities, extraNames: [ServerName], clock: HubClock, logger: Logger
  ) throws {
    self.directory = directory
    self.clock = clock
    self.logger = logger
    self.authorities = authorities
    let roots = authorities.current
    var names: [ServerName] = []
    let allNames = try directory.names.map { name in try ServerName(name) } + ServerName.loopback + extraNames
    for name in allNames where !names.contains(name) {
      names.append(name)
    }
    self.names = names
    if let stored = try Self.stored(in: directory, roots: roots),
      Self.isGood(stored.certificate, authority: roots.serving, names: names, now: clock.now)
    {
      current = Mutex(stored)
    } else {
      current = Mutex(try Self.make(directory: directory, roots: roots, names: names))
    }
  }

  /// Looks every hour whether the certificate is due, until the hub shuts down.
  func run() async throws {
    await cancelWhenGracefulShutdown {
      while !Task.isCancelled {
        do { try await Task.sleep(for: HubLimits.serverRenewalCheckInterval) } catch { return }
        self.renewIfDue()
      }
    }
  }

  /// Replaces the certificate if it is in the last third of its life. A failure is logged and tried again at the next
  /// look.
  func renewIfDue() {
    let certificate = current.withLock { $0.certificate }
    let roots = authorities.current
    guard !Self.isGood(certificate, authority: roots.serving, names: names, now: clock.now) else { return }
    do {
      let made = try Self.make(directory: directory, roots: roots, names: names)
      current.withLock { $0 = made }
      logger.info("server certificate renewed", metadata: ["not_after": "\(timeText(milliseconds: notAfter))"])
    } catch {
      logger.error("server certificate not renewed", metadata: ["error": "\(error)"])
    }
  }

  /// Shows what the roots of now ask for: a certificate of the one that serves, and what stands behind it. A failure is logged and tried
  /// again at the next look.
  func rootsChanged() {
    renewIfDue()
    do {
      if let stored = try Self.stored(in: directory, roots: authorities.current) { current.withLock { $0 = stored } }
    } catch {
      logger.error("server certificate not read", metadata: ["error": "\(error)"])
    }
  }

  /// When the certificate in use ends, milliseconds since 1970 UTC.
  var notAfter: Int64 { current.withLock { $0.certificate.notValidAfter.milliseconds } }

  /// - Parameter protocols: what ALPN offers, best first.
  func tlsConfiguration(protocols: [String]) -> TLSConfiguration {
    let current = current.withLock { $0 }
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: current.chain.map { .certificate($0) }, privateKey: .privateKey(current.key))
    configuration.minimumTLSVersion = .tlsv12
    configuration.applicationProtocols = protocols
    configuration.certificateVerification = .optionalVerification
    configuration.trustRoots = .certificates(current.trusted)
    configuration.sendCANameList = true
    configuration.sslContextCallback = { [weak self] _, promise in
      guard let newest = self?.current.withLock({ $0 }) else { return promise.succeed(.noChanges) }
      var override = NIOSSLContextConfigurationOverride()
      override.certificateChain = newest.chain.map { .certificate($0) }
      override.privateKey = .privateKey(newest.key)
      promise.succeed(override)
    }
    return configuration
  }

  /// For browsers: nobody is asked for a certificate, with which they would ask the person in front of them.
  func browserConfiguration() -> TLSConfiguration {
    var configuration = tlsConfiguration(protocols: ["http/1.1"])
    configuration.certificateVerification = .none
    configuration.trustRoots = nil
    configuration.sendCANameList = false
    return configuration
  }

  /// For the way to another hub, to which this one shows its server's certificate. Whose the other's is, the caller looks.
  func relayConfiguration() -> TLSConfiguration {
    let current = current.withLock { $0 }
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv12
    configuration.certificateChain = current.chain.map { .certificate($0) }
    configuration.privateKey = .privateKey(current.key)
    configuration.trustRoots = .certificates(current.trusted)
    configuration.certificateVerification = .noHostnameVerification
    return configuration
  }

  // MARK: Making and judging

  private static func stored(in directory: HubDirectory, roots: Roots) throws -> Current? {
    guard let keyPEM = try SecretFile.read(directory.file("server.key"), secret: true),
      let pem = try SecretFile.read(directory.file("server.pem"), secret: false),
      let certificate = try? Certificate(pemEncoded: String(decoding: pem, as: UTF8.self)),
      let key = try? P256.Signing.PrivateKey(pemRepresentation: String(decoding: keyPEM, as: UTF8.self)),
      certificate.publicKey == Certificate.PublicKey(key.publicKey)
    else { return nil }
    return try assemble(certificate, key, roots)
  }

  private static func make(directory: HubDirectory, roots: Roots, names: [ServerName]) throws -> Current {
    let key = P256.Signing.PrivateKey()
    let issued = try roots.serving.issueServer(publicKey: Certificate.PublicKey(key.publicKey), names: names)
    let certificate = try Certificate(derEncoded: issued.der)
    // The key first: after a crash in between, the two do not belong together and are made anew.
    try SecretFile.write(Array(key.pemRepresentation.utf8), to: directory.file("server.key"))
    try SecretFile.write(Array(try certificate.serializeAsPEM().pemString.utf8), to: directory.file("server.pem"))
    return try assemble(certificate, key, roots)
  }

  /// The chain includes the root, so that an agent that knows only the root's pin can find it.
  private static func assemble(
    _ certificate: Certificate, _ key: P256.Signing.PrivateKey, _ roots: Roots
  ) throws -> Current {
    Current(
      certificate: certificate,
      chain: try ([derBytes(certificate)] + roots.servingChain).map {
        try NIOSSLCertificate(bytes: $0, format: .der)
      }, trusted: try roots.trusted.map { try NIOSSLCertificate(bytes: $0.rootDER, format: .der) },
      key: try NIOSSLPrivateKey(bytes: Array(key.pemRepresentation.utf8), format: .pem))
  }

  /// Whether the certificate is of this root, bears every name, and has more than a third of its life before it.
  static func isGood(_ certificate: Certificate, authority: CertificateAuthority, names: [ServerName], now: Int64)
    -> Bool
  {
    guard authority.issued(certificate),
      let alternatives = try? certificate.extensions.subjectAlternativeNames,
      names.allSatisfy({ alternatives.contains($0.generalName) })
    else { return false }
    let life = certificate.notValidAfter.milliseconds - certificate.notValidBefore.milliseconds
    return certificate.notValidBefore.milliseconds <= now && now < certificate.notValidAfter.milliseconds - life / 3
  }
}
