internal import Foundation
internal import GRPCCore
internal import HubDatabase
internal import HubProtocol
@testable internal import HubServer
internal import Platform
internal import TestPrograms
internal import Testing

@Suite struct `Metrics` {
  @Test func `the text is Prometheus' own, with what could be mistaken escaped`() {
    var histogram = DurationHistogram()
    for milliseconds in [1, 3, 700, 60_000] { histogram.add(.milliseconds(milliseconds)) }
    let text = PrometheusText.text([
      MetricFamily(
        name: "a_total", kind: .counter, help: "One\nline \\ \"two\".",
        samples: [.init(labels: [("x", "q\"\\\n"), ("y", "")], value: 3), .init(value: 0.5)]),
      MetricFamily(name: "empty", kind: .gauge, help: "Nothing.", samples: []),
      histogram.family("d_seconds", "D."),
    ])
    let lines = text.split(separator: "\n").map(String.init)
    #expect(lines[0] == #"# HELP a_total One\nline \\ "two"."#)
    #expect(lines[1] == "# TYPE a_total counter")
    #expect(lines[2] == #"a_total{x="q\"\\\n",y=""} 3"#)
    #expect(lines[3] == "a_total 0.5")
    #expect(lines[5] == "# TYPE d_seconds histogram")
    #expect(lines.contains(#"d_seconds_bucket{le="0.001"} 1"#))
    #expect(lines.contains(#"d_seconds_bucket{le="0.5"} 2"#))
    #expect(lines.contains(#"d_seconds_bucket{le="+Inf"} 4"#))
    #expect(lines.contains("d_seconds_count 4"))
    #expect(!text.contains("empty"))
  }

  @Test func `count what a hub does, under the names that the conventions ask for, and name nobody`() async throws {
    try await TestHub.run { hub in
      var journal = try TestJournal()
      journal.append(30)
      let (agent, install) = try await hub.agent(journal)
      try await hub.converse(agent) { [journal] stream in
        _ = try await stream.greet(journal)
        stream.send(journal.batch(1...30))
        _ = try await stream.acknowledged(30)
        #expect(try await hub.metric("pthub_streams_open") == 1)
        stream.send(journal.batch(21...30))
        _ = try await stream.acknowledged(30)
        stream.finish()
        while try await stream.next() != nil {}
      }
      var request = Printtrail_Dcam_V1_CheckInRequest()
      request.hello = journal.hello
      _ = try await hub.checkIn(request, agent)
      for (name, value) in [
        ("pthub_records_received_total", 40), ("pthub_records_handled_total{outcome=\"committed\"}", 30),
        ("pthub_records_handled_total{outcome=\"duplicate\"}", 10), ("pthub_batches_received_total", 2),
        ("pthub_streams_opened_total", 1), ("pthub_streams_open", 0), ("pthub_streams_ended_total{status=\"ok\"}", 1),
        ("pthub_check_ins_total{status=\"ok\"}", 1), ("pthub_enrolments_total{outcome=\"enrolled\"}", 1),
        ("pthub_commit_duration_seconds_count", 2), ("pthub_commit_waiting_bytes", 0), ("pthub_healthy", 1),
        ("pthub_build_info{version=\"\(HubVersion.text)\"}", 1), ("pthub_commit_failures_total", 0),
        ("pthub_database_errors_total{kind=\"disk_full\"}", 0),
      ] as [(String, Double)] {
        #expect(try await hub.metric(name) == value, "\(name)")
      }
      let body = try await hub.ask("/metrics").body
      #expect(!body.contains(install) && !body.contains("Acme") && !body.contains("127.0.0.1"))
      // The units are the base ones, and what is counted says so (prometheus.io/docs/practices/naming).
      for line in body.split(separator: "\n") where line.hasPrefix("# TYPE ") {
        let words = line.split(separator: " ")
        #expect((words[3] == "counter") == words[2].hasSuffix("_total"), "\(line)")
      }
      #expect(try await hub.metric("process_resident_memory_bytes") > 1_000_000)
      #expect(try await hub.metric("process_open_fds") > 3)
      #expect(abs(try await hub.metric("process_start_time_seconds") - Date.now.timeIntervalSince1970) < 7_200)
      // Counted from the database, in its own time.
      for _ in 0..<100 where try await !hub.ask("/metrics").body.contains("pthub_installs{") {
        try await Task.sleep(for: .milliseconds(50))
      }
      #expect(try await hub.metric("pthub_database_size_bytes") > 4_096)
      #expect(try await hub.store.figures().installsCurrent == 1)
    }
  }

  @Test func `tell a stream whose caller waited no longer from one that the hub could not serve`()
    async throws
  {
    try await TestHub.run { hub in
      let journal = try TestJournal()
      let (agent, _) = try await hub.agent(journal)
      let error = await #expect(throws: RPCError.self) {
        try await hub.converse(agent, timeout: .milliseconds(700)) { stream in
          _ = try await stream.greet(journal)
          while try await stream.next() != nil {}
        }
      }
      #expect(error?.code == .deadlineExceeded)
      for _ in 0..<200 where try await hub.metric("pthub_streams_open") > 0 {
        try await Task.sleep(for: .milliseconds(20))
      }
      #expect(try await hub.metric("pthub_streams_ended_total{status=\"cancelled\"}") == 1)
      #expect(try await hub.metric("pthub_streams_ended_total{status=\"unavailable\"}") == 0)
      #expect(try await hub.metric("pthub_streams_ended_total{status=\"other\"}") == 0)
      for code in [RPCError.Code.cancelled, .deadlineExceeded] {
        #expect(HubCounter.status(RPCError(code: code, message: "")) == "cancelled")
      }
      #expect(HubCounter.status(RPCError.shuttingDown) == "unavailable")
    }
  }

  private static let promtool = "/usr/bin/promtool"

  @Test(.enabled(if: FileManager.default.isExecutableFile(atPath: promtool), "needs promtool, of Debian's prometheus"))
  func `pass Prometheus' own linter`() async throws {
    try await TestHub.run { hub in
      let place = try TestDirectory()
      let file = place.path + "/metrics"
      try Data(try await hub.ask("/metrics").body.utf8).write(to: URL(fileURLWithPath: file))
      let linted = try await ChildProgram.running("/bin/sh", ["-c", "\(Self.promtool) check metrics < \(file)"])
      #expect(linted.status == 0 && linted.output.isEmpty && linted.errors.isEmpty, "\(linted.output)\(linted.errors)")
    }
  }

  @Test func `their listener has nothing else, and takes nothing`() async throws {
    try await TestHub.run { hub in
      for path in ["/", "/v1/health", "/debug", "/metrics/x", "//metrics/../../etc/passwd"] {
        let answer = try await hub.ask(path)
        #expect(answer.status == 404 || path.hasPrefix("//"), "\(path): \(answer)")
        #expect(!answer.body.contains("root:"))
      }
      let port = try #require(hub.ready.metrics).port
      for method in ["POST", "PUT", "DELETE"] {
        let command = try await ChildProgram.running(
          "/usr/bin/curl",
          ["-sS", "-o", "/dev/null", "-w", "%{http_code}", "-X", method, "-d", "x", "http://127.0.0.1:\(port)/metrics"])
        #expect(["404", "405"].contains(command.output), "\(method): \(command.output)")
      }
    }
  }

  @Test func `the fleet's lag is what is committed and not folded`() async throws {
    let store = try TestStore()
    var journal = try TestJournal()
    let install = try await store.install(journal: journal)
    journal.append(7)
    let append = try #require(try BatchCheck.append(journal.batch(1...7), install: install.number))
    _ = try await store.store.append([append], now: TestStore.now)
    #expect(try await store.store.figures().fleetLag == 7)
    try await store.store.foldEverything()
    #expect(try await store.store.figures().fleetLag == 0)
    for step in 0...7 { _ = try await store.store.lookForLate(now: TestStore.now + Int64(step) * 30_000) }
    let figures = try await store.store.figures()
    #expect((figures.installsCurrent, figures.installsLate, figures.installsRevoked) == (0, 1, 0))
    try await store.store.revokeInstall(id: install.id, now: TestStore.now)
    #expect(try await store.store.figures().installsRevoked == 1)
  }
}

@Suite struct `A hub's health` {
  private typealias Instant = ContinuousClock.Instant
  private let start = ContinuousClock.now

  private func complaint(_ record: WellnessRecord, after: Duration, committing: Duration? = nil, free: UInt64? = nil)
    -> String?
  { record.complaint(committing: committing, bytesFree: free, now: start + after) }

  @Test func `is good once something was committed, and not before`() {
    var record = WellnessRecord()
    #expect(complaint(record, after: .zero) != nil)
    record.beginProbe(at: start)
    record.endProbe(nil, at: start + .seconds(1))
    #expect(complaint(record, after: .seconds(2)) == nil)
  }

  @Test func `is bad while the probe is refused, with the store's reason`() {
    var record = WellnessRecord()
    record.endProbe("The disk is full.", at: start)
    #expect(complaint(record, after: .seconds(1)) == "The disk is full.")
    record.endProbe(nil, at: start + .seconds(5))
    #expect(complaint(record, after: .seconds(6)) == nil)
  }

  @Test
  func
    `is bad when records were refused, though small probes succeed, until records are committed or a minute is over`()
  {
    var record = WellnessRecord()
    record.refusedRecords("No space.", at: start)
    record.endProbe(nil, at: start + .seconds(1))
    #expect(complaint(record, after: .seconds(2)) == "No space.")
    #expect(complaint(record, after: .seconds(61)) == nil)
    record.refusedRecords("No space.", at: start + .seconds(70))
    record.committedRecords(at: start + .seconds(71))
    #expect(complaint(record, after: .seconds(72)) == nil)
  }

  @Test func `is bad when nothing moves any more`() {
    var record = WellnessRecord()
    record.endProbe(nil, at: start)
    #expect(complaint(record, after: .seconds(9), committing: .seconds(14)) == nil)
    #expect(complaint(record, after: .seconds(9), committing: .seconds(16))?.contains("busy with records") == true)
    record.beginProbe(at: start + .seconds(10))
    #expect(complaint(record, after: .seconds(20)) == nil)
    #expect(complaint(record, after: .seconds(26))?.contains("busy with a probe") == true)
  }

  @Test func `is bad when the disk has no room for what may come`() {
    var record = WellnessRecord()
    record.endProbe(nil, at: start)
    #expect(complaint(record, after: .seconds(1), free: HubLimits.diskBytesLeast) == nil)
    #expect(complaint(record, after: .seconds(1), free: HubLimits.diskBytesLeast - 1)?.contains("left") == true)
  }

  @Test(.timeLimit(.minutes(5))) func `is told by both listeners, and comes back with the store`() async throws {
    try await TestHub.run { hub in
      #expect(try await hub.ask("/healthz") == (200, #"{"status":"ok"}"#))
      try await hub.store.write { db in try db.execute("ALTER TABLE hub RENAME TO gone") }
      try await Self.eventually { try await hub.ask("/healthz").status == 503 }
      #expect(try await hub.ask("/healthz").body.contains("no such table"))
      let command = try await ChildProgram.running(
        "/usr/bin/curl",
        ["-sSk", "-w", "%{http_code}", "https://127.0.0.1:\(hub.ready.hc.port)/healthz"])
      // To everybody it does not say more.
      #expect(command.output == #"{"error":"The hub cannot commit now. Its operator sees why."}503"#)
      #expect(try await hub.metric("pthub_healthy") == 0)
      #expect(try await hub.metric("pthub_database_errors_total{kind=\"input_output\"}") >= 1)
      try await hub.store.write { db in try db.execute("ALTER TABLE gone RENAME TO hub") }
      try await Self.eventually { try await hub.ask("/healthz").status == 200 }
    }
  }

  private static func eventually(_ condition: () async throws -> Bool) async throws {
    // Two probes, and some.
    for _ in 0..<400 {
      if try await condition() { return }
      try await Task.sleep(for: .milliseconds(50))
    }
    Issue.record("not within 20 s")
  }
}

@Suite struct `Frames of a hub` {
  private func frame(_ type: UInt8, _ payload: [UInt8]) -> [UInt8] {
    [0, UInt8(payload.count >> 8), UInt8(payload.count & 0xFF), type, 0, 0, 0, 0, 1] + payload
  }

  @Test func `say what ended a connection or a call, wherever they are cut`() {
    let goAway = frame(7, [0, 0, 0, 5, 0, 0, 0, 11] + Array("enhance".utf8))
    // What a payload says is not looked at.
    let data = frame(0, goAway)
    let bytes = frame(4, []) + data + frame(3, [0, 0, 0, 0]) + frame(3, [0, 0, 0, 3]) + goAway + frame(7, [0, 0])
    let expected = [
      FrameScanner.End(isConnection: false, code: 3), FrameScanner.End(isConnection: true, code: 11),
    ]
    var whole = FrameScanner()
    #expect(whole.scan(bytes) == expected)
    for cut in 0...bytes.count {
      var scanner = FrameScanner()
      #expect(scanner.scan(bytes[..<cut]) + scanner.scan(bytes[cut...]) == expected)
    }
    var single = FrameScanner()
    #expect(bytes.flatMap { single.scan([$0]) } == expected)
  }
}
