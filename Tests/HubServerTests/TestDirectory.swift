// Directories, clocks and installs for tests.

internal import FoundationEssentials
internal import Glibc
@testable internal import HubServer
internal import OpenSSL
internal import Synchronization
internal import TestDatabases
internal import Testing

/// A directory that is gone after the test.
final class TestDirectory: Sendable {
  let path: String

  init() throws {
    var template = Array("\(NSTemporary.path)/pthub-test-XXXXXX".utf8CString)
    guard let made = mkdtemp(&template) else { throw HubError(.cannotCreate, "no temporary directory") }
    path = String(cString: made)
  }

  deinit { try? FileManager.default.removeItem(atPath: path) }

  private enum NSTemporary {
    static var path: String { getenv("TMPDIR").map { String(cString: $0) } ?? "/tmp" }
  }
}

/// A clock that tests set.
final class TestClock: Sendable {
  private let milliseconds: Mutex<Int64>

  init(_ start: Int64 = HubClock.system.now) { milliseconds = Mutex(start) }

  var now: Int64 { milliseconds.withLock { $0 } }
  var clock: HubClock { HubClock { self.now } }

  func advance(by duration: Duration) { milliseconds.withLock { $0 += duration.milliseconds } }
}

/// The databases that a store is tried on.
enum TestDatabase: CaseIterable, Sendable {
  case sqlite, postgres

  /// PostgreSQL where it is installed.
  static var all: [TestDatabase] { PostgresServer.shared == nil ? [.sqlite] : allCases }
}

/// A store with one entity and ways to make installs without sockets.
struct TestStore {
  let directory: TestDirectory
  /// The file or the address.
  let place: String
  let store: SQLStore
  static let now: Int64 = 1_700_000_000_000

  init(_ database: TestDatabase = .sqlite) throws {
    directory = try TestDirectory()
    place =
      switch database {
      case .sqlite: directory.path + "/hub.sqlite"
      case .postgres: try #require(PostgresServer.shared).newAddress()
      }
    store = try SQLStore(at: place)
  }

  /// Another connection to the same database, as after a restart, or as another hub.
  func reopened() throws -> SQLStore { try SQLStore(at: place) }

  func install(_ mark: UInt8 = 1, journal: TestJournal? = nil) async throws -> Install {
    if try await store.entities().isEmpty { try await store.addEntity(named: "Acme", now: Self.now) }
    let hash = [UInt8](repeating: mark, count: 32)
    _ = try await store.addCode(hash: hash, entity: "Acme", usesMax: 1, expiresAt: Self.now + 1_000, now: Self.now)
    let outcome = try await enrol(Self.request(codeHash: hash, enrolment: mark, journal: journal))
    guard case .enrolled(let install, _, _) = outcome else { throw HubError(.notFound, "not enrolled: \(outcome)") }
    return install
  }

  func enrol(_ request: EnrolmentRequest, now: Int64 = TestStore.now) async throws -> EnrolmentOutcome {
    let serial = UUID().uuidString
    return try await store.enrol(request, now: now) { _ in
      IssuedCertificate(serial: serial, der: [1, 2, 3], notBefore: now, notAfter: now + 1_000_000)
    }
  }

  static func request(
    codeHash: [UInt8], enrolment: UInt8 = 1, key: UInt8 = 1, journal: TestJournal? = nil
  ) -> EnrolmentRequest {
    EnrolmentRequest(
      codeHash: codeHash, enrolmentID: [UInt8](repeating: enrolment, count: 16),
      publicKeyHash: [UInt8](repeating: key, count: 32), journalID: journal?.id ?? [UInt8](repeating: 9, count: 16),
      journalKey: journal?.key.publicKey.rawRepresentation ?? [UInt8](repeating: 9, count: 32),
      machine: MachineDescription(hostName: "host", operatingSystem: "Linux", agentVersion: "1"), peer: "ipv4:127.0.0.1"
    )
  }
}
