// Why the agent does not run, with the exit code that says it to a script (sysexits.h).

package import Enrolment
package import Journal
internal import Platform

internal import LMDB

/// A sentence with its remedy, and an exit code.
package struct AgentFailure: Error, Equatable, Sendable, CustomStringConvertible {
  package enum Code: Int32, Sendable {
    case usage = 64
    /// What is in a file cannot be read, or not all of it.
    case data = 65
    /// There is no such file.
    case noInput = 66
    case unavailable = 69
    case software = 70
    /// A directory or file cannot be made or is taken.
    case cannotCreate = 73
    /// The disk, or what stands on it.
    case inputOutput = 74
    /// A device fell silent before all was read: what is shown is a part.
    case interrupted = 75
    case permission = 77
    case configuration = 78
  }

  package let code: Code
  package let description: String

  package init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }

  package init(_ error: JournalError, directory: String) {
    switch error {
    case .locked(_, let pid):
      let who = pid.map { "the process \($0)" } ?? "another process"
      self.init(
        .cannotCreate,
        "The journal in \(directory) is in use by \(who): two agents cannot write one journal. Stop the other one, or give this one its own journal.directory."
      )
    case .full(_, let limit):
      self.init(
        .inputOutput,
        "The journal in \(directory) has reached journal.size_max (\(limit / 1_048_576) MiB). Raise it in ptagent.toml; what is recorded is intact."
      )
    case .noJournal: self.init(.noInput, error.description)
    case .newerFormat, .recordsMissing, .keyMissing, .keyUnreadable, .identityUnreadable, .anotherJournal,
      .damaged:
      self.init(.inputOutput, error.description)
    case .directoryUnusable(let path, let code):
      let failure = SystemError(operation: "use the journal directory", path: path, code: code)
      self.init(
        failure.isPermissionDenied ? .permission : .cannotCreate,
        "\(failure.description) Let the agent's user write there, or name another journal.directory.")
    case .notADirectory, .networkFileSystem: self.init(.cannotCreate, error.description)
    case .file(_, _, let code):
      let failure = SystemError(operation: "use the journal in", path: directory, code: code)
      self.init(
        failure.isPermissionDenied ? .permission : .inputOutput,
        error.isDiskFull ? Self.diskFull(directory) : error.description)
    case .storage(let storage) where [.accessDenied, .readOnlyFileSystem].contains(storage.kind):
      self.init(.permission, error.description)
    case .storage where error.isDiskFull: self.init(.inputOutput, Self.diskFull(directory))
    case .storage: self.init(.inputOutput, error.description)
    default: self.init(.software, error.description)
    }
  }

  /// What a start did not see, and the next one deals with.
  init(damageWhileRunning error: JournalError, directory: String) {
    let what = if case .damaged(_, let what) = error { what } else { "\(error)" }
    self.init(
      .inputOutput,
      "The journal in \(directory) is damaged: \(what). Start the agent again, as its service does by itself: it keeps every record that is "
        + "sound, sets the damaged files aside and goes on.")
  }

  package init(_ error: EnrolmentError) {
    switch error {
    case .malformedCode, .enrolledAlready: self.init(.usage, error.description)
    case .codeRefused, .notOurHub: self.init(.permission, error.description)
    case .unreachable, .tooManyAttempts, .requestRefused, .unusableAnswer: self.init(.unavailable, error.description)
    case .storage(let failure):
      self.init(failure.isPermissionDenied ? .permission : .cannotCreate, error.description)
    case .identityUnreadable: self.init(.inputOutput, error.description)
    case .cryptography: self.init(.software, error.description)
    }
  }

  private static func diskFull(_ directory: String) -> String {
    "The disk that holds the journal in \(directory) is full. Free some space; what is recorded is intact, and collecting goes on by itself."
  }
}

extension JournalError {
  /// With less than this free a commit may fail: a few dozen pages.
  private static let bytesFreeLeast: UInt64 = 256 << 10

  /// Whether the file system of `path` has room for a commit, as far as it can be told.
  static func hasRoom(at path: String) -> Bool { (Machine.bytesFree(at: path) ?? .max) >= bytesFreeLeast }

  /// Whether space must be made, after which the journal works again.
  package var isDiskFull: Bool {
    switch self {
    case .full: true
    case .storage(let error):
      switch error.kind {
      case .noSpace, .mapFull: true
      // Some file systems (tmpfs) tell a full disk as an input/output error.
      case .inputOutput: !Self.hasRoom(at: error.path)
      default: false
      }
    case .file(_, let path, let code): SystemError(operation: "", path: path, code: code).isDiskFull
    default: false
    }
  }
}
