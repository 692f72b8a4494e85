// The files of a journal at one moment, and what a power cut in the middle of a commit makes of them.
//
// LMDB commits in three steps, between which the disk may do what it likes: pages that no meta page leads to yet are written;
// they are synced; one meta page is written and synced. So of two images, before a commit and after it:
//
//     cut while pages are written     the old meta pages, and of the changed pages any selection of sectors
//     cut before the meta is there    the old meta pages, all changed pages
//     cut behind it                   all of the commit

internal import Foundation
package import Simulation

package struct JournalImage: Equatable, Sendable {
  private static let data = "data.mdb"
  private static let pageByteCount = 4_096
  /// LMDB's meta pages.
  private static let metaPages = 0..<2

  /// By name.
  package var files: [String: [UInt8]]

  package init(files: [String: [UInt8]]) { self.files = files }

  /// Copies a journal's files, also of one that is open: between two commits that is what a killed process leaves.
  package init(of directory: String) throws {
    files = [:]
    for name in try FileManager.default.contentsOfDirectory(atPath: directory) {
      let url = URL(fileURLWithPath: directory + "/" + name)
      guard try url.resourceValues(forKeys: [.isRegularFileKey]).isRegularFile == true else { continue }
      files[name] = Array(try Data(contentsOf: url))
    }
  }

  /// Lays the files out in a new directory.
  package func write(to directory: String) throws {
    try FileManager.default.createDirectory(
      atPath: directory, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    for (name, bytes) in files { try Data(bytes).write(to: URL(fileURLWithPath: directory + "/" + name)) }
  }

  /// What a power cut at a moment by chance leaves of the commit that led from `before` to `after`. Takes one number of `random`, however many pages
  /// the commit wrote.
  package static func powerCut(
    between before: JournalImage, and after: JournalImage, using random: inout SplitMix64
  ) -> JournalImage {
    var random = SplitMix64(seed: random.next())
    guard let old = before.files[data], let new = after.files[data] else { return before }
    let changed = changedPages(old, new)
    let metas = changed.filter { metaPages.contains($0) }
    // Two meta pages are two commits, of which nothing is known between.
    guard metas.count == 1 else { return random.once(in: 2) ? before : after }
    let pages = changed.filter { !metaPages.contains($0) }
    let written = Int.random(in: 0...pages.count + 2, using: &random)
    guard written <= pages.count + 1 else { return after }
    var image = before
    // The lock file is no use after a power cut, and may be anything.
    if random.once(in: 2) { image.files["lock.mdb"] = nil }
    image.files[data] = cut(
      old, new, pages.shuffled(using: &random).prefix(written), isSynced: written > pages.count, &random)
    return image
  }

  /// `old` with some of the pages of `new`: whole if they were synced, otherwise any selection of their sectors.
  private static func cut(
    _ old: [UInt8], _ new: [UInt8], _ pages: some Collection<Int>, isSynced: Bool, _ random: inout SplitMix64
  ) -> [UInt8] {
    var disk = Disk()
    let (file, name): (UInt64, String) = (1, data)
    disk.follow(TraceEntry(file: file, .name(name)))
    disk.follow(TraceEntry(.syncDirectory))
    disk.follow(TraceEntry(file: file, .write(offset: 0, bytes: old)))
    disk.follow(TraceEntry(file: file, .sync))
    for page in pages {
      let offset = page * pageByteCount
      let bytes = Array(new[offset..<min(offset + pageByteCount, new.count)])
      disk.follow(TraceEntry(file: file, .write(offset: offset, bytes: bytes)))
    }
    let seed = random.next()
    let image = disk.image(names: 0) { change, sector in
      var chance = SplitMix64(seed: seed ^ UInt64(change) << 32 ^ UInt64(sector))
      return isSynced || chance.once(in: 2)
    }
    return image[name] ?? []
  }

  private static func changedPages(_ old: [UInt8], _ new: [UInt8]) -> [Int] {
    (0..<(new.count + pageByteCount - 1) / pageByteCount).filter { page in
      let range = page * pageByteCount..<min((page + 1) * pageByteCount, new.count)
      return range.upperBound > old.count || old[range] != new[range]
    }
  }
}
