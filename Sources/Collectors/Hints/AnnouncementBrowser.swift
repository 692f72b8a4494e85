// Asks the networks that this machine is in which printers announce themselves by DNS-SD (RFC 6763).
//
// One-shot queries from a port of our own: responders answer such a query by unicast (RFC 6762, section 6.7), so that no group is joined,
// port 5353 is left to whoever has it, and nobody else's cache is bothered. Each interface is asked through a socket of its own.

internal import CLinux
package import Discovery
internal import Synchronization

package enum AnnouncementBrowser {
  /// How long is listened: responders wait up to 500 ms before they answer (RFC 6762, section 6.3), sleeping ones' proxies likewise.
  package static let patience: Duration = .seconds(3)
  /// The questions are repeated once: multicast packets get lost, on wireless networks above all.
  private static let rounds = 2
  private static let lookEvery: Duration = .milliseconds(50)
  private static let bufferBytes: Int32 = 1 << 20
  /// RFC 6762, section 11.
  private static let hops = 255

  /// Browses for `patience`.
  /// - Parameters:
  ///   - interfaces: those through which to ask.
  ///   - group: whom to ask.
  /// - Returns: what was announced, by address; what only a part was told of is left out.
  package static func browse(
    _ interfaces: [HostInterface], patience: Duration = patience, of group: Endpoint = AnnouncedPrinters.group
  ) async throws -> [AnnouncedPrinter] {
    let sockets = interfaces.filter { $0.isMulticast && !$0.isPointToPoint }.compactMap { interface in
      // An interface that went away since it was listed has nobody to ask.
      do throws(EngineError) {
        let socket = try UDPSocket(bufferBytes: bufferBytes)
        try socket.sendGroups(through: interface.address, hops: hops)
        return Optional(socket)
      } catch { return nil }
    }
    guard !sockets.isEmpty else { return [] }
    let batch = ReceiveBatch()
    var announced = AnnouncedPrinters()
    let clock = ContinuousClock()
    let start = clock.now
    for round in 0..<rounds {
      ask(group, AnnouncedPrinters.questions, sockets)
      let end = start.advanced(by: patience * (round + 1) / rounds)
      var asked: Set<DNSQuestion> = []
      while clock.now < end {
        try await Task.sleep(for: lookEvery)
        for socket in sockets { take(from: socket, batch, into: &announced) }
        let missing = announced.missing.filter { asked.insert($0).inserted }
        if !missing.isEmpty { ask(group, missing, sockets) }
      }
    }
    return announced.printers
  }

  private static func ask(_ group: Endpoint, _ questions: [DNSQuestion], _ sockets: [UDPSocket]) {
    let query = DNSMessage.query(questions, id: UInt16.random(in: 1 ... .max))
    for socket in sockets { _ = socket.send([(group, query)]) }
  }

  private static func take(from socket: UDPSocket, _ batch: ReceiveBatch, into announced: inout AnnouncedPrinters) {
    while true {
      let count = batch.receive(from: socket)
      guard count > 0 else { return }
      for index in 0..<count {
        guard let (_, bytes) = batch.datagram(index), let message = DNSMessage(bytes) else { continue }
        announced.take(message)
      }
    }
  }
}
