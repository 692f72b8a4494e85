// A walk at rest: one buffer, for the many devices of which the last answers are kept until the next poll. Some ten bytes an object, where a
// binding takes 72 and its octets more.
//
//     walk = binding*     (`PackedWriter`)
//
// Octets of an unpacked walk are pieces of the buffer.

/// A walk in few bytes.
package struct PackedWalk: Sendable {
  private let bytes: [UInt8]
  private let count: Int
  /// What stands in place of the value in the bytes: that of an object which alone moves on while the others stand still.
  private var moved: VarBind?

  package init(_ walk: Walk) {
    var writer = PackedWriter(byteCount: walk.bindings.count * 12)
    for binding in walk.bindings { writer.append(binding) }
    bytes = writer.finished()
    count = walk.bindings.count
  }

  /// The same walk with another value of one of its objects. Of several such objects only the last is kept so: the walk is packed anew for
  /// the others.
  package func replacing(_ binding: VarBind) -> PackedWalk {
    guard moved == nil || moved?.name == binding.name else {
      var walk = walk
      walk.set(binding.name, binding.value)
      return PackedWalk(walk)
    }
    var packed = self
    packed.moved = binding
    return packed
  }

  /// The walk as it was.
  package var walk: Walk {
    var reader = PackedReader(bytes)
    var bindings: [VarBind] = []
    bindings.reserveCapacity(count)
    for _ in 0..<count { bindings.append(reader.binding()) }
    var walk = Walk(bindings)
    if let moved { walk.set(moved.name, moved.value) }
    return walk
  }

  /// What of the walk lies at or below `root`. The rest is passed, and not unpacked.
  package func subtree(_ root: ObjectIdentifier) -> Walk {
    var reader = PackedReader(bytes)
    var bindings: [VarBind] = []
    for _ in 0..<count {
      let name = reader.name()
      if name.isWithin(root) {
        bindings.append(VarBind(name, reader.value()))
      } else if name > root {
        break
      } else {
        reader.skipValue()
      }
    }
    var walk = Walk(bindings)
    if let moved, moved.name.isWithin(root) { walk.set(moved.name, moved.value) }
    return walk
  }

  package var byteCount: Int { bytes.count }

  /// Whether both have the same objects with the same values, but that the value of `name` may differ. Told without unpacking them, so
  /// that false may also mean that they were packed in another way.
  package func equals(_ other: PackedWalk, butFor name: ObjectIdentifier) -> Bool {
    guard moved.map({ $0.name == name }) ?? true, other.moved.map({ $0.name == name }) ?? true else { return false }
    return bytes == other.bytes
  }
}

extension PackedWalk: Equatable {
  package static func == (left: PackedWalk, right: PackedWalk) -> Bool { left.walk == right.walk }
}
