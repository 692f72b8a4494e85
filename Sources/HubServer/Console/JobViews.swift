// Jobs and the audit trail, cut to a scope.

internal import Events
internal import HubDatabase

extension SQLStore {
  private static let jobSource = ListSource(
    tables: "job j JOIN install i ON i.number = j.install JOIN entity e ON e.number = i.entity", number: "j.number",
    searched: ["j.id", "j.summary", "j.state", "i.host_name", "e.name"],
    sorts: [
      "created": .init("j.created_at"), "state": .init("j.state"), "host": .init("lower(i.host_name)"),
      "kind": .init("j.kind"),
    ])
  static let jobSorts: Set<String> = Set(jobSource.sorts.keys)

  func consoleJobs(
    _ query: ListQuery, entity: EntityScope, isOpen: Bool?, install: InstallNumber?, within scope: EntityScope
  ) async throws -> ConsolePage {
    var conditions = [scope.condition("i.entity"), entity.condition("i.entity")]
    if let isOpen { conditions.append(SQLCondition("j.is_open = ?", [isOpen.sqlValue])) }
    if let install { conditions.append(SQLCondition("j.install = ?", [install.sqlValue])) }
    return try await read { [conditions] db in
      let (total, numbers) = try Self.page(Self.jobSource, query, conditions, db)
      let among = Self.among(numbers, "j.number")
      let rows = try db.rows(
        "SELECT j.number, l.* FROM job j JOIN job_list l ON l.id = j.id WHERE \(among.sql)", among.arguments)
      let items = Dictionary(
        uniqueKeysWithValues: try rows.map { (try $0("number") as Int64, try ConsoleJob.value($0)) })
      return ConsolePage(total: total, offset: query.offset, items: Self.ordered(numbers, items))
    }
  }

  /// A job with its steps, by its id.
  func consoleJob(_ id: String) async throws -> ConsoleValue {
    guard let job = JobID(id) else { throw HubError(.notFound, "There is no such job.") }
    let steps = try await steps(of: job).map { step in
      ConsoleValue.object([
        "step": .text(step.step), "by": .text(step.side), "time": .time(step.at), "actor": .text(step.actor),
        "detail": .text(step.detail),
      ])
    }
    let bytes = try await attachment(of: job)?.count
    let base = try await read { db in
      try db.row("SELECT * FROM job_list WHERE id = ?", id).map(ConsoleJob.value)
    }
    guard case .object(let members)? = base else { throw HubError(.notFound, "There is no such job.") }
    return .object(
      members + [
        .init(name: "steps", value: .list(steps)),
        .init(name: "attachmentBytes", value: bytes.map { ConsoleValue($0) } ?? .null),
      ])
  }

  /// The newest first, below a number.
  func consoleAudit(
    before: Int64?, action: String?, subject: String?, words: [String], limit: Int, within scope: EntityScope
  ) async throws -> (items: [ConsoleValue], next: Int64?) {
    var conditions = [scope.condition("a.entity")]
    if let before { conditions.append(SQLCondition("a.number < ?", [.integer(before)])) }
    // Beginnings, as the command takes them; the actions of a group have it before their dot.
    for (column, beginning) in [("a.action", action), ("a.subject", subject)] {
      guard let beginning else { continue }
      conditions.append(
        SQLCondition("substr(\(column), 1, CAST(? AS INTEGER)) = ?", [beginning.count.sqlValue, beginning.sqlValue]))
    }
    return try await read { [conditions] db in
      let condition = SQLCondition.all(
        conditions
          + words.map { SQLCondition.search($0, in: ["a.action", "a.subject", "a.peer", "a.detail"], db.dialect) })
      let rows = try db.rows(
        """
        SELECT a.*, e.name AS entity_name FROM audit a LEFT JOIN entity e ON e.number = a.entity WHERE \(condition.sql)
        ORDER BY a.number DESC LIMIT ?
        """, condition.arguments + [(limit + 1).sqlValue])
      let items = try rows.prefix(limit).map { row in
        ConsoleValue.object([
          "number": .integer(try row("number")), "time": .time(try row("at")), "action": .text(try row("action")),
          "subject": .text(try row("subject")), "peer": .text(try row("peer")), "detail": .text(try row("detail")),
          "entity": ConsoleValue(try row("entity_name") as String?),
        ])
      }
      let next: Int64? = rows.count > limit ? try rows[limit - 1]("number") : nil
      return (items, next)
    }
  }
}
