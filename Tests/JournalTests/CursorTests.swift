internal import Evidence
internal import Testing

@testable internal import Journal

@Suite struct `A cursor` {
  private let directory: TemporaryDirectory
  private let journal: Journal

  init() throws {
    directory = try TemporaryDirectory()
    journal = try Journal.open(JournalConfiguration(directory: directory.journal))
    try journal.appendBlocking([[1], [2], [3]])
  }

  @Test func `is nowhere, then where it was moved`() async throws {
    #expect(try journal.cursor("hub") == nil)
    try await journal.moveCursor("hub", to: at(1, 2))
    try await journal.moveCursor("other", to: at(1, 1))
    #expect(try journal.cursor("hub") == at(1, 2))
    #expect(try journal.reader.cursors().map(\.name) == ["hub", "other"])
    await journal.close()
  }

  @Test func `never goes back`() async throws {
    try await journal.moveCursor("hub", to: at(1, 2))
    await #expect(throws: JournalError.cursorBackwards(name: "hub", at: at(1, 2), to: at(1, 1))) {
      try await journal.moveCursor("hub", to: at(1, 1))
    }
    try await journal.moveCursor("hub", to: at(1, 2))
    #expect(try journal.cursor("hub") == at(1, 2))
    await journal.close()
  }

  @Test func `never stands where no record is`() async throws {
    try await journal.openEpoch(reason: "test")
    for position in [at(1, 4), at(2, 1), at(3, 0), .end] {
      await #expect(throws: JournalError.cursorBeyondHead(name: "hub", to: position, head: at(2, 0))) {
        try await journal.moveCursor("hub", to: position)
      }
    }
    try await journal.moveCursor("hub", to: at(1, 3))
    try await journal.moveCursor("hub", to: at(2, 0))
    #expect(try journal.cursor("hub") == at(2, 0))
    await journal.close()
  }

  @Test(arguments: ["", String(repeating: "x", count: JournalLimits.cursorNameBytesMax + 1)])
  func `has a name of bounded length`(name: String) async throws {
    await #expect(throws: JournalError.cursorNameRefused(name)) { try await journal.moveCursor(name, to: at(1, 1)) }
    await journal.close()
  }

  @Test func `refused does not disturb the requests beside it`() async throws {
    let journal = journal
    let refused = Task { try await journal.moveCursor("hub", to: at(1, 99)) }
    let appended = Task { try await journal.append([[4]]) }
    #expect(try await appended.value == [at(1, 4)])
    let result = await refused.result
    #expect(throws: JournalError.self) { try result.get() }
    await journal.close()
  }
}
