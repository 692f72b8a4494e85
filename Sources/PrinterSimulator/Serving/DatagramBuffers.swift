// The memory that datagrams are received into and sent from: allocated once for the server's thread.

internal import CLinux

/// A datagram that arrived.
struct IncomingDatagram {
  var bytes: [UInt8]
  var address: UInt32
  var port: UInt16
}

struct DatagramBuffers: ~Copyable {
  private let memory: UnsafeMutablePointer<UInt8>
  private let headers: UnsafeMutablePointer<CLinuxDatagram>
  private let count: Int
  private let bytes: Int
  private let requestBytes: Int

  /// Room for `count` datagrams of `bytes` each, of which those received may fill `requestBytes`.
  init(count: Int, bytes: Int, requestBytes: Int) {
    self.count = min(count, Int(CLINUX_DATAGRAMS_MAX))
    self.bytes = bytes
    self.requestBytes = min(bytes, requestBytes)
    memory = .allocate(capacity: count * bytes)
    memory.initialize(repeating: 0, count: count * bytes)
    headers = .allocate(capacity: count)
    headers.initialize(repeating: CLinuxDatagram(), count: count)
  }

  deinit {
    memory.deallocate()
    headers.deallocate()
  }

  /// The datagrams that wait at a socket, as far as there is room; those that were cut are left out.
  mutating func receive(_ socket: Int32) -> [IncomingDatagram] {
    for index in 0..<count {
      headers[index].bytes = memory + index * bytes
      headers[index].capacity = UInt32(requestBytes)
    }
    let received = clinux_udp_receive(socket, headers, Int32(count))
    guard received > 0 else { return [] }
    return (0..<Int(received)).compactMap { index in
      let header = headers[index]
      guard header.truncated == 0 else { return nil }
      let content = UnsafeBufferPointer(start: header.bytes, count: Int(header.length))
      return IncomingDatagram(bytes: Array(content), address: header.address, port: header.port)
    }
  }

  /// Sends the datagrams in order and returns how many were lost because the kernel took no more.
  mutating func send(_ datagrams: [OutgoingDatagram], _ socket: Int32) -> Int {
    var sent = 0
    while sent < datagrams.count {
      var batch = 0
      while batch < count, sent + batch < datagrams.count {
        let datagram = datagrams[sent + batch]
        let length = min(datagram.bytes.count, bytes)
        datagram.bytes.withUnsafeBufferPointer { source in
          if let base = source.baseAddress { (memory + batch * bytes).update(from: base, count: length) }
        }
        headers[batch] = CLinuxDatagram(
          bytes: memory + batch * bytes, length: UInt32(length), capacity: 0, address: datagram.address,
          local_address: 0, port: datagram.port, truncated: 0)
        batch += 1
      }
      let taken = clinux_udp_send(socket, headers, Int32(batch))
      guard taken > 0 else { return datagrams.count - sent }
      sent += Int(taken)
    }
    return 0
  }
}
