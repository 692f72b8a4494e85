// Who is at a port's door: connections that have not shown yet whose they are, and those that have.
//
//     accepted ──> waiting ──(showed whose it is)──> admitted, up to a number
//                     └──(too long, or another needs the room)──> closed
//
// Whoever belongs here shows it within a moment. So there is always room for a new one: the longest waiting goes, first among those of the same network, for
// whoever fills the room without a credential is to fill it against himself.

internal import NIOCore
internal import Synchronization
internal import WebServing

final class Doorway: Sendable {
  private struct Waiting {
    let channel: any Channel
    let network: String
  }

  private struct State {
    /// Longest first.
    var waiting: [Waiting] = []
    var admitted: Set<ObjectIdentifier> = []
  }

  private let waitingMax: Int
  private let waitingOfNetworkMax: Int
  private let admittedMax: Int
  private let state = Mutex(State())

  init(
    admittedMax: Int, waitingMax: Int = HubLimits.remoteWaitingMax,
    waitingOfNetworkMax: Int = HubLimits.remoteWaitingOfNetworkMax
  ) {
    (self.waitingMax, self.waitingOfNetworkMax, self.admittedMax) = (waitingMax, waitingOfNetworkMax, admittedMax)
  }

  /// A connection came. Another may be closed for it.
  func came(_ channel: any Channel) {
    let network = AttemptLimiter.peer(of: RemoteProxy.peer(channel))
    let displaced = state.withLock { state -> (any Channel)? in
      let isCrowded = state.waiting.count { $0.network == network } >= waitingOfNetworkMax
      let index =
        isCrowded
        ? state.waiting.firstIndex { $0.network == network }
        : state.waiting.count >= waitingMax ? state.waiting.startIndex : nil
      let displaced = index.map { state.waiting.remove(at: $0).channel }
      state.waiting.append(Waiting(channel: channel, network: network))
      return displaced
    }
    displaced?.close(promise: nil)
    channel.closeFuture.whenComplete { _ in self.went(channel) }
  }

  /// A connection has shown whose it is; nothing, if it had before.
  ///
  /// - Returns: false where too many have: it is to be closed.
  func admit(_ channel: any Channel) -> Bool {
    let id = ObjectIdentifier(channel)
    return state.withLock { state in
      if state.admitted.contains(id) { return true }
      guard state.admitted.count < admittedMax,
        let index = state.waiting.firstIndex(where: { ObjectIdentifier($0.channel) == id })
      else { return false }
      state.waiting.remove(at: index)
      state.admitted.insert(id)
      return true
    }
  }

  private func went(_ channel: any Channel) {
    let id = ObjectIdentifier(channel)
    state.withLock { state in
      if state.admitted.remove(id) == nil { state.waiting.removeAll { ObjectIdentifier($0.channel) == id } }
    }
  }

  var counts: (waiting: Int, admitted: Int) { state.withLock { ($0.waiting.count, $0.admitted.count) } }
}
