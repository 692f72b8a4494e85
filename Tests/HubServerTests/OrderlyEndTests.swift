// A hub that ends while connections come in.

internal import Glibc
@testable internal import HubServer
internal import Testing

@Suite("The end of a hub")
struct OrderlyEndTests {
  /// Connections that the kernel has accepted and nobody has served yet, when the hub's task is cancelled. NIO ends the process when one
  /// of them is dropped; so what fails here is the whole run.
  @Test("serves what it had accepted", arguments: ["csr", "dcam", "hc", "metrics"])
  func connectionsComeIn(listener: String) async throws {
    for _ in 0..<20 {
      var sockets: [Int32] = []
      defer { for socket in sockets { close(socket) } }
      let opened: [Int32] = try await withHub { hub in
        let ports = [
          "csr": hub.ready.csr.port, "dcam": hub.ready.dcam.port, "hc": hub.ready.hc.port,
          "metrics": hub.ready.metrics?.port,
        ]
        let port = try #require(ports[listener] ?? nil)
        return (0..<64).compactMap { _ in connect(to: port) }
      }
      sockets = opened
      #expect(sockets.count == 64)
    }
  }

  private func withHub(_ body: @Sendable @escaping (TestHub) async throws -> [Int32]) async throws -> [Int32] {
    let (results, result) = AsyncStream.makeStream(of: [Int32].self)
    try await TestHub.run { hub in
      defer { result.finish() }
      result.yield(try await body(hub))
    }
    for await sockets in results { return sockets }
    return []
  }

  private func connect(to port: Int) -> Int32? {
    let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    guard socket >= 0 else { return nil }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_port = in_port_t(port).bigEndian
    address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
    let isConnected = withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        Glibc.connect(socket, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
    if !isConnected { close(socket) }
    return isConnected ? socket : nil
  }
}
