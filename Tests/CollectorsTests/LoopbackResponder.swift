import CLinux
import Discovery
import Glibc
import Synchronization

/// A UDP server on one loopback endpoint, on a thread's worth of a detached task: it answers what a closure says.
///
/// `@unchecked Sendable`: the descriptor is only read after `init`, and `isStopping` is an atomic.
final class LoopbackResponder: @unchecked Sendable {
  let endpoint: Endpoint
  private let descriptor: Int32
  private let stopping: Int32
  private let finished = Mutex(false)

  /// Answers each datagram with those that `answer` returns, sent from this endpoint, or from `sendingFrom` if that is given.
  init(
    _ address: String, port: UInt16 = 0, sendingFrom other: LoopbackResponder? = nil,
    answer: @escaping @Sendable ([UInt8]) -> [[UInt8]]
  ) {
    let own = IPv4Address(address) ?? IPv4Address(0x7f00_0001)
    descriptor = clinux_udp_create()
    precondition(clinux_udp_bind(descriptor, own.value, port) == 0)
    endpoint = Endpoint(own, port: UInt16(clinux_udp_port(descriptor)))
    stopping = clinux_eventfd_create()
    let from = other?.descriptor ?? descriptor
    let (descriptor, stopping) = (descriptor, stopping)
    Thread.start { Self.serve(descriptor, stopping, from: from, answer) }
  }

  deinit {
    // The thread closes the descriptors when it sees this.
    _ = clinux_eventfd_signal(stopping)
  }

  private static func serve(
    _ descriptor: Int32, _ stopping: Int32, from: Int32, _ answer: ([UInt8]) -> [[UInt8]]
  ) {
    let epoll = clinux_epoll_create()
    _ = clinux_epoll_add(epoll, descriptor, UInt32(CLINUX_READABLE), 1)
    _ = clinux_epoll_add(epoll, stopping, UInt32(CLINUX_READABLE), 0)
    let room = UnsafeMutablePointer<UInt8>.allocate(capacity: 65_536)
    defer {
      room.deallocate()
      for open in [descriptor, stopping, epoll] { _ = clinux_close(open) }
    }
    var events = [CLinuxEvent](repeating: CLinuxEvent(), count: 2)
    while true {
      let count = clinux_epoll_wait(epoll, &events, 2, -1)
      if events.prefix(Int(max(count, 0))).contains(where: { $0.tag == 0 }) { return }
      var datagram = CLinuxDatagram()
      datagram.bytes = room
      datagram.capacity = 65_536
      while clinux_udp_receive(descriptor, &datagram, 1) == 1 {
        for var reply in answer(Array(UnsafeBufferPointer(start: room, count: Int(datagram.length)))) {
          reply.withUnsafeMutableBufferPointer { bytes in
            var out = CLinuxDatagram()
            out.bytes = bytes.baseAddress
            out.length = UInt32(bytes.count)
            out.address = datagram.address
            out.port = datagram.port
            _ = clinux_udp_send(from, &out, 1)
          }
        }
      }
    }
  }
}

/// A bare thread: tests must not block the cooperative pool.
enum Thread {
  private final class Body {
    let run: () -> Void
    init(_ run: @escaping () -> Void) { self.run = run }
  }

  static func start(_ run: @escaping @Sendable () -> Void) {
    var identifier = pthread_t()
    let body = Unmanaged.passRetained(Body(run))
    let failure = pthread_create(
      &identifier, nil,
      { argument in
        if let argument { Unmanaged<Body>.fromOpaque(argument).takeRetainedValue().run() }
        return nil
      }, body.toOpaque())
    precondition(failure == 0)
    pthread_detach(identifier)
  }
}
