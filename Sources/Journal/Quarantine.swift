// Putting a salvaged journal in the place of a damaged one. Nothing is deleted: the damaged files are renamed into a directory
// beside the journal's.
//
//   journal/data.mdb            ──> journal-damaged-20261125T163455Z/data.mdb
//   journal/salvage/data.mdb    ──> journal/data.mdb
//
// Renames cannot be made together, so they are made so that any number of them can be made again: what is to be done is
// written to `salvage/complete` first (synced), and an opening that finds the file goes on where the last one was ended.
// A `salvage` without that file was not finished and is only a copy: it is removed.
//
//   complete      quarantine: <directory>
//                 aside: <file name>              a line for each file to be moved out of the way

internal import Glibc

/// A directory of damaged files, as an earlier opening left it.
package struct JournalQuarantine: Sendable {
  package let path: String
  /// What was wrong and what is lost: a sentence or two.
  package let note: String

  /// Those beside the journal in `directory`, the oldest first.
  package static func all(of directory: String) -> [JournalQuarantine] {
    let base = Quarantine.base(of: directory)
    let slash = base.lastIndex(of: "/")
    let parent = slash.map { $0 == base.startIndex ? "/" : String(base[..<$0]) } ?? "."
    let prefix = String(slash.map { base[base.index(after: $0)...] } ?? base[...])
    return Files.names(in: parent).filter { $0.hasPrefix(prefix) }.sorted().compactMap { name in
      let path = parent + "/" + name
      guard let note = try? Files.read(path + "/" + Quarantine.noteName) else { return nil }
      return JournalQuarantine(path: path, note: String(decoding: note, as: UTF8.self).filter { $0 != "\n" })
    }
  }
}

struct Quarantine {
  private static let planName = "complete"
  /// What says, for people and for the next start, why it is there.
  static let noteName = "damage.txt"

  let directory: String
  let path: String
  private var salvage: String { directory + "/" + JournalFile.salvage }

  /// A directory beside `directory` that does not exist yet, named after the time.
  init(of directory: String, now: Int64) throws(JournalError) {
    self.directory = directory
    let base = Self.base(of: directory) + Self.stamp(now)
    var candidate = base
    var number = 2
    while try Files.size(candidate) != nil {
      candidate = "\(base).\(number)"
      number += 1
    }
    path = candidate
  }

  private init(directory: String, path: String) {
    self.directory = directory
    self.path = path
  }

  static func base(of directory: String) -> String {
    var name = directory
    while name.count > 1, name.last == "/" { name.removeLast() }
    return name + "-damaged-"
  }

  /// `20261125T163455Z`
  private static func stamp(_ nanoseconds: Int64) -> String {
    var seconds = time_t(nanoseconds / 1_000_000_000)
    var parts = tm()
    gmtime_r(&seconds, &parts)
    func digits(_ number: Int32) -> String { number < 10 ? "0\(number)" : "\(number)" }
    let date = "\(parts.tm_year + 1900)\(digits(parts.tm_mon + 1))\(digits(parts.tm_mday))"
    return "\(date)T\(digits(parts.tm_hour))\(digits(parts.tm_min))\(digits(parts.tm_sec))Z"
  }

  /// Makes the quarantine with its note.
  func create(note: String) throws(JournalError) {
    try Files.makeDirectory(path)
    try Files.write(Array((note + "\n").utf8), to: path + "/" + Self.noteName, in: path, mode: 0o600)
  }

  /// Moves single files out of the way, where nothing takes their place.
  func takeAside(_ names: [String]) throws(JournalError) {
    for name in names { try Files.move(directory + "/" + name, to: path + "/" + name) }
    try Files.synchronizeDirectory(path)
    try Files.synchronizeDirectory(directory)
  }

  // MARK: Exchanging

  /// Exchanges the files `aside` for those in `salvage`, which are complete and synced.
  func exchange(_ aside: [String]) throws(JournalError) {
    let plan = ["quarantine: \(path)"] + aside.map { "aside: \($0)" }
    try Files.write(
      Array((plan.joined(separator: "\n") + "\n").utf8), to: salvage + "/" + Self.planName, in: salvage, mode: 0o600)
    try perform(aside)
  }

  /// Finishes an exchange that was begun, or removes a copy that was not finished.
  static func finish(directory: String) throws(JournalError) {
    let salvage = directory + "/" + JournalFile.salvage
    guard let bytes = try Files.read(salvage + "/" + planName) else { return try removeSalvage(directory) }
    let lines = String(decoding: bytes, as: UTF8.self).split(separator: "\n")
    func values(_ name: String) -> [String] {
      lines.filter { $0.hasPrefix(name + ": ") }.map { String($0.dropFirst(name.count + 2)) }
    }
    guard let path = values("quarantine").first else { return try removeSalvage(directory) }
    try Quarantine(directory: directory, path: path).perform(values("aside"))
  }

  private func perform(_ aside: [String]) throws(JournalError) {
    for name in aside {
      // What has a successor is moved only while the successor waits: else it is the successor.
      let hasSuccessor = JournalFile.salvaged.contains(name)
      if hasSuccessor, try Files.size(salvage + "/" + name) == nil { continue }
      if try Files.size(path + "/" + name) == nil { try Files.move(directory + "/" + name, to: path + "/" + name) }
    }
    try Files.synchronizeDirectory(path)
    for name in JournalFile.salvaged { try Files.move(salvage + "/" + name, to: directory + "/" + name) }
    try Files.synchronizeDirectory(directory)
    try Self.removeSalvage(directory)
  }

  private static func removeSalvage(_ directory: String) throws(JournalError) {
    let salvage = directory + "/" + JournalFile.salvage
    guard try Files.size(salvage) != nil else { return }
    // The plan last: without it the rest is a copy.
    for name in JournalFile.salvaged + [JournalFile.readers, planName + ".new", planName] {
      try Files.remove(salvage + "/" + name)
    }
    guard rmdir(salvage) == 0 else { throw .file(operation: "remove", path: salvage, errno: errno) }
    try Files.synchronizeDirectory(directory)
  }
}
