// What the console shows, from the store: each statement is cut to a scope.
//
// A list is made in two steps: the numbers of the rows of one page, by a statement that touches nothing but what it filters and sorts by; then
// everything about these rows. So a page of 100,000 devices costs the walk over 100,000 narrow rows, and no more.

internal import FoundationEssentials
internal import HubDatabase

/// A page of a list.
struct ConsolePage: Sendable {
  var total: Int
  var offset: Int
  var items: [ConsoleValue]

  var value: ConsoleValue {
    .object(["total": ConsoleValue(total), "offset": ConsoleValue(offset), "items": .list(items)])
  }
}

/// Where a list's rows come from.
struct ListSource: Sendable {
  /// An order: its tables, where they are others than those of the list, and its columns. Ties are broken by the number.
  struct Order: Sendable {
    var tables: String?
    /// How these hang together.
    var joined: String?
    var columns: [String]
    /// Whether an index has the rows in this order. Rows that lack a value come where the database puts them then, else last.
    var isIndexed = false

    init(_ columns: String..., tables: String? = nil, joined: String? = nil, isIndexed: Bool = false) {
      self.columns = columns
      self.tables = tables
      self.joined = joined
      self.isIndexed = isIndexed
    }
  }

  /// FROM, as far as every filter needs it.
  var tables: String
  var number: String
  var searched: [String]
  var sorts: [String: Order]
}

extension SQLStore {
  static func page(
    _ source: ListSource, _ query: ListQuery, _ conditions: [SQLCondition], _ db: any SQLConnection
  ) throws -> (total: Int, numbers: [Int64]) {
    let words = query.words.map { SQLCondition.search($0, in: source.searched, db.dialect) }
    let condition = SQLCondition.all(conditions + words)
    let numbers = try numbers(source, query, condition, db)
    // A page that is not full ends the list.
    if numbers.count < query.limit, !numbers.isEmpty || query.offset == 0 {
      return (query.offset + numbers.count, numbers)
    }
    let total = try db.rows(
      "SELECT count(*) AS total FROM \(source.tables) WHERE \(condition.sql)", condition.arguments)
    return (try total.first?("total") ?? 0, numbers)
  }

  private static func numbers(
    _ source: ListSource, _ query: ListQuery, _ condition: SQLCondition, _ db: any SQLConnection
  ) throws -> [Int64] {
    guard let order = source.sorts[query.sort] else { preconditionFailure("no order \(query.sort)") }
    let direction = query.isDescending ? " DESC" : ""
    let keys = order.columns.indices.map { "k\($0)" }
    let selected = zip(order.columns, keys).map { ", \($0) AS \($1)" }.joined()
    // What is not known comes last, either way.
    let terms = keys.flatMap { order.isIndexed ? ["\($0)\(direction)"] : ["(\($0)) IS NULL", "\($0)\(direction)"] }
    return try db.rows(
      """
      SELECT number FROM (
        SELECT \(source.number) AS number\(selected) FROM \(order.tables ?? source.tables)
        WHERE \(order.joined ?? "1 = 1") AND \(condition.sql)) x
      ORDER BY \((terms + ["number\(direction)"]).joined(separator: ", ")) LIMIT ? OFFSET ?
      """, condition.arguments + [query.limit.sqlValue, query.offset.sqlValue]
    ).map { try $0("number") }
  }

  /// A condition over the numbers of a page's rows.
  static func among(_ numbers: [Int64], _ column: String) -> SQLCondition {
    guard !numbers.isEmpty else { return SQLCondition("1 = 0") }
    return SQLCondition(
      "\(column) IN (\(numbers.map { _ in "?" }.joined(separator: ", ")))", numbers.map { .integer($0) })
  }

  static func ordered(_ numbers: [Int64], _ items: [Int64: ConsoleValue]) -> [ConsoleValue] {
    numbers.compactMap { items[$0] }
  }
}
