// data.mdb, read without LMDB: for files that may be damaged.
//
// LMDB trusts its file: a page that is not what it should be makes it abort, a file cut short kills the process with SIGBUS.
// Here the file is read with pread(2), so that what is not there, or what the disk will not give, is a page that is missing
// and nothing worse; every page is checked to be what its place says; and a walk goes on behind what is damaged.
//
//   meta 0, meta 1 ──> main tree ──> "records" ──> branch pages ──> leaf pages ──> overflow pages
//
// What cannot be reached may still be there: `forEachPage` goes through the file from page to page.

internal import Glibc

package final class DataFile {
  package let pageBytes: Int
  /// Whole pages in the file.
  package var pages: UInt64 { UInt64(length / pageBytes) }
  /// The length of the file in bytes.
  package private(set) var length: Int
  /// The two meta pages; nil where one makes no sense.
  package private(set) var metas: [DataMeta?] = []
  private let descriptor: Int32

  /// Opens the file for reading.
  /// - Throws: when there is none, or it may not be read. Damage throws nothing.
  package init(directory: String) throws(LMDBError) {
    descriptor = open(directory + "/data.mdb", O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw LMDBError("read data.mdb", path: directory, code: errno) }
    pageBytes = sysconf(Int32(_SC_PAGESIZE))
    length = max(0, Int(lseek(descriptor, 0, SEEK_END)))
    metas = [0, 1].map { page($0).flatMap { DataMeta($0) } }
    // Again, behind the metas: a writer makes the file longer before it says so in one of them.
    length = max(0, Int(lseek(descriptor, 0, SEEK_END)))
  }

  deinit { close(descriptor) }

  /// The meta page of the last commit; nil when neither makes sense, or they belong to a machine of another page size.
  package var meta: DataMeta? {
    metas.compactMap { $0 }.filter { $0.pageBytes == pageBytes }.max { $0.transaction < $1.transaction }
  }

  /// Whether both meta pages make sense and are of two commits that follow one another, as LMDB leaves them: then the newer one
  /// is the last commit's.
  package var metasFollow: Bool {
    guard let first = metas[0], let second = metas[1] else { return false }
    return max(first.transaction, second.transaction) - min(first.transaction, second.transaction) == 1
  }

  /// Whether no page that the last commit counts is missing or makes no sense by itself, but those in `known`. One that holds
  /// the rest of a large value which nothing leads to any more makes no sense either; a blank one does.
  package func isSensible(but known: Set<UInt64>) -> Bool {
    if let meta, meta.lastPage >= pages { return false }
    var number: UInt64 = 2
    while number < pages {
      let page = page(number)
      switch page?.kind {
      case .leaf, .branch: if page?.nodeOffsets == nil, !known.contains(number) { return false }
      case .overflow: number += UInt64(max(1, page?.overflowPages ?? 1)) - 1
      case .meta, nil: if page?.isBlank != true, !known.contains(number) { return false }
      }
      number += 1
    }
    return true
  }

  /// A page; nil when the file does not have it whole or the disk does not give it.
  package func page(_ number: UInt64) -> DataPage? {
    guard number < pages else { return nil }
    return bytes(from: number, count: pageBytes).map { DataPage(number: number, bytes: $0) }
  }

  /// The value that begins on an overflow page; nil unless that is what lies there, whole.
  func overflow(_ first: UInt64, count: Int) -> [UInt8]? {
    guard first < pages, count >= 0, count <= length, let head = page(first), head.kind == .overflow else { return nil }
    let needed = (DataPage.headerBytes + count + pageBytes - 1) / pageBytes
    guard head.overflowPages == needed, let all = bytes(from: first, count: DataPage.headerBytes + count) else {
      return nil
    }
    return Array(all[DataPage.headerBytes...])
  }

  private func bytes(from number: UInt64, count: Int) -> [UInt8]? {
    let start = Int(number) * pageBytes
    guard count <= length - start else { return nil }
    let buffer = [UInt8](unsafeUninitializedCapacity: count) { buffer, filled in
      while filled < count {
        let got = pread(descriptor, buffer.baseAddress.map { $0 + filled }, count - filled, off_t(start + filled))
        if got < 0, errno == EINTR { continue }
        guard got > 0 else { return }
        filled += got
      }
    }
    return buffer.count == count ? buffer : nil
  }

  /// Lends every page that can be read, in the order of the file, but those in `known`.
  package func forEachPage(outside known: PageSet, _ body: (DataPage) throws -> Void) rethrows {
    var number: UInt64 = 2
    while number < pages {
      if !known.contains(number), let page = page(number) { try body(page) }
      number += 1
    }
  }

  /// Lends the entries of a leaf page that make sense by themselves, whether or not a tree leads there; of those whose value is not where
  /// it should be, the key.
  package func forEachEntry(
    of page: DataPage, _ body: (_ key: UnsafeRawBufferPointer, _ value: DataValue) throws -> Void
  ) rethrows {
    guard page.kind == .leaf, let offsets = page.nodeOffsets else { return }
    for offset in offsets {
      guard let node = DataNode(at: offset, of: page, isBranch: false) else { continue }
      if try !lend(node, of: page, body) {
        try page.bytes.withUnsafeBytes { try body(.init(rebasing: $0[node.key]), .missing) }
      }
    }
  }

  /// - Returns: false when the value cannot be read.
  @discardableResult
  func lend(
    _ node: DataNode, of page: DataPage, _ body: (UnsafeRawBufferPointer, DataValue) throws -> Void
  ) rethrows -> Bool {
    switch node.content {
    case .value(let range):
      try page.bytes.withUnsafeBytes { bytes in
        try body(.init(rebasing: bytes[node.key]), .bytes(.init(rebasing: bytes[range])))
      }
    case .overflow(let first, let count):
      guard let value = overflow(first, count: count) else { return false }
      try page.bytes.withUnsafeBytes { bytes in
        try value.withUnsafeBytes { try body(.init(rebasing: bytes[node.key]), .bytes($0)) }
      }
    case .tree(let tree):
      try page.bytes.withUnsafeBytes { try body(.init(rebasing: $0[node.key]), .tree(tree)) }
    case .child: return false
    }
    return true
  }
}

/// What an entry holds: bytes, or in the main tree a named database.
package enum DataValue {
  case bytes(UnsafeRawBufferPointer)
  case tree(DataTree)
  /// What should be there cannot be read.
  case missing
}

/// A set of page numbers: a bit for each page of a file.
package struct PageSet: Sendable {
  private var words: [UInt64]

  /// - Parameter pages: no number as large as this is ever a member.
  package init(pages: UInt64) { words = Array(repeating: 0, count: Int(pages / 64 + 1)) }

  package func contains(_ page: UInt64) -> Bool {
    guard page / 64 < words.count else { return false }
    return words[Int(page / 64)] & 1 << (page % 64) != 0
  }

  /// False when it was a member, or cannot be one.
  @discardableResult
  package mutating func insert(_ page: UInt64) -> Bool {
    guard page / 64 < words.count, !contains(page) else { return false }
    words[Int(page / 64)] |= 1 << (page % 64)
    return true
  }
}
