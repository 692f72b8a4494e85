import Evidence
import Foundation
import Glibc
import Journal
import Testing

@testable import ReadModels

/// The testing library has an exit status of its own.
typealias ExitStatus = ReadModels.ExitStatus

@Suite struct `An error's exit status` {
  @Test(arguments: [
    (ExportFile.error(.make, EACCES), ExitStatus.permission), (ExportFile.error(.makeDirectory, EROFS), .permission),
    (ExportFile.error(.open, EACCES), .permission), (ExportFile.error(.open, ENOENT), .noInput),
    (ExportFile.error(.makeDirectory, ENOENT), .cannotCreate), (ExportFile.error(.make, ENOTDIR), .cannotCreate),
    (ExportFile.error(.write, ENOSPC), .inputOutput), (ExportFile.error(.read, EISDIR), .inputOutput),
    (ExportFile.error(.open, ENOTDIR), .inputOutput), (ExportFile.error(.read, EIO), .inputOutput),
    (ExportError("A line is no line."), .data),
  ])
  func `of an export says what is in the way, with a remedy`(error: ExportError, status: ExitStatus) {
    #expect(ExitStatus(error) == status)
    #expect(error.description.hasSuffix("."))
  }

  @Test(arguments: [
    (JournalError.noJournal(path: "/j"), ExitStatus.noInput),
    (.directoryUnusable(path: "/j", errno: EACCES), .permission),
    (.file(operation: "open", path: "/j/identity", errno: EACCES), .permission),
    (.file(operation: "read", path: "/j/identity", errno: EIO), .inputOutput),
    (.newerFormat(path: "/j", found: 9, supported: 1), .data), (.damaged(path: "/j", what: "x"), .data),
    (.removed(through: RecordPosition(epoch: 1, sequence: 7)), .noInput),
  ])
  func `of a journal says whether it is missing, forbidden or damaged`(error: JournalError, status: ExitStatus) {
    #expect(ExitStatus(error) == status)
  }

  @Test func `of an export that goes where a file stands is that it cannot be made`() async throws {
    let fleet = JournalOfAFleet()
    try await fleet.live(polls: 3)
    try Data().write(to: URL(fileURLWithPath: fleet.export))
    let error = #expect(throws: ExportError.self) {
      try Export(JournalReader.open(directory: fleet.journal), ExportOptions()).write(into: fleet.export, signer: nil)
    }
    #expect(error?.kind == .cannotCreate)
  }
}

extension ExportFile {
  fileprivate static func error(_ doing: ExportError.Doing, _ code: Int32) -> ExportError {
    .system(doing, "/d", code: code)
  }
}
