// A device as the network sees it: a printer (or a recorded walk) behind its agent, with its sleep and its faults.
//
// Two clocks: the printer lives in simulated time, which may run faster than the wall's; sleep follows it. Delays, waking up
// and the SNMPv3 engine's time are the wall's, because they are measured against the asker's patience.

package import MIB
internal import SNMP

package struct Device: Sendable {
  /// What stands behind the agent.
  package enum Contents: Sendable {
    case simulated(Printer)
    /// Objects as they were recorded; only sysUpTime moves.
    case recorded(Walk)
  }

  /// A datagram to be sent back.
  package struct Reply: Equatable, Sendable {
    package var bytes: [UInt8]
    package var delay: Duration = .zero
    /// From a port that was not asked.
    package var fromOtherPort = false
  }

  /// The IPv4 address it is served at.
  package let address: HostAddress
  package private(set) var contents: Contents
  package private(set) var agent: Agent
  package let faults: [Fault]
  /// What it says over IPP; nil if it does not speak it.
  let ipp: IPPContents?
  /// Answers sent so far.
  package private(set) var replies = 0

  private let quirks: Quirks
  private var image: PrinterImage?
  private var random: SplitMix64
  private var spoilt: SpoiltObjects
  /// Seconds that the engine was up when the wall's time was `engineStartedAt`.
  private var engineTimeAtStart: Int32
  private var engineStartedAt: Duration = .zero
  private var simulatedMilliseconds: Int64 = 0
  private var lastRequestAt: Int64 = 0
  /// Wall time at which a sleeping printer answers again.
  private var awakeAt: Duration = .zero
  private var firstAskedAt: Duration?

  package init(
    address: HostAddress, contents: Contents, agent: Agent, faults: [Fault], ipp: IPPContents? = nil, seed: UInt64
  ) {
    self.ipp = ipp
    self.address = address
    self.contents = contents
    var agent = agent
    if faults.contains(where: { if case .bootsZero = $0 { true } else { false } }) { agent.forgetBoots() }
    self.agent = agent
    self.faults = faults
    random = SplitMix64(seed: seed, name: "network " + address.description)
    switch contents {
    case .simulated(let printer):
      quirks = faults.added(to: printer.model.quirks)
      let image = PrinterImage(of: printer)
      self.image = image
      spoilt = SpoiltObjects(faults, image.walk)
      engineTimeAtStart = Int32(clamping: printer.uptime / 1000)
    case .recorded(let walk):
      quirks = faults.added(to: Quirks())
      spoilt = SpoiltObjects(faults, walk)
      engineTimeAtStart = Int32(clamping: (walk[MIB2.sysUpTime]?.number ?? 0) / 100)
    }
  }

  /// The printer, unless the device is a recording.
  package var printer: Printer? {
    if case .simulated(let printer) = contents { printer } else { nil }
  }

  /// The objects at this moment, as they are without faults.
  package var walk: Walk {
    switch contents {
    case .simulated: image?.walk ?? Walk()
    case .recorded(let walk): walk
    }
  }

  /// Lets simulated time go on to `milliseconds` since the start. Going back is ignored.
  package mutating func advance(toMilliseconds milliseconds: Int64) {
    let step = milliseconds - simulatedMilliseconds
    guard step > 0 else { return }
    simulatedMilliseconds = milliseconds
    switch contents {
    case .simulated(var printer):
      printer.advance(byMilliseconds: step)
      contents = .simulated(printer)
      image?.refresh(printer)
    case .recorded(var walk):
      guard case .timeTicks(let ticks)? = walk[MIB2.sysUpTime] else { return }
      walk.set(MIB2.sysUpTime, .timeTicks(ticks &+ UInt32(truncatingIfNeeded: step / 10)))
      contents = .recorded(walk)
    }
  }

  /// Takes a datagram that arrived at `now` (wall time since the start) and says what to send back, if anything.
  package mutating func received(_ datagram: [UInt8], now: Duration) -> [Reply] {
    let waking = wake(now)
    defer { lastRequestAt = simulatedMilliseconds }
    guard let waking else { return [] }
    for fault in faults {
      switch fault {
      case .drops(let percent): if random.chance(percent: percent) { return [] }
      case .diesAfter(let count): if replies >= count { return [] }
      default: break
      }
    }
    let engineTime = Int32(clamping: Int64(engineTimeAtStart) + (now - engineStartedAt).components.seconds)
    let shown = spoilt.isEmpty ? walk : spoilt.spoilt(walk, replies: replies)
    guard
      let answer = agent.answer(datagram, engineTime: engineTime, walk: shown, quirks: quirks, faults: faults)
    else { return [] }
    replies += 1
    changeEngine(now)
    return distorted(Reply(bytes: answer, delay: waking))
  }

  /// Answers an IPP request with the objects that SNMP shows; nil for what is none, and of a device that does not speak it.
  mutating func answerIPP(_ request: [UInt8]) -> IPPServer.Reply? {
    guard let ipp else { return nil }
    lastRequestAt = simulatedMilliseconds
    let shown = spoilt.isEmpty ? walk : spoilt.spoilt(walk, replies: replies)
    guard let answer = IPPResponder.answer(request, ipp, shown, printer) else { return nil }
    var reply = IPPServer.Reply(bytes: answer)
    for fault in faults {
      switch fault {
      case .ippSlow(let milliseconds): reply.delay = .milliseconds(milliseconds)
      case .ippCut(let bytes): reply.bytesSent = min(bytes, answer.count)
      case .ippMalformed: reply.bytes = IPPResponder.malformed(answer)
      case .ippBusy: reply.isBusy = true
      default: break
      }
    }
    return reply
  }

  /// What faults do to the engine after an answer.
  private mutating func changeEngine(_ now: Duration) {
    for fault in faults {
      switch fault {
      case .engineChanges(let count) where replies % count == 0: agent.changeEngine()
      // The other device's engine is another one.
      case .swapped(let count) where replies == count: agent.changeEngine()
      case .bootsZero(let count) where replies % count == 0: (engineTimeAtStart, engineStartedAt) = (0, now)
      default: break
      }
    }
  }

  /// How long the answer waits for the printer to wake up; nil if the datagram is lost to its sleep.
  private mutating func wake(_ now: Duration) -> Duration? {
    if isAsleep {
      awakeAt = quirks.wake == .late ? now + .milliseconds(quirks.wakeMilliseconds) : now
      if quirks.wake == .lost { return nil }
    }
    firstAskedAt = firstAskedAt ?? now
    for case .slowFirst(let milliseconds) in faults {
      awakeAt = max(awakeAt, (firstAskedAt ?? now) + .milliseconds(milliseconds))
    }
    return max(.zero, awakeAt - now)
  }

  /// Asleep: nothing printed and nothing asked for the model's time.
  package var isAsleep: Bool {
    guard let minutes = quirks.sleepAfterMinutes, case .simulated(let printer) = contents, printer.job == nil else {
      return false
    }
    let sincePage = printer.uptime - printer.lastPageAt
    let sinceRequest = simulatedMilliseconds - lastRequestAt
    return min(sincePage, sinceRequest) >= Int64(minutes) * 60_000
  }

  private func distorted(_ reply: Reply) -> [Reply] {
    var reply = reply
    var copies = 1
    for fault in faults {
      switch fault {
      case .wrongSourcePort: reply.fromOtherPort = true
      case .duplicates: copies = 2
      case .slow(let milliseconds): reply.delay += .milliseconds(milliseconds)
      case .late(let milliseconds) where replies % Fault.lateEvery == 0: reply.delay += .milliseconds(milliseconds)
      default: reply.bytes = fault.distorted(reply.bytes)
      }
    }
    guard faults.contains(.fragments) else { return Array(repeating: reply, count: copies) }
    var rest = reply
    reply.bytes = Array(reply.bytes.prefix(reply.bytes.count / 2))
    rest.bytes = Array(rest.bytes.dropFirst(reply.bytes.count))
    return [reply, rest]
  }
}
