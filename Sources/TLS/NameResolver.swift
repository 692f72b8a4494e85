// Names to addresses, with a deadline.
//
// getaddrinfo(3) blocks for as long as the resolver likes and cannot be interrupted, so it runs on a thread of its own
// that leaves its answer in a box. Whoever asked may have gone by then; the box goes when the thread does.

internal import Glibc
internal import Synchronization

/// A socket address, ready for connect(2).
struct SocketAddress: Sendable {
  let family: Int32
  /// The bytes of the sockaddr.
  let bytes: [UInt8]

  /// `127.0.0.1:443` or `[::1]:443`.
  var description: String {
    var host = [CChar](repeating: 0, count: 64)
    var port = [CChar](repeating: 0, count: 16)
    let status = withSockaddr { address, length in
      getnameinfo(
        address, length, &host, socklen_t(host.count), &port, socklen_t(port.count), NI_NUMERICHOST | NI_NUMERICSERV)
    }
    guard status == 0 else { return "address of family \(family)" }
    return "\(family == AF_INET6 ? "[\(text(host))]" : text(host)):\(text(port))"
  }

  /// The address as gRPC names peers: `ipv4:127.0.0.1:443`.
  var peerDescription: String { (family == AF_INET6 ? "ipv6:" : "ipv4:") + description }

  func withSockaddr<R>(_ body: (UnsafePointer<sockaddr>?, socklen_t) -> R) -> R {
    bytes.withUnsafeBytes { body($0.baseAddress?.assumingMemoryBound(to: sockaddr.self), socklen_t($0.count)) }
  }

  private func text(_ characters: [CChar]) -> String {
    String(decoding: characters.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }
}

enum NameResolver {
  private enum Answer: Sendable {
    case addresses([SocketAddress])
    case failure(String)
  }

  /// What the asking and the answering thread share.
  private final class Box: Sendable {
    let endpoint: Endpoint
    let done: WakePipe
    let answer = Mutex<Answer?>(nil)

    init(endpoint: Endpoint) throws(TLSError) {
      self.endpoint = endpoint
      done = try WakePipe()
    }
  }

  /// The addresses of the endpoint in the system's order of preference (RFC 6724); at least one.
  /// - Throws: `nameNotResolved`, `timedOut`, or `interrupted` when `waker` is woken and `isInterrupted` says so.
  static func addresses(
    of endpoint: Endpoint, waker: WakePipe, until deadline: ContinuousClock.Instant, isInterrupted: () -> Bool
  ) throws(TLSError) -> [SocketAddress] {
    if isNumericAddress(endpoint.host) { return try unpack(ask(endpoint, flags: AI_NUMERICHOST), for: endpoint) }
    let box = try Box(endpoint: endpoint)
    try Thread.detach {
      let answer = ask(box.endpoint, flags: 0)
      box.answer.withLock { $0 = answer }
      box.done.wake()
    }
    while true {
      let outcome = try waitForDescriptor(box.done.readEnd, events: Int32(POLLIN), waker: waker, until: deadline)
      if let answer = box.answer.withLock({ $0 }) { return try unpack(answer, for: endpoint) }
      if isInterrupted() { throw .interrupted }
      if outcome == .deadlinePassed { throw .timedOut(step: "looking up the name \(endpoint.host)") }
    }
  }

  private static func unpack(_ answer: Answer, for endpoint: Endpoint) throws(TLSError) -> [SocketAddress] {
    switch answer {
    case .addresses(let addresses) where !addresses.isEmpty: return addresses
    case .addresses: throw .nameNotResolved(host: endpoint.host, reason: "no IPv4 or IPv6 address")
    case .failure(let reason): throw .nameNotResolved(host: endpoint.host, reason: reason)
    }
  }

  private static func ask(_ endpoint: Endpoint, flags: Int32) -> Answer {
    var hints = addrinfo()
    hints.ai_family = AF_UNSPEC
    hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    hints.ai_flags = flags | AI_NUMERICSERV
    var list: UnsafeMutablePointer<addrinfo>?
    let status = getaddrinfo(endpoint.host, String(endpoint.port), &hints, &list)
    guard status == 0 else { return .failure(String(cString: gai_strerror(status))) }
    defer { freeaddrinfo(list) }
    var addresses: [SocketAddress] = []
    var next = list
    while let entry = next?.pointee {
      if let address = entry.ai_addr, entry.ai_family == AF_INET || entry.ai_family == AF_INET6 {
        let bytes = Array(UnsafeRawBufferPointer(start: address, count: Int(entry.ai_addrlen)))
        addresses.append(SocketAddress(family: entry.ai_family, bytes: bytes))
      }
      next = entry.ai_next
    }
    return .addresses(addresses)
  }
}

/// Threads for calls that block.
package enum Thread {
  private final class Work {
    let run: @Sendable () -> Void
    init(_ run: @escaping @Sendable () -> Void) { self.run = run }
  }

  /// Runs `body` once on a new thread that nobody waits for.
  package static func detach(_ body: @escaping @Sendable () -> Void) throws(TLSError) {
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
      throw .connectionLost(reason: "no thread could be started: \(systemReason(status))")
    }
    pthread_detach(thread)
  }
}
