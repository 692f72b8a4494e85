// A journal's way to a hub: by the agent's replicator, or by a plain client of grpc-swift-nio-transport that does the least that works.

internal import AgentCore
internal import ArgumentParser
internal import Enrolment
internal import Events
internal import Evidence
internal import FoundationEssentials
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import HubProtocol
internal import Journal
internal import Logging
internal import NIOPosix
internal import OpenSSL
internal import Platform
internal import PrinterModel
internal import ReadModels
internal import Replicator
internal import SwiftProtobuf
internal import Synchronization

struct DeliverBench: AsyncParsableCommand {
  enum Client: String, ExpressibleByArgument, CaseIterable { case own, plain, gzip }

  static let configuration = CommandConfiguration(
    commandName: "deliver",
    abstract: "Fills a journal, enrols at a hub, and measures how long the hub takes to acknowledge all of it.")

  @OptionGroup var hub: BenchHub
  @Option(help: "A directory for the journal that does not exist yet.") var directory: String
  @Option(help: "Records in the journal, as a fleet of a thousand devices makes them.") var records = 200_000
  @Option(
    help: "own: the agent's replicator; plain: grpc-swift-nio-transport; gzip: the same with messages compressed.")
  var client = Client.own
  @Option(help: "Milliseconds between alerts that are appended while the backlog is delivered; own only.") var alerts:
    Int?

  /// Records in a batch, which is what the replicator sends at most.
  private static let batchRecords = 500
  private static let look: Duration = .milliseconds(2)
  private static let longest: Duration = .seconds(600)

  func validate() throws {
    guard records >= 1_000, (alerts ?? 1) > 0 else { throw ValidationError("Expected at least 1000 records.") }
    guard alerts == nil || client == .own else { throw ValidationError("Only the agent's replicator has a fast lane.") }
  }

  func run() async throws {
    let journal = try Journal.open(JournalConfiguration(directory: directory), fold: FleetFold())
    let reference = JournalReference(id: journal.identity.id, publicKey: journal.identity.publicKey)
    let install = try await hub.enrol(journal: reference, name: "bench-\(client.rawValue)")
    try await fill(journal)
    let processor = processorSeconds()
    let clock = ContinuousClock()
    let start = clock.now
    switch client {
    case .own: try await deliver(journal, reference, install)
    case .plain, .gzip: try await plain(journal, reference, install)
    }
    let seconds = (clock.now - start).seconds
    let used = processorSeconds() - processor
    let head = try journal.reader.head()
    await journal.close()
    print(
      #"{"benchmark":"delivery.\#(client)","records":\#(head.sequence),"seconds":\#(seconds),"records_per_second":\#(Int(Double(head.sequence) / seconds)),"cpu_seconds":\#(used)}"#
    )
  }

  private func fill(_ journal: Journal) async throws {
    var fleet = SyntheticFleet(devices: 1_000)
    var left = records
    while left > 0 {
      let portion = min(left, Self.batchRecords)
      try await journal.append((0..<portion).map { _ in try fleet.nextEvent().encoded() })
      left -= portion
    }
  }

  // MARK: The agent's replicator

  private func deliver(_ journal: Journal, _ reference: JournalReference, _ install: BenchInstall) async throws {
    let target = DeliveryTarget(
      address: install.dcam, tls: try install.tls, usableUntil: .max, fingerprint: install.chain[0].fingerprint.hex)
    let replicator = Replicator(
      source: JournalSource(journal, coding: .events), targets: FixedTarget(target: target),
      introduction: AgentIntroduction(
        journalID: reference.id, journalPublicKey: reference.publicKey.rawRepresentation, agentVersion: "bench"),
      journalRecovers: { _ in false }, logger: Logger(label: "bench") { _ in SwiftLogNoOpLogHandler() }
    ) { _ in }
    try await withThrowingTaskGroup(of: Void.self) { group in
      group.addTask { try await replicator.run() }
      if let alerts {
        group.addTask { try await raiseAlerts(every: .milliseconds(alerts), in: journal) }
      }
      group.addTask {
        let deadline = ContinuousClock.now.advanced(by: Self.longest)
        while replicator.status.acknowledged ?? .start < RecordPosition(epoch: 1, sequence: UInt64(records)) {
          guard ContinuousClock.now < deadline else {
            throw ValidationError("not delivered within \(Self.longest): \(replicator.status)")
          }
          try await Task.sleep(for: Self.look)
        }
      }
      // Neither delivery nor alerts end by themselves: the first to end is the one that waits, or has failed.
      defer { group.cancelAll() }
      try await group.next()
    }
  }

  /// Appends an alert now and then and prints when, in milliseconds since 1970 UTC; whoever looks into the hub's database can tell when it was there.
  private func raiseAlerts(every interval: Duration, in journal: Journal) async throws {
    var generator = SystemRandomNumberGenerator()
    let device = DeviceID(using: &generator)
    var index: Int64 = 0
    while true {
      index += 1
      let time = Machine.milliseconds
      let key = AlertKey(group: 11, groupIndex: index, code: 1104)
      var alert = PrinterAlert(row: RowIndex([1, UInt32(index)]))
      (alert.severity, alert.group, alert.groupIndex, alert.code) = (3, 11, index, 1104)
      let positions = try await journal.append([
        try Event(time: time, device: device, .alertRaised(AlertRaised(key: key, alert: alert))).encoded()
      ])
      for position in positions {
        print(#"{"benchmark":"delivery.alert","sequence":\#(position.sequence),"appended":\#(time)}"#)
      }
      try await Task.sleep(for: interval)
    }
  }

  // MARK: The plain client

  private func plain(_ journal: Journal, _ reference: JournalReference, _ install: BenchInstall) async throws {
    let head = try journal.reader.head()
    let reader = journal.reader
    try await withGRPCClient(
      transport: try install.plainTransport(compresses: client == .gzip, group: MultiThreadedEventLoopGroup.singleton)
    ) { client in
      let window = Window()
      let request = StreamingClientRequest<Printtrail_Dcam_V1_AgentMessage> { writer in
        try await writer.write(BenchInstall.hello(reference, heads: [head]))
        var next = RecordPosition(epoch: head.epoch, sequence: 1)
        while next.sequence <= head.sequence {
          try await window.wait(for: next.sequence + UInt64(Self.batchRecords))
          let batch = try Self.batch(from: next, reader)
          next.sequence += UInt64(batch.batch.records.count)
          try await writer.write(batch)
        }
        try await window.wait(for: .max)
      }
      var options = CallOptions.defaults
      options.compression = self.client == .gzip ? .gzip : CompressionAlgorithm.none
      try await Printtrail_Dcam_V1_DeviceCollection.Client(wrapping: client).stream(request: request, options: options)
      { response in
        for try await message in response.messages {
          switch message.message {
          case .welcome(let welcome): window.open(UInt64(welcome.windowRecords))
          case .acknowledgement(let acknowledgement):
            window.acknowledge(acknowledgement.sequence)
            if acknowledgement.sequence >= head.sequence { window.finish() }
          case .rejection, .conflict, .countersignature, nil: break
          }
        }
      }
    }
  }

  private static func batch(
    from first: RecordPosition, _ reader: JournalReader
  ) throws -> Printtrail_Dcam_V1_AgentMessage {
    var batch = Printtrail_Dcam_V1_Batch()
    (batch.epoch, batch.firstSequence) = (first.epoch, first.sequence)
    try reader.scan(from: first, limit: batchRecords) { view in
      batch.records.append(
        .with { ($0.time, $0.hash, $0.payload) = (view.time, Data(view.leafHash.bytes), Data(view.payload)) })
      return true
    }
    return .with { $0.batch = batch }
  }
}

/// How far the plain client may send.
private final class Window: Sendable {
  private struct State {
    var size: UInt64 = 0
    var acknowledged: UInt64 = 0
    var isFinished = false
    var waiter: (limit: UInt64, continuation: CheckedContinuation<Void, Never>)?

    func lets(_ limit: UInt64) -> Bool { isFinished || (size > 0 && limit <= acknowledged + size) }
  }

  private let state = Mutex(State())

  func open(_ size: UInt64) { change { $0.size = size } }
  func acknowledge(_ sequence: UInt64) { change { $0.acknowledged = max($0.acknowledged, sequence) } }
  func finish() { change { $0.isFinished = true } }

  /// Waits until records below `limit` may be sent, or all is over.
  func wait(for limit: UInt64) async throws {
    await withCheckedContinuation { continuation in
      let isLet = state.withLock { state in
        if !state.lets(limit) { state.waiter = (limit, continuation) }
        return state.waiter == nil
      }
      if isLet { continuation.resume() }
    }
  }

  private func change(_ body: (inout State) -> Void) {
    let waiter = state.withLock { state -> CheckedContinuation<Void, Never>? in
      body(&state)
      guard let waiter = state.waiter, state.lets(waiter.limit) else { return nil }
      state.waiter = nil
      return waiter.continuation
    }
    waiter?.resume()
  }
}

private struct FixedTarget: DeliveryTargets {
  let target: DeliveryTarget

  func current() -> DeliveryTarget? { target }
  func changed(from target: DeliveryTarget?) async throws { try await Task.sleep(for: .seconds(1 << 30)) }
}
