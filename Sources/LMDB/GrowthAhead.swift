// Room made in data.mdb before a commit needs it.
//
// A commit that makes the file longer waits for more than its own pages: fdatasync must then also have the file system's journal
// write the new length and the new extents. Where the pages are there already, it waits for them alone. So a writer that grows
// writes blank pages behind the last one now and then, some thousand records ahead. That gives a quarter more records a second at 50 a
// commit, although each page is written twice (docs/performance.md). The blank pages go past the page cache where the file system
// allows it (O_DIRECT): through it, the second writing would cost large commits as much as they gain.
//
// Preallocation by fallocate gains nothing: its extents count as unwritten, and the first write to each is such a change, too.
//
// LMDB looks at no page behind the last one of its newest meta page, and writes whole pages. A blank page says what it is, so that one
// that was zeroed is still known as damage where no meta page is left to say how far the file goes.

internal import CLMDB
internal import Glibc

package struct GrowthAhead: Sendable {
  /// Bytes written ahead at once at most: 4 ms of a disk that writes 1 GB/s, in one of some dozen large commits.
  static let stepBytesMax = 4_194_304
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

  /// Whether it was written ahead, and no commit has used it.
  var isBlank: Bool {
    bytes.starts(with: Self.blankMark) && bytes.dropFirst(Self.blankMark.count).allSatisfy { $0 == 0 }
  }

  /// Blank pages in memory, which one call writes again and again: 128 KiB, some of what the processor's own cache holds.
  private static let blanksInMemory = 32
  /// How often one call writes them at most: 4 MiB.
  private static let repeatsPerWrite = 32

  /// As far as the disk takes them.
  fileprivate static func writeBlanks(_ pages: Range<Int>, of pageBytes: Int, to descriptor: Int32) {
    let blanks = UnsafeMutableRawBufferPointer.allocate(
      byteCount: min(pages.count, blanksInMemory) * pageBytes, alignment: pageBytes)
    defer { blanks.deallocate() }
    blanks.initializeMemory(as: UInt8.self, repeating: 0)
    for start in stride(from: 0, to: blanks.count, by: pageBytes) {
      UnsafeMutableRawBufferPointer(rebasing: blanks[start...]).copyBytes(from: blankMark)
    }
    let direct = opened(pastCache: descriptor)
    defer { if let direct { close(direct) } }
    var target = direct ?? descriptor
    var rest = pages.lowerBound * pageBytes..<pages.upperBound * pageBytes
    while !rest.isEmpty {
      // A page that was written in part is written again.
      let written = write(blanks, over: rest, to: target) / pageBytes * pageBytes
      if written > 0 {
        rest = rest.lowerBound + written..<rest.upperBound
      } else if target != descriptor {
        // What a file system refuses past its cache it may take all the same.
        target = descriptor
      } else {
        return
      }
    }
  }

  /// Writes the same bytes one behind the other; gives how many were written, or -1.
  private static func write(_ bytes: UnsafeMutableRawBufferPointer, over range: Range<Int>, to file: Int32) -> Int {
    let starts = stride(from: range.lowerBound, to: range.upperBound, by: bytes.count).prefix(repeatsPerWrite)
    let parts = starts.map { start in
      iovec(iov_base: bytes.baseAddress, iov_len: min(bytes.count, range.upperBound - start))
    }
    return pwritev(file, parts, Int32(parts.count), off_t(range.lowerBound))
  }

  /// The same file opened once more, for writing past the page cache; nil where the file system does not allow it. LMDB's locks are on
  /// another file: closing this one gives none up.
  private static func opened(pastCache file: Int32) -> Int32? {
    let descriptor = open("/proc/self/fd/\(file)", O_WRONLY | clmdb_direct | O_CLOEXEC)
    return descriptor >= 0 ? descriptor : nil
  }
}
