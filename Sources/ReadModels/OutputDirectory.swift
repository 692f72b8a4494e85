// A directory that files are written into. Nobody else's file there is touched, and what is half written never looks whole. One that is
// verified as a whole has no room for files of others.
//
//   NAME.unfinished  written and synced  ──> all of them are there ──> what is old is removed ──> each takes its NAME
//
// Who stops before the removal leaves what was there. Old files go from the last of `names` to the first, new ones come in that order
// from the first to the last: whatever vouches for the others is named last, so that it never stands beside what it is not of.

internal import Glibc
internal import Journal
internal import PrinterModel

struct OutputDirectory {
  static let unfinished = ".unfinished"

  private let path: String
  private let names: [String]
  private let isNew: Bool

  /// Makes the directory where it is missing.
  /// - Parameters:
  ///   - names: every file that may be written here.
  ///   - contents: what they are together, with an article.
  ///   - alone: whether nothing else may lie here.
  ///   - replacing: whether files of these names may be replaced, where they are `isOurs`.
  /// - Throws: `ExportError` where the directory is a journal's or files are in the way; nothing was changed then.
  init(
    _ path: String, for names: [String], of contents: String, alone: Bool = false, replacing: Bool,
    where isOurs: () throws -> Bool
  ) throws {
    (self.path, self.names) = (path, names)
    if let journal = JournalPlace.journal(around: path) {
      throw ExportError(
        "Could not write \(contents) into \(path): the journal \(journal) is there. Name a directory apart from it.",
        .cannotCreate)
    }
    if let name = names.first(where: { access(path + "/" + $0, F_OK) == 0 }) {
      guard try isOurs() else {
        throw ExportError(
          "Could not write \(contents) into \(path): \(name) is there, and belongs to something else. Name another directory.",
          .cannotCreate)
      }
      guard replacing else {
        throw ExportError(
          "Could not write \(contents) into \(path): there is one already. Name another directory, or replace it with --force.",
          .cannotCreate)
      }
    }
    isNew = mkdir(path, 0o755) == 0
    guard isNew || errno == EEXIST else { throw ExportError.system(.makeDirectory, path) }
    if alone, !isNew { try expectNothingElse(contents) }
  }

  private func expectNothingElse(_ contents: String) throws(ExportError) {
    let ours = names + names.map { $0 + Self.unfinished }
    guard let other = try DirectoryNames.list(path).first(where: { !ours.contains($0) }) else { return }
    throw ExportError(
      "Could not write \(contents) into \(path): \(other.replacingControls) is there, and whoever verifies \(contents) finds fault with "
        + "what is no part of it. Name another directory.",
      .cannotCreate)
  }

  /// Runs `body`, which writes some of the files, and puts them in the place of all that were there. Where it throws, nothing is left of
  /// what it wrote.
  func fill<Result>(_ body: () throws -> Result) throws -> Result {
    do {
      // What an interrupted run left would take its name with what is written now.
      try removeUnfinished()
      let result = try body()
      try publish()
      return result
    } catch {
      try? removeUnfinished()
      if isNew { rmdir(path) }
      throw error
    }
  }

  private func removeUnfinished() throws(ExportError) {
    for name in names { try remove(name + Self.unfinished) }
  }

  private func remove(_ name: String) throws(ExportError) {
    guard unlink(path + "/" + name) == 0 || errno == ENOENT else { throw .system(.remove, path + "/" + name) }
  }

  private func publish() throws(ExportError) {
    for name in names.reversed() { try remove(name) }
    for name in names {
      let target = path + "/" + name
      guard rename(target + Self.unfinished, target) == 0 || errno == ENOENT else { throw .system(.make, target) }
    }
    try synchronize()
  }

  private func synchronize() throws(ExportError) {
    let descriptor = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .system(.open, path) }
    defer { close(descriptor) }
    guard fsync(descriptor) == 0 else { throw .system(.sync, path) }
  }
}
