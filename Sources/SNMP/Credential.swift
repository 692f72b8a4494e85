// What a device is asked with: a community (SNMPv1, SNMPv2c) or a user of the User-based Security Model (SNMPv3).
//
// Secrets never reach a description, a debugger's dump or a log: every type here that holds one describes itself without
// it and shows no children to reflection.

/// How to speak to a device.
package enum Credential: Hashable, Sendable {
  case community(version: CommunityVersion, community: [UInt8])
  case user(USMUser)

  /// The version spoken with it.
  package var version: SNMPVersion {
    switch self {
    case .community(.v1, _): .v1
    case .community(.v2c, _): .v2c
    case .user: .v3
    }
  }
}

extension Credential {
  /// The community in SNMPv1, for devices that are silent to SNMPv2c; nil where there is nothing older to try.
  package var inSNMPv1: Credential? {
    guard case .community(.v2c, let community) = self else { return nil }
    return .community(version: .v1, community: community)
  }

  /// The same access to another context: SNMPv3 names it (RFC 3411, section 3.3.1); of a community it is the part after `@`, by a convention of
  /// agents older than that. Nil where a context is chosen already, or the name is too long.
  package func inContext(_ name: String) -> Credential? {
    switch self {
    case .community(let version, let community):
      guard !community.contains(UInt8(ascii: "@")) else { return nil }
      return .community(version: version, community: community + Array("@\(name)".utf8))
    case .user(let user):
      guard user.contextName.isEmpty else { return nil }
      do throws(CredentialError) {
        return .user(
          try USMUser(
            name: user.name, authentication: user.authentication, privacy: user.privacy, contextName: name))
      } catch {
        return nil
      }
    }
  }

  /// Asks whether a device speaks SNMPv3 at all: whatever the user, its engine answers the discovery (RFC 3414, section 4). The name is that of
  /// RFC 3415, appendix A.1.
  package static let engineDiscovery: Credential? = (try? USMUser(name: "initial")).map { .user($0) }
}

/// Why a user cannot be used.
package enum CredentialError: Error, Hashable, Sendable, CustomStringConvertible {
  /// RFC 3414, section 5: usmUserName is an SnmpAdminString of 1 to 32 bytes.
  case nameLength(Int)
  /// RFC 3411, section 3.3.1: the context name has at most 32 bytes.
  case contextNameLength(Int)
  case passwordTooShort
  case privacyWithoutAuthentication

  package var description: String {
    switch self {
    case .nameLength(let count): "An SNMPv3 user name has 1 to 32 bytes; this one has \(count)."
    case .contextNameLength(let count): "An SNMPv3 context name has at most 32 bytes; this one has \(count)."
    case .passwordTooShort: "An SNMPv3 password has at least \(USMUser.passwordByteCountMin) bytes."
    case .privacyWithoutAuthentication: "An SNMPv3 user with a privacy password also needs an authentication password."
    }
  }
}

/// A user of the User-based Security Model with its passwords.
package struct USMUser: Hashable, Sendable {
  /// RFC 3414, section 11.2: shorter passwords are refused, since 2^20 bytes made from them are guessed too fast.
  package static let passwordByteCountMin = 8
  /// RFC 3411: an SnmpAdminString used as a name has at most 32 bytes.
  package static let nameByteCountMax = 32

  package struct Authentication: Hashable, Sendable {
    package let algorithm: AuthenticationAlgorithm
    package let password: [UInt8]

    package init(_ algorithm: AuthenticationAlgorithm, password: [UInt8]) {
      self.algorithm = algorithm
      self.password = password
    }
  }

  package struct Privacy: Hashable, Sendable {
    package let algorithm: PrivacyAlgorithm
    package let password: [UInt8]

    package init(_ algorithm: PrivacyAlgorithm, password: [UInt8]) {
      self.algorithm = algorithm
      self.password = password
    }
  }

  package let name: String
  package let authentication: Authentication?
  package let privacy: Privacy?
  /// Empty for the default context; HP's print servers want `Jetdirect`.
  package let contextName: String

  package init(
    name: String, authentication: Authentication? = nil, privacy: Privacy? = nil, contextName: String = ""
  ) throws(CredentialError) {
    guard (1...Self.nameByteCountMax).contains(name.utf8.count) else { throw .nameLength(name.utf8.count) }
    guard contextName.utf8.count <= Self.nameByteCountMax else { throw .contextNameLength(contextName.utf8.count) }
    let passwords = [authentication?.password, privacy?.password].compactMap { $0 }
    guard passwords.allSatisfy({ $0.count >= Self.passwordByteCountMin }) else { throw .passwordTooShort }
    guard privacy == nil || authentication != nil else { throw .privacyWithoutAuthentication }
    self.name = name
    self.authentication = authentication
    self.privacy = privacy
    self.contextName = contextName
  }

  /// The flags of the security level this user is spoken to at.
  package var level: V3Message.Flags {
    guard authentication != nil else { return [] }
    return privacy == nil ? .authenticated : [.authenticated, .encrypted]
  }

  /// The level in the words of RFC 3411, which devices' own pages use.
  package var levelName: String {
    guard authentication != nil else { return "noAuthNoPriv" }
    return privacy == nil ? "authNoPriv" : "authPriv"
  }
}

/// The HMACs of RFC 3414 and RFC 7860.
package enum AuthenticationAlgorithm: String, CaseIterable, Hashable, Sendable {
  case md5, sha1, sha224, sha256, sha384, sha512

  /// The bytes of the HMAC that are sent: `msgAuthenticationParameters`.
  package var digestByteCount: Int {
    switch self {
    case .md5, .sha1: 12
    case .sha224: 16
    case .sha256: 24
    case .sha384: 32
    case .sha512: 48
    }
  }
}

/// The ciphers of RFC 3414 and RFC 3826, and AES with longer keys, for which two ways to lengthen the key are in use.
package enum PrivacyAlgorithm: String, CaseIterable, Hashable, Sendable {
  case des, aes128
  /// Key lengthened as in draft-blumenthal-aes-usm-04.
  case aes192, aes256
  /// Key lengthened as in draft-reeder-snmpv3-usm-3desede-00; Cisco's choice and that of many printers.
  case aes192Reeder = "aes192-reeder"
  case aes256Reeder = "aes256-reeder"
}

// MARK: - Descriptions without secrets

extension Credential: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String {
    switch self {
    case .community(let version, _): "SNMP\(version) community (redacted)"
    case .user(let user): user.description
    }
  }

  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

extension USMUser: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String {
    let authentication = authentication?.algorithm.rawValue ?? "no authentication"
    let privacy = privacy?.algorithm.rawValue ?? "no privacy"
    let context = contextName.isEmpty ? "" : ", context \(contextName)"
    return "SNMPv3 user \(name) (\(authentication), \(privacy)\(context))"
  }

  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

extension USMUser.Authentication: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "\(algorithm.rawValue) (password redacted)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: []) }
}

extension USMUser.Privacy: CustomStringConvertible, CustomDebugStringConvertible, CustomReflectable {
  package var description: String { "\(algorithm.rawValue) (password redacted)" }
  package var debugDescription: String { description }
  package var customMirror: Mirror { Mirror(self, children: []) }
}
