// Walking the trees of a data file, past whatever is damaged.

/// Something that is not as it should be.
package struct DataFault: Hashable, Sendable, CustomStringConvertible {
  package let page: UInt64
  package let what: String
  package var description: String { "page \(page) \(what)" }
}

/// A walk over one file. It remembers the pages that it came to: two ways to one page are a fault, and no walk is endless.
package struct DataWalk {
  private let file: DataFile
  /// No page is as large as this.
  private let limit: UInt64
  package private(set) var reached: PageSet
  /// In the order they were met, at most `faultsMax`.
  package private(set) var faults: [DataFault] = []
  /// The leaves that branches led to.
  private var leaves: UInt64 = 0
  /// Enough to tell a bad sector from a bad disk.
  private static let faultsMax = 20

  /// - Parameter meta: the commit whose pages are walked: it tells how far they go.
  package init(_ file: DataFile, _ meta: DataMeta? = nil) {
    self.file = file
    limit = min(file.pages, meta.map { $0.lastPage + 1 } ?? .max)
    reached = PageSet(pages: file.pages)
    reached.insert(0)
    reached.insert(1)
  }

  /// Lends every entry of a tree in order, as far as the pages can be read.
  package mutating func entries(
    of tree: DataTree, _ body: (_ key: UnsafeRawBufferPointer, _ value: DataValue) throws -> Void
  ) rethrows {
    guard let root = tree.root else { return }
    try visit(root, levels: tree.depth) { file, page, offset in
      guard let node = DataNode(at: offset, of: page, isBranch: false) else { return "has an entry that is cut" }
      guard !node.key.isEmpty else { return "has an entry without a key" }
      return try file.lend(node, of: page, body) ? nil : "has an entry whose value cannot be read"
    }
  }

  /// Goes through the branch pages alone, which lead to every leaf: a hundredth of the pages.
  package mutating func branches(of tree: DataTree) {
    guard let root = tree.root else { return }
    leaves = 0
    if tree.depth > 1 {
      visit(root, levels: tree.depth - 1, leafLevel: false) { _, _, _ in nil }
    } else {
      reachLeaf(root)
    }
    if leaves != tree.leafPages { fault(root, "leads to another number of pages, \(leaves), than \(tree.leafPages)") }
  }

  private mutating func reachLeaf(_ number: UInt64) {
    if reach(number) { leaves += 1 }
  }

  /// - Parameters:
  ///   - levels: how many levels of pages to read, this one included.
  ///   - leafLevel: whether the lowest of them are leaves; else they are branches, whose children are only reached.
  private mutating func visit(
    _ number: UInt64, levels: Int, leafLevel: Bool = true,
    _ leaf: (DataFile, DataPage, Int) throws -> String?
  ) rethrows {
    guard reach(number) else { return }
    let expected = levels == 1 && leafLevel ? DataPage.Kind.leaf : .branch
    guard let page = file.page(number) else { return fault(number, "cannot be read") }
    guard levels >= 1, page.kind == expected, let offsets = page.nodeOffsets else {
      return fault(number, "is not the \(expected) page that it should be")
    }
    if page.isMarked { fault(number, Self.marked) }
    for offset in offsets {
      if expected == .leaf {
        note(page, offset)
        if let what = try leaf(file, page, offset) { fault(number, what) }
      } else if let node = DataNode(at: offset, of: page, isBranch: true), case .child(let child) = node.content {
        if levels == 1 { reachLeaf(child) } else { try visit(child, levels: levels - 1, leafLevel: leafLevel, leaf) }
      } else {
        fault(number, "has an entry that is cut")
      }
    }
  }

  /// Counts the pages of a large value as reached, and looks at the first: what it says is what LMDB frees with it.
  private mutating func note(_ page: DataPage, _ offset: Int) {
    guard let node = DataNode(at: offset, of: page, isBranch: false),
      case .overflow(let first, let count) = node.content
    else { return }
    let pages = (DataPage.headerBytes + count + file.pageBytes - 1) / file.pageBytes
    guard UInt64(pages) <= file.pages else { return fault(page.number, "has an entry of impossible size") }
    for offset in 0..<UInt64(pages) { reach(first &+ offset) }
    guard let head = file.page(first), head.kind == .overflow, head.overflowPages == pages else {
      return fault(first, "does not begin the value that it should")
    }
    if head.isMarked { fault(first, Self.marked) }
  }

  private static let marked = "bears a writer's mark, which no commit leaves"

  @discardableResult
  private mutating func reach(_ number: UInt64) -> Bool {
    guard number < limit else {
      fault(number, "lies behind the end of the file")
      return false
    }
    guard reached.insert(number) else {
      fault(number, "is used twice")
      return false
    }
    return true
  }

  private mutating func fault(_ page: UInt64, _ what: String) {
    guard faults.count < Self.faultsMax else { return }
    faults.append(DataFault(page: page, what: what))
  }

  /// Reads the free list: a list of page numbers for each transaction that freed some, the count first, descending (mdb.c,
  /// "MDB_IDL"). Each must be a page of the file that nothing reached, or a commit would write over what is in use.
  package mutating func freeList(of meta: DataMeta) {
    var lists: [[UInt64]] = []
    var malformed = false
    entries(of: meta.freeList) { key, value in
      guard key.count == 8, case .bytes(let bytes) = value, let list = Self.pageNumbers(bytes) else {
        malformed = true
        return
      }
      lists.append(list)
    }
    if malformed { fault(meta.freeList.root ?? 0, "has a free list that cannot be read") }
    var behindEnd: UInt64 = 0
    for number in lists.joined() {
      if number < 2 || number > meta.lastPage {
        fault(number, "is called free and does not exist")
      } else if number >= file.pages {
        behindEnd += 1
      } else if !reached.insert(number) {
        fault(number, "is called free and is in use")
      }
    }
    // Pages at the end that were freed before they were ever written need not be in the file.
    if meta.lastPage + 1 > file.pages + behindEnd {
      fault(file.pages, "and those behind it are missing: the file has \(file.pages) of \(meta.lastPage + 1) pages")
    }
  }

  private static func pageNumbers(_ bytes: UnsafeRawBufferPointer) -> [UInt64]? {
    guard bytes.count >= 8, bytes.count % 8 == 0 else { return nil }
    let words = (0..<bytes.count / 8).map { bytes.loadUnaligned(fromByteOffset: $0 * 8, as: UInt64.self) }
    guard let count = words.first, count <= UInt64(words.count - 1) else { return nil }
    let list = words.dropFirst().prefix(Int(count))
    return zip(list, list.dropFirst()).allSatisfy { $0 > $1 } ? Array(list) : nil
  }
}

extension DataFile {
  /// What the last commit counts and the file in `directory` does not have; nil when nothing is missing. Pages at the end that were
  /// freed before they were ever written need not be there.
  ///
  /// A writer may be at work meanwhile: it uses the pages of a commit's free list again after the next commit at the earliest, so
  /// that what was read while more than one commit passed is read again, `readingsMax` times.
  /// - Throws: where the file cannot be read, or never stood still for one reading.
  package static func shortfall(directory: String) throws(LMDBError) -> DataFault? {
    try shortfall(directory: directory) {}
  }

  /// A commit costs two flushes of the disk, the reading of a free list some pages from its cache: that two commits pass within one is
  /// chance, and so many times in a row something else.
  private static let readingsMax = 32

  /// - Parameter pause: what happens between the reading and the look at what was committed meanwhile.
  static func shortfall(directory: String, pause: () -> Void) throws(LMDBError) -> DataFault? {
    for _ in 0..<readingsMax {
      let file = try DataFile(directory: directory)
      guard let meta = file.meta, meta.lastPage >= file.pages else { return nil }
      var walk = DataWalk(file, meta)
      walk.freeList(of: meta)
      pause()
      let now = try DataFile(directory: directory).meta?.transaction ?? meta.transaction
      // A number that went back is that of another file.
      if now &- meta.transaction <= 1 { return walk.faults.last }
    }
    throw LMDBError("look at data.mdb", path: directory, kind: .changing)
  }
}
