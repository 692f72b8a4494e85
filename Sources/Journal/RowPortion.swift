// Rows of the records, copied out of one reading transaction, which is over before anybody looks at them: whoever looks may
// take as long as it likes, block on a pipe, read again or write, and no page is held back from the writer meanwhile.
//
// One buffer takes all rows of a portion, one behind the other, and is used again for the next. A copy costs 0.16 us a record of
// 350 bytes.

internal import Glibc
internal import LMDB

struct RowPortion {
  private var bytes: [UInt8] = []
  /// Where each row lies in `bytes`: its key up to `value`, its value up to `end`.
  private var rows: [(key: Int, value: Int, end: Int)] = []

  var count: Int { rows.count }

  /// Keys do not ascend, as those of a sound page do: going on behind the last one would lead back, again and again.
  struct Disorder: Error {}

  /// Copies the rows from `key` on, in the place of what it had: at most so many, and no further ones once it has so many bytes.
  /// - Throws: `Disorder`, with the rows before it as they are.
  mutating func fill(
    from key: [UInt8], of database: Database, _ transaction: borrowing ReadTransaction, rowsMax: Int, bytesMax: Int
  ) throws {
    rows.removeAll(keepingCapacity: true)
    bytes.removeAll(keepingCapacity: true)
    try transaction.withCursor(database) { cursor in
      var found = try cursor.seek(key)
      while found, rows.count < rowsMax, bytes.count < bytesMax {
        let start = bytes.count
        guard isInOrder(cursor.key, from: key) else { throw Disorder() }
        bytes.append(contentsOf: cursor.key)
        let value = bytes.count
        bytes.append(contentsOf: cursor.value)
        rows.append((start, value, bytes.count))
        found = try cursor.next()
      }
    }
  }

  /// Whether a key stands behind the last row's, or is the first one from `start` on.
  private func isInOrder(_ key: UnsafeRawBufferPointer, from start: [UInt8]) -> Bool {
    guard let last = rows.last else { return start.withUnsafeBytes { Self.order($0, key) <= 0 } }
    return bytes.withUnsafeBytes { Self.order(.init(rebasing: $0[last.key..<last.value]), key) < 0 }
  }

  /// As keys are ordered: less than 0 where the left one comes first.
  private static func order(_ left: UnsafeRawBufferPointer, _ right: UnsafeRawBufferPointer) -> Int {
    guard let leftBytes = left.baseAddress, let rightBytes = right.baseAddress else { return left.count - right.count }
    let order = memcmp(leftBytes, rightBytes, min(left.count, right.count))
    return order == 0 ? left.count - right.count : Int(order)
  }

  /// Lends each row's key and value in order, until `body` returns false.
  /// - Returns: whether it never did.
  func forEach(_ body: (UnsafeRawBufferPointer, UnsafeRawBufferPointer) throws -> Bool) rethrows -> Bool {
    try bytes.withUnsafeBytes { bytes in
      for row in rows {
        let key = UnsafeRawBufferPointer(rebasing: bytes[row.key..<row.value])
        let value = UnsafeRawBufferPointer(rebasing: bytes[row.value..<row.end])
        guard try body(key, value) else { return false }
      }
      return true
    }
  }

  /// The first key behind the last row, in the order of bytes: its own with a zero behind it. Nil where there is no row.
  var following: [UInt8]? { rows.last.map { Array(bytes[$0.key..<$0.value]) + [0] } }
}
