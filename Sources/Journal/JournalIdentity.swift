// Who a journal is: the files `identity` and `journal.key`.
//
// They lie outside data.mdb, because LMDB opens an empty file as a new empty database: with an identity present, that is
// seen as the loss it is. `identity` is written last when a journal is made, so that its presence says that data.mdb was
// complete once. docs/formats/journal.md has the table of what is found and what is decided.
//
//   identity      PrintTrail journal
//                 format: 2
//                 journal: <id, 32 hex digits>
//                 created: <nanoseconds since 1970 UTC>
//                 epoch: <the newest epoch>
//                 key: <public key, base64>
//   journal.key   PRIVATE+KEY+printtrail.journal/<id>+<key id>+<base64>         mode 0600

package import Evidence
package import OpenSSL

package struct JournalIdentity: Hashable, Sendable {
  static let idByteCount = 16
  private static let title = "PrintTrail journal"

  package internal(set) var format: UInt32
  /// The journal's id: 16 random bytes.
  package let id: [UInt8]
  /// Nanoseconds since 1970 UTC.
  package let created: Int64
  package let publicKey: Ed25519PublicKey
  /// The newest epoch when the file was written. If data.mdb is lost, its numbers must not be given a second time.
  var epoch: UInt32

  /// The id as 32 lower-case hexadecimal digits.
  package var hexID: String { hexadecimal(id) }

  /// The tree of one epoch.
  package func origin(epoch: UInt32) -> JournalOrigin { JournalOrigin(journal: hexID, epoch: epoch) }

  /// The key that one epoch's checkpoints are verified with.
  package func verifier(epoch: UInt32) throws(NoteError) -> VerifierKey {
    VerifierKey(name: try origin(epoch: epoch).keyName(), publicKey: publicKey)
  }

  /// The journal's key as people pass it on: under no epoch's name, it serves for all of them.
  package func verifier() throws(NoteError) -> VerifierKey {
    VerifierKey(name: try JournalOrigin.keyName(journal: hexID), publicKey: publicKey)
  }

  var text: String {
    """
    \(Self.title)
    format: \(format)
    journal: \(hexID)
    created: \(created)
    epoch: \(epoch)
    key: \(base64(publicKey.rawRepresentation))

    """
  }

  init(format: UInt32, id: [UInt8], created: Int64, publicKey: Ed25519PublicKey, epoch: UInt32) {
    self.epoch = epoch
    self.format = format
    self.id = id
    self.created = created
    self.publicKey = publicKey
  }

  /// The identity in `directory`; nil when there is none.
  static func read(directory: String) throws(JournalError) -> JournalIdentity? {
    let path = directory + "/" + JournalFile.identity
    guard let bytes = try Files.read(path) else { return nil }
    func unreadable(_ reason: String) -> JournalError { .identityUnreadable(path: path, reason: reason) }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n", omittingEmptySubsequences: false)
    guard lines.first == Substring(title) else { throw unreadable("its first line is not '\(title)'") }
    var fields: [Substring: Substring] = [:]
    for line in lines.dropFirst() {
      guard let colon = line.firstIndex(of: ":") else { continue }
      fields[line[..<colon]] = line[line.index(after: colon)...].drop { $0 == " " }
    }
    // The format first: a newer one may have changed the rest.
    guard let format = fields["format"].flatMap({ UInt32($0) }), format > 0 else {
      throw unreadable("it has no format")
    }
    guard format <= Layout.format else {
      throw .newerFormat(path: directory, found: format, supported: Layout.format)
    }
    guard let id = fields["journal"].flatMap({ OpenSSL.bytes(hexadecimal: $0) }), id.count == idByteCount else {
      throw unreadable("it has no journal id")
    }
    guard let created = fields["created"].flatMap({ Int64($0) }) else { throw unreadable("it has no time of creation") }
    guard let key = fields["key"].flatMap({ OpenSSL.bytes(base64: $0) }),
      let publicKey = try? Ed25519PublicKey(rawRepresentation: key)
    else { throw unreadable("it has no public key") }
    // Journals made before this line was written have no other epoch that a loss could repeat.
    let epoch = fields["epoch"].flatMap { UInt32($0) } ?? 1
    return JournalIdentity(format: format, id: id, created: created, publicKey: publicKey, epoch: epoch)
  }

  func write(directory: String) throws(JournalError) {
    try Files.write(Array(text.utf8), to: directory + "/" + JournalFile.identity, in: directory, mode: 0o644)
  }
}

/// The journal's private key, with the id that is part of its name.
struct JournalKey {
  private static let namePrefix = "printtrail.journal/"

  let id: [UInt8]
  /// Under the journal's name, not an epoch's.
  let signer: SignerKey

  var publicKey: Ed25519PublicKey { signer.verifier.publicKey }

  /// The key as one epoch's checkpoints are signed with it.
  func signer(_ origin: JournalOrigin) throws(NoteError) -> SignerKey { signer.named(try origin.keyName()) }

  /// The key in `directory`; nil when there is none.
  static func read(directory: String) throws(JournalError) -> JournalKey? {
    let path = directory + "/" + JournalFile.key
    guard let bytes = try Files.read(path) else { return nil }
    let line = String(decoding: bytes, as: UTF8.self).prefix { $0 != "\n" }
    let signer: SignerKey
    do throws(NoteError) { signer = try SignerKey(secretText: line) } catch {
      throw .keyUnreadable(path: path, reason: "\(error)")
    }
    let name = signer.verifier.name.description
    guard name.hasPrefix(namePrefix), let id = OpenSSL.bytes(hexadecimal: name.dropFirst(namePrefix.count)),
      id.count == JournalIdentity.idByteCount
    else { throw .keyUnreadable(path: path, reason: "it is the key of something else, \(name)") }
    return JournalKey(id: id, signer: signer)
  }

  /// Makes a key and an id, and writes them.
  static func create(directory: String) throws(JournalError) -> JournalKey {
    let path = directory + "/" + JournalFile.key
    let id = SecureRandom.bytes(JournalIdentity.idByteCount)
    let signer = try asJournalError {
      SignerKey(name: try NoteKeyName(namePrefix + hexadecimal(id)), privateKey: try Ed25519PrivateKey())
    }
    try Files.write(Array((signer.secretText + "\n").utf8), to: path, in: directory, mode: 0o600)
    return JournalKey(id: id, signer: signer)
  }
}

extension JournalIdentity {
  /// The newest format that this program knows.
  package static var newestFormat: UInt32 { Layout.format }

  /// Whether whoever writes the journal next makes it one of the newest format. Programs that know only its former one refuse it from then on.
  package var isToBeConverted: Bool { format < Layout.format }
}
