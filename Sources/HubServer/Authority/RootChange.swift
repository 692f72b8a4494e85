// Who has yet to go over to the hub's new root.

internal import SwiftASN1
internal import X509

package enum RootChange {
  /// How many are named in a refusal: as many as fit a screen.
  private static let namedMax = 20

  /// The installs whose certificate, good still, is of the root that will be retired.
  package static func installsLeft(
    of roots: Roots, _ store: any RegistryStore, clock: HubClock = .system
  ) async throws -> [Install] {
    try await store.certificatesInUse().filter { _, der in
      guard let certificate = try? Certificate(derEncoded: der) else { return false }
      return roots.serving.issued(certificate)
        && clock.now <= certificate.notValidAfter.milliseconds + HubLimits.clockSkew.milliseconds
    }.map(\.install)
  }

  /// Why the root cannot be retired yet, and what to do.
  package static func refusal(_ left: [Install]) -> String {
    let names = left.prefix(namedMax).map { install in
      "  \(install.id)  \(install.machine.hostName)  seen \(install.seenAt.map { timeText(milliseconds: $0) } ?? "never")"
    }
    let more = left.count > namedMax ? ["  and \(left.count - namedMax) more"] : []
    return """
      Of \(left.count) installs the certificate is of the old root still. Wait for them to renew, or give them up with --force, and enrol them again with new codes:
      \((names + more).joined(separator: "\n"))
      """
  }
}
