// What the console's routes answer, and what they refuse.

internal import Events
internal import FoundationEssentials
@testable internal import HubServer
internal import Testing
internal import WebServing

@Suite struct `The hub's console` {
  private func test(_ database: TestDatabase = .sqlite, _ roles: Set<ConsoleRole> = Set(ConsoleRole.allCases))
    async throws
    -> (TestConsole, String)
  {
    let test = try await TestConsole(database)
    return (test, try await test.session(of: try await test.addUser("root", roles)))
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `shows installs and devices with what is known of them, and null for what is not`(
    _ database: TestDatabase
  ) async throws {
    let (test, token) = try await test(database)
    try await test.store.keepHealth(
      #"{"journal":{"lag":17},"components":[{"name":"delivery","state":"degraded"},{"name":"journal","state":"good"}]}"#,
      install: test.berlin.install.number, now: test.clock.now)
    let install = try #require(await test.ask(.get, "installs", token, query: ["q": "berlin"]).items.first)
    #expect(install["lag"] == .integer(17) && install["condition"] == .text("degraded"))
    #expect(install["certificateDaysLeft"] == .integer(90) && install["devices"] == .integer(1))
    #expect(install["state"] == .text("current") && install["seen"] == .time(test.clock.now))
    let unwell = await test.ask(.get, "alerts", token, query: ["q": "berlin"]).items.first { $0["install"] != .null }
    #expect(unwell?["install"]?["id"] == .text(test.berlin.install.id.description))
    for _ in 0...7 {
      test.clock.advance(by: HubLimits.lateLook)
      _ = try await test.store.lookForLate(now: test.clock.now)
    }
    let late = try await test.session(of: try await test.store.user(named: "root", within: .everything))
    #expect(await test.ask(.get, "installs", late, query: ["state": "late"]).items.count == 2)
    #expect(await test.ask(.get, "installs", late, query: ["state": "current"]).items.isEmpty)
    let whole = await test.ask(.get, "installs/\(test.berlin.install.id)", late)
    #expect(whole.text.contains(#""report":{"journal":{"lag":17}"#))
    guard case .list(let certificates)? = whole.json["certificates"] else { return #expect(Bool(false)) }
    #expect(certificates.count == 1)

    let device = try #require(await test.ask(.get, "devices", late, query: ["q": "sn1 kyocera"]).items.first)
    #expect(
      device["meters"]?["total"]
        == .object(["value": .integer(1_000), "unit": .text("impressions"), "quality": .text("exact")]))
    guard case .list(let supplies)? = device["supplies"] else { return #expect(Bool(false)) }
    #expect(supplies.map { $0["percent"] } == [.raw("12.5"), .null])
    #expect(supplies.map { $0["low"] } == [.bool(true), .null])
    let one = await test.ask(.get, "devices/\(test.berlin.device)", late)
    #expect(one.text.contains("Jam at Acme Berlin"))
    #expect(
      await test.ask(.get, "devices/\(test.berlin.device)/history", late).text.contains(#""value":1000,"first":900"#))
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `retires a device with a reason, brings it back, and both are in the trail with who did it`(
    _ database: TestDatabase
  ) async throws {
    let (test, token) = try await test(database, [.operator])
    let path = "devices/\(test.berlin.device)/retirement"
    for reason in [nil, "no", String(repeating: "x", count: 300)] as [String?] {
      let refused = await test.ask(.post, path, token, body: reason.map { ["reason": .text($0)] } ?? [:])
      #expect([400, 422].contains(refused.status), "\(reason ?? "nothing"): \(refused.status)")
    }
    #expect(await test.ask(.get, "alerts", token, query: ["q": "berlin"]).items.count == 1)
    test.clock.advance(by: .seconds(1))
    let reply = await test.ask(.post, path, token, body: ["reason": .text("Acme left us")])
    #expect(reply.status == 200 && reply.json["retired"] == .bool(true), "\(reply.message)")
    #expect(reply.json["isRead"] == .bool(true) && reply.json["wasRetired"] == .bool(false))
    let device = await test.ask(.get, "devices/\(test.berlin.device)", token).json
    #expect(device["state"] == .text("retired"))
    #expect(device["retirement"]?["reason"] == .text("Acme left us"))
    #expect(device["retirement"]?["by"] == .text("root (console)"))
    #expect(await test.ask(.get, "alerts", token, query: ["q": "berlin"]).items.isEmpty)
    #expect(await test.ask(.get, "alerts", token, query: ["q": "other"]).items.count == 1)
    let again = await test.ask(.post, path, token, body: ["reason": .text("Acme left us")])
    #expect(again.status == 200 && again.json["wasRetired"] == .bool(true))

    let back = await test.ask(.delete, path, token)
    #expect(back.status == 200 && back.json["wasRetired"] == .bool(true), "\(back.message)")
    #expect(await test.ask(.get, "devices/\(test.berlin.device)", token).json["state"] == .text("read"))
    #expect(await test.ask(.get, "alerts", token, query: ["q": "berlin"]).items.count == 1)
    #expect(await test.ask(.delete, path, token).json["wasRetired"] == .bool(false))
    let trail = try await test.store.auditTrail(limit: 9).filter { $0.action.hasPrefix("device.") }
    #expect(trail.map(\.action) == ["device.kept", "device.retired"])
    #expect(trail.allSatisfy { $0.detail.contains("root (console)") && $0.subject == test.berlin.device })
    #expect(trail.last?.detail.contains("Acme left us") == true)
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `pages, sorts, searches and filters each list`(_ database: TestDatabase) async throws {
    let (test, token) = try await test(database)
    for (list, sorts) in [
      ("installs", SQLStore.installSorts), ("devices", SQLStore.deviceSorts), ("alerts", SQLStore.alertSorts),
      ("jobs", SQLStore.jobSorts),
    ] {
      for sort in sorts.sorted() {
        for sign in ["", "-"] {
          let reply = await test.ask(.get, list, token, query: ["sort": sign + sort])
          #expect(reply.status == 200 && reply.items.count == 2, "\(list) by \(sign)\(sort): \(reply.message)")
          let first = await test.ask(.get, list, token, query: ["sort": sign + sort, "limit": "1"])
          let second = await test.ask(.get, list, token, query: ["sort": sign + sort, "limit": "1", "offset": "1"])
          #expect(first.items + second.items == reply.items, "\(list) by \(sign)\(sort)")
          #expect(first.json["total"] == .integer(2))
        }
      }
      #expect(await test.ask(.get, list, token, query: ["q": "OTHER"]).items.count == 1, "\(list)")
      #expect(await test.ask(.get, list, token, query: ["q": "%"]).items.isEmpty, "\(list)")
      #expect(await test.ask(.get, list, token, query: ["q": "_"]).items.isEmpty, "\(list)")
      #expect(await test.ask(.get, list, token, query: ["q": "'; DROP TABLE device; --"]).items.isEmpty, "\(list)")
      #expect(await test.ask(.get, list, token, query: ["entity": "\(test.acme)"]).items.count == 1, "\(list)")
    }
    let byTotal = await test.ask(.get, "devices", token, query: ["sort": "-total"]).items.map { $0["serial"] }
    #expect(byTotal == [.text("SN2"), .text("SN1")])
    for query in [
      ["supply": "low"], ["alerts": "any"], ["state": "read"], ["state": "read,new"],
      ["install": test.berlin.install.id],
    ] {
      #expect(!(await test.ask(.get, "devices", token, query: query).items.isEmpty), "\(query)")
    }
    #expect(await test.ask(.get, "devices", token, query: ["state": "retired"]).items.isEmpty)
    #expect(await test.ask(.get, "alerts", token, query: ["severity": "critical"]).items.count == 2)
    #expect(await test.ask(.get, "alerts", token, query: ["severity": "other"]).items.isEmpty)
    #expect(await test.ask(.get, "jobs", token, query: ["which": "ended"]).items.isEmpty)
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `shows of devices that are retired, or whose agent was revoked, that they are, and nothing as open`(
    _ database: TestDatabase
  ) async throws {
    let (test, token) = try await test(database)
    let actor = Actor(name: "test")
    func device(_ query: [String: String]) async -> [ConsoleValue?] {
      await test.ask(.get, "devices", token, query: query).items.map { $0["serial"] }
    }
    _ = try await test.store.retireDevice(test.berlin.device, reason: "scrapped", by: actor, now: test.clock.now)
    try await test.store.revokeInstall(id: test.other.install.id, now: test.clock.now)
    #expect(await device(["state": "retired"]) == [.text("SN1")])
    #expect(await device(["state": "unwatched"]) == [.text("SN2")])
    #expect(await device(["state": "read"]).isEmpty)
    #expect(await device(["sort": "state"]) == [.text("SN1"), .text("SN2")])
    for query in [["alerts": "any"], ["supply": "low"]] { #expect(await device(query).isEmpty, "\(query)") }
    let shown = await test.ask(.get, "devices/\(test.berlin.device)", token).json
    #expect(shown["state"] == .text("retired") && shown["alerts"]?["total"] == .integer(0))
    #expect(await test.ask(.get, "alerts", token).items.isEmpty)
    let overview = await test.ask(.get, "overview", token).json
    #expect(overview["devices"]?["byState"] == .object(["retired": .integer(1), "unwatched": .integer(1)]))
    #expect(overview["alerts"]?["total"] == .integer(0) && overview["supplies"]?["low"] == .integer(0))
    let entities = await test.ask(.get, "entities", token).items
    #expect(entities.allSatisfy { $0["alertsBelow"] == .integer(0) && $0["devicesBelow"] != .integer(0) })
    #expect(try await test.store.keepDevice(test.berlin.device, by: actor, now: test.clock.now))
    #expect(await device(["alerts": "any"]) == [.text("SN1")])
    #expect(await test.ask(.get, "alerts", token).items.count == 1)
  }

  @Test func `refuses parameters and members that are wrong, by their names`() async throws {
    let (test, token) = try await test()
    for (path, query, field) in [
      ("devices", ["limit": "0"], "limit"), ("devices", ["limit": "501"], "limit"),
      ("devices", ["limit": "x"], "limit"),
      ("devices", ["offset": "-1"], "offset"), ("devices", ["offset": "99999999999999999999"], "offset"),
      ("devices", ["sort": "password"], "sort"), ("devices", ["state": "gone"], "state"),
      ("devices", ["entity": "x"], "entity"),
      ("devices", ["q": String(repeating: "x", count: 201)], "q"), ("devices", ["alerts": "some"], "alerts"),
      ("devices", ["colour": "red"], "colour"), ("installs", ["state": "gone"], "state"),
      ("alerts", ["severity": "bad"], "severity"), ("jobs", ["which": "x"], "which"),
      ("audit", ["before": "0"], "before"),
      ("devices/\(test.berlin.device)/history", ["days": "0"], "days"),
      ("devices/\(test.berlin.device)/history", ["meters": String(repeating: "a,", count: 17)], "meters"),
    ] as [(String, [String: String], String)] {
      let reply = await test.ask(.get, path, token, query: query)
      #expect(reply.status == 400 && reply.field == field, "\(path) \(query): \(reply.status) \(reply.message)")
    }
    for (path, body, field) in [
      ("jobs", ["kind": .text("dance")], "kind"), ("jobs", ["kind": .integer(1)], "kind"), ("jobs", [:], "kind"),
      ("jobs", ["kind": .text("scan"), "validSeconds": .integer(0)], "validSeconds"),
      ("jobs", ["kind": .text("scan"), "validSeconds": .integer(.max)], "validSeconds"),
      ("jobs", ["kind": .text("scan"), "ranges": .text("10.0.0.0/8")], "ranges"),
      ("jobs", ["kind": .text("scan"), "force": .bool(true)], "force"),
      ("codes", ["entity": .integer(0)], "entity"), ("codes", ["uses": .integer(0)], "uses"),
      ("users", ["name": .text("bad name")], "name"), ("entities", ["name": .bool(true)], "name"),
    ] as [(String, [String: BodyValue], String)] {
      let reply = await test.ask(.post, path, token, body: body)
      #expect(
        [400, 422].contains(reply.status) && reply.field == field, "\(path) \(body): \(reply.status) \(reply.message)")
    }
    let wrong = await test.ask(.put, "overview", token)
    #expect(wrong.status == 405 && wrong.answer.allow == [.get])
    #expect(await test.ask(.get, "nothing", token).status == 404)
    #expect(await test.ask(.get, "installs/../users", token).status == 404)
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `creates the jobs that the command does, with who and from where`(_ database: TestDatabase)
    async throws
  {
    let (test, token) = try await test(database)
    func create(_ body: [String: BodyValue]) async -> TestConsole.Reply {
      await test.ask(.post, "jobs", token, body: body)
    }
    // An entity stands for those under it.
    let made = await create(["kind": .text("restart"), "entity": .integer(test.dealer), "atOnce": .bool(true)])
    #expect(made.status == 201)
    guard case .list(let ids)? = made.json["ids"] else { return #expect(Bool(false)) }
    #expect(ids.count == 2)
    let reading = await create(["kind": .text("upload"), "devices": .texts([test.berlin.device])])
    #expect(reading.status == 201, "\(reading.message)")
    for body in [
      ["kind": .text("scan")],
      ["kind": .text("scan"), "install": .text(test.berlin.install.id), "devices": .texts(["SN1"])],
      ["kind": .text("upload"), "install": .text(test.berlin.install.id), "ranges": .texts(["10.0.0.0/8"])],
      ["kind": .text("scan"), "install": .text(test.berlin.install.id), "atOnce": .bool(true)],
      ["kind": .text("page"), "devices": .texts(["SN1"])],
      ["kind": .text("scan"), "install": .text(test.berlin.install.id), "entity": .integer(test.acme)],
    ] as [[String: BodyValue]] {
      #expect(await create(body).status == 422, "\(body)")
    }
    let trail = try await test.store.auditTrail(limit: 10).filter { $0.action == "job.created" }
    #expect(trail.first?.peer == "ipv4:192.0.2.1" && trail.first?.detail.hasSuffix("by root (console)") == true)
    let job = await test.ask(.get, "jobs/\(test.berlin.job)", token)
    #expect(job.json["state"] == .text("created") && job.json["attachmentBytes"] == .null)
    #expect(await test.ask(.delete, "jobs/\(test.berlin.job)", token).json["ended"] == .bool(true))
    let again = await test.ask(.delete, "jobs/\(test.berlin.job)", token)
    #expect(again.status == 422 && again.message.contains("ended already"))
    #expect(await test.ask(.get, "jobs", token, query: ["which": "ended"]).items.count == 1)
    #expect(await test.ask(.get, "jobs/\(test.berlin.job)/attachment", token).status == 404)
  }

  @Test func `shows a code once, and takes it back`() async throws {
    let (test, token) = try await test()
    let made = await test.ask(
      .post, "codes", token,
      body: ["entity": .integer(test.acme), "uses": .integer(3), "validSeconds": .integer(86_400)])
    guard case .text(let digits)? = made.json["code"], case .integer(let number)? = made.json["id"] else {
      return #expect(Bool(false), "\(made.text)")
    }
    let code = try #require(DataLinkCode(digits))
    let listed = await test.ask(.get, "codes", token)
    #expect(!listed.text.contains(digits))
    #expect(listed.items.first?["usesMax"] == .integer(3))
    let outcome = try await test.store.enrol(
      TestStore.request(codeHash: code.hash(in: test.console.directory), enrolment: 9, key: 9), now: test.clock.now
    ) { _ in IssuedCertificate(serial: "x", der: [1], notBefore: 0, notAfter: 1) }
    guard case .enrolled(let install, _, _) = outcome else { return #expect(Bool(false)) }
    #expect(install.entity == "Acme")
    #expect(await test.ask(.delete, "codes/\(number)", token).status == 204)
    #expect(await test.ask(.get, "codes", token).items.first?["state"] == .text("revoked"))
    let long = await test.ask(
      .post, "codes", token, body: ["entity": .integer(test.acme), "validSeconds": .integer(172_800)])
    #expect(long.status == 422 && long.message.contains("24 hours") && !long.message.contains("pthub"))
  }

  @Test func `keeps the tree of entities, and what is set of it`() async throws {
    let (test, token) = try await test()
    let made = await test.ask(
      .post, "entities", token, body: ["name": .text("Acme Bonn"), "under": .integer(test.acme)])
    guard case .integer(let bonn)? = made.json["id"] else { return #expect(Bool(false), "\(made.text)") }
    #expect(made.json["parent"] == .integer(test.acme) && made.json["depth"] == .integer(2))
    #expect(await test.ask(.post, "entities", token, body: ["name": .text("acme bonn")]).status == 422)
    #expect(await test.ask(.post, "entities", token, body: ["name": .text(" x")]).status == 422)
    #expect(await test.ask(.put, "entities/\(bonn)", token, body: ["name": .text("Acme Köln")]).status == 204)
    let tree = await test.ask(.get, "entities", token).items
    #expect(tree.map { $0["name"] } == ["Dealer", "Acme", "Acme Berlin", "Acme Köln", "Other"].map { .text($0) })
    #expect(tree[0]["devicesBelow"] == .integer(2) && tree[0]["devices"] == .integer(0))
    #expect(tree[1]["alertsBelow"] == .integer(1) && tree[1]["installsBelow"] == .integer(1))

    let path = "entities/\(bonn)/settings"
    let set = await test.ask(
      .put, path, token, body: ["changes": .changes(["poll.interval": "15m", "alerts.low_supply": "12"])])
    #expect(set.status == 200, "\(set.message)")
    #expect(set.text.contains(#""key":"alerts.low_supply","value":"12","origin":"entity Acme Köln""#))
    let unknown = await test.ask(.put, path, token, body: ["changes": .changes(["poll.intervall": "15m"])])
    #expect(unknown.status == 422 && unknown.message.contains("poll.interval"))
    #expect(await test.ask(.put, path, token, body: ["changes": .changes(["poll.interval": "soon"])]).status == 422)
    let taken = await test.ask(.put, path, token, body: ["changes": .changes(["poll.interval": nil])])
    #expect(taken.text.contains(#""key":"poll.interval","value":"\"30m\"","origin":"default""#) || taken.status == 200)
    #expect(await test.ask(.delete, "entities/\(test.acme)", token).status == 422)
    #expect(await test.ask(.delete, "entities/\(bonn)", token).status == 204)
    let user = await test.ask(.put, "users/user-of-1", token, body: ["entity": .integer(test.berlin.entity)])
    #expect(user.status == 200)
  }

  @Test(arguments: TestDatabase.all)
  fileprivate func `reads the audit trail by pages, and by what begins so`(_ database: TestDatabase) async throws {
    let (test, token) = try await test(database)
    for number in 0..<7 {
      try await test.store.audit(
        AuditEntry(at: test.clock.now, action: "test.\(number)", subject: "s\(number)", peer: "", detail: "100 % sure"))
    }
    var (seen, next): ([ConsoleValue], ConsoleValue) = ([], .null)
    repeat {
      var query = ["limit": "3", "action": "test."]
      if case .integer(let before) = next { query["before"] = "\(before)" }
      let reply = await test.ask(.get, "audit", token, query: query)
      #expect(reply.status == 200 && reply.items.count <= 3, "\(reply.message)")
      seen += reply.items
      next = reply.json["next"] ?? .null
    } while next != .null
    #expect(seen.map { $0["action"] } == (0..<7).reversed().map { .text("test.\($0)") })
    #expect(await test.ask(.get, "audit", token, query: ["subject": "s3"]).items.count == 1)
    #expect(await test.ask(.get, "audit", token, query: ["q": "100 %"]).items.count == 7)
  }

  @Test func `tells pages which kind of thing has changed, and ends the streams of sessions that have ended`()
    async throws
  {
    let (test, token) = try await test()
    let streams = ConsoleStreams()
    let watch = ConsoleWatch(
      store: test.store, streams: streams, clock: test.clock.clock, logger: test.console.logger)
    #expect(await watch.look(nil) == nil, "nobody listens")
    let session = try #require(try await test.store.session(token: token, isUse: false, now: test.clock.now))
    let subscription = try streams.open(session, after: nil)
    #expect(String(decoding: try #require(await subscription.next()), as: UTF8.self).contains("event: reset"))
    let names = { (told: [UInt8]) in
      String(decoding: told, as: UTF8.self).split(separator: "\n").filter { $0.hasPrefix("event: ") }
        .map { String($0.dropFirst(7)) }
    }
    let first = await watch.look(nil)
    // What changed between the page and its stream is known to nobody.
    #expect(names(try #require(await subscription.next())) == ["device", "alert", "job", "install", "audit"])
    var request = JobRequest(kind: .scan)
    request.install = test.other.install.id
    _ = try await test.store.create(request, within: .everything, by: Actor(name: "test"), now: test.clock.now)
    try await test.store.noteSeen(test.berlin.install.number, agentVersion: "2", now: test.clock.now)
    let second = await watch.look(first)
    let bytes = try #require(await subscription.next())
    #expect(names(bytes) == ["job", "install", "audit"])
    let told = String(decoding: bytes, as: UTF8.self)
    // What changed is not told: who hears it may not be allowed to see it.
    #expect(told.split(separator: "\n").filter { $0.hasPrefix("data: ") }.allSatisfy { $0 == "data: {}" })
    try await test.store.changeUser(
      "root", UserChange(isDisabled: true), within: .everything, keepingAnAdministrator: false, by: Actor(name: "test"),
      now: test.clock.now)
    _ = await watch.look(second)
    while let bytes = await subscription.next() { #expect(!bytes.isEmpty) }
    #expect(streams.sessions.isEmpty)
  }

  @Test func `tells a fault of the database without what went on inside`() {
    let fault = ConsoleFault(HubError(.configuration, "/var/lib/pthub/hub.sqlite is damaged. Restore it."))
    #expect(fault.status == 500 && !fault.message.contains("/var"))
    let absent = ConsoleFault(HubError(.notFound, "There is no job 'x'. See `pthub job list`."))
    #expect(absent.message == "There is no job 'x'.")
  }
}

@Suite struct `JSON of the console` {
  @Test func `is JSON, whatever a device calls itself`() throws {
    let names = ["\"", "\\", "\u{0}", "\u{1F}", "\n", "\u{2028}", "</script>", "ü", "🖨", "\u{FEFF}"]
    let value = ConsoleValue.object([
      "names": .texts(names), "none": .null, "raw": .raw("12.5"), "least": .integer(.min),
    ])
    struct Read: Decodable {
      let names: [String]
      let none: Int?
      let raw: Double
      let least: Int64
    }
    let read = try JSONDecoder().decode(Read.self, from: Data(value.json.utf8))
    #expect(read.names == names && read.none == nil && read.raw == 12.5 && read.least == .min)
  }
}
