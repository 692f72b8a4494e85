// Values and rows as both databases know them: whole numbers of 64 bits, texts, bytes, and nothing.

package import FoundationEssentials

package enum SQLValue: Sendable, Hashable {
  case null
  case integer(Int64)
  case text(String)
  case bytes(Data)
}

/// What may stand for a `?` of a statement.
package protocol SQLArgument {
  var sqlValue: SQLValue { get }
}

extension SQLValue: SQLArgument {
  package var sqlValue: SQLValue { self }
}

extension Int64: SQLArgument {
  package var sqlValue: SQLValue { .integer(self) }
}

extension Int: SQLArgument {
  package var sqlValue: SQLValue { .integer(Int64(self)) }
}

extension UInt32: SQLArgument {
  package var sqlValue: SQLValue { .integer(Int64(self)) }
}

extension Bool: SQLArgument {
  /// Neither database's own: columns of truth are 0 or 1.
  package var sqlValue: SQLValue { .integer(self ? 1 : 0) }
}

extension String: SQLArgument {
  /// Without U+0000, which PostgreSQL takes in no text.
  package var sqlValue: SQLValue {
    .text(utf8.contains(0) ? String(String.UnicodeScalarView(unicodeScalars.filter { $0.value != 0 })) : self)
  }
}

extension Data: SQLArgument {
  package var sqlValue: SQLValue { .bytes(self) }
}

extension [UInt8]: SQLArgument {
  package var sqlValue: SQLValue { .bytes(Data(self)) }
}

/// What a column can be read as.
package protocol SQLReadable {
  /// Nil if the column holds something else.
  init?(sqlValue: SQLValue)
}

extension Int64: SQLReadable {
  package init?(sqlValue: SQLValue) {
    guard case .integer(let number) = sqlValue else { return nil }
    self = number
  }
}

extension Int: SQLReadable {
  package init?(sqlValue: SQLValue) {
    guard case .integer(let number) = sqlValue else { return nil }
    self = Int(number)
  }
}

extension UInt32: SQLReadable {
  package init?(sqlValue: SQLValue) {
    guard case .integer(let number) = sqlValue, let exact = UInt32(exactly: number) else { return nil }
    self = exact
  }
}

extension UInt64: SQLReadable {
  /// From a column that is never negative.
  package init?(sqlValue: SQLValue) {
    guard case .integer(let number) = sqlValue, let exact = UInt64(exactly: number) else { return nil }
    self = exact
  }
}

extension Bool: SQLReadable {
  package init?(sqlValue: SQLValue) {
    guard case .integer(let number) = sqlValue else { return nil }
    self = number != 0
  }
}

extension String: SQLReadable {
  package init?(sqlValue: SQLValue) {
    guard case .text(let text) = sqlValue else { return nil }
    self = text
  }
}

extension Data: SQLReadable {
  package init?(sqlValue: SQLValue) {
    guard case .bytes(let bytes) = sqlValue else { return nil }
    self = bytes
  }
}

extension [UInt8]: SQLReadable {
  package init?(sqlValue: SQLValue) {
    guard case .bytes(let bytes) = sqlValue else { return nil }
    self = Array(bytes)
  }
}

extension Optional: SQLReadable where Wrapped: SQLReadable {
  package init?(sqlValue: SQLValue) {
    if sqlValue == .null {
      self = .none
    } else {
      guard let value = Wrapped(sqlValue: sqlValue) else { return nil }
      self = .some(value)
    }
  }
}

extension SQLValue: SQLReadable {
  package init?(sqlValue: SQLValue) { self = sqlValue }
}

/// A row of a result: `try row("held")` is the value of its column `held`.
package struct SQLRow: Sendable {
  /// The place of each column by name, shared by the rows of a result.
  let places: [String: Int]
  let values: [SQLValue]

  /// - Throws: `SQLFailure` of kind `damaged` if the column holds something that its table does not allow.
  package func callAsFunction<Value: SQLReadable>(_ column: String) throws(SQLFailure) -> Value {
    guard let place = places[column] else { preconditionFailure("a result without the column \(column)") }
    guard let value = Value(sqlValue: values[place]) else {
      throw SQLFailure(.damaged, "The column \(column) of the database holds what it must not.")
    }
    return value
  }
}
