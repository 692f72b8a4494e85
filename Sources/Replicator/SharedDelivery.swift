// The core behind a lock, for the streams and check-ins that follow one another, and for whoever watches them.

internal import Evidence
internal import Synchronization

/// The core, shared by the streams that follow one another.
final class SharedDelivery: Sendable {
  let value: Mutex<Delivery>
  private let hasProgressed = Mutex(false)
  /// Up to where the journal was looked through for what should not wait.
  private let looked: Mutex<RecordPosition>

  init(_ delivery: Delivery) {
    looked = Mutex(delivery.cursor ?? .start)
    value = Mutex(delivery)
  }

  /// Where the last look ended.
  var lookedThrough: RecordPosition { looked.withLock { $0 } }

  /// Returns where the last look ended, and remembers that this one ends at `head`.
  func looked(through head: RecordPosition) -> RecordPosition {
    looked.withLock { looked in
      defer { looked = max(looked, head) }
      return looked
    }
  }

  func received(_ event: Delivery.Event) -> [Delivery.Action] {
    let actions = value.withLock { $0.received(event) }
    if Self.isProgress(event, actions) { hasProgressed.withLock { $0 = true } }
    return actions
  }

  /// A welcome acknowledges, too: by it the cursor moves over what arrived when the stream before broke.
  private static func isProgress(_ event: Delivery.Event, _ actions: [Delivery.Action]) -> Bool {
    switch event {
    case .acknowledged, .expressAnswered: true
    default: actions.contains { if case .moveCursor = $0 { true } else { false } }
    }
  }

  /// Whether the hub acknowledged anything since the last call.
  func takeProgress() -> Bool {
    hasProgressed.withLock { progressed in
      defer { progressed = false }
      return progressed
    }
  }
}
