// Asks printers over IPP: the shell around `IPPConversation`, and what an answer means as the outcome of a poll.

internal import CLinux
internal import DeviceHTTP
package import Discovery
internal import Events
internal import IPP
internal import MIB
package import PrinterModel

/// Polls and probes over IPP.
package struct IPPAsker: Sendable {
  /// By this name events and lists call the way, where a credential's name stands for SNMP.
  package static let accessName = "ipp"
  /// IANA's port of `ipp`; printers speak TLS on it as well (RFC 8010, section 8).
  package static let port: UInt16 = 631
  /// How long a sweep waits for a connection: a round trip in the longest of networks, and no answer comes from an empty address. Less than a
  /// second, after which the kernel would send a second SYN (RFC 6298, section 2.1).
  package static let connectPatience: Duration = .milliseconds(900)
  /// For one request and its answer: printers that build a hundred attributes while they print take seconds.
  package static let answerPatience: Duration = .seconds(10)
  /// For a whole conversation.
  package static let conversationMax: Duration = .seconds(30)
  /// Addresses of a sweep that are connected to at one time: what a sweep of 2,000 packets per second, half of them connections, starts within
  /// the patience. Each is a descriptor.
  package static let connectsMax = 1_024
  /// Descriptors that are left for everything else: the journal, conversations, consoles.
  private static let descriptorsAside = 512
  /// Conversations at one time: each holds at most `DeviceHTTPLimits.answerBytesMax`.
  package static let conversationsMax = 64

  private let client = DeviceHTTPClient()
  private let connects = Turnstile(places: places)
  private let conversations = Turnstile(places: conversationsMax)
  private let profiles: ProfileSet

  package init(profiles: ProfileSet = .shipped) { self.profiles = profiles }

  /// As many as the process may open, which is raised where the system lets it; a connection without a descriptor would find nobody.
  private static let places: Int = {
    let allowed = clinux_raise_descriptor_limit(Int64(connectsMax + descriptorsAside))
    return min(max(Int(clamping: allowed) - descriptorsAside, connectsMax / 16), connectsMax)
  }()

  /// Asks one printer for everything.
  /// - Parameters:
  ///   - endpoint: named by the outcome; `port` is asked.
  ///   - way: how it answered last time.
  /// - Throws: `CancellationError`.
  package func poll(
    _ endpoint: Endpoint, port: UInt16 = port, way: IPPWay? = nil
  ) async throws -> (outcome: PollOutcome, way: IPPWay?) {
    try await conversations.enter()
    defer { conversations.leave() }
    var conversation = IPPConversation(address: endpoint.address.description, port: port, known: way)
    var cost = PollCost()
    let began = ContinuousClock.now
    var step = conversation.start()
    while true {
      switch step {
      case .ask(let request):
        let left = Self.conversationMax - began.duration(to: ContinuousClock.now)
        step = conversation.received(
          await send(request, within: min(Self.answerPatience, max(left, .milliseconds(1))), &cost))
        try Task.checkCancellation()
      case .failed(let failure):
        cost.milliseconds = Self.milliseconds(since: began)
        var outcome = PollOutcome(
          endpoint: endpoint, credential: Self.accessName, cost: cost, result: .failed(failure))
        outcome.steps = [Self.step(cost, objects: 0, failure)]
        return (outcome, way)
      case .done(let decoded, let found):
        cost.milliseconds = Self.milliseconds(since: began)
        let result = await Self.interpret(decoded, found, conversation.hasOtherCertificate, profiles)
        var outcome = PollOutcome(endpoint: endpoint, credential: Self.accessName, cost: cost, result: result)
        if case .reading(let poll) = result {
          outcome.steps = [Self.step(cost, objects: poll.walk.bindings.count, nil)]
        }
        return (outcome, found)
      }
    }
  }

  private static func step(_ cost: PollCost, objects: Int, _ failure: PollFailure?) -> PollStep {
    PollStep(
      name: "IPP attributes", milliseconds: cost.milliseconds, requests: cost.requests, objects: objects,
      failure: failure)
  }

  /// Whether a printer answers there over IPP; nil when nothing listens. An address where nothing is costs one connection's patience.
  /// - Parameter way: where to begin.
  /// - Throws: `CancellationError`.
  package func probe(
    _ address: IPv4Address, port: UInt16 = port, way: IPPWay? = nil
  ) async throws -> PollOutcome? {
    try await connects.enter()
    let isListening: Bool
    do {
      defer { connects.leave() }
      isListening = await listens(at: address, port)
    }
    try Task.checkCancellation()
    return isListening ? try await poll(Endpoint(address, port: port), port: port, way: way).outcome : nil
  }

  private func listens(at address: IPv4Address, _ port: UInt16) async -> Bool {
    do throws(DeviceHTTPError) {
      try await client.connect(to: address.description, port: port, within: Self.connectPatience)
      return true
    } catch { return false }
  }

  private func send(
    _ request: DeviceRequest, within patience: Duration, _ cost: inout PollCost
  ) async -> Result<DeviceResponse, DeviceHTTPError> {
    cost.requests += 1
    cost.bytesSent &+= UInt32(clamping: request.body.count)
    do throws(DeviceHTTPError) {
      let response = try await client.post(request, within: patience)
      cost.bytesReceived &+= UInt32(clamping: response.byteCount)
      return .success(response)
    } catch { return .failure(error) }
  }

  private static func milliseconds(since began: ContinuousClock.Instant) -> UInt32 {
    UInt32(clamping: Int64(began.duration(to: ContinuousClock.now) / .milliseconds(1)))
  }

  @concurrent
  private static func interpret(
    _ decoded: IPPDecoded, _ way: IPPWay, _ hasOtherCertificate: Bool, _ profiles: ProfileSet
  ) async -> PollOutcome.Result {
    var notes: [Finding] = []
    if let certificate = way.certificate {
      notes.append(
        Finding(nil, "read over TLS; nobody vouches for the printer's certificate, whose SHA-256 is \(certificate)"))
      if hasOtherCertificate {
        notes.append(Finding(nil, "the printer shows another certificate than at its last poll"))
      }
    }
    return result(of: decoded, notes, profiles)
  }

  /// What an answer to Get-Printer-Attributes tells.
  /// - Parameter notes: findings of the exchange.
  static func result(of decoded: IPPDecoded, _ notes: [Finding], _ profiles: ProfileSet) -> PollOutcome.Result {
    let told = Walk.attributes(of: decoded)
    let (bindings, cuts) = told.walk.bindings.shortened()
    let (walk, excess) = Walk(bindings).bounded()
    let findings = told.findings + cuts + (excess.map { [$0] } ?? [])
    let classification = Classification.of(walk, profiles: profiles)
    if decoded.breaksOff, walk.isEmpty || !classification.isPrinter {
      let values = walk.bindings.count == 1 ? "1 value" : "\(walk.bindings.count) values"
      return .failed(
        PollFailure(.malformed, "its answer over IPP breaks off after \(values), before it says what it is"))
    }
    guard !walk.isEmpty, classification.isPrinter else {
      let reason = walk.isEmpty ? "with no attribute of a printer" : "but \(classification.reason)"
      return .failed(PollFailure(.notAPrinter, "it answers over IPP, \(reason)"))
    }
    var reading = Interpretation.read(walk, profiles: profiles)
    reading.findings = (notes + reading.findings + findings).bounded()
    let interruption =
      decoded.breaksOff
      ? PollFailure(.malformed, "its answer over IPP breaks off after \(walk.bindings.count) values") : nil
    return .reading(
      PollReading(
        kind: .full, walk: walk, reading: reading,
        alerts: AlertReport(
          rows: decoded.breaksOff ? nil : reading.alerts, partialRows: reading.alerts,
          detectedErrors: decoded.breaksOff ? nil : reading.status.detectedErrors),
        read: NameSet(of: walk.bindings), interruption: interruption))
  }

  /// What a recorded answer tells, as a poll would.
  /// - Returns: nil when the bytes are no IPP message.
  package static func result(
    ofCapture bytes: [UInt8], profiles: ProfileSet = .shipped
  ) -> PollOutcome.Result? {
    guard let decoded = IPPDecoded(bytes) else { return nil }
    guard IPPStatus.isSuccess(decoded.message.code) else {
      let status = String(decoded.message.code, radix: 16)
      return .failed(PollFailure(.deviceError, "the message is no answer with attributes: its status is 0x\(status)"))
    }
    return result(of: decoded, [], profiles)
  }
}
