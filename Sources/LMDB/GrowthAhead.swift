// Room made in data.mdb before a commit needs it.
//
// A commit that makes the file longer waits for more than its own pages: fdatasync must then also have the file system's journal
// write the new length and the new extents. Where the pages are there already, it waits for them alone. So a writer that grows
// writes blank pages behind the last one now and then, some thousand records ahead. At 50 records a commit that gives a quarter more
// records a second, although each page is written twice; at 500 the second writing costs as much as is gained (docs/performance.md).
//
// Preallocation by fallocate gains nothing: its extents count as unwritten, and the first write to each is such a change, too.
//
// LMDB looks at no page behind the last one of its newest meta page, and writes whole pages. A blank page says what it is, so that one
// that was zeroed is still known as damage where no meta page is left to say how far the file goes.

internal import Glibc

package struct GrowthAhead: Sendable {
  /// Bytes written ahead at once at most: 2 ms of a disk that writes 1 GB/s, in one of some hundred commits.
  static let stepBytesMax = 2_097_152
  /// And at least: a small journal stays a small file.
  static let stepBytesMin = 131_072
  /// The file grows by this part of its used length: what is written ahead is never more than an eighth of a larger file.
  static let usedPerStep = 8

  /// Bytes that the file must not exceed for this.
  package let limit: Int

  package init(limit: Int) { self.limit = limit }

  /// The length that the file should get; nil while there is room enough in it.
  func length(used: Int, file: Int) -> Int? {
    let step = min(Self.stepBytesMax, max(Self.stepBytesMin, used / Self.usedPerStep))
    guard file - used < step / 4 else { return nil }
    let length = min(used + step, limit)
    return length > file ? length : nil
  }
}

extension WriteTransaction {
  /// Makes room in the file for what comes. While this transaction is open, nobody else makes the file longer.
  ///
  /// A disk that is full or broken is not told here: whether the room is needed shows when the transaction commits, and that tells it.
  package func makeRoom(_ growth: GrowthAhead) throws(LMDBError) {
    let used = try access.environment.fileBytes()
    let (pageBytes, descriptor) = try access.environment.dataFile()
    // Not fstat: who asks for a file's times makes Linux give the next write a time of its own, and the file system's journal a
    // record of it, with every commit. LMDB sets the place before each write that depends on it.
    let file = Int(lseek(descriptor, 0, SEEK_END))
    guard file >= 0, let length = growth.length(used: used, file: file) else { return }
    let start = (max(used, file) + pageBytes - 1) / pageBytes
    DataPage.writeBlanks(start..<length / pageBytes, of: pageBytes, to: descriptor)
  }
}

extension DataPage {
  /// What a blank page begins with; zeros follow.
  private static let blankMark = Array("a page that no commit has used yet\n".utf8)
  /// Written at once: 128 KiB.
  private static let blanksPerWrite = 32

  /// Whether it was written ahead, and no commit has used it.
  var isBlank: Bool {
    bytes.starts(with: Self.blankMark) && bytes.dropFirst(Self.blankMark.count).allSatisfy { $0 == 0 }
  }

  /// As far as the disk takes them.
  fileprivate static func writeBlanks(_ pages: Range<Int>, of pageBytes: Int, to descriptor: Int32) {
    let blank = blankMark + Array(repeating: 0, count: pageBytes - blankMark.count)
    let blanks = Array(repeatElement(blank, count: min(blanksPerWrite, pages.count)).joined())
    var offset = pages.lowerBound * pageBytes
    while offset < pages.upperBound * pageBytes {
      let written = pwrite(descriptor, blanks, min(blanks.count, pages.upperBound * pageBytes - offset), off_t(offset))
      guard written > 0 else { return }
      offset += written
    }
  }
}
