// A few values by key, in the memory that they take and no more. A dictionary keeps a third of its room empty, and more right after it has grown: of ten
// thousand devices with a dozen meters each that is what half of them weigh.

/// Values by key, in the order of the keys. To look one up takes the logarithm of their number, to add one the time of a copy.
package struct SortedTable<Key: Comparable, Value>: ExpressibleByDictionaryLiteral {
  package typealias Element = (key: Key, value: Value)

  private var entries: [Element]

  package init() { entries = [] }

  /// Of several values of one key the first counts.
  package init(_ pairs: some Sequence<(Key, Value)>) {
    var entries: [Element] = []
    // Equal keys keep their order.
    for pair in pairs.enumerated().sorted(by: { ($0.element.0, $0.offset) < ($1.element.0, $1.offset) })
    where entries.last?.key != pair.element.0 {
      entries.append((pair.element.0, pair.element.1))
    }
    self.entries = Self.fitted(entries)
  }

  package init(dictionaryLiteral elements: (Key, Value)...) { self.init(elements) }

  package var values: some Collection<Value> { entries.lazy.map(\.value) }

  package subscript(key: Key) -> Value? {
    get {
      let index = index(of: key)
      return holds(key, at: index) ? entries[index].value : nil
    }
    set {
      let index = index(of: key)
      switch (newValue, holds(key, at: index)) {
      case (let value?, true): entries[index].value = value
      case (let value?, false):
        entries = Self.fitted(entries[..<index] + [(key, value)] + entries[index...])
      case (nil, true): entries.remove(at: index)
      case (nil, false): break
      }
    }
  }

  private func holds(_ key: Key, at index: Int) -> Bool { index < entries.count && entries[index].key == key }

  /// Where the key is, or would be.
  private func index(of key: Key) -> Int {
    var (low, high) = (0, entries.count)
    while low < high {
      let middle = (low + high) / 2
      if entries[middle].key < key { low = middle + 1 } else { high = middle }
    }
    return low
  }

  /// A copy with room for nothing else.
  private static func fitted(_ entries: some Collection<Element>) -> [Element] {
    Array(unsafeUninitializedCapacity: entries.count) { buffer, count in
      count = buffer.initialize(fromContentsOf: entries)
    }
  }
}

extension SortedTable: RandomAccessCollection {
  package var startIndex: Int { entries.startIndex }
  package var endIndex: Int { entries.endIndex }
  package subscript(position: Int) -> Element { entries[position] }
}

extension SortedTable: Equatable where Value: Equatable {
  package static func == (left: Self, right: Self) -> Bool {
    left.elementsEqual(right) { $0.key == $1.key && $0.value == $1.value }
  }
}

extension SortedTable: Sendable where Key: Sendable, Value: Sendable {}
