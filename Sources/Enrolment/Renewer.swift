// Renewal, step by step. The identity in use stays what it is until the hub has accepted the new certificate; `IdentityStore` says what a
// crash between two steps leaves behind.
//
//   1 pending    renewal.json names a key that is to be
//   2 key        the new P-256 key is made and kept
//   3 asked      the hub has answered, to the certificate in use
//   4 stored     renewal.json holds the new certificate, too
//   5 used       the hub has accepted the new certificate: the one in use ends 15 minutes later
//   6 adopted    identity.json names the new certificate: the next connection shows it
//   7 settled    renewal.json and the old key are gone            (after `InstallEnrolled` with the new certificate is in the journal)
//
// | a crash after | is found as                                  | and goes on                                                          |
// |---------------|----------------------------------------------|----------------------------------------------------------------------|
// | pending       | renewal.json of a key that is not there      | it is dropped, a new renewal begins                                  |
// | key           | renewal.json without a certificate           | the hub is asked for one of the same key                             |
// | asked         | the same                                     | the same: the certificate that nobody has is never used              |
// | stored        | renewal.json with a certificate              | the hub is shown it                                                  |
// | used          | the same                                     | the same: the hub accepts it again                                   |
// | adopted       | renewal.json of the key that identity.json names | it is journalled, perhaps a second time, and settled             |
// | settled       | nothing                                      |                                                                      |
//
// A renewal.json that is of another install, of a certificate that is no longer the one in use, or that cannot be read is dropped: nothing
// depends on it.

package import OpenSSL

/// What the hub answers to a request for a new certificate.
package struct RenewalAnswer: Sendable {
  /// DER, the install's own first.
  package var chain: [[UInt8]]
  package var roots: [[UInt8]]

  package init(chain: [[UInt8]], roots: [[UInt8]]) {
    self.chain = chain
    self.roots = roots
  }
}

/// What an install is to its hub.
package struct Standing: Sendable, Equatable {
  /// Milliseconds since 1970 UTC by the hub's clock.
  package var hubTime: Int64
  /// DER.
  package var roots: [[UInt8]]
  /// Why the certificate should be renewed now, whatever its age.
  package var advice: String?
  /// When to ask again, as the hub likes it.
  package var nextIn: Duration?

  package init(hubTime: Int64, roots: [[UInt8]], advice: String?, nextIn: Duration?) {
    self.hubTime = hubTime
    self.roots = roots
    self.advice = advice
    self.nextIn = nextIn
  }
}

/// The hub's csr service, as an install sees it.
package protocol RenewalHub: Sendable {
  func renew(as identity: InstallIdentity, _ request: CertificateRequest) async throws(RenewalError) -> RenewalAnswer
  func standing(of identity: InstallIdentity) async throws(RenewalError) -> Standing
}

/// Renews the certificate of an install.
package struct Renewer<Hub: RenewalHub>: Sendable {
  /// The steps after which a crash is survived; `settled` is the caller's.
  package enum Step: CaseIterable, Sendable {
    case pending, key, asked, stored, used, adopted
  }

  private let store: IdentityStore
  private let hub: Hub
  private let reached: @Sendable (Step) throws -> Void

  /// - Parameter reached: told of each step as it is done; what it throws ends the renewal there, as a crash would.
  package init(store: IdentityStore, hub: Hub, reached: @escaping @Sendable (Step) throws -> Void = { _ in }) {
    self.store = store
    self.hub = hub
    self.reached = reached
  }

  /// Renews, or goes on with a renewal that was interrupted.
  /// - Parameter now: seconds since 1970 UTC.
  /// - Returns: the new identity, in use from now on and not yet journalled: the caller appends that and calls `IdentityStore.settleRenewal`;
  ///   and what the hub says of it, unless it was in use before.
  /// - Throws: `RenewalError`, `EnrolmentError`; the identity in use is then untouched, and another attempt may follow.
  package func renew(now: Int64) async throws -> (identity: InstallIdentity, standing: Standing?) {
    guard let identity = try store.identity() else { throw RenewalError.notEnrolled }
    if try store.hasUnsettledRenewal() { return (identity, nil) }
    let renewal = try store.renewal(of: identity, now: now) ?? begun(identity, now)
    var candidate: InstallIdentity
    if let kept = renewal.candidate { candidate = kept } else { candidate = try await asked(identity, renewal) }
    let standing: Standing
    do throws(RenewalError) { standing = try await hub.standing(of: candidate) } catch {
      // The hub knows nothing of it, or no more; the identity in use may be as good as ever.
      if case .refused = error { try store.dropRenewal() }
      throw error
    }
    try reached(.used)
    candidate = Self.trusting(candidate, standing.roots)
    try store.adopt(candidate, renewal)
    try reached(.adopted)
    return (candidate, standing)
  }

  private func begun(_ identity: InstallIdentity, _ now: Int64) throws -> PendingRenewal {
    let file = try store.beginRenewal(of: identity)
    try reached(.pending)
    try store.makeRenewalKey(file)
    try reached(.key)
    // Read again as after a crash: what is used is what is kept.
    guard let renewal = try store.renewal(of: identity, now: now) else {
      throw EnrolmentError.identityUnreadable(path: store.directory, reason: "a renewal that was just begun is gone")
    }
    return renewal
  }

  private func asked(_ identity: InstallIdentity, _ renewal: PendingRenewal) async throws -> InstallIdentity {
    let request: CertificateRequest
    do { request = try CertificateRequest(key: renewal.key, commonName: "ptagent") } catch {
      throw EnrolmentError.cryptography(error.description)
    }
    let answer = try await hub.renew(as: identity, request)
    try reached(.asked)
    let candidate = try Self.checked(answer, identity, renewal.key)
    try store.keep(candidate, of: renewal)
    try reached(.stored)
    return candidate
  }

  /// What the hub says last of its roots counts, and not what it said when it was asked for the certificate.
  @inline(never)
  private static func trusting(_ candidate: InstallIdentity, _ roots: [[UInt8]]) -> InstallIdentity {
    guard let told = try? certificates(roots), !told.isEmpty else { return candidate }
    var trusting = candidate
    trusting.roots = told
    return trusting
  }

  /// An answer is believed only as far as it fits together.
  private static func checked(
    _ answer: RenewalAnswer, _ identity: InstallIdentity, _ key: P256PrivateKey
  ) throws(RenewalError) -> InstallIdentity {
    var renewed = identity
    renewed.chain = try certificates(answer.chain)
    renewed.roots = try certificates(answer.roots)
    guard let own = renewed.chain.first else { throw .unusableAnswer("it holds no certificate") }
    guard !renewed.roots.isEmpty else { throw .unusableAnswer("it names no root to trust") }
    guard own.matches(key) else { throw .unusableAnswer("its certificate belongs to another key") }
    guard own.subjectCommonName == identity.installID else {
      throw .unusableAnswer("its certificate is for '\(own.subject)', not for this install")
    }
    renewed.key = key
    return renewed
  }

  private static func certificates(_ ders: [[UInt8]]) throws(RenewalError) -> [Certificate] {
    var certificates: [Certificate] = []
    for der in ders {
      do { certificates.append(try Certificate(der: der)) } catch {
        throw .unusableAnswer("one of its certificates cannot be read")
      }
    }
    return certificates
  }
}
