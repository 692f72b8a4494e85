// Which connection a call gets, or how long it waits for one. Pure: connections are opaque to it, and what it decides
// is done by `WireTransport`.
//
//               opened                     lost
//   connecting ---------> ready(connection) ------> connecting
//       |   ^                                           |
//       +---+ failed(error): calls that do not wait for readiness fail, now and until the next `opened`
//   any ---> shuttingDown: every waiting call fails

internal import GRPCCore

struct TransportState<Connection> {
  /// What a call is told.
  enum Admission {
    case use(Connection)
    case wait
    case refuse(RPCError)
  }

  private(set) var connection: Connection?
  /// Why the last attempt to connect failed; nil after a success.
  private(set) var failure: RPCError?
  private(set) var isShutDown = false
  private var waiting: [Int: Bool] = [:]

  /// A call asks for a connection. `wait` remembers it under its number until it is admitted, refused or `withdraw`n.
  mutating func admit(_ call: Int, waitForReady: Bool) -> Admission {
    if isShutDown { return .refuse(Self.shutDownError) }
    if let connection { return .use(connection) }
    if let failure, !waitForReady { return .refuse(failure) }
    waiting[call] = waitForReady
    return .wait
  }

  /// A waiting call goes away; false when it was no longer waiting.
  mutating func withdraw(_ call: Int) -> Bool { waiting.removeValue(forKey: call) != nil }

  /// A connection is there. Returns the calls that get it.
  mutating func opened(_ connection: Connection) -> [Int] {
    guard !isShutDown else { return [] }
    self.connection = connection
    failure = nil
    defer { waiting = [:] }
    return Array(waiting.keys)
  }

  /// The connection takes no new calls any more.
  mutating func lost() { connection = nil }

  /// Connecting failed. Returns the calls that hear of it.
  mutating func failed(_ error: RPCError) -> [Int] {
    failure = error
    let refused = waiting.filter { !$0.value }.map(\.key)
    for call in refused { waiting[call] = nil }
    return refused
  }

  /// No more calls. Returns those that were waiting.
  mutating func shutDown() -> [Int] {
    isShutDown = true
    connection = nil
    defer { waiting = [:] }
    return Array(waiting.keys)
  }

  static var shutDownError: RPCError {
    RPCError(code: .failedPrecondition, message: "The connection to the hub is being closed.")
  }
}
