// One request of the hub's and its answer: from the device, or from this agent where the device gives none.
//
//     stream ──> admitted? ──ask──> journalled ──> connection to the device ──> head, body there │ head, body back ──> stream ──> journalled
//                        └── no: an answer with `pt-error`, journalled
//
// Backpressure goes both ways: nothing more is read from the device than the hub has room for, nor from the hub than the device takes.

internal import DeviceHTTP
internal import Discovery
internal import Events
internal import HTTP2
internal import OpenSSL

struct RemoteExchange: Sendable {
  private let session: RemoteSession
  private let places: Turnstile
  private let resting: RestingConnections

  init(_ session: RemoteSession) {
    self.session = session
    places = Turnstile(places: session.limits.connectionsMax)
    resting = RestingConnections(session.limits)
  }

  /// The session is over.
  func close() { resting.close() }

  /// Serves one stream to its end, and journals it.
  func serve(_ stream: HTTP2Stream) async {
    guard case .headers(let headers)? = try? await stream.next() else { return stream.abandon() }
    if isHello(headers) { return answerHello(on: stream) }
    let begun = ContinuousClock.now
    var record = AskRecord.refused(headers, of: session.order.job)
    let progress = ExchangeProgress()
    do {
      // First, so that what is refused is counted, too: each is a record.
      try admit()
      let ask = try self.ask(headers)
      record = AskRecord.over(ask, of: session.order.job)
      record.begun = try await begin(ask)
      try Task.checkCancellation()
      try await relay(ask, stream, progress)
    } catch {
      let error = progress.cause ?? error
      let answer = AgentAnswer(error)
      if error is AskRefusal, let last = session.meter.refused() { session.end(RemoteEnd(.limit, last.message)) }
      record.error = answer.word
      if progress.hasHead {
        stream.abandon(answer.word.isEmpty ? .cancel : .internalError)
      } else if answer.status > 0 {
        progress.answered(answer.status)
        answer.send(on: stream)
      } else {
        stream.abandon()
      }
      if let end = answer.end { session.end(end) }
    }
    (record.status, record.bytesSent, record.bytesReceived) = progress.numbers
    record.milliseconds = UInt64(max(0, begun.duration(to: .now) / .milliseconds(1)))
    await journal([.remoteRequest(record)])
  }

  @inline(never)
  private func ask(_ headers: [HTTP2Header]) throws -> DeviceAsk {
    let ask = try DeviceAsk(headers, session.order.rules)
    // Also a link of the device's own leads past its certificate there.
    guard ask.isEncrypted || !session.pins.wantsTLS(at: ask.port) else { throw WithoutTLS() }
    return ask
  }

  /// Has the request on the disk before anything of it is done: a page that asks for twenty things waits for one or two commits of the journal, not for twenty.
  /// - Returns: the record's sequence.
  private func begin(_ ask: DeviceAsk) async throws -> UInt64 {
    let (session, record) = (session, AskRecord.begun(ask, of: session.order.job))
    // Also where the exchange is cancelled meanwhile: its end names it.
    let sequence = await Task { () -> UInt64? in
      do { return try await session.journal.append(.remoteRequestBegun(record), of: session.order.rules.device) } catch
      {
        session.end(RemoteEnd(.failed, "What happens in it cannot be journalled: \(error)"))
        return nil
      }
    }.value
    guard let sequence else { throw CancellationError() }
    return sequence
  }

  private func admit() throws {
    switch session.meter.begin() {
    case .go: break
    case .tooFast: throw TooFast()
    case .usedUp(let fault): throw fault
    }
  }

  /// In the journal also where the exchange was cancelled; a session that cannot be journalled ends. A moment later than it could be: what a page's requests came
  /// to goes in one commit, and the next request's beginning does not wait for it.
  private func journal(_ bodies: [EventBody]) async {
    let session = session
    await Task {
      do {
        try await Task.sleep(for: RemoteLimits.resultDelay)
        for body in bodies { _ = try await session.journal.append(body, of: session.order.rules.device) }
      } catch {
        session.end(RemoteEnd(.failed, "What happens in it cannot be journalled: \(error)"))
      }
    }.value
  }

  // MARK: Hello

  private func isHello(_ headers: [HTTP2Header]) -> Bool {
    headers.first(named: ":authority") == "agent" && headers.first(named: ":path") == "/hello"
      && headers.first(named: ":method") == "GET"
  }

  private func answerHello(on stream: HTTP2Stream) {
    guard let body = try? session.hello() else { return stream.abandon(.internalError) }
    stream.respond([
      HTTP2Header(":status", "200"), HTTP2Header("content-type", "application/json"),
      HTTP2Header("content-length", "\(body.count)"),
    ])
    stream.sendWithoutWaiting(body, endStream: true)
    stream.dropRest()
  }

  // MARK: The device

  private func relay(_ ask: DeviceAsk, _ stream: HTTP2Stream, _ progress: ExchangeProgress) async throws {
    if ask.isWebSocket {
      let connection = try await connect(ask)
      defer { connection.close() }
      return try await upgrade(ask, stream, connection, progress)
    }
    try await places.enter()
    defer { places.leave() }
    resting.enter()
    defer { resting.leave() }
    let hasBody = !stream.isReceived
    // Only what may be asked twice goes over a connection that the device may have closed meanwhile (RFC 9110 section 9.2.2, RFC 9112 section 9.3.1).
    if !hasBody, ask.isSafe, let connection = await resting.take(ask.place) {
      do { return try await exchange(ask, stream, connection, hasBody: false, progress) } catch {
        guard let fault = error as? DeviceFault, fault.isOfAnEnd, !progress.hasAnswer else { throw error }
      }
    }
    try await exchange(ask, stream, try await connect(ask), hasBody: hasBody, progress)
  }

  /// One request and its answer over one connection, which is then left for the next one, or closed.
  private func exchange(
    _ ask: DeviceAsk, _ stream: HTTP2Stream, _ connection: DeviceConnection, hasBody: Bool,
    _ progress: ExchangeProgress
  ) async throws {
    var kept: Kept?
    defer {
      if let kept { resting.give(connection, ask.place, seconds: kept.seconds) } else { connection.close() }
    }
    try await connection.write(
      ask.head(to: session.order.rules.address, hasBody: hasBody), within: session.limits.bodyPatience)
    kept = try await withThrowingTaskGroup(of: Void.self) { group in
      if hasBody { group.addTask { try await upload(stream, isChunked: ask.length == nil, connection, progress) } }
      defer { group.cancelAll() }
      return try await download(ask, stream, connection, progress)
    }
    // Of a body that the device did not wait for, it may have read a part: nobody knows where the next request would begin.
    if hasBody || !ask.isSafe { kept = nil }
    stream.dropRest()
  }

  /// What a connection that may be used again says of itself.
  private struct Kept {
    var seconds: Int?
  }

  private func connect(_ ask: DeviceAsk) async throws -> DeviceConnection {
    let (pins, port) = (session.pins, ask.port)
    let tls: DeviceTLS? =
      ask.isEncrypted
      ? DeviceTLS(allowsOld: session.order.allowsOldTLS) { pins.accepts($0, at: port) ? .known : .changed } : nil
    let result: Result<DeviceConnection, any Error>
    do {
      result = .success(
        try await DeviceConnection.open(
          to: session.order.rules.address.description, port: port, tls: tls, within: session.limits.connectPatience))
    } catch { result = .failure(error) }
    if case .failure(let error) = result, case .certificateChanged? = error as? DeviceFault {
      resting.close(port: port)
    }
    // A certificate is pinned in the journal before anything is said to whoever shows it.
    let news = pins.takeNews()
    if !news.isEmpty { await journal(news) }
    return try result.get()
  }

  /// Passes the request's body on. That the device takes no more is no failure: its answer may be there already.
  private func upload(
    _ stream: HTTP2Stream, isChunked: Bool, _ connection: DeviceConnection, _ progress: ExchangeProgress
  ) async throws {
    do {
      while let part = try await stream.next() {
        guard case .data(let bytes) = part, !bytes.isEmpty else { continue }
        try session.meter.sent(bytes.count)
        progress.sent(bytes.count)
        if isChunked {
          let line = Array((String(bytes.count, radix: 16) + "\r\n").utf8)
          try await connection.write(line + bytes + [13, 10], within: session.limits.bodyPatience)
        } else {
          try await connection.write(bytes, within: session.limits.bodyPatience)
        }
      }
      if isChunked { try await connection.write(Array("0\r\n\r\n".utf8), within: session.limits.bodyPatience) }
    } catch is DeviceFault {
      stream.dropRest()
    } catch {
      // The hub is gone, or the session's bytes are: whoever waits for the device's answer hears of it.
      progress.failed(error)
      connection.close()
      throw error
    }
  }

  private func download(
    _ ask: DeviceAsk, _ stream: HTTP2Stream, _ connection: DeviceConnection, _ progress: ExchangeProgress
  ) async throws -> Kept? {
    var parser = ResponseParser(method: ask.method)
    var seconds: Int?
    let begun = ContinuousClock.now
    while true {
      let limits = session.limits
      let bytes = try await connection.read(within: progress.hasHead ? limits.bodyPatience : limits.headPatience)
      if !progress.hasHead, begun.duration(to: .now) > limits.headTimeMax {
        throw DeviceFault.slow("its head was not over in \(limits.headTimeMax.components.seconds) s")
      }
      if bytes?.isEmpty == false { progress.beganAnswer() }
      let events = try parser.take(bytes)
      for (index, event) in events.enumerated() {
        switch event {
        case .head(let head, let isWhole):
          seconds = head.secondsKept
          progress.answered(head.status)
          let fields = PassingFields.fromDevice(head, keepsLength: head.saysItsLength)
          progress.beganHead()
          stream.respond([HTTP2Header(":status", "\(head.status)")] + fields, endStream: isWhole)
        case .body(let bytes):
          try session.meter.received(bytes.count)
          progress.received(bytes.count)
          // The end goes with the last bytes: one frame less for each file.
          try await stream.send(bytes, endStream: events.indices.contains(index + 1) && events[index + 1] == .end)
        case .end:
          // Nothing where the head said so.
          stream.sendWithoutWaiting([], endStream: true)
          return parser.leavesConnection ? Kept(seconds: seconds) : nil
        }
      }
    }
  }

  // MARK: WebSocket

  private func upgrade(
    _ ask: DeviceAsk, _ stream: HTTP2Stream, _ connection: DeviceConnection, _ progress: ExchangeProgress
  ) async throws {
    let key = WebSocketKey()
    try await connection.write(
      ask.head(to: session.order.rules.address, hasBody: false, key: key.text), within: session.limits.bodyPatience)
    var parser = ResponseParser(method: ask.method, isUpgrade: true)
    try await withThrowingTaskGroup(of: Void.self) { group in
      defer { group.cancelAll() }
      while true {
        let patience = progress.hasHead ? nil : session.limits.headPatience
        let bytes = try await connection.read(within: patience)
        for event in try parser.take(bytes) {
          switch event {
          case .head(let head, let isWhole):
            let isOpen = head.status == 101
            if isOpen, head.values("sec-websocket-accept") != [key.accepted] {
              throw DeviceFault.notHTTP("it takes a WebSocket that nobody asked for")
            }
            progress.answered(isOpen ? 200 : head.status)
            progress.beganHead()
            let fields = PassingFields.fromDevice(head, keepsLength: !isOpen && head.saysItsLength).filter {
              $0.name != "sec-websocket-accept"
            }
            stream.respond([HTTP2Header(":status", "\(isOpen ? 200 : head.status)")] + fields, endStream: isWhole)
            if isOpen {
              group.addTask {
                try await upload(stream, isChunked: false, connection, progress)
                connection.close()
              }
            }
          case .body(let bytes):
            try session.meter.received(bytes.count)
            progress.received(bytes.count)
            try await stream.send(bytes)
          case .end: return stream.sendWithoutWaiting([], endStream: true)
          }
        }
      }
    }
  }
}

/// The handshake's key (RFC 6455 section 4.1), and what a server makes of it.
struct WebSocketKey {
  let text: String

  init() { text = base64((0..<16).map { _ in UInt8.random(in: .min ... .max) }) }

  init(text: String) { self.text = text }

  var accepted: String {
    base64(HashAlgorithm.sha1.hash(Array((text + "258EAFA5-E914-47DA-95CA-C5AB0DC85B11").utf8)))
  }
}
