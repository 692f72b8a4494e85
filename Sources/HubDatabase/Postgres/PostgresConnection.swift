// One connection to PostgreSQL, over libpq with values in binary (postgresql.org/docs/15/libpq.html).

internal import CPostgres
internal import Dispatch
internal import Foundation

/// Another transaction was in the way, and this one came to nothing: it may be run again.
struct PostgresConflict: Error {
  let reason: String
}

/// The connection was lost before the transaction began: nothing of it was done.
struct PostgresStale: Error {
  let failure: SQLFailure
}

/// Used by one transaction at a time, on `queue`.
final class PostgresConnection: SQLConnection, @unchecked Sendable {
  let queue = DispatchQueue(label: "hub.postgres")
  private let connection: OpaquePointer
  private let address: PostgresAddress
  /// Names of prepared statements, by their text and the types of their arguments.
  private var prepared: [Shape: String] = [:]

  private struct Shape: Hashable {
    let sql: String
    let types: [Oid]
  }

  var dialect: SQLDialect { .postgres }

  /// Statements of a pipeline before their results are read: what they answer fits the socket's buffers.
  private static let pipelinedMax = 256
  /// How long a statement waits for rows that another transaction holds.
  private static let lockTimeout = "15s"

  /// - Throws: `SQLFailure`.
  init(_ address: PostgresAddress) throws(SQLFailure) {
    self.address = address
    let names = address.parameters.map { strdup($0.0) }
    let values = address.parameters.map { strdup($0.1) }
    defer { for text in names + values { free(text) } }
    let connection = PQconnectdbParams(
      names.map { UnsafePointer($0) } + [nil], values.map { UnsafePointer($0) } + [nil], 1)
    guard let connection else {
      throw SQLFailure(.unreachable, "There is not memory enough to connect to \(address).")
    }
    self.connection = connection
    guard PQstatus(connection) == CONNECTION_OK else {
      throw SQLFailure(
        .unreachable,
        "The database at \(address) cannot be reached: \(message(connection)). Start PostgreSQL, or check the address, the user and its rights."
      )
    }
    PQsetNoticeProcessor(connection, { _, _ in }, nil)
    do { try script("SET lock_timeout = '\(Self.lockTimeout)'; SET synchronous_commit = on") } catch let failure
      as SQLFailure
    {
      throw failure
    } catch {
      throw SQLFailure(.inputOutput, "\(error)")
    }
  }

  deinit { PQfinish(connection) }

  /// Connected, as far as what the server sent by now tells, and in no transaction.
  var isWell: Bool {
    PQconsumeInput(connection) == 1 && PQstatus(connection) == CONNECTION_OK
      && PQtransactionStatus(connection) == PQTRANS_IDLE
  }

  // MARK: Transactions

  func transaction<Value>(
    _ isolation: SQLIsolation, readOnly: Bool = false, _ work: (PostgresConnection) throws -> Value
  ) throws -> Value {
    let level =
      switch isolation {
      case .serializable: readOnly ? "REPEATABLE READ READ ONLY" : "SERIALIZABLE"
      case .readCommitted: "READ COMMITTED"
      }
    do { try script("BEGIN ISOLATION LEVEL \(level)") } catch let failure as SQLFailure {
      throw failure.kind == .unreachable ? PostgresStale(failure: failure) : failure
    }
    do {
      let value = try work(self)
      try script("COMMIT")
      return value
    } catch {
      // Fails only where the connection is lost, and the transaction with it.
      PQclear(PQexec(connection, "ROLLBACK"))
      throw error
    }
  }

  /// Runs statements without arguments.
  func script(_ sql: String) throws {
    let result = PQexec(connection, sql)
    defer { PQclear(result) }
    try check(result)
  }

  // MARK: Statements

  func forEachRow(_ sql: String, _ arguments: [SQLValue], _ body: (SQLRow) throws -> Void) throws {
    let name = try prepare(sql, arguments)
    let isSent = Arguments(arguments).withPointers { values, lengths, formats in
      PQsendQueryPrepared(connection, name, Int32(arguments.count), values, lengths, formats, 1)
    }
    guard isSent == 1, PQsetSingleRowMode(connection) == 1 else { throw lost() }
    var places: [String: Int]?
    var failure: (any Error)?
    while let result = PQgetResult(connection) {
      defer { PQclear(result) }
      // All results are taken, else the connection could not be used any more.
      guard failure == nil else { continue }
      do {
        try check(result)
        let columns = places ?? Self.places(result)
        places = columns
        for row in 0..<PQntuples(result) { try body(try Self.row(result, row, columns)) }
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
  }

  func execute(_ sql: String, batch: [[SQLValue]]) throws -> Int {
    guard batch.count != 1 else { return try executeOnce(sql, batch[0]) }
    var changed = 0
    for start in stride(from: 0, to: batch.count, by: Self.pipelinedMax) {
      changed += try pipeline(sql, batch[start..<min(start + Self.pipelinedMax, batch.count)])
    }
    return changed
  }

  private func executeOnce(_ sql: String, _ arguments: [SQLValue]) throws -> Int {
    let name = try prepare(sql, arguments)
    let result = Arguments(arguments).withPointers { values, lengths, formats in
      PQexecPrepared(connection, name, Int32(arguments.count), values, lengths, formats, 1)
    }
    defer { PQclear(result) }
    try check(result)
    return Int(String(cString: PQcmdTuples(result))) ?? 0
  }

  private func pipeline(_ sql: String, _ batch: ArraySlice<[SQLValue]>) throws -> Int {
    let names = try batch.map { try prepare(sql, $0) }
    guard PQenterPipelineMode(connection) == 1 else { throw lost() }
    defer { PQexitPipelineMode(connection) }
    for (name, arguments) in zip(names, batch) {
      let isSent = Arguments(arguments).withPointers { values, lengths, formats in
        PQsendQueryPrepared(connection, name, Int32(arguments.count), values, lengths, formats, 1)
      }
      guard isSent == 1 else { throw lost() }
    }
    guard PQpipelineSync(connection) == 1 else { throw lost() }
    var changed = 0
    var failure: (any Error)?
    // Each statement gives its result and a nil, the whole a result of its own.
    for _ in batch {
      while let result = PQgetResult(connection) {
        defer { PQclear(result) }
        guard failure == nil else { continue }
        do {
          try check(result)
          changed += Int(String(cString: PQcmdTuples(result))) ?? 0
        } catch {
          failure = error
        }
      }
    }
    PQclear(PQgetResult(connection))
    if let failure { throw failure }
    return changed
  }

  private func prepare(_ sql: String, _ arguments: [SQLValue]) throws -> String {
    let shape = Shape(sql: sql, types: arguments.map(\.oid))
    if let name = prepared[shape] { return name }
    let name = "s\(prepared.count)"
    let result = PQprepare(connection, name, Self.numbered(sql), Int32(arguments.count), shape.types)
    defer { PQclear(result) }
    try check(result)
    prepared[shape] = name
    return name
  }

  /// `?` becomes `$1`, `$2`, ... No statement has a question mark that means itself.
  static func numbered(_ sql: String) -> String {
    var parts = sql.split(separator: "?", omittingEmptySubsequences: false)[...]
    var text = String(parts.removeFirst())
    for (index, part) in parts.enumerated() { text += "$\(index + 1)\(part)" }
    return text
  }

  // MARK: Many rows

  func insert(into table: String, _ columns: [String], _ rows: [[SQLValue]]) throws {
    guard !rows.isEmpty else { return }
    let begin = PQexec(
      connection, "COPY \(table) (\(columns.joined(separator: ", "))) FROM STDIN (FORMAT binary)")
    defer { PQclear(begin) }
    guard PQresultStatus(begin) == PGRES_COPY_IN else { return try check(begin) }
    var copy = BinaryCopy()
    for row in rows {
      copy.append(row)
      if copy.bytes.count >= BinaryCopy.pieceBytes { try send(&copy) }
    }
    copy.end()
    try send(&copy)
    guard PQputCopyEnd(connection, nil) == 1 else { throw lost() }
    var failure: (any Error)?
    while let result = PQgetResult(connection) {
      defer { PQclear(result) }
      do { try check(result) } catch { failure = failure ?? error }
    }
    if let failure { throw failure }
  }

  private func send(_ copy: inout BinaryCopy) throws {
    let isSent = copy.bytes.withUnsafeBytes { bytes in
      PQputCopyData(connection, bytes.baseAddress?.assumingMemoryBound(to: CChar.self), Int32(bytes.count))
    }
    guard isSent == 1 else { throw lost() }
    copy.bytes.removeAll(keepingCapacity: true)
  }

  // MARK: Results

  private static func places(_ result: OpaquePointer) -> [String: Int] {
    Dictionary((0..<PQnfields(result)).map { (String(cString: PQfname(result, $0)), Int($0)) }) { first, _ in first }
  }

  private static func row(_ result: OpaquePointer, _ row: Int32, _ places: [String: Int]) throws -> SQLRow {
    SQLRow(places: places, values: try (0..<PQnfields(result)).map { try value(result, row, $0) })
  }

  private static func value(_ result: OpaquePointer, _ row: Int32, _ column: Int32) throws -> SQLValue {
    guard PQgetisnull(result, row, column) == 0 else { return .null }
    let bytes = UnsafeRawBufferPointer(
      start: PQgetvalue(result, row, column), count: Int(PQgetlength(result, row, column)))
    switch PQftype(result, column) {
    case TypeID.int2, TypeID.int4, TypeID.int8:
      let isNegative = bytes.first.map { $0 >= 0x80 } ?? false
      return .integer(bytes.reduce(isNegative ? -1 : 0) { $0 << 8 | Int64($1) })
    case TypeID.text, TypeID.varchar, TypeID.name: return .text(String(decoding: bytes, as: UTF8.self))
    case TypeID.bytea: return .bytes(Data(bytes))
    case let type:
      throw SQLFailure(
        .damaged, "The database has a column of type \(type), which no table of a hub has. Restore it from its backup.")
    }
  }

  // MARK: Errors

  private func check(_ result: OpaquePointer?) throws {
    switch PQresultStatus(result) {
    case PGRES_COMMAND_OK, PGRES_TUPLES_OK, PGRES_SINGLE_TUPLE, PGRES_COPY_IN, PGRES_PIPELINE_SYNC: return
    default:
      guard let result, PQstatus(connection) == CONNECTION_OK,
        let state = PQresultErrorField(result, cpostgres_state_field)
      else { throw lost() }
      let text = PQresultErrorField(result, cpostgres_message_field).map { String(cString: $0) } ?? ""
      throw failure(state: String(cString: state), text)
    }
  }

  private func lost() -> SQLFailure {
    SQLFailure(
      .unreachable,
      "The connection to \(address) broke: \(message(connection)). Look whether PostgreSQL runs; nothing that was acknowledged is lost."
    )
  }

  /// By the error codes of PostgreSQL (postgresql.org/docs/15/errcodes-appendix.html).
  private func failure(state: String, _ text: String) -> any Error {
    switch state {
    case "40001", "40P01": PostgresConflict(reason: text)
    case "23505": SQLFailure(.duplicate, "\(address) holds such a row already: \(text).")
    case "55P03", "53300", "57014":
      SQLFailure(.busy, "\(address) is busy: \(text). Try again.")
    case "53100":
      SQLFailure(
        .diskFull, "The disk of \(address) is full. Free some space; nothing that was acknowledged is lost.")
    case "58030": SQLFailure(.inputOutput, "The disk of \(address) failed: \(text).")
    case "42501":
      SQLFailure(.permission, "\(address) refuses: \(text). Give the user the rights of the database's owner.")
    case "25006":
      SQLFailure(.configuration, "\(address) takes no changes: \(text). Give the address of the primary server.")
    case "XX001", "XX002": SQLFailure(.damaged, "\(address) is damaged: \(text). Restore it from its backup.")
    default: SQLFailure(.inputOutput, "\(address) failed: \(text) (SQLSTATE \(state)).")
    }
  }
}

/// What libpq last said, without its line's end.
private func message(_ connection: OpaquePointer) -> String {
  String(cString: PQerrorMessage(connection)).split(whereSeparator: \.isNewline).joined(separator: "; ")
}

/// Numbers of types (catalog pg_type).
private enum TypeID {
  static let bytea: Oid = 17
  static let name: Oid = 19
  static let int8: Oid = 20
  static let int2: Oid = 21
  static let int4: Oid = 23
  static let text: Oid = 25
  static let varchar: Oid = 1_043
}

extension SQLValue {
  /// Nothing is of any type.
  fileprivate var oid: Oid {
    switch self {
    case .null: 0
    case .integer: TypeID.int8
    case .text: TypeID.text
    case .bytes: TypeID.bytea
    }
  }

  /// As it goes over the wire; nil for nothing.
  fileprivate func withBytes<Result>(_ body: (UnsafeRawBufferPointer?) -> Result) -> Result {
    switch self {
    case .null: body(nil)
    case .integer(let number): withUnsafeBytes(of: number.bigEndian) { body($0) }
    case .text(let text):
      // A text of the library's own is copied nowhere.
      { (text: String) in
        var text = text
        return text.withUTF8 { body(UnsafeRawBufferPointer($0)) }
      }(text)
    case .bytes(let bytes): bytes.withUnsafeBytes { body($0) }
    }
  }
}

/// Arguments in one piece of memory, for as long as libpq looks at them.
private struct Arguments {
  private var bytes: [UInt8] = []
  private var ranges: [Range<Int>?] = []

  init(_ values: [SQLValue]) {
    for value in values {
      value.withBytes { part in
        let start = bytes.count
        if let part { bytes.append(contentsOf: part) }
        ranges.append(part == nil ? nil : start..<bytes.count)
      }
    }
    // Of no bytes at all there would be no place, and no place means nothing.
    bytes.append(0)
  }

  func withPointers<Result>(
    _ body: (UnsafePointer<UnsafePointer<CChar>?>?, UnsafePointer<Int32>?, UnsafePointer<Int32>?) -> Result
  ) -> Result {
    bytes.withUnsafeBytes { bytes in
      let base = bytes.baseAddress!.assumingMemoryBound(to: CChar.self)
      let pointers = ranges.map { range in range.map { base + $0.lowerBound } }
      return body(pointers, ranges.map { Int32($0?.count ?? 0) }, ranges.map { _ in 1 })
    }
  }
}

/// Rows in the binary format of COPY (postgresql.org/docs/15/sql-copy.html, "Binary Format").
private struct BinaryCopy {
  static let pieceBytes = 256 << 10

  /// Signature, flags and the length of an extension.
  var bytes: [UInt8] = Array("PGCOPY\n".utf8) + [0xFF, 0x0D, 0x0A, 0] + [UInt8](repeating: 0, count: 8)

  mutating func append(_ row: [SQLValue]) {
    put(Int16(row.count))
    for value in row {
      value.withBytes { part in
        put(Int32(part?.count ?? -1))
        if let part { bytes.append(contentsOf: part) }
      }
    }
  }

  mutating func end() { put(Int16(-1)) }

  private mutating func put(_ number: some FixedWidthInteger) {
    withUnsafeBytes(of: number.bigEndian) { bytes.append(contentsOf: $0) }
  }
}
