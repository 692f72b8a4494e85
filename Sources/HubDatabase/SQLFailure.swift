// What can go wrong in a database, the same for both.

package struct SQLFailure: Error, Equatable, CustomStringConvertible {
  package enum Kind: Sendable, CaseIterable {
    /// Somebody else holds what is needed; it may be tried again.
    case busy
    /// The database is not there now.
    case unreachable
    case diskFull
    case inputOutput
    case permission
    /// The rows, or the file, are not what they must be.
    case damaged
    /// Written by a newer program.
    case newer
    /// The address or the path cannot be used.
    case configuration
    /// A row of this identity is there already.
    case duplicate
  }

  package let kind: Kind
  /// A sentence for the operator, with the remedy.
  package let message: String

  package init(_ kind: Kind, _ message: String) {
    self.kind = kind
    self.message = message
  }

  package var description: String { message }
}
