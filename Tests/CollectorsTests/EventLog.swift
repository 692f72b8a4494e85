import Collectors
import Events
import Synchronization

/// Keeps what a collector tells; says when there is more.
final class EventLog: EventSink {
  private let events = Mutex<[Event]>([])
  private let changes = AsyncStream.makeStream(of: Void.self)

  func append(_ new: [Event]) async throws {
    events.withLock { $0 += new }
    changes.continuation.yield()
  }

  var all: [Event] { events.withLock { $0 } }

  /// Waits until the condition holds for all events so far.
  func wait(until condition: ([Event]) -> Bool) async {
    for await _ in changes.stream where condition(all) { return }
  }
}
