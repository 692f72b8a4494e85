import Testing

@testable import AgentCore

@Suite struct `Collecting that brings nothing` {
  @Test(
    arguments: [
      (["unreachable": 20], true), (["unreachable": 2, "retired": 5], true),
      // One that is switched off is nothing unusual, and neither are many beside one that answers.
      (["unreachable": 1], false), (["unreachable": 20, "read": 1], false), ([:], false),
    ] as [([String: Int], Bool)])
  func `says so where none of several devices answers`(devices: [String: Int], isTold: Bool) {
    let words = CollectorWords.fruitless([:], devices: devices)
    #expect((words?.message.contains("none of the \(devices["unreachable"] ?? 0) devices answers") ?? false) == isTold)
    #expect((words?.state == .degraded) == isTold)
  }
}
