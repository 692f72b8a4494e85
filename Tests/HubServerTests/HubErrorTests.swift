internal import HubDatabase
internal import NIOCore
internal import Testing

@testable internal import HubServer

struct HubErrorTests {
  private static let databaseCases: [(SQLFailure.Kind, Int32)] = [
    (.busy, 69), (.unreachable, 69), (.diskFull, 74), (.inputOutput, 74), (.permission, 77), (.damaged, 78),
    (.newer, 78), (.configuration, 78),
  ]

  @Test(arguments: databaseCases)
  func `what the database refuses has a documented exit status`(kind: SQLFailure.Kind, status: Int32) {
    let error = HubError(SQLFailure(kind, "why"))
    #expect(error.kind.rawValue == status && error.message == "why")
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
