// How a program that reads journals and exports ends, after sysexits.h (docs/exit-codes.md).

internal import Journal

internal import Glibc
internal import LMDB

package enum ExitStatus: Int32, Sendable {
  /// A check failed: what was compared is not equal.
  case wrong = 1
  case usage = 64
  case data = 65
  case noInput = 66
  case cannotCreate = 73
  case inputOutput = 74
  case permission = 77

  package init(_ error: any Error) {
    switch error {
    case let error as JournalError: self.init(error)
    case let error as ExportError: self.init(error)
    case is NamingError: self = .noInput
    case is RangeError: self = .usage
    case ProofRefusal.damaged: self = .data
    case ProofRefusal.order: self = .usage
    case is ProofRefusal: self = .noInput
    case DeviceReferenceError.nothing: self = .noInput
    case DeviceReferenceError.ambiguous: self = .usage
    default: self = .inputOutput
    }
  }

  private init(_ error: ExportError) {
    self =
      switch error.kind {
      case .content: .data
      case .missing: .noInput
      case .permission: .permission
      case .cannotCreate: .cannotCreate
      case .full, .inputOutput: .inputOutput
      }
  }

  private init(_ error: JournalError) {
    self =
      switch error {
      case .notADirectory, .noJournal, .recordsMissing, .removed: .noInput
      case .directoryUnusable(_, let code), .file(_, _, let code): ExitStatus(systemCode: code)
      case .storage(let error): ExitStatus(error)
      case .newerFormat, .anotherJournal, .identityUnreadable, .damaged: .data
      default: .inputOutput
      }
  }

  private init(_ error: LMDBError) {
    self =
      switch error.kind {
      case .accessDenied, .readOnlyFileSystem: .permission
      case .missing, .notADirectory: .noInput
      case .notAnEnvironment, .formatVersion, .corrupted, .databaseMissing: .data
      default: .inputOutput
      }
  }

  /// errno of a call that read.
  private init(systemCode: Int32) {
    self =
      switch systemCode {
      case EACCES, EPERM, EROFS: .permission
      case ENOENT, ENOTDIR: .noInput
      default: .inputOutput
      }
  }
}
