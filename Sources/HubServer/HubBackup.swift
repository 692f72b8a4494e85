// Backups: everything that a hub is, in a directory that can be carried away.
//
//     DIR/               0700
//       hub.json  pepper  countersign.key  ca.key  ca.pem  roots.json  ca-N.key  ca-N.pem     as in the hub's directory (HubDirectory.swift)
//       hub.sqlite       the database as of one moment; not there if the hub keeps it in PostgreSQL, which has pg_dump
//       backup.json      when, by which release, and the SHA-256 of each of the files
//
// All of it is made in DIR.new, flushed, and renamed: a directory of the name is whole. The database is copied first and the keys after it, so
// that no certificate in it is of a root that the keys do not have. The hub may be served meanwhile; it is not held up.
//
// What a hub forgets that is restored, and what makes up for it:
//
// | since the backup                    | afterwards                                                                           |
// |-------------------------------------|--------------------------------------------------------------------------------------|
// | records were delivered              | agents are told what is held, and send the rest again                                |
// | ... and removed at the agent since  | the agent says so; they are shown as lost                                            |
// | a certificate was renewed           | it is taken, once it is shown: `Restoration`                                         |
// | a machine enrolled                  | it is unknown, and has to enrol again                                                |
// | a code was used                     | every code is revoked by the restore: one that was used must not be good again       |
// | an operator did something           | he has to do it again; above all revocations                                         |

internal import Crypto
internal import FoundationEssentials
internal import Glibc
internal import HubDatabase
internal import Platform

package enum HubBackup {
  static let descriptionName = "backup.json"
  private static let databaseName = "hub.sqlite"
  private static let formatVersion = 1
  /// What is read at once when a file is hashed or copied.
  private static let chunkBytes = 1 << 20

  private struct Description: Codable {
    struct File: Codable, Equatable {
      var bytes: Int
      var sha256: String
    }

    var format: Int
    /// Milliseconds since 1970 UTC.
    var time: Int64
    var version: String
    var files: [String: File]
  }

  package struct Made: Sendable, Encodable {
    package let path: String
    package let bytes: Int
    /// False: the database is in PostgreSQL, and not in the backup.
    package let hasDatabase: Bool
  }

  package struct Restored: Sendable, Encodable {
    package let path: String
    /// When the backup was made, milliseconds since 1970 UTC.
    package let madeAt: Int64
    package let installs: Int
    /// Records and what stands for them, over all installs.
    package let held: Int64
    package let codesRevoked: Int
  }

  // MARK: Making

  /// Makes a backup of a hub, also while it is served.
  ///
  /// - Throws: `HubError`: 73 if there is something at `path`, 74 or 77 if it cannot be written; nothing is left then.
  package static func make(
    of directory: HubDirectory, _ store: SQLStore, to path: String, clock: HubClock = .system
  ) async throws -> Made {
    guard !Files.exists(path) else {
      throw HubError(.cannotCreate, "\(path) is there already. Choose another name for each backup.")
    }
    let place = path + ".new"
    try removeDirectory(place)
    guard mkdir(place, 0o700) == 0 else { throw SecretFile.failure("create", place) }
    do {
      let time = clock.now
      let hasDatabase = try await store.copy(to: "\(place)/\(databaseName)")
      for name in try keyFiles(in: directory.path) {
        try copy("\(directory.path)/\(name)", to: "\(place)/\(name)")
      }
      var files: [String: Description.File] = [:]
      for name in try names(in: place) { files[name] = try digest("\(place)/\(name)") }
      let description = Description(format: formatVersion, time: time, version: HubVersion.text, files: files)
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
      try SecretFile.write(Array(try encoder.encode(description)), to: "\(place)/\(descriptionName)")
      guard rename(place, path) == 0 else { throw SecretFile.failure("replace", path) }
      try SecretFile.syncDirectory(of: path)
      return Made(path: path, bytes: files.values.reduce(0) { $0 + $1.bytes }, hasDatabase: hasDatabase)
    } catch {
      // What is left of it says by its name that it is no backup; the reason counts more than that it could not be removed.
      try? removeDirectory(place)
      throw error
    }
  }

  /// The files that make a hub, without its database, its own certificate, which is made anew, and the lock.
  private static func keyFiles(in directory: String) throws -> [String] {
    try names(in: directory).filter { name in
      ["hub.json", "pepper", "countersign.key", Roots.fileName, Restoration.fileName].contains(name)
        || name.hasPrefix("ca") && (name.hasSuffix(".key") || name.hasSuffix(".pem"))
    }
  }

  // MARK: Restoring

  /// Makes a hub of a backup.
  ///
  /// - Parameter place: of the PostgreSQL database that was restored before; nil: as the backup says.
  /// - Throws: `HubError`: 73 if there is something at `path`, 78 if the backup is not whole or the database is not the hub's.
  package static func restore(
    from source: String, to path: String, store place: String? = nil, clock: HubClock = .system
  ) async throws -> Restored {
    let description = try checked(source)
    if mkdir(path, 0o700) != 0 {
      guard errno == EEXIST, try names(in: path).allSatisfy({ $0.hasSuffix(".new") }) else {
        throw HubError(.cannotCreate, "\(path) is not empty. Restore into a directory that is not there yet.")
      }
    }
    for name in description.files.keys.sorted() where name != "hub.json" {
      try copy("\(source)/\(name)", to: "\(path)/\(name)")
    }
    guard let pepper = try HubDirectory.existingPepper(in: path) else {
      throw HubError(.configuration, "\(source) lacks the file pepper. It is no backup of a hub.")
    }
    let address = try HubDirectory.storeAddress(in: source)
    guard address != nil || description.files[databaseName] != nil else {
      throw HubError(.configuration, "\(source) lacks the file \(databaseName). It is no backup of a hub.")
    }
    let store = try SQLStore(
      at: place ?? address ?? "\(path)/\(databaseName)", hub: HubDirectory.identity(of: pepper))
    let now = clock.now
    let left = try await store.settleAfterRestore(madeAt: description.time, now: now)
    try Restoration(issuedUntil: left.issuedUntil, restoredAt: now).write(in: path)
    // Last: its presence means that the restore is whole.
    try copy("\(source)/hub.json", to: "\(path)/hub.json")
    return Restored(
      path: path, madeAt: description.time, installs: left.installs, held: left.held, codesRevoked: left.codesRevoked)
  }

  /// What the backup says of itself, every file of it having been read.
  private static func checked(_ source: String) throws -> Description {
    guard let bytes = try SecretFile.read("\(source)/\(descriptionName)", secret: false) else {
      throw HubError(.configuration, "\(source) is not a backup of a hub: it has no \(descriptionName).")
    }
    guard let description = try? JSONDecoder().decode(Description.self, from: Data(bytes)) else {
      throw HubError(.configuration, "\(source)/\(descriptionName) is damaged. Take another backup.")
    }
    guard description.format <= formatVersion else {
      throw HubError(
        .configuration, "\(source) was made by a newer pthub (\(description.version)). Install that or a later one.")
    }
    for (name, file) in description.files.sorted(by: { $0.key < $1.key }) {
      guard !name.contains("/"), !name.hasPrefix("."), Files.exists("\(source)/\(name)"),
        try digest("\(source)/\(name)") == file
      else {
        throw HubError(.configuration, "\(source)/\(name) is missing or not as it was backed up. Take another backup.")
      }
    }
    return description
  }

  // MARK: Files

  private static func digest(_ path: String) throws -> Description.File {
    var hash = SHA256()
    var bytes = 0
    try read(path) { chunk in
      hash.update(data: chunk)
      bytes += chunk.count
    }
    return Description.File(bytes: bytes, sha256: hash.finalize().map { hexadecimal($0) }.joined())
  }

  /// Copies a file whole or not at all, for its owner alone.
  private static func copy(_ source: String, to target: String) throws {
    let temporary = target + ".new"
    unlink(temporary)
    let descriptor = open(temporary, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SecretFile.failure("create", temporary) }
    defer { close(descriptor) }
    try read(source) { chunk in
      var written = 0
      while written < chunk.count {
        let count = chunk.withUnsafeBytes {
          Glibc.write(descriptor, $0.baseAddress?.advanced(by: written), chunk.count - written)
        }
        guard count > 0 || errno == EINTR else { throw SecretFile.failure("write", temporary) }
        written += max(count, 0)
      }
    }
    guard fsync(descriptor) == 0 else { throw SecretFile.failure("write", temporary) }
    guard rename(temporary, target) == 0 else { throw SecretFile.failure("replace", target) }
    try SecretFile.syncDirectory(of: target)
  }

  private static func read(_ path: String, _ body: ([UInt8]) throws -> Void) throws {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw SecretFile.failure("read", path) }
    defer { close(descriptor) }
    var buffer = [UInt8](repeating: 0, count: chunkBytes)
    while true {
      let count = Glibc.read(descriptor, &buffer, buffer.count)
      if count < 0, errno == EINTR { continue }
      guard count >= 0 else { throw SecretFile.failure("read", path) }
      if count == 0 { return }
      try body(Array(buffer[..<count]))
    }
  }

  private static func names(in path: String) throws -> [String] {
    do throws(SystemError) { return try Files.names(in: path).sorted() } catch {
      throw HubError(.inputOutput, "\(error)")
    }
  }

  private static func removeDirectory(_ path: String) throws {
    guard Files.exists(path) else { return }
    for name in try names(in: path) { try SecretFile.remove("\(path)/\(name)") }
    guard rmdir(path) == 0 else { throw SecretFile.failure("remove", path) }
  }
}
