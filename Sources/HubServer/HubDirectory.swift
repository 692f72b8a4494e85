// The hub's data directory: everything a hub is.
//
//     DIR/                 0700
//       hub.json           names and format version; written last by init, so its presence means that init finished
//       ca.key  ca.pem     the root's private key (P-256, PKCS#8 PEM) and certificate
//       roots.json  ca-N.key  ca-N.pem   which root counts, and the roots that came after the first (`Roots`); not before a rotation
//       pepper             32 random bytes, the key of the hashes of DataLink codes
//       countersign.key    the Ed25519 key that checkpoints are countersigned with; made at the first need
//       server.key .pem    the hub's own certificate; may be deleted, is made anew
//       restored.json      from when to when its database was put back (`Restoration`); not before a restore
//       hub.sqlite (-wal, -shm)   entities, installs, records; not there if the hub keeps them in PostgreSQL
//       lock               held (flock) by the one `serve` of this directory; with PostgreSQL by any number of them
//       hub.sqlite-lock    beside the database itself, wherever a link leads to it: held by the one `serve` of this database
//
// All files are 0600. Losing the directory loses the root, and with it every install's enrolment: back it up (HubBackup.swift). Several hubs over one PostgreSQL database have copies of one directory: they
// are one hub.
//
// | found                                   | `create`                          | `open`                        |
// |-----------------------------------------|-----------------------------------|-------------------------------|
// | nothing, or an empty directory          | makes everything                  | refused: run init             |
// | some files, no hub.json                 | goes on where it was interrupted  | refused: init did not finish  |
// | foreign files, no hub.json              | refused                           | refused                       |
// | hub.json                                | refused: already a hub            | opens                         |
// | hub.json of a newer format              | refused                           | refused: newer pthub          |

internal import Crypto
internal import FoundationEssentials
internal import Glibc

package struct HubDirectory: Sendable {
  /// 1: one root, and SQLite. 2: the roots that roots.json names, written by the first rotation, or another database: a pthub that knows
  /// neither stays away.
  static let formatVersion = 2
  private static let initialFormat = 1
  static let pepperByteCount = 32

  package let path: String
  /// The DNS names and addresses that agents reach this hub by, as given at `init`.
  package let names: [String]
  /// The address of the PostgreSQL database that everything is in; nil: hub.sqlite.
  private let storeAddress: String?
  let pepper: SymmetricKey
  /// As they were when the directory was opened.
  package let roots: Roots

  /// The root that the hub is known by: that of its own certificate.
  package var authority: CertificateAuthority { roots.serving }

  private struct Description: Codable {
    var format: Int
    var names: [String]
    var store: String?
  }

  private static let ownFiles: Set<String> = [
    "hub.json", "ca.key", "ca.pem", "pepper", "countersign.key", "server.key", "server.pem", "hub.sqlite",
    "hub.sqlite-wal",
    "hub.sqlite-shm", "hub.sqlite-lock", "lock",
  ]

  func file(_ name: String) -> String { Self.file(name, in: path) }

  /// Where the one who serves an SQLite database holds it: beside the file that a link may lead to. Not the file itself, of which SQLite would lose
  /// its own locks when we close it (sqlite.org/howtocorrupt.html, section 2.2). Nil: the database is another program's.
  var databaseLock: String? {
    guard storeAddress == nil else { return nil }
    let database = file("hub.sqlite")
    guard let resolved = realpath(database, nil) else { return database + "-lock" }
    defer { free(resolved) }
    return String(cString: resolved) + "-lock"
  }

  /// The path of the SQLite database, or the address of the PostgreSQL database.
  package var storePlace: String { storeAddress ?? file("hub.sqlite") }

  /// Opens what the hub keeps, and makes sure that it is this hub's.
  ///
  /// - Parameter place: instead of the directory's own.
  /// - Throws: `HubError`: what opening throws, or 78 if it is another hub's.
  package func openStore(at place: String? = nil) throws -> SQLStore {
    try SQLStore(at: place ?? storePlace, hub: identity)
  }

  /// What the database knows this hub by, whatever becomes of its root: a hash of the pepper.
  private var identity: String { Self.identity(of: pepper) }

  static func identity(of pepper: SymmetricKey) -> String {
    let code = HMAC<SHA256>.authenticationCode(for: Array("printtrail hub".utf8), using: pepper)
    return code.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
  }

  /// The hub's signature under checkpoints.
  ///
  /// - Throws: `HubError`: 77 if others may read its key, 78 if the key is damaged.
  package func countersigner() throws -> Countersigner { try Countersigner.loadOrCreate(file("countersign.key")) }

  /// Makes a hub: root, pepper and database. Goes on where an interrupted call stopped.
  ///
  /// - Parameter store: the address of a PostgreSQL database; nil: SQLite in the directory.
  /// - Throws: `HubError`: 73 if there is something else, 64 for a name that cannot stand in a certificate, 69 if the database cannot be
  ///   reached.
  package static func create(
    at path: String, names: [String], store: String? = nil, clock: HubClock = .system
  ) throws -> HubDirectory {
    for name in names { _ = try ServerName(name) }
    if mkdir(path, 0o700) != 0, errno != EEXIST { throw cannotCreate(path) }
    let found = try entries(of: path)
    guard !found.contains("hub.json") else {
      throw HubError(.cannotCreate, "\(path) is already a hub. Serve it with `pthub serve --directory \(path)`.")
    }
    let foreign = found.filter { !ownFiles.contains($0) && !$0.hasSuffix(".new") }.sorted()
    guard foreign.isEmpty else {
      throw HubError(
        .cannotCreate,
        "\(path) holds other files (\(foreign.prefix(3).joined(separator: ", "))). Choose an empty or a new directory.")
    }
    guard chmod(path, 0o700) == 0 else { throw SecretFile.failure("restrict", path) }

    let pepper = try existingPepper(in: path) ?? makePepper(in: path)
    let root = try CertificateAuthority.load(from: path) ?? CertificateAuthority.create(in: path, clock: clock)
    _ = try Countersigner.loadOrCreate(file("countersign.key", in: path))
    let directory = HubDirectory(path: path, names: names, storeAddress: store, pepper: pepper, roots: Roots(root))
    _ = try directory.openStore()
    let format = store == nil ? initialFormat : formatVersion
    try write(Description(format: format, names: names, store: store), in: path)
    return directory
  }

  private static func write(_ description: Description, in path: String) throws {
    try SecretFile.write(Array(try JSONEncoder().encode(description)), to: file("hub.json", in: path))
  }

  /// Keeps a pthub away that knows one root only.
  func requireRoots() throws {
    try Self.write(Description(format: Self.formatVersion, names: names, store: storeAddress), in: path)
  }

  /// Opens a hub that `create` made.
  ///
  /// - Throws: `HubError`: 78 if it is not one, 77 if a secret may be read by others.
  package static func open(at path: String) throws -> HubDirectory {
    guard let bytes = try SecretFile.read(file("hub.json", in: path), secret: false) else {
      throw HubError(
        .configuration, "\(path) is not a hub's directory. Make one with `pthub init --directory \(path)`.")
    }
    guard let description = try? JSONDecoder().decode(Description.self, from: Data(bytes)) else {
      throw HubError(.configuration, "\(path)/hub.json is damaged. Restore it from the backup of the directory.")
    }
    guard description.format <= formatVersion else {
      throw HubError(
        .configuration,
        "\(path) was written by a newer pthub (format \(description.format)). Install that version or a later one.")
    }
    guard let pepper = try existingPepper(in: path), let roots = try Roots.load(from: path) else {
      throw HubError(.configuration, "\(path) lacks its root or its pepper. Restore the directory from its backup.")
    }
    return HubDirectory(
      path: path, names: description.names, storeAddress: description.store, pepper: pepper, roots: roots)
  }

  private static func file(_ name: String, in path: String) -> String { "\(path)/\(name)" }

  /// The address of the PostgreSQL database that the hub.json of a directory names; nil: it is SQLite's.
  ///
  /// - Throws: `HubError` 78 if there is no such file, or it is damaged.
  static func storeAddress(in path: String) throws -> String? {
    guard let bytes = try SecretFile.read(file("hub.json", in: path), secret: false),
      let description = try? JSONDecoder().decode(Description.self, from: Data(bytes))
    else { throw HubError(.configuration, "\(path)/hub.json is missing or damaged.") }
    return description.store
  }

  static func existingPepper(in path: String) throws(HubError) -> SymmetricKey? {
    guard let bytes = try SecretFile.read(file("pepper", in: path), secret: true) else { return nil }
    guard bytes.count == pepperByteCount else {
      throw HubError(
        .configuration,
        "\(path)/pepper must have \(pepperByteCount) bytes. Restore it from the backup of the directory.")
    }
    return SymmetricKey(data: bytes)
  }

  private static func makePepper(in path: String) throws(HubError) -> SymmetricKey {
    let pepper = SymmetricKey(size: .bits256)
    try SecretFile.write(pepper.withUnsafeBytes { Array($0) }, to: file("pepper", in: path))
    return pepper
  }

  private static func entries(of path: String) throws(HubError) -> [String] {
    guard let stream = opendir(path) else { throw cannotCreate(path) }
    defer { closedir(stream) }
    var names: [String] = []
    while let entry = readdir(stream) {
      let name = withUnsafePointer(to: &entry.pointee.d_name) { pointer in
        pointer.withMemoryRebound(to: CChar.self, capacity: MemoryLayout.size(ofValue: pointer.pointee)) {
          String(cString: $0)
        }
      }
      if name != ".", name != ".." { names.append(name) }
    }
    return names
  }

  private static func cannotCreate(_ path: String) -> HubError {
    HubError(
      .cannotCreate,
      "Could not make \(path): \(String(cString: strerror(errno))). Make its parent first, or choose another place.")
  }
}

/// The locks that let one `serve` at a time work in a directory and on an SQLite database, unless the database is shared with others. They end
/// with the process, however that ends.
package final class HubLock: Sendable {
  private let directory: FileLock
  private let database: FileLock?

  /// - Throws: `HubError` 69 if another process serves this directory or its database.
  package init(directory: HubDirectory, shared: Bool = false) throws(HubError) {
    self.directory = try FileLock(
      directory.file("lock"), shared: shared,
      taken: "Another pthub serves \(directory.path) already. Stop it first, or serve another directory.")
    guard !shared, let place = directory.databaseLock else {
      database = nil
      return
    }
    database = try FileLock(
      place, shared: false,
      taken:
        "Another pthub serves the database \(place.dropLast("-lock".count)) already, from another directory. Stop it first: several hubs over one database need PostgreSQL."
    )
  }
}

/// A file that is held (flock) while this lives.
private final class FileLock: Sendable {
  private let descriptor: Int32

  init(_ path: String, shared: Bool, taken: String) throws(HubError) {
    descriptor = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0o600)
    guard descriptor >= 0 else { throw SecretFile.failure("open", path) }
    guard flock(descriptor, (shared ? LOCK_SH : LOCK_EX) | LOCK_NB) == 0 else {
      close(descriptor)
      throw HubError(.unavailable, taken)
    }
  }

  deinit { close(descriptor) }
}
