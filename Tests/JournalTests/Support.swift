// What the journal's tests share: directories, a clock to turn by hand, a fold whose state is easily computed otherwise.

internal import Evidence
internal import Foundation
internal import Glibc
internal import LMDB
internal import OpenSSL
internal import Synchronization

@testable internal import Journal

/// A new directory, removed with everything in it when the value goes.
final class TemporaryDirectory: Sendable {
  let path: String
  /// Where the journal goes: does not exist yet.
  var journal: String { path + "/journal" }

  /// - Parameter isFast: on a tmpfs where there is one, for tests that commit thousands of times and do not lose power.
  init(isFast: Bool = false) throws {
    let parent = isFast && access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp"
    var template = Array("\(parent)/printtrail-journal-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw FileFailure(code: errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { Self.removeAll(in: path) }

  private static func removeAll(in directory: String) {
    for name in Files.names(in: directory) where name != "." && name != ".." {
      let path = directory + "/" + name
      if unlink(path) != 0 { removeAll(in: path) }
    }
    rmdir(directory)
  }

  /// Removes everything but the journal's key and identity.
  func empty() throws {
    for name in Files.names(in: path) where name.hasPrefix("journal-damaged") { Self.removeAll(in: path + "/" + name) }
    for name in ["data.mdb", "lock.mdb", "fault"] { try Files.remove(journal + "/" + name) }
  }

  /// A file that damage moved out of the way; nil when there is none.
  func quarantined(_ name: String) throws -> [UInt8]? {
    for quarantine in JournalQuarantine.all(of: journal) {
      let bytes = try? Data(contentsOf: URL(fileURLWithPath: quarantine.path + "/" + name))
      if let bytes { return Array(bytes) }
    }
    return nil
  }

  func bytes(of name: String) throws -> [UInt8] { Array(try Data(contentsOf: URL(fileURLWithPath: path + "/" + name))) }

  func write(_ bytes: [UInt8], to name: String) throws {
    try Files.write(bytes, to: path + "/" + name, in: path, mode: 0o600)
  }

  func remove(_ name: String) throws { try Files.remove(path + "/" + name) }

  func mode(of name: String) -> mode_t? {
    var status = stat()
    return stat(path + "/" + name, &status) == 0 ? status.st_mode & 0o777 : nil
  }

  /// Changes the database under the journal's hands. No journal may be open.
  func corrupt(_ change: (borrowing WriteTransaction, LMDB.Environment) throws -> Void) throws {
    let environment = try Environment.open(
      at: journal,
      Environment.Options(
        access: .readWrite, mapBytes: 1 << 30, databases: Layout.databases, optionalDatabases: Layout.optionalDatabases)
    )
    let transaction = try environment.beginWrite()
    try change(transaction, environment)
    try transaction.commit()
  }
}

struct FileFailure: Error { let code: Int32 }

/// A clock that stands still until it is turned.
final class HandClock: Sendable {
  private let nanoseconds = Mutex<Int64>(1_700_000_000_000_000_000)

  func turn(by duration: Duration) { nanoseconds.withLock { $0 += Int64(duration.nanoseconds) } }

  var clock: JournalClock {
    JournalClock(
      now: { self.nanoseconds.withLock { $0 } }, uptime: { UInt64(bitPattern: self.nanoseconds.withLock { $0 }) })
  }
}

/// Counts records by their first byte, and remembers the last payload. A payload that begins with 0xFF is refused; one that
/// begins with 0xFE deletes the row of the count of its second byte.
final class CountingFold: JournalFold, @unchecked Sendable {  // The journal calls it on one thread at a time.
  struct Refusal: Error {}

  let version: UInt32
  private(set) var rows: [[UInt8]: [UInt8]] = [:]
  private(set) var applied = 0
  private(set) var loaded = 0
  private var changed: Set<[UInt8]> = []
  /// Stored rows are refused, as those of an unknown layout.
  var refusesRows = false

  init(version: UInt32 = 1) { self.version = version }

  func makeEmpty() -> any JournalFold { CountingFold(version: version) }

  func canLoad(version: UInt32) -> Bool { version <= self.version }

  func allRows() -> [StateChange] { rows.map { StateChange(key: $0.key, value: $0.value) } }

  func reset() {
    rows = [:]
    changed = []
  }

  func load(key: UnsafeRawBufferPointer, value: UnsafeRawBufferPointer) throws {
    if refusesRows { throw Refusal() }
    loaded += 1
    rows[Array(key)] = Array(value)
  }

  func apply(_ record: Record) throws {
    applied += 1
    if record.payload.first == 0xFF { throw Refusal() }
    if record.payload.first == 0xFE {
      set([1] + record.payload.dropFirst().prefix(1), nil)
      return
    }
    let key: [UInt8] = [1] + record.payload.prefix(1)
    set(key, ((rows[key].flatMap { UInt64(bigEndianBytes: $0) } ?? 0) + 1).bigEndianBytes)
    set([2], record.payload)
  }

  private func set(_ key: [UInt8], _ value: [UInt8]?) {
    rows[key] = value
    changed.insert(key)
  }

  func drainChanges() -> [StateChange] {
    defer { changed = [] }
    return changed.map { StateChange(key: $0, value: rows[$0]) }
  }

  var digest: Digest {
    var digest = StateDigest()
    for key in rows.keys.sorted(by: { $0.lexicographicallyPrecedes($1) }) {
      digest.add(key: key, value: rows[key] ?? [])
    }
    return digest.digest
  }

  /// The fold of these records, made from nothing.
  static func over(_ records: [Record], version: UInt32 = 1) -> CountingFold {
    let fold = CountingFold(version: version)
    for record in records { try? fold.apply(record) }
    return fold
  }
}

extension JournalReader {
  /// Every record, copied.
  func allRecords() throws -> [Record] {
    var all: [Record] = []
    var batches = batches()
    while let batch = try batches.nextBatch() { all += batch }
    return all
  }
}

extension JournalRecovery {
  /// With the built ptjournal as the child, which lies beside the tests.
  static let forTests = JournalRecovery(worker: JournalWorkerCommand(executable: programs + "/ptjournal")) { damage in
    Array(damage.reason.utf8)
  }

  private static var programs: String {
    let tests = try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")
    return ProcessInfo.processInfo.environment["PT_BIN"] ?? tests.map { ($0 as NSString).deletingLastPathComponent }
      ?? "."
  }
}

/// A position, briefly.
func at(_ epoch: UInt32, _ sequence: UInt64) -> RecordPosition { RecordPosition(epoch: epoch, sequence: sequence) }
