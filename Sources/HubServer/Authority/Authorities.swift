// The roots of a hub that is being served. Another process may rotate them meanwhile: they are read again when roots.json has changed.

internal import Platform
internal import Synchronization
internal import X509

final class Authorities: Sendable {
  private struct Current: Sendable {
    var roots: Roots
    var stamp: FileStamp?
  }

  private let directory: HubDirectory
  private let clock: HubClock
  private let state: Mutex<Current>

  init(_ directory: HubDirectory, clock: HubClock) {
    self.directory = directory
    self.clock = clock
    // Nil: the first look reads them again, for they may have changed since the directory was opened.
    state = Mutex(Current(roots: directory.roots.with(clock: clock), stamp: nil))
  }

  var current: Roots { state.withLock { $0.roots } }

  /// Reads the roots again if they changed.
  ///
  /// - Returns: whether they are others now.
  /// - Throws: `HubError`; the roots are then as before.
  func reload() throws -> Bool {
    let stamp = Files.stamp(directory.file(Roots.fileName))
    guard stamp != state.withLock({ $0.stamp }) else { return false }
    guard let roots = try Roots.load(from: directory.path) else { return false }
    return state.withLock { state in
      let isOther = roots.trusted.map(\.rootDER) != state.roots.trusted.map(\.rootDER)
      state = Current(roots: roots.with(clock: clock), stamp: stamp)
      return isOther
    }
  }

  /// A client certificate of one of the roots, looked at by itself.
  struct CheckedClient {
    let serial: String
    /// Milliseconds since 1970 UTC.
    let notAfter: Int64
    /// Whether its root is on its way out.
    let isOfRetiringRoot: Bool
  }

  func checkClient(_ certificate: Certificate) throws(CertificateAuthority.ClientFault) -> CheckedClient {
    let roots = current
    guard let root = roots.trusted.first(where: { $0.issued(certificate) }) else { throw .notOurs }
    return CheckedClient(
      serial: try root.checkClient(certificate), notAfter: certificate.notValidAfter.milliseconds,
      isOfRetiringRoot: root.rootDER != roots.issuing.rootDER)
  }
}
