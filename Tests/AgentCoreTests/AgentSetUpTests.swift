import Foundation
import Logging
import Settings
import Testing

@testable import AgentCore
@testable import Journal

@Suite struct AgentSetUpTests {
  @Test func `the journal has the configured limit, and room to map it`() throws {
    var configuration = AgentConfiguration()
    configuration.journal.sizeMax = try #require(ByteCount(written: "3GiB"))
    let journal = configuration.journalConfiguration(Logger(label: "test"))
    #expect(journal.sizeLimit == 3 << 30)
    #expect(journal.mapBytes >= 2 * journal.sizeLimit)
  }

  @Test func `a directory that cannot be made is told with what to do`() throws {
    let file = FileManager.default.temporaryDirectory.appendingPathComponent("set-up-\(UUID().uuidString)")
    try Data().write(to: file)
    defer { try? FileManager.default.removeItem(at: file) }
    var configuration = AgentConfiguration()
    configuration.state.directory = file.path + "/state"
    configuration.journal.directory = file.path + "/state/journal"
    let failure = #expect(throws: AgentFailure.self) { try configuration.makeDirectories() }
    #expect(failure?.code == .cannotCreate)
    #expect(failure?.description.contains("name another state.directory") == true)
  }
}
