// A connection, from TLS' bytes to calls: the last handler of its channel, and the only one above TLS. All of it is on the channel's event loop.
//
//    TLS ──bytes──> HTTP2Session ──events──> RPCCall ──> who serves it
//    TLS <──bytes── HTTP2Session <──commands── RPCLink <── RPCCall
//
// Back pressure: what was not read of a call keeps its window shut. A peer that does not read what it is sent is not read either, so that what is
// kept for it stays bounded. One that keeps this side busy with nothing is told so (ENHANCE_YOUR_CALM) and sent away.

internal import GRPCCore
internal import HTTP2
internal import NIOCore

final class RPCConnection: ChannelDuplexHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  /// Bytes that are looked at before it is asked whether they are a flood: some hundreds of the smallest frames, fewer than nghttp2 bears.
  private static let receivedBytes = 4 << 10
  /// Bytes made ready for writing at once: a TLS record of the largest size.
  private static let writtenBytes = 16 << 10
  /// Frames that may wait to be written: answers to what one piece of input asks for, and some.
  private static let waitingFramesMax = 4_096

  let link: RPCLink
  let configuration: RPCConfiguration
  private let methods: [String: MethodDescriptor]
  private let take: (RPCCall) -> Void
  /// Nil until the first byte, and after the end.
  var session: HTTP2Session?
  private var context: ChannelHandlerContext?
  private var calls: [HTTP2Session.StreamID: RPCCall] = [:]
  private var lastRequest: HTTP2Session.StreamID = 0
  private var flood: FloodGauge
  private var pings: PingLimit
  var keepalive: Keepalive
  var timer: NIOScheduledCallback?
  /// When an orderly end is cut short; nil while none goes on.
  var graceEnd: ContinuousClock.Instant?
  /// The peer was told that no more calls are taken, and asked whether it has heard.
  private var isAnnounced = false
  private var isReadWanted = false
  /// Nothing that comes is looked at any more.
  private var isOver = false

  /// - Parameters:
  ///   - methods: those that are served, by their paths.
  ///   - take: gets each call, and returns at once.
  init(
    _ link: RPCLink, methods: [String: MethodDescriptor], take: @escaping (RPCCall) -> Void
  ) {
    self.link = link
    configuration = link.configuration
    self.methods = methods
    self.take = take
    flood = FloodGauge(configuration.http2, now: .now)
    pings = PingLimit(least: configuration.pingIntervalLeast)
    keepalive = Keepalive(configuration.http2, now: .now)
  }

  // MARK: the channel

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    link.begin(self)
    schedule()
  }

  func channelInactive(context: ChannelHandlerContext) {
    end()
    context.fireChannelInactive()
  }

  func handlerRemoved(context: ChannelHandlerContext) { end() }

  private func end() {
    isOver = true
    link.end()
    timer?.cancel()
    timer = nil
    session = nil
    context = nil
    let open = calls.values
    calls = [:]
    for call in open { call.closed("The connection was lost.") }
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) { context.close(promise: nil) }

  func read(context: ChannelHandlerContext) {
    if context.channel.isWritable { context.read() } else { isReadWanted = true }
  }

  func channelWritabilityChanged(context: ChannelHandlerContext) {
    guard context.channel.isWritable else { return }
    work()
    guard isReadWanted else { return }
    isReadWanted = false
    context.read()
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    guard !isOver else { return }
    keepalive.received(now: .now)
    do {
      let session = try self.session ?? HTTP2Session(configuration.http2, as: .server)
      self.session = session
      try unwrapInboundIn(data).withUnsafeReadableBytes { try receive($0, session) }
    } catch {
      fail((error as? HTTP2Error).map(Self.code) ?? .internalError)
    }
  }

  func channelReadComplete(context: ChannelHandlerContext) { work() }

  // MARK: input

  private func receive(_ bytes: UnsafeRawBufferPointer, _ session: HTTP2Session) throws {
    var rest = bytes
    while !rest.isEmpty, !isOver {
      try session.receive(UnsafeRawBufferPointer(rebasing: rest.prefix(Self.receivedBytes)))
      rest = UnsafeRawBufferPointer(rebasing: rest.dropFirst(Self.receivedBytes))
      for event in session.takeEvents() { handle(event, session) }
      let isCalm = flood.admits(session.takeChores(), now: .now) && session.waitingFrames <= Self.waitingFramesMax
      if !isCalm { sendAway(session) }
    }
  }

  private func handle(_ event: HTTP2Session.Event, _ session: HTTP2Session) {
    switch event {
    case .request(let id, let fields, _): begin(id, fields, session)
    case .data(let id, let bytes):
      let dropped = calls[id].map { $0.arrived(bytes) } ?? bytes.count
      if dropped > 0 { session.consume(dropped, on: id) }
    case .end(let id): calls[id]?.complete()
    case .sent(let id, let count):
      pings.forgive()
      calls[id]?.handedOver(count)
    // A call has no second header section.
    case .trailers(let id, _): session.reset(id, .protocolError)
    case .closed(let id, let code): calls.removeValue(forKey: id)?.closed("The caller ended the call (\(code)).")
    case .ping: if !pings.admits(now: .now) { sendAway(session) }
    case .pong:
      keepalive.answered()
      if isAnnounced { session.goAway(.noError, reason: "the server ends") }
    case .violation: isOver = true
    // It was told how large a head may be.
    case .headersTooLarge: fail(.enhanceYourCalm)
    case .settings, .headers, .refused, .goAway: break
    }
  }

  private func begin(_ id: HTTP2Session.StreamID, _ fields: [HTTP2Header], _ session: HTTP2Session) {
    lastRequest = id
    do throws(CallHead.Refusal) {
      let call = RPCCall(try CallHead(fields, methods: methods), id, link)
      calls[id] = call
      take(call)
    } catch {
      session.respond(error.fields, on: id, endStream: true)
    }
  }

  private func sendAway(_ session: HTTP2Session) {
    isOver = true
    session.terminate(.enhanceYourCalm)
  }

  private static func code(_ error: HTTP2Error) -> HTTP2ErrorCode {
    if case .notHTTP2 = error { .protocolError } else { .enhanceYourCalm }
  }

  // MARK: commands and output

  /// Does what was left to do, and writes what there is to write.
  func work() {
    guard let context, let session else { return shutDownUnopened() }
    for command in link.take() { obey(command, session) }
    do {
      while true {
        try write(session, context)
        let events = session.takeEvents()
        if events.isEmpty { break }
        for event in events { handle(event, session) }
      }
    } catch { return fail(.internalError) }
    // What was said last goes out before the end: TLS keeps the order.
    if session.isFinished || isOver { context.close(promise: nil) }
  }

  /// A connection that nothing came of has nothing to end in order.
  private func shutDownUnopened() {
    if let context, !link.take().isEmpty { context.close(promise: nil) }
  }

  private func obey(_ command: RPCLink.Command, _ session: HTTP2Session) {
    switch command {
    case .respond(let id, let fields, let isWhole):
      pings.forgive()
      session.respond(fields, on: id, endStream: isWhole)
    case .send(let id, let bytes): session.send(bytes, on: id, endStream: false)
    case .end(let id, let fields): session.end(fields, on: id)
    case .credit(let id, let count): session.consume(count, on: id)
    case .reset(let id, let code): session.reset(id, code)
    case .shutDown: shutDown(session)
    }
  }

  private func write(_ session: HTTP2Session, _ context: ChannelHandlerContext) throws {
    var isWritten = false
    while context.channel.isWritable || isOver {
      var buffer = context.channel.allocator.buffer(capacity: 0)
      while buffer.readableBytes < Self.writtenBytes, let frames = try session.nextOutput() {
        buffer.writeBytes(frames)
      }
      guard buffer.readableBytes > 0 else { break }
      context.write(wrapOutboundOut(buffer), promise: nil)
      isWritten = true
    }
    if isWritten { context.flush() }
  }

  /// Ends a connection whose session is of no more use. What that would still say is not said.
  private func fail(_ code: HTTP2ErrorCode) {
    guard let context, session != nil || !isOver else { return }
    isOver = true
    session = nil
    let words = HTTP2Session.lastWords(code, lastRequest: lastRequest)
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: words)), promise: nil)
    context.close(promise: nil)
  }

  // MARK: the end

  private func shutDown(_ session: HTTP2Session) {
    guard graceEnd == nil else { return }
    graceEnd = .now.advanced(by: configuration.graceMax)
    schedule()
    for call in calls.values { call.cancel() }
    isAnnounced = true
    session.announceGoAway()
    session.ping()
  }

  /// Closes at once.
  func close() { context?.close(promise: nil) }
}
