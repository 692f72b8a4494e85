// Sets of addresses as sorted, disjoint spans. All of set algebra is done on spans, so that neither a /8 nor its exclusions are ever
// written out address by address.

/// A set of IPv4 addresses.
package struct AddressSet: Equatable, Sendable {
  /// Closed intervals of host-order numbers: ascending, disjoint, not adjacent.
  package let spans: [ClosedRange<UInt32>]

  package init() {
    spans = []
  }

  /// The union of the ranges.
  package init(_ ranges: some Sequence<AddressRange>) {
    self.init(merging: ranges.flatMap(\.spans))
  }

  /// The ranges without the exclusions: an exclusion always wins.
  package init(_ ranges: some Sequence<AddressRange>, excluding exclusions: some Sequence<AddressRange>) {
    self = AddressSet(ranges).subtracting(AddressSet(exclusions))
  }

  /// One interval.
  package init(span: ClosedRange<UInt32>) { spans = [span] }

  private init(merging unordered: [ClosedRange<UInt32>]) {
    var merged: [ClosedRange<UInt32>] = []
    for span in unordered.sorted(by: { $0.lowerBound < $1.lowerBound }) {
      guard let last = merged.last, span.lowerBound <= last.upperBound || span.lowerBound - last.upperBound == 1 else {
        merged.append(span)
        continue
      }
      merged[merged.count - 1] = last.lowerBound...Swift.max(last.upperBound, span.upperBound)
    }
    spans = merged
  }

  package var isEmpty: Bool { spans.isEmpty }

  /// How many addresses there are.
  package var count: Int {
    spans.reduce(0) { $0 + $1.count }
  }

  package func contains(_ address: IPv4Address) -> Bool {
    var low = 0
    var high = spans.count
    while low < high {
      let middle = low + (high - low) / 2
      if spans[middle].upperBound < address.value { low = middle + 1 } else { high = middle }
    }
    return low < spans.count && spans[low].contains(address.value)
  }

  package func union(_ other: AddressSet) -> AddressSet {
    AddressSet(merging: spans + other.spans)
  }

  package func intersection(_ other: AddressSet) -> AddressSet {
    var result: [ClosedRange<UInt32>] = []
    var left = spans[...]
    var right = other.spans[...]
    while let a = left.first, let b = right.first {
      let low = Swift.max(a.lowerBound, b.lowerBound)
      let high = Swift.min(a.upperBound, b.upperBound)
      if low <= high { result.append(low...high) }
      if a.upperBound < b.upperBound { left.removeFirst() } else { right.removeFirst() }
    }
    return AddressSet(merging: result)
  }

  /// The addresses of this set that are not in `other`.
  package func subtracting(_ other: AddressSet) -> AddressSet {
    var result: [ClosedRange<UInt32>] = []
    var holes = other.spans[...]
    for span in spans {
      var start: UInt32? = span.lowerBound
      while let hole = holes.first, hole.upperBound < span.lowerBound { holes.removeFirst() }
      for hole in holes {
        guard let from = start, hole.lowerBound <= span.upperBound else { break }
        if hole.lowerBound > from { result.append(from...hole.lowerBound - 1) }
        start = hole.upperBound < span.upperBound ? hole.upperBound + 1 : nil
      }
      if let from = start { result.append(from...span.upperBound) }
    }
    return AddressSet(merging: result)
  }
}

extension AddressSet: Sequence {
  /// Goes through the addresses in ascending order; holds two numbers, whatever the size of the set.
  package struct Iterator: IteratorProtocol {
    private let spans: [ClosedRange<UInt32>]
    private var index = 0
    private var offset: UInt32 = 0

    fileprivate init(_ spans: [ClosedRange<UInt32>]) {
      self.spans = spans
    }

    package mutating func next() -> IPv4Address? {
      guard index < spans.count else { return nil }
      let span = spans[index]
      let value = span.lowerBound + offset
      if value == span.upperBound {
        index += 1
        offset = 0
      } else {
        offset += 1
      }
      return IPv4Address(value)
    }
  }

  package func makeIterator() -> Iterator { Iterator(spans) }
}
