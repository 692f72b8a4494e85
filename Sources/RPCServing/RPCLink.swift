// What tasks leave for a connection, whose event loop alone may touch it:
//
//    task ──command──> [commands] ──one wake-up for all of them──> RPCConnection
//
// Credit alone wakes nobody until it is a quarter of the window: the peer cannot be waiting for less.

internal import GRPCCore
internal import HTTP2
internal import NIOCore
internal import Synchronization

final class RPCLink: Sendable {
  enum Command: Sendable {
    /// The first section of an answer, the only one if `isWhole`.
    case respond(HTTP2Session.StreamID, [HTTP2Header], isWhole: Bool)
    case send(HTTP2Session.StreamID, [UInt8])
    /// The last section of an answer.
    case end(HTTP2Session.StreamID, [HTTP2Header])
    /// So many bytes of a call were used.
    case credit(HTTP2Session.StreamID, Int)
    case reset(HTTP2Session.StreamID, HTTP2ErrorCode)
    /// No more calls are taken, and the connection ends with the last of those that are open.
    case shutDown
  }

  private struct State {
    var commands: [Command] = []
    /// Credit in `commands`, in bytes.
    var credit = 0
    /// The event loop knows that there is something.
    var isWoken = false
    var isClosed = false
  }

  let channel: any Channel
  let remotePeer: String
  let localPeer: String
  let configuration: RPCConfiguration
  private let connection: NIOLoopBoundBox<RPCConnection?>
  private let state = Mutex(State())

  /// On the channel's event loop.
  init(_ channel: any Channel, _ configuration: RPCConfiguration) {
    self.channel = channel
    self.configuration = configuration
    remotePeer = channel.remoteAddress.peerName
    localPeer = channel.localAddress.peerName
    connection = .makeEmptyBox(valueType: RPCConnection.self, eventLoop: channel.eventLoop)
  }

  /// On the event loop: who takes the commands.
  func begin(_ connection: RPCConnection) { self.connection.value = connection }

  /// On the event loop: nobody takes commands any more.
  func end() {
    connection.value = nil
    state.withLock { state in
      state.isClosed = true
      state.commands = []
    }
  }

  func enqueue(_ command: Command) {
    let mustWake = state.withLock { state in
      guard !state.isClosed else { return false }
      state.commands.append(command)
      if case .credit(_, let count) = command {
        state.credit += count
        guard state.credit >= configuration.windowBytes / 4 else { return false }
      }
      defer { state.isWoken = true }
      return !state.isWoken
    }
    if mustWake { channel.eventLoop.execute { self.connection.value?.work() } }
  }

  /// On the event loop: the commands since the last time.
  func take() -> [Command] {
    state.withLock { state in
      state.isWoken = false
      state.credit = 0
      guard !state.commands.isEmpty else { return [] }
      defer { state.commands = [] }
      return state.commands
    }
  }
}

extension SocketAddress? {
  /// As gRPC writes addresses, such as `ipv4:127.0.0.1:443`.
  fileprivate var peerName: String {
    switch self {
    case .v4(let address)?: "ipv4:\(address.host):\(self?.port ?? 0)"
    case .v6(let address)?: "ipv6:[\(address.host)]:\(self?.port ?? 0)"
    default: "<unknown>"
    }
  }
}
