// A set of names, in order: made from names that mostly are in order already, and asked by halving.

/// Names, each once.
package struct NameSet: Equatable, Sendable {
  /// Ascending.
  package let names: [ObjectIdentifier]

  /// The names of bindings.
  package init(of bindings: [VarBind]) { self.init(bindings.map(\.name)) }

  package init(_ unordered: [ObjectIdentifier]) {
    var names = unordered
    let isAscending = names.indices.dropFirst().allSatisfy { names[$0 - 1] < names[$0] }
    if !isAscending {
      names.sort()
      var kept = 0
      for index in names.indices where index == 0 || names[index] != names[kept - 1] {
        names[kept] = names[index]
        kept += 1
      }
      names.removeLast(names.count - kept)
    }
    self.names = names
  }

  package var count: Int { names.count }
  package var isEmpty: Bool { names.isEmpty }

  package func contains(_ name: ObjectIdentifier) -> Bool {
    var low = 0
    var high = names.count
    while low < high {
      let middle = low + (high - low) / 2
      if names[middle] < name { low = middle + 1 } else { high = middle }
    }
    return low < names.count && names[low] == name
  }
}
