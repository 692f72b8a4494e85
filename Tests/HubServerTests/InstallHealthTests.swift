internal import FoundationEssentials
internal import HubDatabase
@testable internal import HubServer
internal import Platform
internal import Testing

/// What a hub makes of reports, and of those that do not come.
@Suite struct InstallHealthTests {
  private static let now = TestStore.now
  private static let minute: Int64 = 60_000

  private static func report(
    at time: Int64 = now, lag: Int64 = 0, disk: Int64 = 50 << 30, components: [(String, String)] = [],
    damage: String? = nil
  ) -> String {
    let parts = components.map { #"{"name":"\#($0.0)","state":"\#($0.1)","message":"as it is"}"# }
    let text = Date(milliseconds: time).formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))
    return
      #"{"time":"\#(text)","journal":{"lag":\#(lag)},"diskFreeBytes":\#(disk),"components":[\#(parts.joined(separator: ","))]"#
      + (damage.map { #","damage":\#($0)"# } ?? "") + "}"
  }

  // MARK: The judgement

  struct Case: Sendable, CustomTestStringConvertible {
    var name: String
    var report: String
    var certificate: (from: Int64, until: Int64)?
    var state: InstallJudgement.State
    var keys: [String]
    var testDescription: String { name }
  }

  private static let day: Int64 = 86_400_000
  static let cases = [
    Case(
      name: "well", report: report(components: [("journal", "ok"), ("delivery", "waiting")]), state: .good, keys: []),
    Case(
      name: "failed", report: report(components: [("delivery", "degraded"), ("collector", "failed")]), state: .failed,
      keys: ["component.collector", "component.delivery"]),
    Case(
      name: "degraded", report: report(components: [("settings", "degraded")]), state: .degraded,
      keys: ["component.settings"]),
    Case(name: "clock ahead", report: report(at: now + 5 * minute), state: .degraded, keys: ["clock"]),
    Case(name: "clock behind", report: report(at: now - 5 * minute), state: .degraded, keys: ["clock"]),
    Case(name: "clock near", report: report(at: now + 4 * minute), state: .good, keys: []),
    Case(
      name: "clock, as the agent says too",
      report: report(at: now + 9 * minute, components: [("identity", "degraded")]),
      state: .degraded, keys: ["clock"]),
    Case(name: "disk", report: report(disk: 200 << 20), state: .degraded, keys: ["disk"]),
    Case(
      name: "damage", report: report(damage: #"{"recordsLost":3,"recordsSalvaged":9,"endsUnknown":0,"quarantines":1}"#),
      state: .degraded, keys: ["damage"]),
    Case(
      name: "damage that was dealt with",
      report: report(damage: #"{"recordsLost":0,"recordsSalvaged":9,"quarantines":0}"#),
      state: .good, keys: []),
    Case(
      name: "certificate", report: report(), certificate: (now - 76 * day, now + 14 * day), state: .degraded,
      keys: ["certificate"]),
    Case(
      name: "certificate, new", report: report(), certificate: (now - 50 * day, now + 40 * day), state: .good, keys: []),
    Case(
      name: "certificate, ended", report: report(), certificate: (now - 91 * day, now - day), state: .failed,
      keys: ["certificate"]),
    Case(name: "nothing", report: "{}", state: .good, keys: []),
    Case(name: "no object", report: "[", state: .good, keys: []),
    Case(
      name: "numbers that are none",
      report:
        #"{"time":1,"journal":[],"diskFreeBytes":-1,"components":[7,{"name":"journal","state":"failed"}],"damage":"x"}"#,
      state: .failed, keys: ["component.journal"]),
    Case(
      name: "numbers beyond all",
      report:
        #"{"time":"9999-12-31T23:59:59.000Z","journal":{"lag":18446744073709551615},"diskFreeBytes":18446744073709551615}"#,
      state: .degraded, keys: ["clock"]),
  ]

  @Test(arguments: cases)
  func `a report is judged`(_ row: Case) {
    let judgement = InstallJudgement(
      ReportSummary(json: row.report), lag: nil, certificate: row.certificate, now: Self.now)
    #expect(judgement.state == row.state && judgement.findings.map(\.key) == row.keys)
    for finding in judgement.findings {
      #expect(
        finding.text.last.map({ ".?".contains($0) }) == true || finding.key.hasPrefix("component"), "\(finding.text)")
    }
  }

  @Test func `an agent's texts are cut, cleaned, and their number bounded`() throws {
    let parts = (0..<1_000).map { (["a", #"B/\u001b[31mx"#][$0 % 2] + "\($0)", "failed") }
    var text = Self.report(components: parts)
    text.replace("as it is", with: #"\u001b[2J"# + String(repeating: "y", count: 10_000))
    let summary = ReportSummary(json: text)
    #expect(summary.components.count == 16)
    for part in summary.components {
      #expect(part.name.allSatisfy { ("a"..."z").contains($0) })
      #expect(part.message.count <= HubLimits.machineTextMax && !part.message.contains("\u{1b}"))
    }
  }

  @Test func `a lag grows when it has not come down for half an hour, and a backlog that drains does not`() {
    let limit = HubLimits.lagGrowing.components.seconds * 1_000
    var draining = LagTrail(floor: 90_000, floorAt: 0)
    for minute in 1...60 {
      #expect(draining.note(90_000 - Int64(minute) * 1_000, at: Int64(minute) * Self.minute) == nil)
    }
    var growing = LagTrail(floor: 2_000, floorAt: 0)
    #expect(growing.note(2_500, at: limit - 1) == nil)
    #expect(growing.note(2_600, at: limit) == limit)
    #expect(growing.note(1_999, at: limit + 1) == nil, "it comes down")
    var small = LagTrail(floor: 0, floorAt: 0)
    for minute in 1...120 { #expect(small.note(900, at: Int64(minute) * Self.minute) == nil) }
    var setBack = LagTrail(floor: 2_000, floorAt: limit * 4)
    #expect(setBack.note(3_000, at: 0) == nil && setBack.floorAt == 0, "a clock that was set back begins anew")
  }

  // MARK: Alerts

  private struct Alert: Equatable {
    var key: String
    var raises: Int
    var raised: Int64
    var cleared: Int64?
  }

  private func alerts(_ store: SQLStore, _ install: Install? = nil) async throws -> [Alert] {
    try await store.read { [number = install?.number.rawValue] db in
      try db.rows(
        """
        SELECT key, raises, raised_at, cleared_at FROM install_alert
        WHERE COALESCE(install, 0) = ? OR ? = 1 ORDER BY number
        """, number ?? 0, number == nil ? 1 : 0
      ).map {
        Alert(key: try $0("key"), raises: try $0("raises"), raised: try $0("raised_at"), cleared: try $0("cleared_at"))
      }
    }
  }

  @Test(arguments: TestDatabase.all)
  func `what a report tells is raised once, is an open alert, and ends with the report that does not tell it`(
    database: TestDatabase
  ) async throws {
    let test = try TestStore(database)
    let install = try await test.install()
    let (store, now) = (test.store, Self.now)
    for time in [now, now + 1] {
      try await store.keepHealth(
        Self.report(at: time, components: [("collector", "failed")]), install: install.number, now: time)
    }
    #expect(try await alerts(store, install) == [Alert(key: "component.collector", raises: 1, raised: now)])
    let open = try await store.rows(of: .alerts)
    #expect(open.count == 1 && open[0][7] == .text("critical") && open[0][1] == .null)
    let condition = try #require(try await store.conditions()[install.id])
    #expect(
      condition.state == "failed" && condition.since == now && condition.reasons == ["collector has failed: as it is"])

    try await store.keepHealth(Self.report(at: now + 60_000), install: install.number, now: now + 60_000)
    #expect(try await alerts(store, install).map(\.cleared) == [now + 60_000])
    #expect(try await store.conditions()[install.id]?.state == "good")
    #expect(try await store.rows(of: .alerts).isEmpty)
    // Comes back soon: the same one. Comes back later: another.
    for (time, count) in [(now + 120_000, 1), (now + 120_001, 1)] {
      try await store.keepHealth(
        Self.report(at: time, components: [("collector", "failed")]), install: install.number, now: time)
      #expect(try await alerts(store, install).count == count)
    }
    #expect(try await alerts(store, install).first?.raises == 2)
    let (ends, later) = (now + 180_000, now + 180_000 + HubLimits.alertReopened.components.seconds * 1_000)
    try await store.keepHealth(Self.report(at: ends), install: install.number, now: ends)
    try await store.keepHealth(
      Self.report(at: later, components: [("collector", "failed")]), install: install.number, now: later)
    #expect(try await alerts(store, install).filter { $0.key == "component.collector" }.map(\.raises) == [2, 1])
  }

  @Test(arguments: TestDatabase.all)
  func `an install without a report for three minutes is late, told once by however many hubs, until it reports`(
    database: TestDatabase
  ) async throws {
    let test = try TestStore(database)
    let install = try await test.install()
    let (one, two, now) = (test.store, try test.reopened(), Self.now)
    #expect(try await one.lookForLate(now: now) == LateLook(), "it begins to listen")
    try await one.keepHealth(Self.report(at: now), install: install.number, now: now)
    for step in 1...6 { #expect(try await one.lookForLate(now: now + Int64(step) * 30_000).late == 0, "\(step)") }
    let late = now + 181_000
    #expect(try await two.lookForLate(now: late) == LateLook(becameLate: 1, late: 1))
    #expect(try await one.lookForLate(now: late) == LateLook(becameLate: 0, late: 1))
    let condition = try #require(try await one.conditions()[install.id])
    #expect(condition.state == "late" && condition.since == now)
    #expect(try await alerts(one, install) == [Alert(key: "late", raises: 1, raised: late)])

    try await two.keepHealth(Self.report(at: late + 1), install: install.number, now: late + 1)
    #expect(try await alerts(one, install).map(\.cleared) == [late + 1])
    #expect(try await one.conditions()[install.id]?.state == "good")
  }

  @Test func `an install that never reported is late three minutes after it enrolled, and one that was revoked never`()
    async throws
  {
    let test = try TestStore()
    let (silent, revoked) = (try await test.install(1), try await test.install(2))
    try await test.store.revokeInstall(id: revoked.id, now: Self.now)
    for step in 0...7 { _ = try await test.store.lookForLate(now: Self.now + Int64(step) * 30_000) }
    #expect(try await test.store.conditions()[silent.id]?.state == "late")
    #expect(try await test.store.conditions()[revoked.id]?.state == "revoked")
    #expect(try await alerts(test.store).count == 1)
    // And one that is revoked while it is late has no alert any more.
    try await test.store.revokeInstall(id: silent.id, now: Self.now)
    _ = try await test.store.lookForLate(now: Self.now + 240_000)
    #expect(try await test.store.rows(of: .alerts).isEmpty)
  }

  @Test func `after an outage of the hub agents have three minutes to come back, and only those that do not are late`()
    async throws
  {
    let test = try TestStore()
    var installs: [Install] = []
    for mark in 1...30 { installs.append(try await test.install(UInt8(mark))) }
    let (store, now) = (test.store, Self.now)
    _ = try await store.lookForLate(now: now)
    for install in installs { try await store.keepHealth(Self.report(at: now), install: install.number, now: now) }
    // An hour later.
    let back = now + 3_600_000
    #expect(try await store.lookForLate(now: back) == LateLook())
    for install in installs.dropFirst() {
      try await store.keepHealth(Self.report(at: back + 60_000), install: install.number, now: back + 60_000)
    }
    for step in 1...5 { #expect(try await store.lookForLate(now: back + Int64(step) * 30_000).late == 0) }
    #expect(try await store.lookForLate(now: back + 181_000) == LateLook(becameLate: 1, late: 1))
    // The certificates of these installs end soon; that is another matter.
    #expect(try await alerts(store, installs[0]).map(\.key) == ["late"])
  }

  @Test(arguments: TestDatabase.all)
  func
    `where many do not report, that is one alert, about the hub, and those that stay away get theirs when it is over`(
      database: TestDatabase
    ) async throws
  {
    let test = try TestStore(database)
    var installs: [Install] = []
    for mark in 1...40 { installs.append(try await test.install(UInt8(mark))) }
    let (store, now) = (test.store, Self.now)
    for step in 0...6 { _ = try await store.lookForLate(now: now + Int64(step) * 30_000) }
    let late = now + 190_000
    #expect(try await store.lookForLate(now: late) == LateLook(becameLate: 40, late: 40, isSilence: true))
    #expect(try await alerts(store).map(\.key) == ["silence"])
    let shown = try await store.rows(of: .alerts)
    #expect(shown.count == 1 && shown[0][0] == .null)
    // All but three come back.
    for install in installs.dropLast(3) {
      try await store.keepHealth(Self.report(at: late + 1), install: install.number, now: late + 1)
    }
    #expect(try await store.lookForLate(now: late + 30_000) == LateLook(becameLate: 0, late: 3))
    let all = try await alerts(store)
    #expect(all.first == Alert(key: "silence", raises: 1, raised: late, cleared: late + 30_000))
    #expect(all.filter { $0.key == "late" }.count == 3)
  }

  @Test func `the figures count installs by their condition and alerts by their kind`() async throws {
    let test = try TestStore()
    let (failed, well) = (try await test.install(1), try await test.install(2))
    _ = try await test.install(3)
    try await test.store.keepHealth(
      Self.report(components: [("collector", "failed"), ("journal", "degraded")]), install: failed.number, now: Self.now
    )
    try await test.store.keepHealth(Self.report(), install: well.number, now: Self.now)
    let figures = try await test.store.figures()
    #expect(figures.conditions == ["failed": 1, "good": 1, "new": 1])
    #expect(figures.installAlerts == ["component": 2])
    let text = PrometheusText.text(figures.families)
    #expect(text.contains(#"pthub_installs_condition{condition="failed"} 1"#))
    #expect(text.contains(#"pthub_install_alerts_open{kind="late"} 0"#))
  }
}
