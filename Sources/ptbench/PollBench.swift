// What polls of one recorded device cost: bytes on the wire, requests, and our own processor time without a socket, a kernel or a simulator.
// The device's answers are made once and then played to each poll, whose requests are the same because it begins with the same numbers.

internal import ArgumentParser
internal import Collectors
internal import Discovery
internal import Events
internal import Foundation
internal import MIB
internal import PrinterModel
internal import SNMP

struct PollBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "polls",
    abstract: "Polls recorded devices in memory: bytes, requests and microseconds of each kind of poll.")

  @Argument(help: "Recorded walks (.snmprec).") var walks: [String]
  @Option(help: "Times that each poll is measured; 0 counts bytes alone.") var times = 200
  @Option(help: "Measure this kind alone: first, later, light or changed.") var only: String?

  @Flag(help: "Print each request and its answer too.") var dialogue = false

  func run() throws {
    for path in walks {
      let walk = SNMPRec.parse([UInt8](try Data(contentsOf: URL(fileURLWithPath: path)))).walk
      guard let device = try BenchDevice(walk) else {
        FileHandle.standardError.write(Data("\(path) is not read as a printer\n".utf8))
        continue
      }
      for exchange in [device.first, device.later, device.light, device.changed]
      where only ?? exchange.name == exchange.name {
        if dialogue { try exchange.lines().forEach { print($0) } }
        let microseconds = try exchange.microseconds(times)
        print(
          #"{"benchmark":"polls.\#(exchange.name)","walk":"\#(path.split(separator: "/").last ?? "")","objects":\#(walk.bindings.count),"#
            + #""probe_wire_bytes":\#(device.probeBytes),"requests":\#(exchange.requests.count),"wire_bytes":\#(exchange.wireBytes),"#
            + #""microseconds":\#((microseconds * 10).rounded() / 10)}"#)
      }
    }
  }
}

/// The polls of one device, each with what it begins with and how it goes.
private struct BenchDevice {
  let probeBytes: Int
  let first: Exchange
  let later: Exchange
  let light: Exchange
  /// A light poll that finds each counter and gauge of the device moved on.
  let changed: Exchange

  private static let credential = NamedCredential(
    name: "bench", credential: .community(version: .v2c, community: Array("public".utf8)))

  /// Nil for a device that is not read as a printer.
  init?(_ walk: Walk) throws {
    let keys = USMKeyCache()
    let attempt = SweepAttempt(
      address: IPv4Address(0x7f00_0001), range: 0, pass: 1, patience: .seconds(1), furtherPatience: .seconds(1))
    var probe = ProbeMachine(
      ProbeAsk.all([Self.credential], attempt), pass: 1, keys: keys, profiles: .shipped, randomSeed: 42)
    var (requests, replies): ([[UInt8]], [[UInt8]]) = ([], [])
    _ = try drive(&probe) {
      requests.append($0); replies.append(try answer($0, walk)); return replies[replies.count - 1]
    }
    probeBytes = wireBytes(requests) + wireBytes(replies)
    let memory = PollMemory(
      session: Session(
        credential: Self.credential.credential, keys: keys, parameters: SessionParameters(), randomSeed: 42))
    guard let first = try Exchange("first", .full, memory, walk) else { return nil }
    guard let later = try Exchange("later", .full, first.after, walk),
      let planned = try Exchange("planned", .light, first.after, ticking(walk, 1)),
      let light = try Exchange("light", .light, planned.after, ticking(walk, 2)),
      let changed = try Exchange("changed", .light, planned.after, moved(ticking(walk, 2)))
    else { return nil }
    (self.first, self.later, self.light, self.changed) = (first, later, light, changed)
  }
}

/// One poll and the device's answers to it.
private struct Exchange {
  let name: String
  let kind: PollKind
  let before: PollMemory
  let after: PollMemory
  let requests: [[UInt8]]
  let replies: [[UInt8]]

  init?(_ name: String, _ kind: PollKind, _ memory: PollMemory, _ walk: Walk) throws {
    var machine = PollMachine(kind, memory: memory)
    var (requests, replies): ([[UInt8]], [[UInt8]]) = ([], [])
    let transcript = try drive(&machine) { request in
      requests.append(request)
      let reply = try answer(request, walk)
      replies.append(reply)
      return reply
    }
    let (outcome, after) = Self.interpreted(transcript)
    guard case .reading = outcome.result else { return nil }
    (self.name, self.kind, before, self.after, self.requests, self.replies) = (
      name, kind, memory, after, requests, replies
    )
  }

  var wireBytes: Int { ptbench.wireBytes(requests) + ptbench.wireBytes(replies) }

  /// Each request with what it asks for, and how many bindings of its answer are objects that it names or follows.
  func lines() throws -> [String] {
    try zip(requests, replies).map { request, reply in
      let (asked, told) = (try Message(decoding: request).pdu, try Message(decoding: reply).pdu)
      let names = asked.bindings.map { "\($0.name)" }.joined(separator: " ")
      let repetitions = asked.type == .getBulk ? " \(asked.nonRepeaters)+\(asked.maxRepetitions)" : ""
      return "\(request.count)+\(reply.count) \(asked.type)\(repetitions): \(names)\n    "
        + told.bindings.map { "\($0.name)=\($0.value.octets.map { "\($0.count) octets" } ?? "n")" }.joined(
          separator: " ")
    }
  }

  /// The median of so many runs.
  func microseconds(_ times: Int) throws -> Double {
    var runs: [Double] = []
    for _ in 0..<times {
      let start = ContinuousClock.now
      try play()
      runs.append(start.duration(to: .now) / .microseconds(1))
    }
    return runs.isEmpty ? 0 : runs.sorted()[runs.count / 2]
  }

  private func play() throws {
    var machine = PollMachine(kind, memory: before)
    var position = 0
    let transcript = try drive(&machine) { _ in
      defer { position += 1 }
      return replies[position]
    }
    precondition(position == replies.count, "a poll of the same device went another way")
    _ = Self.interpreted(transcript)
  }

  private static func interpreted(_ transcript: PollTranscript) -> (outcome: PollOutcome, memory: PollMemory) {
    transcript.interpreted(endpoint: Endpoint(IPv4Address(0x7f00_0001), port: 161), credential: "bench")
  }
}

/// The machine waits for something that nobody sends.
private struct Stuck: Error {}

private func drive<Machine: DeviceMachine>(
  _ machine: inout Machine, _ answer: ([UInt8]) throws -> [UInt8]
) throws -> Machine.Output {
  let now = ContinuousClock.now
  var actions = machine.start(now: now)
  while true {
    var reply: [UInt8]?
    for action in actions {
      switch action {
      case .send(let datagram): reply = try answer(datagram)
      case .setTimer: break
      case .finish(let output): return output
      }
    }
    guard let reply else { throw Stuck() }
    actions = machine.received(reply, now: now)
  }
}

/// With the headers of IPv4 and UDP: 28 bytes a datagram.
private func wireBytes(_ datagrams: [[UInt8]]) -> Int { datagrams.reduce(0) { $0 + $1.count + 28 } }

private func ticking(_ walk: Walk, _ minutes: UInt32) -> Walk {
  var walk = walk
  if case .timeTicks(let ticks)? = walk[MIB2.sysUpTime] {
    walk.set(MIB2.sysUpTime, .timeTicks(ticks &+ minutes &* 6_000))
  }
  return walk
}

/// The device printed one page: its meters, and no detector of its structure.
private func moved(_ walk: Walk) -> Walk {
  Walk(
    walk.bindings.map { binding in
      guard binding.name.isWithin(PrinterMIB.Marker.entry.appending(PrinterMIB.Marker.lifeCount)),
        case .counter32(let count) = binding.value
      else { return binding }
      return VarBind(binding.name, .counter32(count &+ 1))
    })
}

/// What an agent with these objects answers (RFC 3416, section 4.2).
private func answer(_ datagram: [UInt8], _ walk: Walk) throws -> [UInt8] {
  let request = try Message(decoding: datagram)
  func next(_ name: ObjectIdentifier) -> VarBind { walk.next(after: name) ?? VarBind(name, .endOfMibView) }
  let asked = request.pdu.bindings.map(\.name)
  var bindings: [VarBind]
  switch request.pdu.type {
  case .get: bindings = asked.map { VarBind($0, walk[$0] ?? .noSuchInstance) }
  case .getNext: bindings = asked.map(next)
  default:
    let nonRepeaters = min(Int(max(request.pdu.nonRepeaters, 0)), asked.count)
    bindings = asked.prefix(nonRepeaters).map(next)
    var cursors = Array(asked.dropFirst(nonRepeaters))
    for _ in 0..<max(request.pdu.maxRepetitions, 0) where !cursors.isEmpty {
      let row = cursors.map(next)
      bindings += row
      cursors = row.map(\.name)
    }
  }
  let pdu = PDU(.response, requestID: request.pdu.requestID, bindings: bindings)
  return Message(version: request.version, community: request.community, pdu: pdu).encoded()
}
