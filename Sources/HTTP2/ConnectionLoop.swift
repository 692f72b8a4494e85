// What a connection's thread does, round after round:
//
//    commands -> read until nothing is there -> events to their streams -> write until nghttp2 has nothing left or the
//    socket takes no more -> deadlines and keepalive -> sleep until the socket, a command or the next deadline

internal import Glibc
internal import Synchronization

/// Used by one thread, from `run` to its end.
final class ConnectionLoop {
  /// Bytes read at once: four TLS records.
  static let readBytes = 64 << 10
  /// Reads in one round before it is the turn of the others.
  static let readsPerRoundMax = 16
  /// Bytes that a server looks at before it asks whether they are a flood: some hundreds of the smallest frames, fewer than nghttp2 bears.
  static let servedBytes = 4 << 10
  /// Bytes made ready for writing at once.
  static let outputBytes = 64 << 10

  private let connection: HTTP2Connection
  private var session: HTTP2Session?
  private var streams: [HTTP2Session.StreamID: HTTP2Stream] = [:]
  private var deadlines: [HTTP2Session.StreamID: ContinuousClock.Instant] = [:]
  private var output: [UInt8] = []
  /// The bytes of `output` that are written.
  private var written = 0
  private var keepalive: Keepalive
  private var flood: FloodGauge
  /// When the peer's SETTINGS must have come; nil once they have.
  private var settingsDeadline: ContinuousClock.Instant?
  /// When streams still open during a close are given up; nil while not closing.
  private var drainDeadline: ContinuousClock.Instant?
  private var hasTerminated = false
  /// The peer was told why it ends.
  private var hasGoneAway = false
  /// The peer flooded this side: what it sends still is dropped.
  private var isFlooded = false
  /// Why the connection will have ended when nothing more is to come.
  private var goneReason = HTTP2Error.closedByPeer
  private var isAborted = false

  init(_ connection: HTTP2Connection) {
    self.connection = connection
    keepalive = Keepalive(connection.configuration, now: .now)
    flood = FloodGauge(connection.configuration, now: .now)
  }

  /// Opens, serves and closes the connection. Every stream is over when it returns.
  func run() {
    let reason: HTTP2Error
    do {
      let deadline = ContinuousClock.now.advanced(by: connection.configuration.openTimeout)
      try connection.bytes.open(until: deadline)
      settingsDeadline = deadline
      keepalive = Keepalive(connection.configuration, now: .now)
      let session = try HTTP2Session(connection.configuration, as: connection.role)
      self.session = session
      reason = try serve(session)
    } catch let error as HTTP2Error {
      reason = error
    } catch {
      reason = isAborted ? .closed : .connection(error)
    }
    connection.bytes.close()
    finish(reason)
  }

  private func finish(_ reason: HTTP2Error) {
    for stream in streams.values { stream.fail(reason) }
    streams = [:]
    for case .open(let stream, _, _, _) in connection.becameClosed(reason) { stream.fail(HTTP2Error.streamRefused) }
  }

  /// Goes round until the connection is over; returns why.
  private func serve(_ session: HTTP2Session) throws -> HTTP2Error {
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: Self.readBytes, alignment: 16)
    defer { buffer.deallocate() }
    while true {
      for command in connection.takeCommands() { obey(command, session) }
      if isAborted { return .closed }
      let input = try read(into: buffer, session)
      for event in session.takeEvents() { handle(event, session) }
      closeWhenDrained(session)
      let isBlocked = try write(session)
      for event in session.takeEvents() { handle(event, session) }
      let now = ContinuousClock.now
      try expire(now, session)
      if session.isFinished { return drainDeadline == nil ? goneReason : .closed }
      if input == .end { return goneReason }
      if input == .more { continue }
      try sleep(isBlocked: isBlocked, session)
    }
  }

  private func sleep(isBlocked: Bool, _ session: HTTP2Session) throws {
    // A deadline that just expired, or an event just handled, may have left something to write.
    guard isBlocked || !session.wantsOutput, connection.prepareToWait() else { return }
    defer { connection.waitEnded() }
    let deadlines = [settingsDeadline, drainDeadline, keepalive.nextDeadline, deadlines.values.min()]
    try connection.bytes.wait(writing: isBlocked, until: deadlines.compactMap(\.self).min())
  }
}

// MARK: bytes

extension ConnectionLoop {
  private enum Input {
    case nothing, more, end
  }

  private func read(into buffer: UnsafeMutableRawBufferPointer, _ session: HTTP2Session) throws -> Input {
    for _ in 0..<Self.readsPerRoundMax {
      guard let count = try connection.bytes.read(into: buffer) else { return .nothing }
      guard count > 0 else { return .end }
      keepalive.received(now: .now)
      try receive(UnsafeRawBufferPointer(rebasing: buffer[..<count]), session)
    }
    return .more
  }

  private func receive(_ bytes: UnsafeRawBufferPointer, _ session: HTTP2Session) throws {
    guard connection.role == .server else { return try session.receive(bytes) }
    var rest = bytes
    while !rest.isEmpty, !isFlooded {
      try session.receive(UnsafeRawBufferPointer(rebasing: rest.prefix(Self.servedBytes)))
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(Self.servedBytes))
      calm(session)
    }
  }

  /// Returns whether bytes are left that the socket does not take.
  private func write(_ session: HTTP2Session) throws -> Bool {
    while true {
      if written == output.count {
        output.removeAll(keepingCapacity: true)
        written = 0
        try session.moveOutput(into: &output, countMax: Self.outputBytes)
        if output.isEmpty { return false }
      }
      let taken = try output.withUnsafeBytes {
        try connection.bytes.write(UnsafeRawBufferPointer(rebasing: $0[written...]))
      }
      guard let taken else { return true }
      written += taken
    }
  }
}

// MARK: commands and events

extension ConnectionLoop {
  private func obey(_ command: HTTP2Connection.Command, _ session: HTTP2Session) {
    switch command {
    case .open(let stream, let headers, let endStream, let deadline):
      open(stream, headers, endStream: endStream, deadline: deadline, session)
    case .send(let stream, let bytes, let endStream):
      session.send(bytes, on: stream.id.load(ordering: .relaxed), endStream: endStream)
    case .credit(let stream, let count):
      session.consume(count, on: stream.id.load(ordering: .relaxed))
    case .reset(let stream, let code):
      let id = stream.id.load(ordering: .relaxed)
      guard streams.removeValue(forKey: id) != nil else { return }
      // Let go of at once: a peer that allows no streams would never make nghttp2 tell that a waiting one is over.
      deadlines[id] = nil
      session.reset(id, code)
    case .respond(let stream, let headers, let endStream):
      session.respond(headers, on: stream.id.load(ordering: .relaxed), endStream: endStream)
    case .goAway(let code, let reason):
      hasGoneAway = true
      session.goAway(code, reason: reason)
      drainDeadline = drainDeadline ?? ContinuousClock.now.advanced(by: connection.configuration.drainTimeout)
    case .close:
      drainDeadline = drainDeadline ?? ContinuousClock.now.advanced(by: connection.configuration.drainTimeout)
    case .abort: isAborted = true
    }
  }

  private func open(
    _ stream: HTTP2Stream, _ headers: [HTTP2Header], endStream: Bool, deadline: ContinuousClock.Instant?,
    _ session: HTTP2Session
  ) {
    let id: HTTP2Session.StreamID
    do throws(HTTP2Error) {
      guard drainDeadline == nil else { throw .streamRefused }
      id = try session.open(headers, endStream: endStream)
    } catch {
      if case .tooManyWaiting = error { return stream.fail(error) }
      // Not begun: whoever asked may try elsewhere. A session out of stream numbers is of no more use either.
      connection.becameUnusable(.goneAway(code: .noError, reason: "no more streams"))
      return stream.fail(HTTP2Error.streamRefused)
    }
    stream.id.store(id, ordering: .relaxed)
    streams[id] = stream
    deadlines[id] = deadline
  }

  private func handle(_ event: HTTP2Session.Event, _ session: HTTP2Session) {
    switch event {
    case .settings:
      settingsDeadline = nil
      connection.becameReady()
    case .request(let id, let fields, let isWhole): take(id, fields, isWhole: isWhole, session)
    case .headers(let id, let fields): _ = streams[id]?.deliver(.headers(fields))
    case .trailers(let id, let fields): _ = streams[id]?.deliver(.trailers(fields))
    case .data(let id, let bytes):
      let dropped = streams[id]?.deliver(.data(bytes)) ?? bytes.count
      if dropped > 0 { session.consume(dropped, on: id) }
    case .end(let id): streams[id]?.complete()
    case .sent(let id, let count): streams[id]?.handedOver(count)
    case .closed(let id, .refusedStream): end(id, .streamRefused)
    case .closed(let id, .noError): end(id, .streamClosed)
    case .closed(let id, let code): end(id, .streamReset(code))
    case .refused(let id): end(id, .streamRefused)
    case .headersTooLarge(let id): end(id, .headersTooLarge(limit: connection.configuration.headerBytesMax))
    case .goAway(let code, let reason):
      goneReason = .goneAway(code: code, reason: reason)
      connection.becameUnusable(goneReason)
    case .pong: keepalive.answered()
    case .ping: break
    case .violation(let reason):
      goneReason = settingsDeadline == nil ? .protocolViolation(reason: reason) : .notHTTP2(reason: reason)
      connection.becameUnusable(goneReason)
    }
  }

  /// A request of the peer's, which is the client.
  private func take(
    _ id: HTTP2Session.StreamID, _ fields: [HTTP2Header], isWhole: Bool, _ session: HTTP2Session
  ) {
    guard drainDeadline == nil else { return session.reset(id, .refusedStream) }
    let stream = HTTP2Stream(on: connection, isWriteEnded: false)
    stream.id.store(id, ordering: .relaxed)
    streams[id] = stream
    _ = stream.deliver(.headers(fields))
    if isWhole { stream.complete() }
    connection.take(stream)
  }

  /// A peer that keeps this side busy with nothing is sent away.
  private func calm(_ session: HTTP2Session) {
    guard !flood.admits(session.takeChores(), now: .now) else { return }
    isFlooded = true
    goneReason = .protocolViolation(reason: "a flood of frames that carry nothing")
    connection.becameUnusable(goneReason)
    session.terminate(.enhanceYourCalm)
  }

  private func end(_ id: HTTP2Session.StreamID, _ error: HTTP2Error) {
    deadlines[id] = nil
    streams.removeValue(forKey: id)?.fail(error)
  }
}

// MARK: time

extension ConnectionLoop {
  private func closeWhenDrained(_ session: HTTP2Session) {
    guard let drainDeadline, !hasTerminated, streams.isEmpty || ContinuousClock.now >= drainDeadline else { return }
    hasTerminated = true
    // The last word was said already, and nothing new is taken: what is open ends with the connection.
    if !hasGoneAway { session.terminate() }
  }

  private func expire(_ now: ContinuousClock.Instant, _ session: HTTP2Session) throws(HTTP2Error) {
    if let settingsDeadline, now >= settingsDeadline { throw .notHTTP2(reason: "no SETTINGS in time") }
    if let drainDeadline, hasTerminated, now >= drainDeadline { throw .closed }
    for (id, deadline) in deadlines where now >= deadline {
      session.reset(id, .cancel)
      end(id, .deadlineExceeded)
    }
    switch keepalive.action(now: now) {
    case .nothing: break
    case .ping: session.ping()
    case .giveUp: throw .keepaliveTimeout
    }
  }
}

/// Runs `body` once on a thread of its own. SIGPIPE and other signals are the byte stream's business.
func startThread(_ body: @escaping @Sendable () -> Void) throws(HTTP2Error) {
  final class Work {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }
  let work = Unmanaged.passRetained(Work(body))
  var thread = pthread_t()
  let status = pthread_create(
    &thread, nil,
    { argument in
      if let argument { Unmanaged<Work>.fromOpaque(argument).takeRetainedValue().run() }
      return nil
    }, work.toOpaque())
  guard status == 0 else {
    work.release()
    throw .protocolViolation(reason: "no thread could be started (error \(status))")
  }
  pthread_detach(thread)
}
