// A walk of everything that helps to support a device (`ptagent capture`), as kind as a poll: GETNEXT first, GETBULK once it has proved to
// work, one request in flight, caps on objects, requests and time.

package import Discovery
package import Events
package import MIB
package import PrinterModel
internal import SNMP

/// What a device's walk gave.
package struct CaptureTranscript: Sendable {
  package var bindings: [VarBind] = []
  package var findings: [Finding] = []
  /// Why the walk ended early; what was read before is there.
  package var interruption: PollFailure?
  package var cost = PollCost()
}

/// Walks the subtrees of `Interpretation.capturedSubtrees`, one after the other.
package struct CaptureMachine: DeviceMachine {
  package typealias Output = CaptureTranscript

  /// The largest recorded devices have 4,000 objects; address books and job logs can make it ten times as many.
  package static let objectsMax = 50_000
  /// Of one subtree: private subtrees are walked as a whole.
  package static let objectsPerSubtreeMax = 40_000
  /// One object a request, with a device that knows no GETBULK.
  package static let requestsMax = 50_000
  /// At 20 requests a second, that of a slow device, 12,000 requests.
  package static let timeMax: Duration = .seconds(600)

  private var conversation: Conversation
  private var abilities: DeviceAbilities
  private var subtrees: [ObjectIdentifier]
  private var walk: TableWalk?
  private var transcript = CaptureTranscript()
  private var begun: Instant?
  private var hasHeard = false

  package init(_ memory: PollMemory) {
    conversation = Conversation(memory.session)
    abilities = memory.abilities
    subtrees = Interpretation.capturedSubtrees
  }

  package var outstandingID: Int32? { conversation.outstandingID }
  package static func identifier(of datagram: [UInt8]) -> Int32? { Conversation.identifier(of: datagram) }

  package mutating func start(now: Instant) -> [Action] {
    begun = now
    return proceed(now: now)
  }

  package mutating func received(_ datagram: [UInt8], now: Instant) -> [Action] {
    follow(conversation.received(datagram, now: now), now: now)
  }

  package mutating func timerFired(now: Instant) -> [Action] {
    follow(conversation.timerFired(now: now), now: now)
  }

  package mutating func undelivered(_ reason: Undeliverable, now: Instant) -> [Action] {
    conversation.undelivered(reason)
    guard reason == .portClosed, !hasHeard else { return [] }
    transcript.interruption = .portClosed
    return [.finish(finished(now: now))]
  }

  package mutating func answeredElsewhere(from source: Endpoint) { conversation.answeredElsewhere(from: source) }

  private mutating func follow(_ turn: Conversation.Turn, now: Instant) -> [Action] {
    let actions = actions(turn)
    guard let reply = turn.reply else { return actions }
    take(reply)
    return actions + proceed(now: now)
  }

  private func actions(_ turn: Conversation.Turn) -> [Action] {
    turn.datagrams.map { .send($0) } + (turn.timer.map { [.setTimer($0)] } ?? [])
  }

  private mutating func proceed(now: Instant) -> [Action] {
    var actions: [Action] = []
    while transcript.interruption == nil, let request = nextRequest() {
      if let begun, begun.duration(to: now) >= Self.timeMax {
        transcript.interruption = PollFailure(
          .timeout, "the walk took longer than \(Self.timeMax.components.seconds) s")
        break
      }
      let turn = conversation.request(request, now: now)
      actions += self.actions(turn)
      guard let reply = turn.reply else { return actions }
      take(reply)
    }
    return actions + [.finish(finished(now: now))]
  }

  private mutating func nextRequest() -> Request? {
    while true {
      if var current = walk.take() {
        let request = current.next()
        walk = current
        if let request { return request }
        close()
      }
      guard transcript.interruption == nil, !subtrees.isEmpty, transcript.bindings.count < Self.objectsMax else {
        return nil
      }
      var limits = ReadLimits()
      limits.requestsMax = Self.requestsMax
      limits.bindingsMax = Self.objectsMax - transcript.bindings.count
      limits.bindingsPerRootMax = Self.objectsPerSubtreeMax
      walk = TableWalk(roots: [subtrees.removeFirst()], abilities: abilities, limits: limits)
    }
  }

  private mutating func take(_ reply: Conversation.Reply) {
    guard var current = walk.take() else { return }
    switch reply {
    case .response(let response):
      hasHeard = true
      current.received(response)
    case .failure(let failure):
      current.failed(failure)
      if !hasHeard {
        transcript.interruption = PollFailure(failure.isRefusal ? .authentication : .timeout, "\(failure)")
      }
    }
    walk = current
  }

  private mutating func close() {
    guard let current = walk.take() else { return }
    abilities = current.abilities
    transcript.bindings += current.bindings
    for finding in current.findings { conversation.note(Finding(finding.name, finding.description)) }
    switch current.stopped {
    case nil: break
    case .unreachable(let failure): transcript.interruption = PollFailure(.timeout, "\(failure)")
    case .requestsExhausted(let count):
      transcript.interruption = PollFailure(.timeout, "the walk was ended after \(count) requests")
    case .bindingsExhausted(let count):
      transcript.interruption = PollFailure(.timeout, "the walk was ended after \(count) objects")
    }
  }

  private mutating func finished(now: Instant) -> CaptureTranscript {
    if walk != nil { close() }
    transcript.cost = conversation.cost(now: now)
    transcript.findings = conversation.findings
    return transcript
  }
}

extension SessionFailure {
  /// Whether the device refuses who asks.
  fileprivate var isRefusal: Bool {
    switch self {
    case .authentication, .reported: true
    default: false
    }
  }
}
