// Credit that readers give back, and the thread that passes it on.

@testable internal import HTTP2
internal import Testing

@Suite struct `Credit for the peer` {
  private func connection() -> HTTP2Connection {
    var configuration = HTTP2Configuration(authority: "agent")
    configuration.streamWindowBytes = 4_000
    return HTTP2Connection(over: ScriptedStream { _ in [] }, configuration: configuration, as: .client)
  }

  @Test func `waits while it is little, and wakes the thread when much has come together`() {
    let connection = connection()
    let stream = HTTP2Stream(on: connection, isWriteEnded: true)
    connection.enqueue(.credit(stream, 999))
    #expect(connection.prepareToWait())
    connection.waitEnded()
  }

  /// Whoever waits for a window is the only one who could wake it: sleeping over its credit would be for ever.
  @Test func `that came while the thread was awake is not slept over`() {
    let connection = connection()
    let stream = HTTP2Stream(on: connection, isWriteEnded: true)
    for _ in 0..<4 { connection.enqueue(.credit(stream, 1_000)) }
    #expect(!connection.prepareToWait())
    #expect(connection.takeCommands().count == 4)
    #expect(connection.prepareToWait())
    connection.waitEnded()
  }
}
