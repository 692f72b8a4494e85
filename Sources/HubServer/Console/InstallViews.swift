// Installs as the console shows them, cut to a scope.

internal import FoundationEssentials
internal import HubDatabase

extension SQLStore {
  private static let installSource = ListSource(
    tables:
      "install i JOIN entity e ON e.number = i.entity LEFT JOIN install_health w ON w.install = i.number",
    number: "i.number",
    searched: ["i.id", "i.host_name", "i.operating_system", "i.agent_version", "e.name"],
    sorts: [
      "host": .init("lower(i.host_name)"), "entity": .init("lower(e.name)", "lower(i.host_name)"),
      "seen": .init("i.seen_at"), "version": .init("i.agent_version"), "enrolled": .init("i.enrolled_at"),
    ])
  static let installSorts: Set<String> = Set(installSource.sorts.keys)
  static let installStates = ["current", "unwell", "late", "revoked", "doubted"]

  /// - Parameter state: one of `installStates`.
  func consoleInstalls(
    _ query: ListQuery, entity: EntityScope, state: String?, within scope: EntityScope, now: Int64
  ) async throws -> ConsolePage {
    var conditions = [scope.condition("i.entity"), entity.condition("i.entity")]
    switch state {
    case "current": conditions.append(SQLCondition("i.revoked_at IS NULL AND w.late_at IS NULL"))
    case "late": conditions.append(SQLCondition("i.revoked_at IS NULL AND w.late_at IS NOT NULL"))
    case "unwell":
      conditions.append(
        SQLCondition("i.revoked_at IS NULL AND w.late_at IS NULL AND w.state IN ('degraded', 'failed')"))
    case "revoked": conditions.append(SQLCondition("i.revoked_at IS NOT NULL"))
    case "doubted": conditions.append(SQLCondition("i.doubted_at IS NOT NULL"))
    default: break
    }
    return try await read { [conditions] db in
      let (total, numbers) = try Self.page(Self.installSource, query, conditions, db)
      let items = try Self.installValues(numbers, now: now, db)
      return ConsolePage(total: total, offset: query.offset, items: Self.ordered(numbers, items))
    }
  }

  private static func installValues(
    _ numbers: [Int64], now: Int64, _ db: any SQLConnection
  ) throws -> [Int64: ConsoleValue] {
    let among = among(numbers, "i.number")
    let rows = try db.rows(
      """
      SELECT i.*, e.name AS entity_name, b.id AS replaced_by_id, h.json, h.received_at, w.state AS condition, w.since, w.reasons, w.late_at,
        (SELECT count(*) FROM sighting s WHERE s.install = i.number) AS devices,
        coalesce((SELECT max(c.not_after) FROM certificate c WHERE c.install = i.number AND c.first_used_at IS NOT NULL AND c.revoked_at IS NULL),
          (SELECT max(c.not_after) FROM certificate c WHERE c.install = i.number AND c.revoked_at IS NULL)) AS certificate_until
      FROM install i JOIN entity e ON e.number = i.entity LEFT JOIN install b ON b.number = i.replaced_by
      LEFT JOIN health h ON h.install = i.number LEFT JOIN install_health w ON w.install = i.number WHERE \(among.sql)
      """, among.arguments)
    return Dictionary(
      uniqueKeysWithValues: try rows.map { row in
        (try row("number"), try ConsoleInstall.value(row, now: now))
      })
  }

  /// An install with its certificates and its latest report.
  func consoleInstall(_ install: Install, now: Int64) async throws -> ConsoleValue {
    let certificates = try await certificates(of: install.number).map { certificate in
      ConsoleValue.object([
        "serial": .text(certificate.serial), "notBefore": .time(certificate.notBefore),
        "notAfter": .time(certificate.notAfter), "issued": .time(certificate.issuedAt),
        "firstUsed": .time(certificate.firstUsedAt), "superseded": .time(certificate.supersededAt),
        "revoked": .time(certificate.revokedAt),
      ])
    }
    let health = try await health(of: install.number)
    let base = try await read { db in try Self.installValues([install.number.rawValue], now: now, db) }
    guard case .object(let members)? = base[install.number.rawValue] else {
      throw HubError(.notFound, "There is no such install.")
    }
    return .object(
      members + [
        .init(name: "certificates", value: .list(certificates)),
        .init(name: "report", value: health.map { .raw($0.json) } ?? .null),
      ])
  }
}
