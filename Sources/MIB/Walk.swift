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
  package init(_ unordered: some Sequence<VarBind>) {
    bindings = Array(unordered)
    guard !Self.isAscending(bindings) else { return }
    let order = bindings.indices.sorted { left, right in
      if bindings[left].name < bindings[right].name { return true }
      return left < right && bindings[left].name == bindings[right].name
    }
    var sorted: [VarBind] = []
    sorted.reserveCapacity(order.count)
    for index in order {
      if sorted.last?.name == bindings[index].name { sorted.removeLast() }
      sorted.append(bindings[index])
    }
    bindings = sorted
  }

  /// Whether the bindings are a walk already, as those of most sources are.
  private static func isAscending(_ bindings: [VarBind]) -> Bool {
    bindings.indices.dropFirst().allSatisfy { bindings[$0 - 1].name < bindings[$0].name }
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
