// What must hold of a journal after a power cut, whatever the disk did with what was on its way.
//
//   * It opens for writing, without anybody's help.
//   * Every record that was acknowledged before the cut is there, and so is every cursor.
//   * Every hash, tree and checkpoint holds.
//   * The stored state is what folding the records again gives.
//   * It can be appended to.

package import Evidence
internal import Foundation
internal import Journal
internal import ReadModels

/// What the program said of itself, as notes in the trace.
package enum CrashNote: Equatable, Sendable {
  /// The append that ended here was reported as done.
  case acknowledged(RecordPosition)
  /// The move of the test's cursor to here was reported as done.
  case moved(RecordPosition)

  package static let cursor = "crash-test"

  package var text: String {
    switch self {
    case .acknowledged(let position): "acknowledged \(position.epoch) \(position.sequence)\n"
    case .moved(let position): "moved \(position.epoch) \(position.sequence)\n"
    }
  }

  /// The notes in what was written at once.
  package static func all(in text: String) -> [CrashNote] {
    text.split(separator: "\n").compactMap { line in
      let words = line.split(separator: " ")
      guard words.count == 3, let epoch = UInt32(words[1]), let sequence = UInt64(words[2]) else { return nil }
      let position = RecordPosition(epoch: epoch, sequence: sequence)
      switch words[0] {
      case "acknowledged": return .acknowledged(position)
      case "moved": return .moved(position)
      default: return nil
      }
    }
  }
}

/// What does not hold of an image.
package struct CrashFinding: Error, CustomStringConvertible {
  package let image: String
  package let wrong: String
  package var description: String { "\(image): \(wrong)" }
}

package struct CrashCheck: Sendable {
  /// Where images are laid out, one after the other.
  package let directory: String

  package init(directory: String) { self.directory = directory }

  /// Lays the image out and checks it.
  /// - Throws: `CrashFinding`.
  package func check(_ image: CrashImage) async throws {
    let place = directory + "/image"
    try? FileManager.default.removeItem(atPath: place)
    try FileManager.default.createDirectory(
      atPath: place, withIntermediateDirectories: true, attributes: [.posixPermissions: 0o700])
    for (name, bytes) in image.files { try Data(bytes).write(to: URL(fileURLWithPath: place + "/" + name)) }
    do {
      try await Self.check(journal: place, after: image.notes.flatMap { CrashNote.all(in: $0) })
    } catch let finding as CrashFinding {
      throw CrashFinding(image: image.name, wrong: finding.wrong)
    } catch {
      throw CrashFinding(image: image.name, wrong: "\(error)")
    }
  }

  /// Checks a journal that a program left when it had said so much.
  /// - Throws: `CrashFinding`, or why it does not open.
  package static func check(journal directory: String, after notes: [CrashNote]) async throws {
    let fold = FleetFold()
    let journal = try Journal.open(JournalConfiguration(directory: directory), fold: fold)
    do {
      try expect(notes, journal)
      let report = try JournalVerifier(journal.reader).verify()
      if let finding = report.first { throw wrong("\(finding)") }
      guard try Replay.run(journal.reader).isEqual == true else { throw wrong("the state is not what a fold gives") }
      try await journal.append([[0]])
    } catch {
      await journal.close()
      throw error
    }
    await journal.close()
  }

  private static func expect(_ notes: [CrashNote], _ journal: Journal) throws {
    for note in notes.suffix(64) {
      switch note {
      case .acknowledged(let position):
        guard try journal.reader.record(at: position) != nil else { throw wrong("\(position) was acknowledged") }
      case .moved(let position):
        guard let cursor = try journal.cursor(CrashNote.cursor), cursor >= position else {
          throw wrong("the cursor was moved to \(position)")
        }
      }
    }
  }

  private static func wrong(_ what: String) -> CrashFinding { CrashFinding(image: "", wrong: what) }
}
