// Time that only what happens moves on: a queue of what is to come, in the order of its moments. What is planned for the same
// moment happens in the order in which it was planned, so that one run of a seed is like another.

package struct Timeline<Happening> {
  private struct Entry {
    let moment: Int64
    let happening: Happening
  }

  /// Nanoseconds since the beginning.
  package private(set) var now: Int64 = 0
  /// What is to come, the soonest last.
  private var entries: [Entry] = []

  package init() {}

  package var isEmpty: Bool { entries.isEmpty }

  /// Plans something: not before everything that is planned for the same moment already.
  package mutating func plan(_ happening: Happening, in delay: Duration) {
    plan(happening, at: now + delay.inNanoseconds)
  }

  /// Plans something for a moment, or for now where that has passed.
  package mutating func plan(_ happening: Happening, at moment: Int64) {
    let entry = Entry(moment: max(moment, now), happening: happening)
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].moment <= entry.moment { high = middle } else { low = middle + 1 }
    }
    // In front of those of the same moment, which are taken from the end and so come first.
    entries.insert(entry, at: low)
  }

  /// Goes on to what comes next; nil when nothing is planned.
  package mutating func next() -> Happening? {
    guard let entry = entries.popLast() else { return nil }
    now = entry.moment
    return entry.happening
  }

  /// Forgets what is planned and will not happen after all.
  package mutating func cancel(where isCancelled: (Happening) -> Bool) {
    entries.removeAll { isCancelled($0.happening) }
  }
}

extension Duration {
  /// Whole nanoseconds.
  package var inNanoseconds: Int64 {
    let (seconds, attoseconds) = components
    return seconds * 1_000_000_000 + attoseconds / 1_000_000_000
  }
}
