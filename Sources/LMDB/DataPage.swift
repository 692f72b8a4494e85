// One page of a data file, decoded without LMDB, for those who must not trust the file.
//
// The layout of LMDB 0.9 (mdb.c, "MDB_page", "MDB_node", "MDB_meta", "MDB_db"), on a 64-bit little-endian machine:
//
//   page    page number u64, pad u16, flags u16, lower u16, upper u16, then an offset u16 for each node
//           an overflow page has a count of pages u32 in the place of lower and upper, and bytes from 16 on
//   node    u16, u16, u16, key size u16, key, value
//             in a leaf    the first two are the value's size (low, high), the third is flags
//             in a branch  the three are the child's page number (48 bits); there is no value
//   meta    page header 16, magic u32, version u32, address u64, map size u64, free list's tree 48, main tree 48,
//           last page u64, transaction u64
//   tree    u32 (the page size, in a meta's first tree), flags u16, depth u16, branch, leaf and overflow pages u64,
//           entries u64, root u64 (all ones: empty)
//
// Nothing here traps, whatever the bytes are: what does not fit is nil.

/// A page, copied out of the file.
package struct DataPage: Sendable {
  package enum Kind: Sendable { case branch, leaf, overflow, meta }

  package let number: UInt64
  package let bytes: [UInt8]

  static let headerBytes = 16
  static let nodeHeaderBytes = 8

  /// The kind by its flags; nil unless the page says that it is the one that was asked for, and is of a kind that is used here.
  package var kind: Kind? {
    guard bytes.count >= Self.headerBytes, integer(at: 0, UInt64.self) == number else { return nil }
    switch integer(at: 10, UInt16.self).map({ $0 & Self.kinds }) {
    case 0x01: return .branch
    case 0x02: return .leaf
    case 0x04: return .overflow
    case 0x08: return .meta
    default: return nil
    }
  }

  /// Whether it bears marks that a writer keeps for itself (P_DIRTY and those above), which no commit leaves. LMDB believes them: it takes the page
  /// for one of its own transaction, writes to it where it is mapped for reading only, or stops with an assertion.
  var isMarked: Bool { integer(at: 10, UInt16.self).map { $0 & ~Self.kinds != 0 } ?? false }

  private static let kinds: UInt16 = 0x0F

  /// Where its nodes begin; nil unless every one of them can lie in the page.
  package var nodeOffsets: [Int]? {
    guard let lower = integer(at: 12, UInt16.self), let upper = integer(at: 14, UInt16.self),
      lower >= Self.headerBytes, lower % 2 == 0, lower <= upper, Int(upper) <= bytes.count
    else { return nil }
    var offsets: [Int] = []
    offsets.reserveCapacity((Int(lower) - Self.headerBytes) / 2)
    for place in stride(from: Self.headerBytes, to: Int(lower), by: 2) {
      guard let offset = integer(at: place, UInt16.self), offset >= upper,
        Int(offset) + Self.nodeHeaderBytes <= bytes.count
      else { return nil }
      offsets.append(Int(offset))
    }
    return offsets
  }

  /// The pages of an overflow page, itself included.
  var overflowPages: Int? { integer(at: 12, UInt32.self).map { Int($0) } }

  func integer<T: FixedWidthInteger>(at offset: Int, _: T.Type) -> T? {
    guard offset >= 0, offset <= bytes.count - MemoryLayout<T>.size else { return nil }
    return bytes.withUnsafeBytes { T(littleEndian: $0.loadUnaligned(fromByteOffset: offset, as: T.self)) }
  }

  /// The bytes of `range`; nil when they are not all in the page.
  func slice(_ offset: Int, count: Int) -> Range<Int>? {
    guard offset >= 0, count >= 0, offset <= bytes.count, count <= bytes.count - offset else { return nil }
    return offset..<offset + count
  }
}

/// An entry of a leaf, or the way to a child of a branch.
package struct DataNode: Sendable {
  package enum Content: Sendable {
    case value(Range<Int>)
    /// The value lies in pages of its own, from this one on.
    case overflow(page: UInt64, count: Int)
    case tree(DataTree)
    case child(page: UInt64)
  }

  package let key: Range<Int>
  package let content: Content

  private static let bigValue: UInt16 = 0x01
  private static let subtree: UInt16 = 0x02

  /// Nil when it does not fit into its page.
  package init?(at offset: Int, of page: DataPage, isBranch: Bool) {
    guard let low = page.integer(at: offset, UInt16.self), let high = page.integer(at: offset + 2, UInt16.self),
      let third = page.integer(at: offset + 4, UInt16.self), let keySize = page.integer(at: offset + 6, UInt16.self),
      let key = page.slice(offset + DataPage.nodeHeaderBytes, count: Int(keySize))
    else { return nil }
    self.key = key
    let number = UInt64(low) | UInt64(high) << 16
    if isBranch {
      content = .child(page: number | UInt64(third) << 32)
    } else if third & Self.bigValue != 0 {
      guard let first = page.integer(at: key.upperBound, UInt64.self) else { return nil }
      content = .overflow(page: first, count: Int(number))
    } else if third & Self.subtree != 0 {
      guard number == DataTree.byteCount, let tree = DataTree(at: key.upperBound, of: page) else { return nil }
      content = .tree(tree)
    } else {
      guard let value = page.slice(key.upperBound, count: Int(number)) else { return nil }
      content = .value(value)
    }
  }
}

/// Where a tree of pages begins, and how large it says that it is.
package struct DataTree: Hashable, Sendable {
  static let byteCount = 48
  private static let noRoot = UInt64.max
  /// A tree of 2^64 entries, two a page, would not be deeper.
  static let depthMax = 32

  package let depth: Int
  package let branchPages: UInt64
  package let leafPages: UInt64
  package let overflowPages: UInt64
  package let entries: UInt64
  /// Nil when the tree is empty.
  package let root: UInt64?

  init?(at offset: Int, of page: DataPage) {
    func count(_ place: Int) -> UInt64? { page.integer(at: offset + place, UInt64.self) }
    guard let depth = page.integer(at: offset + 6, UInt16.self), depth <= Self.depthMax, let branches = count(8),
      let leaves = count(16), let overflows = count(24), let entries = count(32), let root = count(40)
    else { return nil }
    guard root != Self.noRoot || entries == 0 else { return nil }
    self.depth = Int(depth)
    branchPages = branches
    leafPages = leaves
    overflowPages = overflows
    self.entries = entries
    self.root = root == Self.noRoot ? nil : root
  }
}

/// One of the two meta pages: a committed state of the whole environment.
package struct DataMeta: Hashable, Sendable {
  package let pageBytes: Int
  package let freeList: DataTree
  package let main: DataTree
  package let lastPage: UInt64
  package let transaction: UInt64

  private static let magic: UInt32 = 0xBEEF_C0DE
  private static let version: UInt32 = 1

  /// Nil unless the page is a meta page of LMDB 0.9 that makes sense.
  package init?(_ page: DataPage) {
    let start = DataPage.headerBytes
    guard page.kind == .meta, page.integer(at: start, UInt32.self) == Self.magic,
      page.integer(at: start + 4, UInt32.self) == Self.version,
      let pageBytes = page.integer(at: start + 24, UInt32.self), pageBytes.nonzeroBitCount == 1,
      (512...65_536).contains(pageBytes), let freeList = DataTree(at: start + 24, of: page),
      let main = DataTree(at: start + 72, of: page), let lastPage = page.integer(at: start + 120, UInt64.self),
      let transaction = page.integer(at: start + 128, UInt64.self)
    else { return nil }
    // A page number beyond any disk would only overflow what is computed from it.
    guard lastPage >= 1, lastPage < 1 << 48 else { return nil }
    for tree in [freeList, main] { guard tree.root ?? 2 >= 2, tree.root ?? 2 <= lastPage else { return nil } }
    self.pageBytes = Int(pageBytes)
    self.freeList = freeList
    self.main = main
    self.lastPage = lastPage
    self.transaction = transaction
  }
}
