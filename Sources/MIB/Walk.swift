// A walk: what a device answered, each name once, in MIB order. The same value is filled by a live poll, a recorded
// `.snmprec` file or a simulated printer, so that all of them go through one interpretation.

/// The objects read from one device, ordered by name.
package struct Walk: Equatable, Sendable {
  /// Sorted by name, no name twice.
  package private(set) var bindings: [VarBind]

  package init() {
    bindings = []
  }

  /// Sorts the bindings; of two with the same name the later wins.
  package init(_ unordered: some Sequence<VarBind>) { self.init(Array(unordered)) }

  /// Sorts the bindings; of two with the same name the later wins.
  package init(_ unordered: [VarBind]) {
    bindings = unordered
    guard let order = Self.order(bindings) else { return }
    var sorted: [VarBind] = []
    sorted.reserveCapacity(order.count)
    for index in order {
      if sorted.last?.name == bindings[index].name { sorted.removeLast() }
      sorted.append(bindings[index])
    }
    bindings = sorted
  }

  private init(ascending: [VarBind]) { bindings = ascending }

  /// The indices in the order of the names, those of one name as they stand; nil for what is in order already, as most sources give it. What readers
  /// give is a few parts, each in order: neighbouring ones are merged until there is one.
  private static func order(_ bindings: [VarBind]) -> [Int]? {
    var starts = bindings.indices.dropFirst().filter { !(bindings[$0 - 1].name < bindings[$0].name) }
    guard !starts.isEmpty else { return nil }
    starts.insert(0, at: 0)
    var (order, merged) = (Array(bindings.indices), [Int]())
    merged.reserveCapacity(order.count)
    while starts.count > 1 {
      for pair in stride(from: 0, to: starts.count, by: 2) {
        let start = starts[pair]
        let middle = pair + 1 < starts.count ? starts[pair + 1] : order.count
        let end = pair + 2 < starts.count ? starts[pair + 2] : order.count
        var (left, right) = (start, middle)
        while left < middle, right < end {
          if bindings[order[right]].name < bindings[order[left]].name {
            merged.append(order[right])
            right += 1
          } else {
            merged.append(order[left])
            left += 1
          }
        }
        merged += order[left..<middle]
        merged += order[right..<end]
      }
      swap(&order, &merged)
      merged.removeAll(keepingCapacity: true)
      starts = stride(from: 0, to: starts.count, by: 2).map { starts[$0] }
    }
    return order
  }

  package var isEmpty: Bool { bindings.isEmpty }

  /// The value of exactly this name.
  package subscript(name: ObjectIdentifier) -> ObjectValue? {
    let index = lowerBound(name)
    return index < bindings.count && bindings[index].name == name ? bindings[index].value : nil
  }

  /// The bindings at or below `root`, in order.
  package func subtree(_ root: ObjectIdentifier) -> ArraySlice<VarBind> {
    let start = lowerBound(root)
    var end = start
    while end < bindings.count, bindings[end].name.isWithin(root) { end += 1 }
    return bindings[start..<end]
  }

  /// The first binding whose name follows `name`: GETNEXT.
  package func next(after name: ObjectIdentifier) -> VarBind? {
    var index = lowerBound(name)
    if index < bindings.count, bindings[index].name == name { index += 1 }
    return index < bindings.count ? bindings[index] : nil
  }

  /// Sets one value, keeping the order.
  package mutating func set(_ name: ObjectIdentifier, _ value: ObjectValue) {
    let index = lowerBound(name)
    if index < bindings.count, bindings[index].name == name {
      bindings[index].value = value
    } else {
      bindings.insert(VarBind(name, value), at: index)
    }
  }

  /// Removes one name, if it is there.
  package mutating func remove(_ name: ObjectIdentifier) {
    let index = lowerBound(name)
    if index < bindings.count, bindings[index].name == name { bindings.remove(at: index) }
  }

  /// This walk without `removed`, and with `read` in place of what it has under the same names.
  package func merging(_ read: Walk, removing removed: NameSet = NameSet([])) -> Walk {
    var merged = Walk()
    merged.bindings.reserveCapacity(bindings.count + read.bindings.count)
    var position = 0
    func take(until name: ObjectIdentifier?) {
      while position < bindings.count {
        if let name, bindings[position].name >= name { return }
        if removed.isEmpty || !removed.contains(bindings[position].name) { merged.bindings.append(bindings[position]) }
        position += 1
      }
    }
    for binding in read.bindings {
      take(until: binding.name)
      if position < bindings.count, bindings[position].name == binding.name { position += 1 }
      if removed.isEmpty || !removed.contains(binding.name) { merged.bindings.append(binding) }
    }
    take(until: nil)
    return merged
  }

  /// Whether this walk has everything that the other has, with the same values, but that the value of `name` may differ.
  package func contains(_ part: Walk, butFor name: ObjectIdentifier) -> Bool {
    var position = 0
    for binding in part.bindings where binding.name != name {
      while position < bindings.count, bindings[position].name < binding.name { position += 1 }
      guard position < bindings.count, bindings[position].name == binding.name,
        bindings[position].value == binding.value
      else { return false }
    }
    return true
  }

  /// The bindings that the other walk has not, or with another value.
  package func differing(from other: Walk) -> Walk {
    Walk(ascending: bindings.filter { other[$0.name] != $0.value })
  }

  /// Whether both have the same names with the same values, but that the value of `name` may differ.
  package func equals(_ other: Walk, butFor name: ObjectIdentifier) -> Bool {
    guard bindings.count == other.bindings.count else { return false }
    return bindings.indices.allSatisfy { index in
      bindings[index].name == other.bindings[index].name
        && (bindings[index].value == other.bindings[index].value || bindings[index].name == name)
    }
  }

  private func lowerBound(_ name: ObjectIdentifier) -> Int {
    var low = 0
    var high = bindings.count
    while low < high {
      let middle = low + (high - low) / 2
      if bindings[middle].name < name { low = middle + 1 } else { high = middle }
    }
    return low
  }
}
