import Platform
import Replicator
import Testing

@testable import AgentCore

@Suite struct DeliveryWordsTests {
  private func word(_ change: (inout DeliveryStatus) -> Void) throws -> StatusBoard.Word {
    let board = StatusBoard()
    var status = DeliveryStatus(state: .delivering)
    (status.hub, status.lag) = ("hub.example.org:7444", 0)
    change(&status)
    board.say(status, isConfigured: true)
    return try #require(board.snapshot.words[.delivery])
  }

  @Test func `a conflict is said while it is recent, and counted for ever`() throws {
    let met = try word { ($0.conflicts, $0.recentConflicts) = (43, 43) }
    #expect(met.state == .degraded && met.message.contains("43") && met.remedy?.contains("backup") == true)
    let over = try word { ($0.conflicts, $0.recentConflicts) = (43, 0) }
    #expect(over.state == .ok && over.remedy == nil)
  }

  @Test func `a conflict is said in normal mode as well`() throws {
    let met = try word { ($0.state, $0.recentConflicts) = (.checkedIn, 1) }
    #expect(met.state == .degraded)
  }
}
