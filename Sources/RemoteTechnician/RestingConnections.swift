// Connections of one session to its device between two requests. All of them lead to the session's address, and the certificate of each was looked at
// when it was opened.
//
//     opened ──> in use ──answer over, nothing behind it──> resting ──taken──> in use
//                  └── anything else: closed                  └── bytes, the device's end, time, too many: closed

internal import DeviceHTTP
internal import Synchronization

final class RestingConnections: Sendable {
  struct Place: Hashable {
    let port: UInt16
    let isEncrypted: Bool
  }

  private struct State {
    /// The one that rested last comes last.
    var resting: [(place: Place, connection: DeviceConnection)] = []
    var inUse = 0
    var isOver = false
  }

  private let limits: RemoteLimits
  private let state = Mutex(State())

  init(_ limits: RemoteLimits) { self.limits = limits }

  /// A connection is about to be used, one of those that rest or a new one; `leave` ends that. Where there would be too many, one that rests is closed.
  func enter() {
    let surplus = state.withLock { state in
      state.inUse += 1
      return Self.surplus(&state, max: limits.connectionsMax)
    }
    surplus.forEach { $0.close() }
  }

  func leave() { state.withLock { $0.inUse -= 1 } }

  /// One that rested undisturbed.
  func take(_ place: Place) async -> DeviceConnection? {
    while let connection = next(place) {
      if await connection.wake() { return connection }
    }
    return nil
  }

  private func next(_ place: Place) -> DeviceConnection? {
    state.withLock { state in
      state.resting.lastIndex { $0.place == place }.map { state.resting.remove(at: $0).connection }
    }
  }

  /// - Parameter seconds: how long the device says that it keeps it.
  func give(_ connection: DeviceConnection, _ place: Place, seconds: Int?) {
    // The device's time runs since its last byte, and ours from now.
    let time = seconds.map { min(limits.restingTime, .seconds($0 - 1)) } ?? limits.restingTime
    guard time > .zero else { return connection.close() }
    let surplus = state.withLock { state -> [DeviceConnection] in
      guard !state.isOver else { return [connection] }
      connection.rest(for: time)
      state.resting.append((place, connection))
      return Self.surplus(&state, max: limits.connectionsMax + 1, restingMax: limits.restingMax)
    }
    surplus.forEach { $0.close() }
  }

  /// Closes those to one port: what answers there is another one now.
  func close(port: UInt16) {
    let closed = state.withLock { state in
      let closed = state.resting.filter { $0.place.port == port }
      state.resting.removeAll { $0.place.port == port }
      return closed
    }
    closed.forEach { $0.connection.close() }
  }

  /// The session is over.
  func close() {
    let closed = state.withLock { state in
      defer { state.resting = [] }
      state.isOver = true
      return state.resting
    }
    closed.forEach { $0.connection.close() }
  }

  /// Takes out those that are too many, the ones that rested longest first.
  private static func surplus(_ state: inout State, max: Int, restingMax: Int = .max) -> [DeviceConnection] {
    let count = Swift.max(state.resting.count + state.inUse - max, state.resting.count - restingMax, 0)
    let surplus = state.resting.prefix(count).map(\.connection)
    state.resting.removeFirst(surplus.count)
    return surplus
  }
}
