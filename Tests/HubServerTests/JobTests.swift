// Jobs: what the store keeps of them, and what a hub sends.

internal import Events
internal import Evidence
internal import FoundationEssentials
internal import HubDatabase
internal import HubProtocol
@testable internal import HubServer
internal import OpenSSL
internal import SwiftProtobuf
internal import Testing

private func job(_ number: UInt8) throws -> JobID {
  try #require(JobID([UInt8](repeating: 0, count: 15) + [number]))
}

private let device: DeviceID = {
  guard let id = DeviceID([UInt8](repeating: 7, count: 16)) else { preconditionFailure("16 bytes") }
  return id
}()

@Suite struct JobStoreTests {
  private let now = TestStore.now

  private func new(
    _ id: JobID, _ install: Install, _ order: JobOrder = JobOrder(.scan), seconds: Int64 = 60
  ) -> NewJob {
    NewJob(id: id, install: install.number, order: order, deadline: now + seconds * 1_000, creator: "ann@desk")
  }

  private func deliver(
    _ bodies: [EventBody], _ journal: inout TestJournal, _ install: Install, _ store: SQLStore, time: Int64
  ) async throws {
    let first = journal.records.count + 1
    for body in bodies { journal.append(try Event(time: time, body).encoded()) }
    let batch = journal.batch(first...journal.records.count)
    let append = try #require(try BatchCheck.append(batch, install: install.number))
    _ = try await store.append([append], now: time)
  }

  private func state(_ id: JobID, _ store: SQLStore) async throws -> String? {
    let index = try #require(Report.jobs.columns.firstIndex { $0.name == "state" })
    guard let row = try await store.rows(of: .jobs, where: ["id": .text(id.description)]).first,
      case .text(let text) = row[index]
    else { return nil }
    return text
  }

  @Test(arguments: TestDatabase.all)
  func `a job's steps are the hub's and the agent's, and each is told once`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var journal = try TestJournal()
    let install = try await test.install(journal: journal)
    let id = try job(1)
    let order = JobOrder(.upload, devices: [device])
    #expect(try await test.store.create(new(id, install, order), now: now))
    #expect(try await test.store.installsWithDueJobs(since: now) == [install.number])
    let due = try await test.reopened().dueJobs(of: install.number, now: now + 10)
    #expect(due.map(\.id) == [id] && due.map(\.order) == [order] && due.first?.isCancelled == false)
    #expect(try await state(id, test.store) == "sent")
    #expect(try await test.store.dueJobs(of: install.number, now: now + 20) == due, "until its receipt is known")
    let received = JobReceived(id: id, order: order, created: now, deadline: now + 60_000)
    try await deliver([.jobReceived(received)], &journal, install, test.store, time: now + 30)
    #expect(try await test.store.dueJobs(of: install.number, now: now + 40).isEmpty)
    let done = JobCompleted(id: id, result: "1 device read.", milliseconds: 5, attachment: [0x1f, 0x8b])
    try await deliver(
      [.jobStarted(JobStarted(id: id)), .jobCompleted(done)], &journal, install, test.store, time: now + 50)
    #expect(try await state(id, test.store) == "completed")
    #expect(try await test.store.attachment(of: id) == [0x1f, 0x8b])
    let steps = try await test.store.steps(of: id)
    #expect(steps.map(\.step) == ["created", "sent", "received", "started", "completed"])
    #expect(steps.map(\.side) == ["hub", "hub", "agent", "agent", "agent"])
    #expect(steps.map(\.at) == [now, now + 10, now + 30, now + 50, now + 50])
    #expect(steps.first?.actor == "ann@desk" && steps.last?.detail == "1 device read.")
    #expect(try await test.store.auditTrail(limit: 9).contains { $0.action == "job.created" })
    #expect(try await test.store.installsWithDueJobs(since: 0).isEmpty)
  }

  @Test(arguments: TestDatabase.all)
  func `the same id is one job, and another job of it is refused`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    let (install, other) = (try await test.install(1), try await test.install(2))
    let id = try job(1)
    #expect(try await test.store.create(new(id, install), now: now))
    #expect(try await test.store.create(new(id, install), now: now + 1) == false)
    for different in [new(id, other), new(id, install, JobOrder(.alerts))] {
      await #expect(throws: HubError.self) { try await test.store.create(different, now: now) }
    }
    try await test.store.revokeInstall(id: other.id, now: now)
    let revoked = new(try job(2), other)
    await #expect(throws: HubError.self) { try await test.store.create(revoked, now: now) }
  }

  @Test(arguments: TestDatabase.all)
  func `what was not received in time is never sent, and the agent knows better`(database: TestDatabase) async throws {
    let test = try TestStore(database)
    var journal = try TestJournal()
    let install = try await test.install(journal: journal)
    let (never, sent) = (try job(1), try job(2))
    _ = try await test.store.create(new(sent, install), now: now)
    #expect(try await test.store.dueJobs(of: install.number, now: now).map(\.id) == [sent])
    _ = try await test.store.create(new(never, install), now: now)
    #expect(try await test.store.dueJobs(of: install.number, now: now + 60_000).isEmpty)
    #expect(try await state(never, test.store) == "expired")
    #expect(try await state(sent, test.store) == "expired")
    // It came in time, and the agent could not say so.
    try await deliver(
      [
        .jobReceived(JobReceived(id: sent, order: JobOrder(.scan), created: now, deadline: now + 60_000)),
        .jobStarted(JobStarted(id: sent)),
        .jobFailed(JobFailed(id: sent, .interrupted, "The agent's process ended while it ran.")),
      ], &journal, install, test.store, time: now + 5)
    #expect(try await state(sent, test.store) == "failed")
    #expect(try await test.store.steps(of: never).map(\.step) == ["created", "expired"])
  }

  @Test(arguments: TestDatabase.all)
  func `jobs of an install that is revoked have failed, and one that no end is told of is expired in the end`(
    database: TestDatabase
  ) async throws {
    let test = try TestStore(database)
    var journal = try TestJournal()
    let install = try await test.install(journal: journal)
    let (silent, begun, waiting) = (try job(1), try job(2), try job(3))
    for id in [silent, begun] { _ = try await test.store.create(new(id, install, seconds: 60), now: now) }
    _ = try await test.store.dueJobs(of: install.number, now: now)
    for id in [silent, begun] {
      let received = JobReceived(id: id, order: JobOrder(.scan), created: now, deadline: now + 60_000)
      try await deliver(
        [.jobReceived(received), .jobStarted(JobStarted(id: id))], &journal, install, test.store, time: now + 5)
    }
    let late = now + 60_000 + HubLimits.jobUnheardMax.milliseconds
    try await test.store.expireJobs(now: late - 1)
    #expect(try await state(silent, test.store) == "started", "its agent may be back and say how it ended")
    try await test.store.expireJobs(now: late)
    #expect(try await state(silent, test.store) == "expired")
    #expect(try await test.store.steps(of: silent).last?.detail.contains("is not known") == true)
    let completed = JobCompleted(id: silent, result: "done", milliseconds: 1)
    try await deliver([.jobCompleted(completed)], &journal, install, test.store, time: late)
    #expect(try await state(silent, test.store) == "completed", "the agent knows better")

    // The other was ended with it; a third one stands when the install is revoked.
    let held = try job(4)
    for id in [waiting, held] { _ = try await test.store.create(new(id, install, seconds: 60), now: late) }
    try await deliver(
      [
        .jobReceived(JobReceived(id: held, order: JobOrder(.scan), created: late, deadline: late + 60_000)),
        .jobStarted(JobStarted(id: held)),
      ], &journal, install, test.store, time: late)
    try await test.store.revokeInstall(id: install.id, now: late + 1)
    for id in [waiting, held] { #expect(try await state(id, test.store) == "failed") }
    #expect(try await test.store.steps(of: waiting).last?.detail == "The install was revoked. It was not sent.")
    #expect(
      try await test.store.steps(of: held).last?.detail == "The install was revoked. Whether it ran is not known.")
  }

  @Test(arguments: TestDatabase.all)
  func `jobs of an install that another one replaces have failed, whether they were begun or not`(
    database: TestDatabase
  ) async throws {
    let test = try TestStore(database)
    var journal = try TestJournal()
    let (install, next) = (try await test.install(1, journal: journal), try await test.install(2))
    let (begun, waiting, own) = (try job(1), try job(2), try job(3))
    _ = try await test.store.create(new(begun, install, seconds: 60), now: now)
    _ = try await test.store.dueJobs(of: install.number, now: now)
    try await deliver(
      [
        .jobReceived(JobReceived(id: begun, order: JobOrder(.scan), created: now, deadline: now + 60_000)),
        .jobStarted(JobStarted(id: begun)),
      ], &journal, install, test.store, time: now + 1)
    _ = try await test.store.create(new(waiting, install, seconds: 60), now: now)
    _ = try await test.store.create(new(own, next, seconds: 60), now: now)
    try await test.store.replaceInstall(id: install.id, by: next.id, now: now + 2)
    for id in [begun, waiting] { #expect(try await state(id, test.store) == "failed") }
    #expect(try await test.store.steps(of: begun).last?.detail.contains("Whether it ran is not known") == true)
    #expect(try await test.store.steps(of: waiting).last?.detail.contains("It was not sent") == true)
    #expect(try await state(own, test.store) == "created", "the other install's own")
  }

  @Test(arguments: TestDatabase.all)
  func `a job that was not sent is cancelled at once, and another when its agent says so`(database: TestDatabase)
    async throws
  {
    let test = try TestStore(database)
    var journal = try TestJournal()
    let install = try await test.install(journal: journal)
    let (early, late) = (try job(1), try job(2))
    _ = try await test.store.create(new(early, install), now: now)
    #expect(try await test.store.cancel(early, by: Actor(name: "bob@desk"), now: now))
    #expect(try await test.store.dueJobs(of: install.number, now: now).isEmpty)
    #expect(try await state(early, test.store) == "cancelled")
    _ = try await test.store.create(new(late, install), now: now)
    _ = try await test.store.dueJobs(of: install.number, now: now)
    try await deliver(
      [.jobReceived(JobReceived(id: late, order: JobOrder(.scan), created: now, deadline: now + 60_000))], &journal,
      install, test.store, time: now)
    #expect(try await test.store.dueJobs(of: install.number, now: now).isEmpty)
    #expect(try await test.store.cancel(late, by: Actor(name: "bob@desk"), now: now + 1) == false)
    #expect(try await test.store.dueJobs(of: install.number, now: now + 1).map(\.isCancelled) == [true])
    try await deliver(
      [.jobRefused(JobRefused(id: late, .cancelled, "Taken back.", kind: "scan", deadline: now))], &journal, install,
      test.store, time: now + 2)
    #expect(try await state(late, test.store) == "cancelled")
    #expect(
      try await test.store.steps(of: late).map(\.step) == ["created", "sent", "received", "cancelling", "cancelled"])
    await #expect(throws: HubError.self) {
      try await test.store.cancel(late, by: Actor(name: "bob@desk"), now: now + 3)
    }
    let unknown = try job(9)
    await #expect(throws: HubError.self) { try await test.store.cancel(unknown, by: Actor(name: "bob@desk"), now: now) }
  }

  @Test(arguments: TestDatabase.all)
  func `what comes ahead of its turn, twice, or out of order moves a job on and never back`(database: TestDatabase)
    async throws
  {
    let test = try TestStore(database)
    var journal = try TestJournal()
    let install = try await test.install(journal: journal)
    let id = try job(1)
    _ = try await test.store.create(new(id, install), now: now)
    _ = try await test.store.dueJobs(of: install.number, now: now)
    let order = JobOrder(.scan)
    for body: EventBody in [
      .jobReceived(JobReceived(id: id, order: order, created: now, deadline: now + 60_000)),
      .jobStarted(JobStarted(id: id)), .jobCompleted(JobCompleted(id: id, result: "done", milliseconds: 1)),
    ] {
      journal.append(try Event(time: now + 1, body).encoded())
    }
    let ahead = DeliveredExpress(
      epoch: 1, sequence: 3,
      record: BatchCheck.check(journal.records[2], at: .init(epoch: 1, sequence: 3)))
    _ = try await test.store.keepExpress([ahead, ahead], of: install.number, now: now)
    #expect(try await state(id, test.store) == "completed")
    let append = try #require(try BatchCheck.append(journal.batch(1...3), install: install.number))
    _ = try await test.store.append([append], now: now)
    #expect(try await state(id, test.store) == "completed")
    #expect(try await test.store.steps(of: id).map(\.step) == ["created", "sent", "completed", "received", "started"])
  }

  @Test(arguments: TestDatabase.all)
  func `nobody moves another install's job, and a database that was put back knows a job by its receipt`(
    database: TestDatabase
  ) async throws {
    let test = try TestStore(database)
    var (own, foreign) = (try TestJournal(), try TestJournal())
    let (install, other) = (try await test.install(1, journal: own), try await test.install(2, journal: foreign))
    let (id, lost) = (try job(1), try job(2))
    _ = try await test.store.create(new(id, install), now: now)
    try await deliver(
      [.jobCompleted(JobCompleted(id: id, result: "mine", milliseconds: 1))], &foreign, other, test.store, time: now)
    #expect(try await state(id, test.store) == "created")
    try await deliver(
      [
        .jobStarted(JobStarted(id: lost)),
        .jobReceived(JobReceived(id: lost, order: JobOrder(.alerts), created: now - 5, deadline: now)),
        .jobRefused(JobRefused(id: lost, .busy, "many", kind: "alerts", deadline: now)),
      ], &own, install, test.store, time: now)
    #expect(try await state(lost, test.store) == "refused")
    // A record that says it is of a job and is none is a record like all others.
    own.append([1, 0, 82] + [UInt8](repeating: 0, count: 24) + [0xff])
    let last = own.records.count
    let append = try #require(try BatchCheck.append(own.batch(last...last), install: install.number))
    guard case .stored(let stored)? = try await test.store.append([append], now: now).first else {
      Issue.record("not stored")
      return
    }
    #expect(stored.appended == 1)
  }

  @Test func `an install has so many open jobs and no more`() async throws {
    let test = try TestStore()
    let install = try await test.install()
    for number in 0..<UInt8(HubLimits.openJobsMax) {
      _ = try await test.store.create(new(try job(number), install), now: now)
    }
    let more = new(try job(200), install)
    await #expect(throws: HubError.self) { try await test.store.create(more, now: now) }
    #expect(
      try await test.store.dueJobs(of: install.number, now: now).count == HubLimits.jobsAtOnceMax)
  }
}

@Suite struct SentJobsTests {
  private func due(_ number: Int64, isCancelled: Bool = false) throws -> DueJob {
    DueJob(
      number: number, id: try job(UInt8(number)), order: JobOrder(.scan), createdAt: 0, deadline: 9,
      isCancelled: isCancelled)
  }

  @Test func `a job is sent once in a stream, again after a while, and at once when it is taken back`() throws {
    var sent = SentJobs()
    let (first, second) = (try due(1), try due(2))
    #expect(sent.take([first], now: 0) == [first])
    #expect(sent.take([first, second], now: 500) == [second])
    let taken = try due(1, isCancelled: true)
    #expect(sent.take([taken, second], now: 1_000) == [taken])
    let later = HubLimits.jobRepeated.milliseconds + 500
    #expect(sent.take([taken, second], now: later) == [second])
    #expect(sent.take([], now: later).isEmpty)
    #expect(sent.take([second], now: later + 1) == [second])
  }
}

@Suite struct JobServiceTests {
  private func hello(_ journal: TestJournal, takesJobs: Bool = true) -> Printtrail_Dcam_V1_Hello {
    var hello = journal.hello
    hello.takesJobs = takesJobs
    hello.heads = [.with { ($0.epoch, $0.sequence) = (1, UInt64(journal.records.count)) }]
    return hello
  }

  /// The jobs up to one of this id.
  private func jobs(_ stream: Conversation, upTo id: JobID) async throws -> [Printtrail_Dcam_V1_Job] {
    var jobs: [Printtrail_Dcam_V1_Job] = []
    while let message = try await stream.next() {
      guard case .job(let job)? = message.message else { continue }
      jobs.append(job)
      if Array(job.id) == id.bytes { return jobs }
    }
    throw HubError(.unavailable, "the stream ended before the job came")
  }

  @Test(.timeLimit(.minutes(5)))
  func `a job goes to a stream that is open, at its welcome and while it lasts, and back when it is cancelled`()
    async throws
  {
    try await TestHub.run { hub in
      let journal = try TestJournal()
      let (agent, install) = try await hub.agent(journal)
      let number = try #require(try await hub.store.install(id: install)).number
      let (first, second) = (try job(1), try job(2))
      @Sendable func create(_ id: JobID, _ order: JobOrder) async throws {
        let new = NewJob(
          id: id, install: number, order: order, deadline: hub.clock.now + 60_000, creator: "ann@desk")
        _ = try await hub.store.create(new, now: hub.clock.now)
      }
      try await create(first, JobOrder(.restart, option: "standalone"))
      try await hub.converse(agent) { stream in
        stream.send(self.hello(journal))
        let welcomed = try await self.jobs(stream, upTo: first)
        #expect(welcomed.count == 1 && welcomed.first?.restart.standalone == true)
        #expect(welcomed.first?.millisecondsLeft == 60_000 && welcomed.first?.created == hub.clock.now)
        try await create(second, JobOrder(.upload, devices: [device]))
        let later = try await self.jobs(stream, upTo: second)
        #expect(later.count == 1, "the first was sent in this stream already")
        #expect(later.first?.uploadReadings.devices == [Data(device.bytes)])
        _ = try await hub.store.cancel(second, by: Actor(name: "ann@desk"), now: hub.clock.now)
        #expect(try await self.jobs(stream, upTo: second).first?.cancelled == true)
      }
    }
  }

  @Test(.timeLimit(.minutes(5)))
  func `a check-in brings what is due to its first exchange, and nothing to an agent that knows no jobs`() async throws
  {
    try await TestHub.run { hub in
      let journal = try TestJournal()
      let (agent, install) = try await hub.agent(journal)
      let number = try #require(try await hub.store.install(id: install)).number
      let new = NewJob(
        id: try job(1), install: number, order: JobOrder(.diagnostics), deadline: hub.clock.now + 60_000,
        creator: "ann@desk")
      _ = try await hub.store.create(new, now: hub.clock.now)
      let old = try await hub.checkIn(.with { $0.hello = self.hello(journal, takesJobs: false) }, agent)
      #expect(old.jobs.isEmpty)
      var further = self.hello(journal)
      further.heads = []
      var later = Printtrail_Dcam_V1_CheckInRequest()
      later.hello = further
      let none = try await hub.checkIn(later, agent)
      #expect(none.jobs.isEmpty)
      #expect(try await hub.store.steps(of: job(1)).map(\.step) == ["created"])
      let answer = try await hub.checkIn(.with { $0.hello = self.hello(journal) }, agent)
      #expect(answer.jobs.map { Array($0.id) } == [try job(1).bytes])
      #expect(answer.jobs.first?.kind == .captureDiagnostics(.init()))
      hub.clock.advance(by: .seconds(60))
      let over = try await hub.checkIn(.with { $0.hello = self.hello(journal) }, agent)
      #expect(over.jobs.isEmpty)
      #expect(try await hub.store.steps(of: job(1)).map(\.step) == ["created", "sent", "expired"])
    }
  }
}
