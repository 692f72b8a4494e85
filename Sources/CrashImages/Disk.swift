// A disk as a program knows it: what is there for certain, and what is on its way.
//
//     certain      what was written before the file's last sync; names as of the directory's last sync
//     on its way   writes since then, in any selection and order; of each, any selection of its sectors
//                  changes of names since then, the first so many of them
//
// That is what POSIX leaves open and what disks do: a write is torn at sectors of 512 bytes, never inside one. Writes that overlap are
// applied in their order; to leave the earlier one out or tear it has the effect of the other order.

/// The smallest part of a write that a disk does whole.
package let sectorByteCount = 512

package struct Disk: Sendable {
  /// A change of a file's content that no sync has followed yet.
  package enum Change: Equatable, Sendable {
    case write(offset: Int, bytes: [UInt8])
    case truncate(length: Int)

    /// How many parts of it may come or not come on their own.
    package var sectorCount: Int {
      switch self {
      case .write(let offset, let bytes): Self.sectors(offset, bytes.count).count
      case .truncate: 1
      }
    }

    static func sectors(_ offset: Int, _ count: Int) -> Range<Int> {
      count == 0 ? 0..<0 : offset / sectorByteCount..<(offset + count - 1) / sectorByteCount + 1
    }
  }

  package enum NameChange: Equatable, Sendable {
    case name(String, file: UInt64)
    case rename(from: String, to: String)
    case unlink(String)
  }

  private var contents: [UInt64: [UInt8]] = [:]
  private var names: [String: UInt64] = [:]
  package private(set) var changes: [(file: UInt64, change: Change)] = []
  package private(set) var nameChanges: [NameChange] = []

  package init() {}

  /// What the program did next.
  package mutating func follow(_ entry: TraceEntry) {
    switch entry.action {
    case .name(let name): nameChanges.append(.name(name, file: entry.file))
    case .rename(let from, let to): nameChanges.append(.rename(from: from, to: to))
    case .unlink(let name): nameChanges.append(.unlink(name))
    case .write(let offset, let bytes): changes.append((entry.file, .write(offset: offset, bytes: bytes)))
    case .truncate(let length): changes.append((entry.file, .truncate(length: length)))
    case .sync:
      for (file, change) in changes where file == entry.file { Self.apply(change, to: &contents[file, default: []]) }
      changes.removeAll { $0.file == entry.file }
    case .syncDirectory:
      for change in nameChanges { Self.apply(change, to: &names) }
      nameChanges = []
    case .note: break
    }
  }

  /// The files that a power cut leaves now.
  /// - Parameters:
  ///   - nameCount: how many of the changes of names made it.
  ///   - kept: whether a sector (counted from 0) of a change made it.
  package func image(names nameCount: Int, keeping kept: (_ change: Int, _ sector: Int) -> Bool) -> [String: [UInt8]] {
    var (contents, names) = (contents, names)
    for change in nameChanges.prefix(nameCount) { Self.apply(change, to: &names) }
    for (index, (file, change)) in changes.enumerated() {
      Self.apply(change, to: &contents[file, default: []]) { kept(index, $0) }
    }
    return names.mapValues { contents[$0] ?? [] }
  }

  private static func apply(
    _ change: Change, to content: inout [UInt8], keeping kept: (Int) -> Bool = { _ in true }
  ) {
    switch change {
    case .truncate(let length):
      guard kept(0) else { return }
      content.resize(to: length)
    case .write(let offset, let bytes):
      let sectors = Change.sectors(offset, bytes.count)
      for (number, sector) in sectors.enumerated() where kept(number) {
        let start = max(offset, sector * sectorByteCount)
        let end = min(offset + bytes.count, (sector + 1) * sectorByteCount)
        if content.count < end { content.resize(to: end) }
        content.replaceSubrange(start..<end, with: bytes[(start - offset)..<(end - offset)])
      }
    }
  }

  private static func apply(_ change: NameChange, to names: inout [String: UInt64]) {
    switch change {
    case .name(let name, let file): names[name] = file
    case .rename(let from, let to): names[to] = names.removeValue(forKey: from)
    case .unlink(let name): names[name] = nil
    }
  }
}

extension [UInt8] {
  /// Cuts, or fills up with zeros.
  fileprivate mutating func resize(to length: Int) {
    if count > length {
      removeLast(count - length)
    } else {
      append(contentsOf: repeatElement(0, count: length - count))
    }
  }
}
