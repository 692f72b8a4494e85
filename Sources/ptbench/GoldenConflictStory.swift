// What happens in the golden journal of conflicts: UploadConflicted, which v2-later was written too early for.

internal import Events

enum GoldenConflictStory {
  static func entries() throws -> [GoldenEntry] {
    let bodies: [EventBody] = [
      .agentStarted(AgentStarted(version: "0.1.0", hostName: "golden")),
      .uploadConflicted(
        UploadConflicted(epoch: 1, first: 7, last: 9, heldHash: (0..<32).map { UInt8($0) })),
      .uploadConflicted(UploadConflicted(epoch: 1, first: 12, last: 12, heldHash: [])),
      .agentStopped(AgentStopped(reason: "SIGTERM")),
    ]
    return try bodies.enumerated().map { index, body in
      let time = GoldenStory.begin + Int64(index) * 60_000
      return GoldenEntry(time: time, payload: try Event(time: time, body).encoded())
    }
  }
}
