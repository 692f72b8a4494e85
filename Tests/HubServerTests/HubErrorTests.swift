internal import GRDB
internal import NIOCore
internal import Testing

@testable internal import HubServer

struct HubErrorTests {
  private static let full = "The disk that holds /h/hub.sqlite is full. Free some space"
  private static let databaseCases: [(ResultCode, UInt64?, Int32, String)] = [
    (.SQLITE_FULL, nil, 74, full),
    (.SQLITE_FULL, 1 << 30, 74, full),
    (.SQLITE_IOERR, 0, 74, full),
    (.SQLITE_IOERR, 1 << 30, 74, "The disk that holds /h/hub.sqlite failed"),
    (.SQLITE_IOERR, nil, 74, "The disk that holds /h/hub.sqlite failed"),
    (.SQLITE_READONLY, 0, 77, "Run as the user that owns it."),
    (.SQLITE_CORRUPT, 0, 78, "restore the database from its backup"),
  ]

  @Test(arguments: databaseCases.indices)
  func `what the database refuses is told with its cause, its remedy and a documented exit status`(index: Int) {
    let (code, bytesFree, status, told) = Self.databaseCases[index]
    let error = SQLiteStore.operatorError(DatabaseError(resultCode: code), path: "/h/hub.sqlite", bytesFree: bytesFree)
    #expect(error.kind.rawValue == status)
    #expect(error.message.contains(told), "\(error)")
  }

  private static let portCases: [(Int32, Int32, String)] = [
    (98, 69, "another program uses the port. Stop it, or choose another port with --csr."),
    (99, 69, "this machine has no such address"),
    (13, 77, "Choose one above 1023 with --csr."),
  ]

  @Test(arguments: portCases.indices)
  func `a port that cannot be listened on is told in one sentence with its remedy`(index: Int) throws {
    let (code, status, told) = Self.portCases[index]
    let endpoint = try #require(Endpoint("127.0.0.1:7443"))
    let error = HubError(listening: "csr", on: endpoint, IOError(errnoCode: code, reason: "bind"))
    #expect(error.kind.rawValue == status)
    #expect(error.message.hasPrefix("Could not serve csr on 127.0.0.1:7443: "), "\(error)")
    #expect(error.message.contains(told), "\(error)")
  }
}
