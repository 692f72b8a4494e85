// What can go wrong with a journal, said so that the operator knows what to do.

package import Evidence
package import LMDB
internal import OpenSSL

/// After every error the committed records are intact. What the failed call wanted is not recorded, with one exception: after
/// `storage` of kind `fatal` or `inputOutput` the disk may hold it although it could not say so, and a repeated call then
/// records it twice.
package enum JournalError: Error, Hashable, Sendable, CustomStringConvertible {
  // Opening
  case notADirectory(path: String)
  case noJournal(path: String)
  case directoryUnusable(path: String, errno: Int32)
  case networkFileSystem(path: String, name: String)
  /// Another writer has it; nil when its process id could not be read.
  case locked(path: String, pid: Int32?)
  case newerFormat(path: String, found: UInt32, supported: UInt32)
  /// The identity says that there is a journal, but its records are gone.
  case recordsMissing(path: String, found: String)
  case keyMissing(path: String)
  case keyUnreadable(path: String, reason: String)
  case identityUnreadable(path: String, reason: String)
  /// Files of two journals lie in one directory.
  case anotherJournal(path: String, expected: String, found: String)
  // Running
  case storage(LMDBError)
  case file(operation: String, path: String, errno: Int32)
  /// The size limit is reached: nothing more is appended until space is freed or the limit raised.
  case full(path: String, limitBytes: Int)
  case payloadTooLarge(bytes: Int)
  case appendTooLarge(records: Int, bytes: Int)
  case cursorNameRefused(String)
  case cursorBackwards(name: String, at: RecordPosition, to: RecordPosition)
  case cursorBeyondHead(name: String, to: RecordPosition, head: RecordPosition)
  case reasonRefused(bytes: Int)
  case epochsExhausted
  case countersignatureRefused(String)
  /// Records that nobody else vouches for are not removed.
  case pruneRefused(String)
  /// Retention removed the records that are asked for, or are being read, up to this one.
  case removed(through: RecordPosition)
  /// What is stored contradicts itself here.
  case damaged(path: String, what: String)
  case fold(String)
  case cryptography(String)
  case cancelled
  case closed

  /// Whether retention has taken away what was to be read.
  package var isRemoval: Bool { if case .removed = self { true } else { false } }

  package var description: String {
    switch self {
    case .notADirectory(let path):
      "Could not open the journal: \(path) is not a directory. Name a directory in journal.directory."
    case .noJournal(let path):
      "Could not open the journal: there is none in \(path). Check the path; the agent makes one when it first starts."
    case .directoryUnusable(let path, let code):
      "Could not use the journal directory \(path): \(systemMessage(code)). Let the agent's user write there."
    case .networkFileSystem(let path, let name):
      "Could not open the journal: \(path) is on a network file system (\(name)), where its locks and syncs do not hold. "
        + "Move it to a local disk."
    case .locked(let path, let pid):
      "Could not open the journal in \(path): \(pid.map { "process \($0)" } ?? "another process") is writing to it. "
        + "Stop that process first; to read only, no lock is needed."
    case .newerFormat(let path, let found, let supported):
      "Could not open the journal in \(path): it has format \(found), and this program knows up to \(supported). "
        + "Use the newer program that wrote it."
    case .recordsMissing(let path, let found):
      "Could not open the journal in \(path): it was complete once, but data.mdb is \(found). Restore data.mdb from a copy, "
        + "or move the whole directory aside to begin a new journal."
    case .keyMissing(let path):
      "Could not open the journal in \(path): its key, journal.key, is missing. Restore the file from a copy, or move the "
        + "whole directory aside to begin a new journal."
    case .keyUnreadable(let path, let reason):
      "Could not read \(path): \(reason). Restore the file from a copy."
    case .identityUnreadable(let path, let reason):
      "Could not read \(path): \(reason). Restore the file from a copy."
    case .anotherJournal(let path, let expected, let found):
      "Could not open the journal in \(path): its files belong to two journals, \(expected) and \(found). Put the files "
        + "that belong together back."
    case .storage(let error): "\(error)"
    case .file(let operation, let path, let code):
      "Could not \(operation) \(path): \(systemMessage(code)). See to the disk and the rights of its directory."
    case .full(let path, let limit):
      "Could not append: the journal in \(path) has reached its limit of \(limit / 1_048_576) MiB. Raise journal.sizeLimit "
        + "or lower retention. What is recorded is intact."
    case .payloadTooLarge(let bytes):
      "Could not append: a payload has \(bytes) bytes, more than \(JournalLimits.payloadBytesMax). Split it."
    case .appendTooLarge(let records, let bytes):
      "Could not append \(records) payloads of \(bytes) bytes at once: at most \(JournalLimits.appendRecordsMax) and "
        + "\(JournalLimits.appendBytesMax) bytes. Append them in parts."
    case .cursorNameRefused(let name):
      "Could not use the cursor '\(name)': a name has 1 to \(JournalLimits.cursorNameBytesMax) bytes."
    case .cursorBackwards(let name, let at, let to):
      "Could not move the cursor \(name) from \(at) back to \(to): cursors only go forward."
    case .cursorBeyondHead(let name, let to, let head):
      "Could not move the cursor \(name) to \(to): the journal's head is \(head), and each epoch ends where it ends."
    case .reasonRefused(let bytes):
      "Could not open an epoch: its reason has \(bytes) bytes, not 1 to \(JournalLimits.reasonBytesMax)."
    case .epochsExhausted: "Could not open an epoch: there are no more numbers. Begin a new journal."
    case .countersignatureRefused(let reason): "Could not store the countersignature: \(reason)."
    case .pruneRefused(let reason): "Could not remove old records: \(reason)."
    case .removed(let position):
      "The records through \(position) were removed by retention: the hub holds them. Begin behind them, or ask the hub's operator."
    case .damaged(let path, let what):
      "The journal in \(path) is damaged: \(what). Keep a copy of the directory as it is, and run ptjournal verify."
    case .fold(let reason): "Could not fold the journal's records: \(reason)."
    case .cryptography(let reason): "\(reason)"
    case .cancelled: "The append was cancelled before it was queued. Nothing was recorded."
    case .closed: "The journal is closed. Open it again."
    }
  }
}

/// Runs `body` and gives what it throws the journal's type.
func asJournalError<R: ~Copyable>(_ body: () throws -> R) throws(JournalError) -> R {
  do { return try body() } catch { throw JournalError(error) }
}

extension JournalError {
  /// The directory of a journal whose files are not what they should be; nil for every other error.
  package static func damagedDirectory(of error: any Error) -> String? {
    switch JournalError(error) {
    case .damaged(let path, _), .recordsMissing(let path, _): path
    case .storage(let error):
      switch error.kind {
      case .notAnEnvironment, .formatVersion, .corrupted, .databaseMissing: error.path
      default: nil
      }
    default: nil
    }
  }

  init(_ error: any Error) {
    switch error {
    case let error as JournalError: self = error
    case let error as LMDBError: self = .storage(error)
    case let error as NoteError: self = .cryptography("\(error)")
    case let error as OpenSSLError: self = .cryptography("\(error)")
    default: self = .fold("\(error)")
    }
  }
}
