// A connected, non-blocking TCP socket.

internal import Glibc

/// Owns one descriptor; closes it at the end of its life.
struct Socket: ~Copyable {
  /// Unacknowledged data this old break the connection (TCP_USER_TIMEOUT), in milliseconds: a path that died without a
  /// word is noticed even when nobody pings.
  static let unacknowledgedMillisecondsMax: Int32 = 60_000

  let descriptor: Int32
  let remote: SocketAddress

  private init(descriptor: Int32, remote: SocketAddress) {
    self.descriptor = descriptor
    self.remote = remote
  }

  deinit { close(descriptor) }

  /// Tries the addresses in turn, giving each its share of the time left, and returns the first connection.
  /// - Throws: the failure of the last address.
  static func connect(
    to addresses: [SocketAddress], waker: WakePipe, until deadline: ContinuousClock.Instant, isInterrupted: () -> Bool
  ) throws(TLSError) -> Socket {
    var failure = TLSError.timedOut(step: "connecting")
    for (index, address) in addresses.enumerated() {
      let now = ContinuousClock.now
      let share = now.duration(to: deadline) / (addresses.count - index)
      do {
        return try connect(to: address, waker: waker, until: now.advanced(by: share), isInterrupted: isInterrupted)
      } catch .interrupted {
        throw .interrupted
      } catch {
        failure = error
      }
    }
    throw failure
  }

  private static func connect(
    to address: SocketAddress, waker: WakePipe, until deadline: ContinuousClock.Instant, isInterrupted: () -> Bool
  ) throws(TLSError) -> Socket {
    let descriptor = socket(address.family, Int32(SOCK_STREAM.rawValue), 0)
    guard descriptor >= 0 else { throw .unreachable(address: address.description, reason: systemReason(errno)) }
    let connection = Socket(descriptor: descriptor, remote: address)
    makeNonBlocking(descriptor)
    connection.set(Int32(IPPROTO_TCP), TCP_NODELAY, to: 1)
    connection.set(Int32(IPPROTO_TCP), TCP_USER_TIMEOUT, to: unacknowledgedMillisecondsMax)
    let status = address.withSockaddr { Glibc.connect(descriptor, $0, $1) }
    if status == 0 { return connection }
    guard errno == EINPROGRESS || errno == EINTR else { throw failure(errno, address) }
    while true {
      switch try waitForDescriptor(descriptor, events: Int32(POLLOUT), waker: waker, until: deadline) {
      case .ready:
        let code = connection.pendingError
        guard code == 0 else { throw failure(code, address) }
        return connection
      case .woken: if isInterrupted() { throw .interrupted }
      case .deadlinePassed: throw .timedOut(step: "connecting to \(address.description)")
      }
    }
  }

  private static func failure(_ code: Int32, _ address: SocketAddress) -> TLSError {
    switch code {
    case ECONNREFUSED: .refused(address: address.description)
    case ETIMEDOUT: .timedOut(step: "connecting to \(address.description)")
    default: .unreachable(address: address.description, reason: systemReason(code))
    }
  }

  private func set(_ level: Int32, _ option: Int32, to value: Int32) {
    var value = value
    setsockopt(descriptor, level, option, &value, socklen_t(MemoryLayout<Int32>.size))
  }

  private var pendingError: Int32 {
    var code: Int32 = 0
    var size = socklen_t(MemoryLayout<Int32>.size)
    return getsockopt(descriptor, SOL_SOCKET, SO_ERROR, &code, &size) == 0 ? code : errno
  }

  /// The own end, as gRPC names peers; empty when the system does not say.
  var localDescription: String {
    var storage = sockaddr_storage()
    var size = socklen_t(MemoryLayout<sockaddr_storage>.size)
    let status = withUnsafeMutablePointer(to: &storage) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { getsockname(descriptor, $0, &size) }
    }
    guard status == 0 else { return "" }
    let bytes = withUnsafeBytes(of: storage) { Array($0.prefix(Int(size))) }
    return SocketAddress(family: remote.family, bytes: bytes).peerDescription
  }
}
