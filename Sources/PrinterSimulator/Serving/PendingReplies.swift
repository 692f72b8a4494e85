// Answers that wait for their time: a binary heap by due time, in order of arrival among equals. Bounded.

struct PendingReplies {
  /// Answers held back at most; further ones are lost, as in a full queue of a real network.
  static let countMax = 16_384

  struct Entry {
    var due: Duration
    var order: UInt64
    var socket: Int
    var datagram: OutgoingDatagram
  }

  private var heap: [Entry] = []
  private var order: UInt64 = 0

  /// When the next answer is due.
  var nextDue: Duration? { heap.first?.due }

  /// Returns false when the answer is lost because too many wait.
  mutating func add(_ datagram: OutgoingDatagram, socket: Int, due: Duration) -> Bool {
    guard heap.count < Self.countMax else { return false }
    heap.append(Entry(due: due, order: order, socket: socket, datagram: datagram))
    order += 1
    var child = heap.count - 1
    while child > 0, Self.isBefore(heap[child], heap[(child - 1) / 2]) {
      heap.swapAt(child, (child - 1) / 2)
      child = (child - 1) / 2
    }
    return true
  }

  /// Takes the next answer that is due at `now`.
  mutating func next(at now: Duration) -> Entry? {
    guard let first = heap.first, first.due <= now else { return nil }
    let last = heap.removeLast()
    guard !heap.isEmpty else { return first }
    heap[0] = last
    var parent = 0
    while true {
      let children = [2 * parent + 1, 2 * parent + 2].filter { $0 < heap.count }
      guard let child = children.min(by: { Self.isBefore(heap[$0], heap[$1]) }),
        Self.isBefore(heap[child], heap[parent])
      else { return first }
      heap.swapAt(parent, child)
      parent = child
    }
  }

  private static func isBefore(_ left: Entry, _ right: Entry) -> Bool {
    (left.due, left.order) < (right.due, right.order)
  }
}

/// A datagram on its way out.
struct OutgoingDatagram {
  var bytes: [UInt8]
  var address: UInt32
  var port: UInt16
}
