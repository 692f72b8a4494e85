// What can go wrong at the hub, as the operator sees it: one sentence with the remedy, and an exit code in the manner
// of sysexits(3).

/// An error whose message is for the operator: what could not be done, why, and what to do about it.
package struct HubError: Error, Equatable, CustomStringConvertible {
  /// The exit status of the command that fails with it (sysexits.h).
  package enum Kind: Int32, Sendable {
    /// The request itself is wrong (EX_USAGE).
    case usage = 64
    /// What was asked for does not exist (EX_DATAERR).
    case notFound = 65
    /// Something that is needed is not there now, such as the directory's lock or a port (EX_UNAVAILABLE).
    case unavailable = 69
    /// A file or directory could not be made (EX_CANTCREAT).
    case cannotCreate = 73
    /// Reading or writing failed (EX_IOERR).
    case inputOutput = 74
    /// The permissions do not allow it (EX_NOPERM).
    case permission = 77
    /// The directory or its configuration is not what it must be (EX_CONFIG).
    case configuration = 78
  }

  package let kind: Kind
  package let message: String

  package init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  package var description: String { message }
}
