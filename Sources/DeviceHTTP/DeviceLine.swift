// The end of a connection's pipeline: what came waits here for its one reader, and nothing more is read from the device meanwhile.
//
//     device ──> (TLS) ──> DeviceLine ──read──> task          asks the socket for more only when somebody waits for it
//
// All of it happens on the connection's event loop.

internal import NIOCore
internal import NIOSSL
internal import NIOTLS

final class DeviceLine: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer

  private let isEncrypted: Bool
  /// The connection stands, and so does TLS on it.
  private let ready: EventLoopPromise<Void>
  private var isReady = false
  private var arrived = ByteBuffer()
  private var reader: EventLoopPromise<[UInt8]?>?
  private var timer: Scheduled<Void>?
  /// Between two requests: whatever comes then is nobody's.
  private var isResting = false
  /// Why nothing comes any more; nil inside: the device ended it in order.
  private var ending: DeviceFault??
  private var context: ChannelHandlerContext?
  /// What the judgement of the certificate was, where it was refused.
  var refusal: DeviceFault?

  init(isEncrypted: Bool, ready: EventLoopPromise<Void>) {
    self.isEncrypted = isEncrypted
    self.ready = ready
  }

  /// What came, or comes next; nil at the end.
  /// - Parameter patience: nil: for as long as it takes.
  func read(within patience: TimeAmount?, _ promise: EventLoopPromise<[UInt8]?>) {
    guard reader == nil else { return promise.fail(DeviceFault.closed) }
    reader = promise
    // What came before the end is read after it as well.
    if hand() { return }
    guard let context else {
      settle()
      return promise.fail(DeviceFault.closed)
    }
    if let patience {
      let late = NIOLoopBound(self, eventLoop: context.eventLoop)
      timer = context.eventLoop.scheduleTask(in: patience) {
        late.value.end(with: .slow("nothing came for \(patience.nanoseconds / 1_000_000_000) s"))
      }
    }
    context.read()
  }

  /// Waits for the next request. What the device sends meanwhile, and its end, ends the connection; so does the time.
  func rest(for time: TimeAmount) {
    guard let context, ending == nil, reader == nil, !isResting, arrived.readableBytes == 0 else {
      return end(with: .closed)
    }
    isResting = true
    let late = NIOLoopBound(self, eventLoop: context.eventLoop)
    timer = context.eventLoop.scheduleTask(in: time) { late.value.end(with: .closed) }
    context.read()
  }

  /// Whether the connection may be used for another request.
  func wake() -> Bool {
    guard isResting, ending == nil, context != nil else {
      end(with: .closed)
      return false
    }
    isResting = false
    timer?.cancel()
    timer = nil
    return true
  }

  /// Ends the connection from this side.
  func end(with fault: DeviceFault) {
    if ending == nil { ending = .some(fault) }
    ready.fail(fault)
    _ = hand()
    context?.close(promise: nil)
  }

  /// Gives the reader what is there, if somebody waits.
  private func hand() -> Bool {
    guard let reader else { return true }
    if arrived.readableBytes > 0 {
      let bytes = arrived.readBytes(length: arrived.readableBytes) ?? []
      arrived.clear()
      settle()
      reader.succeed(bytes)
      return true
    }
    guard let ending else { return false }
    settle()
    if let fault = ending { reader.fail(fault) } else { reader.succeed(nil) }
    return true
  }

  private func settle() {
    timer?.cancel()
    (timer, reader) = (nil, nil)
  }

  // MARK: From the pipeline

  func handlerAdded(context: ChannelHandlerContext) {
    self.context = context
    if context.channel.isActive { begin(context) }
  }

  func handlerRemoved(context: ChannelHandlerContext) {
    // A connection that was never made says itself why.
    if ending == nil { ending = .some(.closed) }
    _ = hand()
    self.context = nil
  }

  func channelActive(context: ChannelHandlerContext) {
    begin(context)
    context.fireChannelActive()
  }

  private func begin(_ context: ChannelHandlerContext) {
    if isEncrypted { context.read() } else { becomeReady() }
  }

  private func becomeReady() {
    isReady = true
    ready.succeed()
  }

  func userInboundEventTriggered(context: ChannelHandlerContext, event: Any) {
    if let event = event as? TLSUserEvent, case .handshakeCompleted = event { becomeReady() }
    context.fireUserInboundEventTriggered(event)
  }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    var buffer = unwrapInboundIn(data)
    guard !isResting else { return end(with: .closed) }
    if arrived.readableBytes == 0 { arrived = buffer } else { arrived.writeBuffer(&buffer) }
  }

  func channelReadComplete(context: ChannelHandlerContext) {
    // A record of TLS that is not whole yet, or the handshake.
    if isResting || !hand() || !isReady { context.read() }
    context.fireChannelReadComplete()
  }

  func channelInactive(context: ChannelHandlerContext) {
    if ending == nil { ending = .some(nil) }
    if !isReady { ready.fail(refusal ?? (isEncrypted ? .tls("the device ended the connection") : .cut)) }
    _ = hand()
    context.fireChannelInactive()
  }

  func errorCaught(context: ChannelHandlerContext, error: any Error) {
    // Devices end TLS without a goodbye; whether the answer was whole, its own length says.
    if let error = error as? NIOSSLError, case .uncleanShutdown = error {
      if ending == nil { ending = .some(nil) }
      if !isReady { ready.fail(refusal ?? .tls("the device ended the connection")) }
      _ = hand()
    } else {
      let fault = refusal ?? DeviceFault(connection: error)
      if ending == nil { ending = .some(fault) }
      ready.fail(fault)
      _ = hand()
    }
    context.close(promise: nil)
  }
}
