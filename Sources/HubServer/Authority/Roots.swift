// The root or roots of a hub, and how it goes over from one to the next.
//
//     steady                 rotate                        retire
//     A serves and issues -> A serves, B issues, both -> B serves and issues
//                            are trusted
//
// While there are two:
//   - the hub shows a certificate of A, which every agent trusts, and behind it a certificate with which B vouches for A: who knows the hub by
//     the pin of A finds A, who knows it by the pin of B finds B;
//   - what agents are issued is of B, and they are told to trust both;
//   - an agent whose certificate is of A is advised to renew at its next `Standing`.
// Once all of them hold one of B, A can go: its key is destroyed, and what it issued is refused.
//
// On disk: roots.json says what counts, and is replaced in one step. Without it the root is `ca`.
//
//     {"issuing":"ca-2","rotatedAt":1767225600000,"serving":"ca"}
//
// | a crash leaves                                 | what counts       | the next `rotate` or `retire`              |
// |------------------------------------------------|-------------------|--------------------------------------------|
// | ca-N.key, perhaps ca-N.pem, not in roots.json  | the root as before | takes that key for the new root            |
// | roots.json with one root, an older key         | the new root      | removes the key; so does the next `serve`  |

internal import FoundationEssentials

package struct Roots: Sendable {
  /// Of the hub's own certificate.
  package let serving: CertificateAuthority
  /// Of the certificates that agents are issued.
  package let issuing: CertificateAuthority
  /// When the change to `issuing` began, milliseconds since 1970 UTC; nil where there is one root.
  package let rotatedAt: Int64?
  /// The certificate with which `issuing` vouches for `serving`, DER.
  let vouching: [UInt8]?

  fileprivate struct Stored: Codable, Equatable {
    var serving: String
    var issuing: String
    var rotatedAt: Int64?
  }

  init(_ root: CertificateAuthority) {
    (serving, issuing, rotatedAt, vouching) = (root, root, nil, nil)
  }

  private init(serving: CertificateAuthority, issuing: CertificateAuthority, rotatedAt: Int64?, vouching: [UInt8]?) {
    (self.serving, self.issuing, self.rotatedAt, self.vouching) = (serving, issuing, rotatedAt, vouching)
  }

  /// Those that certificates of installs may be of; the one that issues first.
  package var trusted: [CertificateAuthority] {
    issuing.rootDER == serving.rootDER ? [serving] : [issuing, serving]
  }

  /// Whether the hub goes over to another root.
  package var isRotating: Bool { trusted.count > 1 }

  func with(clock: HubClock) -> Roots {
    Roots(
      serving: serving.with(clock: clock), issuing: issuing.with(clock: clock), rotatedAt: rotatedAt, vouching: vouching
    )
  }

  /// What the hub sends behind its own certificate, DER: enough to find the root that an agent knows by its pin.
  var servingChain: [[UInt8]] { vouching.map { [$0, issuing.rootDER] } ?? [serving.rootDER] }

  // MARK: Files

  static let fileName = "roots.json"
  private static let firstName = "ca"

  /// The roots of `directory`; nil if the first was never made.
  ///
  /// - Throws: `HubError` 78 if they are damaged.
  static func load(from directory: String) throws -> Roots? {
    guard let stored = try stored(in: directory) else {
      return try CertificateAuthority.load(from: directory).map { Roots($0) }
    }
    guard let serving = try CertificateAuthority.load(from: directory, name: stored.serving),
      let issuing = try CertificateAuthority.load(from: directory, name: stored.issuing)
    else {
      throw HubError(
        .configuration,
        "\(directory) lacks a root that \(fileName) names. Restore the directory from its backup.")
    }
    return Roots(
      serving: serving, issuing: issuing, rotatedAt: stored.rotatedAt,
      vouching: stored.serving == stored.issuing ? nil : try issuing.vouch(for: serving))
  }

  private static func stored(in directory: String) throws -> Stored? {
    let path = "\(directory)/\(fileName)"
    guard let bytes = try SecretFile.read(path, secret: false) else { return nil }
    guard let stored = try? JSONDecoder().decode(Stored.self, from: Data(bytes)),
      [stored.serving, stored.issuing].allSatisfy({ number(of: $0) != nil })
    else {
      throw HubError(.configuration, "\(path) is damaged. Restore it from the backup of the directory.")
    }
    return stored
  }

  private static func write(_ stored: Stored, in directory: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    try SecretFile.write(Array(try encoder.encode(stored)), to: "\(directory)/\(fileName)")
  }

  /// `ca` is the first, `ca-2` the second.
  private static func name(_ number: Int) -> String { number == 1 ? firstName : "\(firstName)-\(number)" }

  private static func number(of name: String) -> Int? {
    if name == firstName { return 1 }
    guard name.hasPrefix("\(firstName)-"), let number = Int(name.dropFirst(firstName.count + 1)), number > 1 else {
      return nil
    }
    return number
  }

  // MARK: Changing

  /// Begins to go over to a new root.
  ///
  /// - Throws: `HubError` 64 if that has begun already.
  package static func rotate(_ directory: HubDirectory, clock: HubClock = .system) throws -> Roots {
    let path = directory.path
    let before = try stored(in: path) ?? Stored(serving: firstName, issuing: firstName)
    guard before.serving == before.issuing, let last = number(of: before.serving) else {
      throw HubError(
        .usage, "The hub goes over to another root already: see `pthub ca show`, and end it with `pthub ca retire`.")
    }
    let next = name(last + 1)
    if try CertificateAuthority.load(from: path, name: next) == nil {
      _ = try CertificateAuthority.create(in: path, name: next, clock: clock)
    }
    try directory.requireRoots()
    try write(Stored(serving: before.serving, issuing: next, rotatedAt: clock.now), in: path)
    return try reloaded(path)
  }

  /// Ends it: the root before is trusted no more, and its key is destroyed.
  ///
  /// - Throws: `HubError` 64 if there is no change to end.
  package static func retire(_ directory: HubDirectory) throws -> Roots {
    let path = directory.path
    guard let before = try stored(in: path), before.serving != before.issuing else {
      try removeRetiredKeys(directory)
      throw HubError(.usage, "There is one root only; begin to go over to another with `pthub ca rotate`.")
    }
    try write(Stored(serving: before.issuing, issuing: before.issuing), in: path)
    try removeRetiredKeys(directory)
    return try reloaded(path)
  }

  /// Removes the keys of roots before the one that serves. Their certificates stay.
  static func removeRetiredKeys(_ directory: HubDirectory) throws {
    guard let stored = try stored(in: directory.path), let serving = number(of: stored.serving) else { return }
    for number in 1..<max(serving, 1) { try SecretFile.remove("\(directory.path)/\(name(number)).key") }
  }

  private static func reloaded(_ path: String) throws -> Roots {
    guard let roots = try load(from: path) else {
      throw HubError(.configuration, "\(path) lacks its root. Restore the directory from its backup.")
    }
    return roots
  }
}
