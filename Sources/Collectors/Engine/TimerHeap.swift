// Deadlines of thousands of conversations. Cancelling is lazy: a timer that was replaced stays in the heap, and its owner knows by the
// generation that it is stale.

struct TimerHeap {
  struct Entry {
    var deadline: Instant
    var flight: UInt64
    var generation: UInt64
  }

  private var entries: [Entry] = []

  var count: Int { entries.count }
  /// The soonest deadline, stale or not.
  var soonest: Instant? { entries.first?.deadline }

  mutating func insert(_ entry: Entry) {
    entries.append(entry)
    var child = entries.count - 1
    while child > 0 {
      let parent = (child - 1) / 2
      guard entries[child].deadline < entries[parent].deadline else { return }
      entries.swapAt(child, parent)
      child = parent
    }
  }

  /// Takes the soonest entry if it is due.
  mutating func popDue(now: Instant) -> Entry? {
    guard let first = entries.first, first.deadline <= now else { return nil }
    let last = entries.removeLast()
    if !entries.isEmpty {
      entries[0] = last
      sink()
    }
    return first
  }

  private mutating func sink() {
    var parent = 0
    while true {
      var smallest = parent
      for child in [2 * parent + 1, 2 * parent + 2] where child < entries.count {
        if entries[child].deadline < entries[smallest].deadline { smallest = child }
      }
      guard smallest != parent else { return }
      entries.swapAt(parent, smallest)
      parent = smallest
    }
  }
}
