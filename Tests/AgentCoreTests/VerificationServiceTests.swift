import Evidence
import Foundation
import Logging
import Testing

@testable import AgentCore
@testable import Journal

@Suite struct `The daily verification` {
  private let directory = NSTemporaryDirectory() + "printtrail-verification-" + UUID().uuidString
  private let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }

  private func withJournal(_ body: (Journal) async throws -> Void) async throws {
    let journal = try Journal.open(JournalConfiguration(directory: directory))
    try await body(journal)
    await journal.close()
  }

  /// Behind the last records, where a start does not look.
  @Test func `finds a flipped bit in an old record, which no start would, and ends the agent for it`() async throws {
    defer { try? FileManager.default.removeItem(atPath: directory) }
    let marked = [UInt8](repeating: 0xA7, count: 300)
    try await withJournal { journal in
      try await journal.append([[1], marked])
      for _ in 0..<6 { try await journal.append((0..<1_000).map { [UInt8($0 & 0xFF)] }) }
      try await VerificationService(journal: journal, logger: logger).verify()
    }
    let file = URL(fileURLWithPath: directory + "/data.mdb")
    var bytes = try Data(contentsOf: file)
    var from = bytes.startIndex
    while let place = bytes.range(of: Data(marked), in: from..<bytes.endIndex) {
      bytes[place.lowerBound + 150] ^= 4
      from = place.upperBound
    }
    try bytes.write(to: file)
    try await withJournal { journal in
      #expect(journal.damage == nil)
      let error = await #expect(throws: JournalError.self) {
        try await VerificationService(journal: journal, logger: logger).verify()
      }
      #expect(error.flatMap { JournalError.damagedDirectory(of: $0) } == directory)
      #expect(error.map { "\($0)" }?.contains("record 1/2") == true, "\(String(describing: error))")
    }
  }
}
