// What a connection does by the clock: it asks a silent peer whether it is there, and cuts an orderly end short.
//
// There is one alarm for both. It is set for the earliest time that may matter and looks again when it goes off, so that nothing is set anew for
// each byte that comes.

internal import HTTP2
internal import NIOCore

extension RPCConnection: NIOScheduledCallbackHandler {
  func handleScheduledCallback(eventLoop: some EventLoop) {
    timer = nil
    let now = ContinuousClock.now
    if let graceEnd, now >= graceEnd { return close() }
    switch keepalive.action(now: now) {
    case .nothing: break
    case .giveUp: return close()
    case .ping:
      // Who has not shown yet that it speaks HTTP/2 cannot be asked.
      session?.ping()
      work()
    }
    schedule()
  }

  /// Sets the alarm.
  func schedule() {
    timer?.cancel()
    timer = nil
    guard let next = [keepalive.nextDeadline, graceEnd].compactMap(\.self).min() else { return }
    let amount = TimeAmount(max(.milliseconds(1), ContinuousClock.now.duration(to: next)))
    timer = try? link.channel.eventLoop.assumeIsolated().scheduleCallback(in: amount, handler: self)
  }
}
