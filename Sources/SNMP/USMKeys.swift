// The keys of one user at one engine, and where they are kept once derived: a password costs milliseconds to turn into a
// key, and a fleet shares few passwords.

internal import OpenSSL
internal import Synchronization

/// The localized keys of one user at one engine. A level the user lacks has no key.
package struct USMKeys: Sendable {
  struct Authentication: Sendable {
    let algorithm: AuthenticationAlgorithm
    let hmac: HMAC
  }

  struct Privacy: Sendable {
    let algorithm: PrivacyAlgorithm
    /// `algorithm.keyMaterialByteCount` bytes.
    let key: [UInt8]
  }

  let authentication: Authentication?
  let privacy: Privacy?

  /// Keys of a user without passwords.
  package static let none = USMKeys(authentication: nil, privacy: nil)
}

extension USMKeys: CustomStringConvertible, CustomReflectable {
  package var description: String { "USM keys (redacted)" }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

/// The keys derived so far, shared by all sessions. Safe to use from any thread; derivation happens outside of its lock.
package final class USMKeyCache: Sendable {
  /// Keys of this many (user, engine) pairs: twice the devices one agent is made for. Beyond it the cache starts anew,
  /// which costs microseconds per device because the master keys stay.
  package static let localizedMax = 16_384
  /// Passwords in use; a configuration has a handful. Bounded since credentials can be changed for ever.
  package static let masterMax = 1_024

  private struct MasterName: Hashable {
    let algorithm: AuthenticationAlgorithm
    let password: [UInt8]
  }

  private struct LocalizedName: Hashable {
    let authentication: USMUser.Authentication
    let privacy: USMUser.Privacy?
    let engineID: [UInt8]
  }

  private struct Contents {
    var masters: [MasterName: [UInt8]] = [:]
    var localized: [LocalizedName: USMKeys] = [:]
  }

  private let contents = Mutex(Contents())

  package init() {}

  /// The keys of `user` at the engine, derived now if they are not known yet.
  package func keys(for user: USMUser, engineID: [UInt8]) -> USMKeys {
    guard let authentication = user.authentication else { return .none }
    let name = LocalizedName(authentication: authentication, privacy: user.privacy, engineID: engineID)
    if let known = contents.withLock({ $0.localized[name] }) { return known }
    let keys = derive(authentication, user.privacy, engineID)
    contents.withLock { contents in
      if contents.localized.count >= Self.localizedMax { contents.localized.removeAll() }
      contents.localized[name] = keys
    }
    return keys
  }

  private func derive(
    _ authentication: USMUser.Authentication, _ privacy: USMUser.Privacy?, _ engineID: [UInt8]
  ) -> USMKeys {
    let algorithm = authentication.algorithm
    let key = localizedKey(authentication.password, engineID, algorithm)
    let privacyKey = privacy.map { privacy in
      USMKeys.Privacy(
        algorithm: privacy.algorithm,
        key: KeyDerivation.privacyKey(
          localizedKey: localizedKey(privacy.password, engineID, algorithm), engineID: engineID, algorithm,
          privacy.algorithm))
    }
    return USMKeys(
      authentication: USMKeys.Authentication(algorithm: algorithm, hmac: HMAC(algorithm.hash, key: key)),
      privacy: privacyKey)
  }

  private func localizedKey(
    _ password: [UInt8], _ engineID: [UInt8], _ algorithm: AuthenticationAlgorithm
  ) -> [UInt8] {
    KeyDerivation.localizedKey(masterKey: masterKey(password, algorithm), engineID: engineID, algorithm)
  }

  private func masterKey(_ password: [UInt8], _ algorithm: AuthenticationAlgorithm) -> [UInt8] {
    let name = MasterName(algorithm: algorithm, password: password)
    if let known = contents.withLock({ $0.masters[name] }) { return known }
    let key = KeyDerivation.masterKey(password: password, algorithm)
    contents.withLock { contents in
      if contents.masters.count >= Self.masterMax { contents.masters.removeAll() }
      contents.masters[name] = key
    }
    return key
  }
}
