@testable internal import HubServer
internal import Logging
internal import ServiceLifecycle
internal import Synchronization
internal import Testing

@Suite("An end that is waited for in vain") struct EndingLimitTests {
  /// Hears of no end, as a call of a database that hangs.
  private struct Stuck: Service {
    let release: AsyncStream<Void>

    func run() async throws {
      for await _ in release {}
    }
  }

  @Test func `is cut short after its time, and not before it was asked for`() async throws {
    let (cut, cuts) = AsyncStream.makeStream(of: Void.self)
    let (release, releasing) = AsyncStream.makeStream(of: Void.self)
    let hasEnded = Mutex(false)
    let limit = EndingLimit(limit: .milliseconds(100), logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    {
      hasEnded.withLock { $0 = true }
      cuts.finish()
    }
    let group = ServiceGroup(
      services: [Stuck(release: release), limit], logger: Logger(label: "test") { _ in SwiftLogNoOpLogHandler() })
    async let running: Void = group.run()
    try await Task.sleep(for: .milliseconds(300))
    #expect(!hasEnded.withLock { $0 }, "nobody asked it to end")
    await group.triggerGracefulShutdown()
    for await _ in cut {}
    #expect(hasEnded.withLock { $0 })
    releasing.finish()
    try await running
  }
}
