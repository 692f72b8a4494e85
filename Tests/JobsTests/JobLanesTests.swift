import Events
import Testing

@testable import Jobs

/// The lanes with a clock of the test's own; every record is written at once, unless a test says otherwise.
private struct Bench {
  var lanes = JobLanes()
  var now: Int64 = 1_000_000
  /// What was recorded, in order.
  var recorded: [EventBody] = []
  /// What was begun and stopped, in order.
  var begun: [JobID] = []
  var stopped: [JobID] = []
  var ignored: [JobID] = []

  mutating func tell(_ event: JobLanes.Event) { perform(lanes.received(event, now: now)) }

  mutating func perform(_ actions: [JobLanes.Action]) {
    for action in actions {
      switch action {
      case .record(let body):
        recorded.append(body)
        tell(.recorded(body))
      case .run(let id, _): begun.append(id)
      case .stop(let id): stopped.append(id)
      case .ignore(let id): ignored.append(id)
      }
    }
  }

  mutating func offer(
    _ number: UInt8, _ order: JobOrder?, seconds: Int64 = 3_600, isCancelled: Bool = false, malformed: String? = nil,
    refusal: JobRefusal? = nil
  ) {
    let offer = JobOffer(
      id: id(number), order: order, created: 5, timeLeft: .seconds(seconds), isCancelled: isCancelled,
      malformed: malformed)
    tell(.offered(offer, refusal: refusal))
  }

  mutating func end(_ number: UInt8, _ outcome: JobOutcome = .completed(JobResult("done"))) {
    tell(.ended(id(number), outcome))
  }

  mutating func pass(seconds: Int64) {
    now += seconds * 1_000
    tell(.passed)
  }

  /// The types of what was recorded of a job.
  func story(_ number: UInt8) -> [String] {
    recorded.filter { $0.job == id(number) }.map { EventType.name($0.type) }
  }

  func refusal(_ number: UInt8) -> String? {
    recorded.compactMap { if case .jobRefused(let event) = $0, event.id == id(number) { event.reason } else { nil } }
      .first
  }
}

private func id(_ number: UInt8) -> JobID {
  guard let id = JobID([UInt8](repeating: 0, count: 15) + [number]) else { preconditionFailure("16 bytes") }
  return id
}

private let scan = JobOrder(.scan)
private let upload = JobOrder(.upload)
private let page = JobOrder(.page, devices: [device])
private let diagnostics = JobOrder(.diagnostics)
private func restart(_ mode: JobOrder.RestartMode) -> JobOrder { JobOrder(.restart, option: mode.rawValue) }
private let device: DeviceID = {
  guard let id = DeviceID([UInt8](repeating: 7, count: 16)) else { preconditionFailure("16 bytes") }
  return id
}()

@Suite struct `Jobs in their lanes` {
  @Test func `are received, started and completed, each recorded before the next`() {
    var bench = Bench()
    bench.offer(1, scan)
    #expect(bench.story(1) == ["JobReceived", "JobStarted"] && bench.begun == [id(1)])
    bench.now += 1_500
    bench.end(1, .completed(JobResult("3 found", attachment: [1], path: "/p")))
    #expect(bench.story(1) == ["JobReceived", "JobStarted", "JobCompleted"])
    #expect(
      bench.recorded.last
        == .jobCompleted(
          JobCompleted(id: id(1), result: "3 found", milliseconds: 1_500, attachment: [1], path: "/p")))
    #expect(bench.lanes.count == 0)
  }

  @Test func `begin only once their receipt and their start are on the disk`() {
    var lanes = JobLanes()
    let offer = JobOffer(id: id(1), order: scan, created: 5, timeLeft: .seconds(9))
    let first = lanes.received(.offered(offer, refusal: nil), now: 0)
    guard case .record(let received)? = first.first, first.count == 1 else {
      Issue.record("\(first)")
      return
    }
    #expect(lanes.received(.passed, now: 1).isEmpty)
    let second = lanes.received(.recorded(received), now: 1)
    #expect(second == [.record(.jobStarted(JobStarted(id: id(1))))])
    #expect(lanes.received(.recorded(.jobStarted(JobStarted(id: id(1)))), now: 1) == [.run(id(1), scan)])
  }

  @Test func `whose receipt could not be written are forgotten, and taken when the hub repeats them`() {
    var lanes = JobLanes()
    let offer = JobOffer(id: id(1), order: scan, created: 5, timeLeft: .seconds(9))
    let first = lanes.received(.offered(offer, refusal: nil), now: 0)
    guard case .record(let received)? = first.first else {
      Issue.record("\(first)")
      return
    }
    #expect(lanes.received(.notRecorded(received), now: 0).isEmpty && lanes.count == 0)
    #expect(lanes.received(.offered(offer, refusal: nil), now: 0) == first)
  }

  @Test func `run once, however often the hub repeats them`() {
    var bench = Bench()
    for _ in 0..<3 { bench.offer(1, scan) }
    bench.end(1)
    for _ in 0..<3 { bench.offer(1, scan) }
    #expect(bench.story(1) == ["JobReceived", "JobStarted", "JobCompleted"] && bench.begun == [id(1)])
  }

  @Test func `of one lane run one after the other, and of others beside them`() {
    var bench = Bench()
    bench.offer(1, scan)
    bench.offer(2, upload)
    bench.offer(3, page)
    bench.offer(4, diagnostics)
    #expect(bench.begun == [id(1), id(3), id(4)], "a scan holds nobody up but what asks printers as well")
    bench.end(1)
    #expect(bench.begun == [id(1), id(3), id(4), id(2)])
  }

  @Test func `of people who wait run twenty at one time, and never behind a scan`() {
    var bench = Bench()
    bench.offer(100, scan)
    for number in 1...22 { bench.offer(UInt8(number), page) }
    #expect(bench.begun == [id(100)] + (1...20).map { id(UInt8($0)) })
    bench.end(7)
    #expect(bench.begun.last == id(21) && bench.begun.count == 22)
    bench.offer(101, JobOrder(.restart, option: "queued"))
    bench.end(100)
    #expect(bench.begun.count == 22, "a queued restart waits for all of them, and nothing begins before it")
  }

  @Test func `that fail say why`() {
    var bench = Bench()
    bench.offer(1, scan)
    bench.end(1, .failed(message: "No."))
    #expect(bench.recorded.last == .jobFailed(JobFailed(id: id(1), .failed, "No.")))
  }

  @Test func `whose time is over while they wait are expired and never begin`() {
    var bench = Bench()
    bench.offer(1, scan)
    bench.offer(2, upload, seconds: 10)
    #expect(bench.lanes.nextDeadline == bench.now + 10_000)
    bench.pass(seconds: 9)
    #expect(bench.story(2) == ["JobReceived"])
    bench.pass(seconds: 1)
    #expect(bench.recorded.last == .jobExpired(JobExpired(id: id(2), hadStarted: false)))
    bench.end(1)
    #expect(bench.begun == [id(1)])
  }

  @Test func `whose time is over while they run are stopped, and their lane is free when they have ended`() {
    var bench = Bench()
    bench.offer(1, scan, seconds: 10)
    bench.offer(2, upload)
    bench.pass(seconds: 10)
    #expect(bench.stopped == [id(1)] && bench.begun == [id(1)])
    bench.pass(seconds: 10)
    #expect(bench.stopped == [id(1)], "once is enough")
    bench.end(1, .failed(message: "stopped"))
    #expect(bench.story(1).last == "JobExpired" && bench.begun == [id(1), id(2)])
  }

  @Test func `that were done all the same when they were to be stopped are completed`() {
    var bench = Bench()
    bench.offer(1, scan, seconds: 10)
    bench.pass(seconds: 10)
    bench.end(1)
    #expect(bench.story(1).last == "JobCompleted")
  }

  @Test func `that came too late are expired without a receipt`() {
    var bench = Bench()
    bench.offer(1, scan, seconds: 0)
    #expect(bench.story(1) == ["JobExpired"])
    bench.offer(1, scan)
    #expect(bench.story(1) == ["JobExpired"])
  }

  @Test func `that are none, or not for this agent, are refused with the reason and remembered`() {
    var bench = Bench()
    bench.offer(1, nil)
    bench.offer(2, JobOrder(kind: "brewCoffee"))
    bench.offer(3, JobOrder(.page))
    bench.offer(4, JobOrder(.restart))
    bench.offer(5, JobOrder(.scan, ranges: [String](repeating: "10.0.0.1", count: JobOffer.rangesMax + 1)))
    bench.offer(6, JobOrder(.upload, devices: [DeviceID](repeating: device, count: JobOffer.devicesMax + 1)))
    bench.offer(7, scan, seconds: 8 * 86_400)
    bench.offer(8, scan, refusal: JobRefusal(.notPermitted, "not in discovery.ranges"))
    bench.offer(9, upload, malformed: "an id of 3 bytes")
    bench.offer(10, JobOrder(.scan, ranges: [String](repeating: "1", count: 100)))
    bench.offer(11, JobOrder(.scan, ranges: [String(repeating: "1", count: 1_000)]))
    #expect(
      (1...11).map { bench.refusal($0) } == [
        "unknownKind", "unknownKind", "arguments", "arguments", "arguments", "arguments", "arguments", "notPermitted",
        "arguments", "arguments", "arguments",
      ])
    let before = bench.recorded.count
    bench.offer(1, scan)
    #expect(bench.recorded.count == before && bench.begun.isEmpty)
  }

  @Test func `beyond what may wait in a lane are refused, and the other lanes take theirs`() {
    var bench = Bench()
    for number in 0...UInt8(JobLanes.waitingMax + 1) { bench.offer(number, scan) }
    #expect(bench.refusal(UInt8(JobLanes.waitingMax)) == nil)
    #expect(bench.refusal(UInt8(JobLanes.waitingMax + 1)) == "busy")
    bench.offer(99, diagnostics)
    #expect(bench.begun == [id(0), id(99)])
  }

  @Test func `that the hub takes back do not begin, or are stopped`() {
    var bench = Bench()
    bench.offer(1, scan)
    bench.offer(2, upload)
    bench.offer(2, upload, isCancelled: true)
    #expect(bench.story(2) == ["JobReceived", "JobRefused"] && bench.refusal(2) == "cancelled")
    bench.offer(1, scan, isCancelled: true)
    #expect(bench.stopped == [id(1)])
    bench.end(1, .failed(message: "stopped"))
    #expect(bench.recorded.last == .jobFailed(JobFailed(id: id(1), .cancelled, "The hub took it back while it ran.")))
    bench.offer(3, scan, isCancelled: true)
    #expect(bench.story(3) == ["JobRefused"] && bench.refusal(3) == "cancelled", "its end is known at the hub")
  }

  @Test func `that are not done say who wanted to see which device's page`() throws {
    let (device, visit) = (
      try #require(DeviceID([UInt8](repeating: 7, count: 16))),
      JobOrder.Visit(user: "anna", reason: "jam", from: "198.51.100.7", seconds: 900)
    )
    let order = JobOrder(.page, devices: [device], visit: visit)
    var bench = Bench()
    bench.offer(1, order, refusal: JobRefusal(.notPermitted, "The device is excluded."))
    bench.offer(2, order)
    bench.end(2, .failed(message: "Another device answers."))
    bench.offer(3, order, seconds: 8 * 86_400)
    bench.offer(4, order, isCancelled: true)
    bench.offer(5, order)
    bench.offer(5, order, isCancelled: true)
    bench.end(5, .failed(message: "stopped"))
    let told: [(JobOrder.Visit?, DeviceID?)] = bench.recorded.compactMap {
      switch $0 {
      case .jobRefused(let body): (body.visit, body.device)
      case .jobFailed(let body): (body.visit, body.device)
      default: nil
      }
    }
    #expect(told.count == 5 && told.allSatisfy { $0.0 == visit && $0.1 == device })
    bench.offer(6, JobOrder(.upload, devices: [device]), refusal: JobRefusal(.unknownDevice, "None."))
    guard case .jobRefused(let other)? = bench.recorded.last else { return #expect(Bool(false)) }
    #expect(other.visit == nil && other.device == nil, "nobody visits")
  }

  @Test func `wait for a queued restart, which waits for what runs`() {
    var bench = Bench()
    bench.offer(1, scan)
    bench.offer(2, restart(.queued))
    bench.offer(3, page)
    #expect(bench.begun == [id(1)], "nothing begins before the restart")
    bench.end(1)
    #expect(bench.begun == [id(1), id(2)])
    bench.offer(4, scan)
    #expect(bench.begun == [id(1), id(2)] && bench.story(4) == ["JobReceived"])
  }

  @Test func `do not hold a restart up that stands alone`() {
    var bench = Bench()
    bench.offer(1, scan)
    bench.offer(2, diagnostics)
    bench.offer(3, restart(.standalone))
    #expect(bench.begun == [id(1), id(2), id(3)])
    bench.offer(3, restart(.standalone), isCancelled: true)
    #expect(bench.stopped.isEmpty, "it is past being taken back")
    bench.tell(.stopping)
    #expect(bench.stopped == [id(1), id(2)] && !bench.lanes.mayStop)
    bench.end(1, .failed(message: "stopped"))
    bench.end(2, .failed(message: "stopped"))
    bench.end(3, .failed(message: "stopped"))
    #expect(bench.story(1).last == "JobFailed" && bench.story(2).last == "JobFailed")
    #expect(bench.story(3) == ["JobReceived", "JobStarted"] && bench.lanes.mayStop)
  }

  @Test func `that wait when the agent goes down are left to the next start`() {
    var bench = Bench()
    bench.offer(1, scan)
    bench.offer(2, upload)
    bench.tell(.stopping)
    bench.end(1, .failed(message: "stopped"))
    bench.offer(3, scan)
    #expect(bench.story(1).last == "JobFailed" && bench.story(2) == ["JobReceived"] && bench.story(3).isEmpty)
    #expect(bench.begun == [id(1)] && bench.lanes.mayStop)
  }

  private func received(_ number: UInt8, _ order: JobOrder, deadline: Int64) -> JobReceived {
    JobReceived(id: id(number), order: order, created: 1, deadline: deadline)
  }

  @Test func `of an earlier process are gone on with, failed where they had begun, and a restart is done`() {
    var bench = Bench()
    let later = bench.now + 60_000
    bench.perform(
      bench.lanes.resume(
        open: [
          (received(1, scan, deadline: later), started: bench.now - 5_000), (received(2, upload, deadline: later), nil),
          (received(3, page, deadline: bench.now - 1), nil),
          (received(4, restart(.queued), deadline: bench.now - 1), started: bench.now - 5_000),
          (received(5, JobOrder(kind: "brewCoffee"), deadline: later), nil),
        ], ended: [id(6): later], now: bench.now))
    #expect(bench.story(1) == ["JobFailed"] && bench.story(3) == ["JobExpired"] && bench.story(5) == ["JobFailed"])
    #expect(
      bench.recorded.contains(
        .jobFailed(JobFailed(id: id(1), .interrupted, "The agent's process ended while it ran."))))
    #expect(
      bench.recorded.contains(
        .jobCompleted(JobCompleted(id: id(4), result: "The agent is back.", milliseconds: 5_000))))
    #expect(bench.story(2) == ["JobStarted"] && bench.begun == [id(2)])
    bench.offer(1, scan)
    bench.offer(6, scan)
    #expect(bench.begun == [id(2)], "neither is run again")
  }

  @Test func `are not taken while as many ids are remembered as may be, until their deadlines have passed`() {
    var bench = Bench()
    var ended: [JobID: Int64] = [:]
    for number in 0..<JobLanes.rememberedMax {
      let tail = [UInt8](repeating: 9, count: 14)
      let id = JobID([UInt8(number >> 8), UInt8(number & 0xff)] + tail)
      if let id { ended[id] = bench.now + 10_000 }
    }
    _ = bench.lanes.resume(open: [], ended: ended, now: bench.now)
    bench.offer(1, scan)
    #expect(bench.ignored == [id(1)] && bench.recorded.isEmpty)
    bench.now += 10_001
    bench.offer(1, scan)
    #expect(bench.begun == [id(1)])
  }

  /// Whatever comes in whatever order: no more jobs in a lane than may, each begun once and ended once.
  @Test(arguments: 0..<40)
  func `keep what holds at every moment`(seed: Int) {
    var random = SplitMix(seed: UInt64(seed))
    var bench = Bench()
    var running: Set<JobID> = []
    var kinds: [JobID: JobLanes.Lane] = [:]
    for _ in 0..<400 {
      let number = UInt8.random(in: 0..<60, using: &random)
      let orders = [scan, upload, page, diagnostics]
      switch Int.random(in: 0..<6, using: &random) {
      case 0, 1, 2:
        let order = orders[Int(number) % orders.count]
        kinds[id(number)] = JobOrder.Kind(rawValue: order.kind).map { JobLanes.Lane($0) }
        bench.offer(
          number, order, seconds: Int64.random(in: 1...30, using: &random),
          isCancelled: Int.random(in: 0..<8, using: &random) == 0)
      case 3: bench.pass(seconds: Int64.random(in: 1...5, using: &random))
      default:
        guard let one = running.sorted().randomElement(using: &random) else { continue }
        running.remove(one)
        bench.tell(
          .ended(
            one, Bool.random(using: &random) ? .completed(JobResult("done")) : .failed(message: "no")))
      }
      running = Set(bench.begun).filter { one in !bench.recorded.contains { $0.endedJob == one } }
      let lanes = running.compactMap { kinds[$0] }
      let isWithin = JobLanes.Lane.allCases.allSatisfy { lane in lanes.count { $0 == lane } <= lane.width }
      #expect(isWithin, "seed \(seed): more jobs run in one lane than may")
    }
    #expect(bench.begun.count == Set(bench.begun).count, "seed \(seed): a job was begun twice")
    let ends = bench.recorded.compactMap(\.endedJob)
    #expect(ends.count == Set(ends).count, "seed \(seed): a job ended twice")
  }
}

/// Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators (2014).
private struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ (z >> 30)) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ (z >> 27)) &* 0x94d0_49bb_1331_11eb
    return z ^ (z >> 31)
  }
}
