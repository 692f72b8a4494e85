// A non-blocking UDP socket and the buffers to receive with: the only place of this room that knows C structs.

internal import CLinux
internal import Discovery

/// One socket; closed when it goes.
final class UDPSocket {
  let descriptor: Int32

  /// - Parameters:
  ///   - port: 0 lets the kernel choose.
  ///   - hops: how many routers a datagram passes at most, plus one; nil: as the machine is set.
  /// - Throws: `EngineError.system` when the kernel gives no socket or not this port.
  init(bufferBytes: Int32, port: UInt16 = 0, hops: Int? = nil) throws(EngineError) {
    descriptor = clinux_udp_create()
    guard descriptor >= 0 else { throw .system("open a UDP socket", errno: -descriptor) }
    // Best effort: the kernel caps the buffers silently, and without the error queue closed ports are only found slower.
    _ = clinux_udp_buffers(descriptor, bufferBytes, bufferBytes)
    _ = clinux_udp_keep_errors(descriptor, 1)
    // A class with all its properties set runs its deinit when init throws, which closes the descriptor.
    if let hops {
      let limited = clinux_udp_hops(descriptor, Int32(hops))
      guard limited >= 0 else { throw .system("limit how far packets go", errno: -limited) }
    }
    let bound = clinux_udp_bind(descriptor, 0, port)
    guard bound >= 0 else {
      throw .system(port == 0 ? "bind a UDP socket" : "listen on UDP port \(port)", errno: -bound)
    }
  }

  /// Lets datagrams to groups leave through the interface with this address.
  func sendGroups(through interface: IPv4Address, hops: Int) throws(EngineError) {
    let set = clinux_udp_multicast(descriptor, interface.value, Int32(hops))
    guard set >= 0 else { throw .system("send to groups through \(interface)", errno: -set) }
  }

  deinit {
    _ = clinux_close(descriptor)
  }

  /// Sends as many of the datagrams as the kernel takes, from the front.
  /// - Returns: how many left, or minus errno when not even the first did.
  func send(_ datagrams: ArraySlice<(endpoint: Endpoint, bytes: [UInt8])>) -> Int {
    let count = min(datagrams.count, Int(CLINUX_DATAGRAMS_MAX))
    // One buffer for all, so that no pointer outlives its array.
    var joined: [UInt8] = []
    joined.reserveCapacity(datagrams.prefix(count).reduce(0) { $0 + $1.bytes.count })
    for datagram in datagrams.prefix(count) { joined += datagram.bytes }
    return joined.withUnsafeMutableBufferPointer { buffer in
      var headers: [CLinuxDatagram] = []
      var offset = 0
      for datagram in datagrams.prefix(count) {
        var header = CLinuxDatagram()
        header.bytes = buffer.baseAddress.map { $0 + offset }
        header.length = UInt32(datagram.bytes.count)
        header.address = datagram.endpoint.address.value
        header.port = datagram.endpoint.port
        headers.append(header)
        offset += datagram.bytes.count
      }
      return Int(clinux_udp_send(descriptor, headers, Int32(count)))
    }
  }

  /// The next ICMP error that an earlier datagram came to.
  func nextError() -> (endpoint: Endpoint, errno: Int32)? {
    var address: UInt32 = 0
    var port: UInt16 = 0
    var code: Int32 = 0
    guard clinux_udp_next_error(descriptor, &address, &port, &code) == 1 else { return nil }
    return (Endpoint(IPv4Address(address), port: port), code)
  }
}

/// Room for one batch of datagrams, used again and again.
final class ReceiveBatch {
  /// Datagrams per call: enough to empty a busy socket's queue in a few calls.
  static let capacity = 32
  /// The largest UDP payload over IPv4 fits, so that no honest answer is cut.
  static let datagramBytesMax = 65_536

  private let bytes = UnsafeMutablePointer<UInt8>.allocate(capacity: capacity * datagramBytesMax)
  private let headers = UnsafeMutablePointer<CLinuxDatagram>.allocate(capacity: capacity)

  init() {
    headers.initialize(repeating: CLinuxDatagram(), count: Self.capacity)
    for index in 0..<Self.capacity {
      headers[index].bytes = bytes + index * Self.datagramBytesMax
      headers[index].capacity = UInt32(Self.datagramBytesMax)
    }
  }

  deinit {
    headers.deallocate()
    bytes.deallocate()
  }

  /// Receives without blocking. Returns how many datagrams came, or minus errno.
  func receive(from socket: UDPSocket) -> Int {
    Int(clinux_udp_receive(socket.descriptor, headers, Int32(Self.capacity)))
  }

  /// The datagram at an index below what `receive` returned; nil if it was cut.
  func datagram(_ index: Int) -> (source: Endpoint, bytes: [UInt8])? {
    let header = headers[index]
    guard header.truncated == 0 else { return nil }
    let content = UnsafeBufferPointer(start: header.bytes, count: Int(header.length))
    return (Endpoint(IPv4Address(header.address), port: header.port), Array(content))
  }
}
