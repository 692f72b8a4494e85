// [credentials.NAME]: what devices are asked with. Secrets stand in the file itself or, better, in files of their own (`*_file`), whose last
// line break is not part of the secret.

internal import Platform
internal import SNMP

/// All credentials by name, as far as they are right.
struct CredentialSection {
  /// RFC 3584 has no limit for communities; devices cut them at 32 to 255 bytes.
  static let communityBytesMax = 255

  private(set) var byName: [String: NamedCredential] = [:]
  /// Every name that has a table, right or wrong.
  let names: [String]
  /// Whether every name is taken to have one: where nobody knows a site's credentials.
  private let takesAnyName: Bool

  /// For a reader who cannot know which there are.
  static let any = CredentialSection(takesAnyName: true, byName: [:])

  private init(takesAnyName: Bool, byName: [String: NamedCredential]) {
    self.byName = byName
    names = byName.keys.sorted()
    self.takesAnyName = takesAnyName
  }

  /// Those that were read before.
  init(byName: [String: NamedCredential]) { self.init(takesAnyName: false, byName: byName) }

  func named(_ name: String) -> NamedCredential? {
    if let credential = byName[name] { return credential }
    guard takesAnyName else { return nil }
    return NamedCredential(name: name, credential: NamedCredential.publicCommunity.credential)
  }

  init(_ table: TableReader, directory: String) {
    names = table.names
    takesAnyName = false
    for name in names {
      if name.isEmpty { table.note("\"\"", expected: "a name for the credential, such as [credentials.office]") }
      let section = CredentialTable(table.table(name), directory: directory)
      if let credential = section.credential() { byName[name] = NamedCredential(name: name, credential: credential) }
    }
    table.finish()
    // Ranges may name it without a table of its own.
    if !names.contains("public") { byName["public"] = .publicCommunity }
  }
}

/// One [credentials.NAME] table.
private struct CredentialTable {
  enum Kind: String, CaseIterable {
    case v1, v2c, v3
  }

  static let authenticationForm = AuthenticationAlgorithm.allCases.map { ($0.rawValue, $0) }
  static let privacyForm = PrivacyAlgorithm.allCases.map { ($0.rawValue, $0) }

  let table: TableReader
  let directory: String

  init(_ table: TableReader, directory: String) {
    self.table = table
    self.directory = directory
  }

  /// Nil when something is wrong; that has then been noted.
  func credential() -> Credential? {
    defer { table.finish() }
    guard table.has("kind") else {
      knowEverything()
      table.note("kind", expected: "one of \"v1\", \"v2c\", \"v3\"")
      return nil
    }
    guard let kind = table.choice("kind", Kind.allCases.map { ($0.rawValue, $0) }) else {
      knowEverything()
      return nil
    }
    switch kind {
    case .v1: return community(.v1)
    case .v2c: return community(.v2c)
    case .v3: return user()
    }
  }

  /// Without a kind nobody can say which of the other keys are wrong.
  private func knowEverything() {
    let names = ["community", "community_file", "user", "context", "auth", "auth_password", "auth_password_file"]
    for name in names + ["priv", "priv_password", "priv_password_file"] { table.know(name) }
  }

  private func community(_ version: CommunityVersion) -> Credential? {
    guard let community = secret("community", isRequired: true) else { return nil }
    guard (1...CredentialSection.communityBytesMax).contains(community.count) else {
      table.note(
        "community", found: "\(community.count) bytes", expected: "1 to \(CredentialSection.communityBytesMax) bytes")
      return nil
    }
    return .community(version: version, community: community)
  }

  private func user() -> Credential? {
    let name = table.required("user", expected: "an SNMPv3 user name of 1 to \(USMUser.nameByteCountMax) bytes") {
      node in
      if case .string(let text) = node, (1...USMUser.nameByteCountMax).contains(text.utf8.count) { text } else { nil }
    }
    let context = table.parsed("context", expected: "a context name of at most \(USMUser.nameByteCountMax) bytes") {
      $0.utf8.count <= USMUser.nameByteCountMax ? $0 : nil
    }
    let authentication = table.choice("auth", Self.authenticationForm)
    let privacy = table.choice("priv", Self.privacyForm)
    let authenticationPassword = password("auth", isNeeded: table.has("auth"))
    let privacyPassword = password("priv", isNeeded: table.has("priv"))
    if table.has("priv"), !table.has("auth") {
      table.note("auth", expected: "an authentication algorithm, because \"priv\" needs one (RFC 3414)")
    }
    let isComplete = (authentication != nil) == table.has("auth") && (privacy != nil) == table.has("priv")
    guard let name, isComplete, (authentication == nil) == (authenticationPassword == nil),
      (privacy == nil) == (privacyPassword == nil), privacy == nil || authentication != nil
    else { return nil }
    do {
      return .user(
        try USMUser(
          name: name,
          authentication: authentication.flatMap { algorithm in
            authenticationPassword.map { USMUser.Authentication(algorithm, password: $0) }
          },
          privacy: privacy.flatMap { algorithm in
            privacyPassword.map { USMUser.Privacy(algorithm, password: $0) }
          }, contextName: context ?? ""))
    } catch {
      table.note("user", expected: "a usable SNMPv3 user: \(error)")
      return nil
    }
  }

  private func password(_ kind: String, isNeeded: Bool) -> [UInt8]? {
    let name = kind + "_password"
    guard let password = secret(name, isRequired: isNeeded) else { return nil }
    guard isNeeded else {
      table.note(name, found: "a password without \"\(kind)\"", expected: "also \"\(kind)\", the algorithm")
      return nil
    }
    guard password.count >= USMUser.passwordByteCountMin else {
      table.note(
        name, found: "\(password.count) bytes",
        expected: "at least \(USMUser.passwordByteCountMin) bytes (RFC 3414, section 11.2)")
      return nil
    }
    return password
  }

  private func secret(_ name: String, isRequired: Bool) -> [UInt8]? {
    table.secret(name, isRequired: isRequired, directory: directory)
  }
}

extension TableReader {
  /// A secret, from the key or from the file that `<key>_file` names. What it is never gets into a problem's text.
  func secret(_ name: String, isRequired: Bool, directory: String) -> [UInt8]? {
    let file = text(name + "_file", expected: "the name of a file that holds the secret")
    if has(name), has(name + "_file") {
      know(name)
      note(name + "_file", expected: "either \(name) or \(name)_file, not both")
      return nil
    }
    if let file {
      guard let path = Self.path(of: file, in: directory) else {
        note(name + "_file", expected: "credential: and a name of letters, digits, '-', '_' and '.'")
        return nil
      }
      do {
        return Self.withoutLineBreak(try Files.read(path))
      } catch {
        note(name + "_file", found: "\"\(file)\" (\(error.reason))", expected: "a readable file")
        return nil
      }
    }
    guard has(name) else {
      know(name)
      if isRequired { note(name, expected: "\(name) or \(name)_file") }
      return nil
    }
    let text = value(name, expected: "a text") { node in
      if case .string(let text) = node { Array(text.utf8) } else { nil }
    }
    return text
  }

  /// Of a file, or of a secret that the service manager hands over; nil for a name that no such secret can have.
  private static func path(of file: String, in directory: String) -> String? {
    guard file.hasPrefix(ServiceCredentials.prefix) else { return Files.resolve(file, in: directory) }
    return ServiceCredentials.path(
      of: file.dropFirst(ServiceCredentials.prefix.count), configurationDirectory: directory)
  }

  private static func withoutLineBreak(_ bytes: [UInt8]) -> [UInt8] {
    var bytes = bytes
    if bytes.last == 0x0a { bytes.removeLast() }
    if bytes.last == 0x0d { bytes.removeLast() }
    return bytes
  }
}
