// The socket that traps come to. Looked at a few times a second: the kernel keeps what comes in between.

internal import Discovery

final class TrapListener {
  /// Some thousand traps may wait in the kernel between two looks.
  private static let bufferBytes: Int32 = 1 << 20
  /// Datagrams taken in one look; the rest waits for the next, so that a flood cannot keep the collector from its work.
  private static let takenMax = 256

  private let socket: UDPSocket
  private let batch = ReceiveBatch()

  /// - Throws: `EngineError.system` when the port is taken or may not be listened on.
  init(port: UInt16) throws(EngineError) { socket = try UDPSocket(bufferBytes: Self.bufferBytes, port: port) }

  /// The hints that have come since the last look, each device once. Informs are acknowledged.
  func take() -> [TrapHint] {
    var hints: [IPv4Address: TrapHint] = [:]
    var taken = 0
    while taken < Self.takenMax {
      let count = batch.receive(from: socket)
      guard count > 0 else { break }
      taken += count
      for index in 0..<count {
        guard let (sender, bytes) = batch.datagram(index), let hint = TrapHint(bytes, from: sender.address) else {
          continue
        }
        if let answer = hint.acknowledgement { _ = socket.send([(sender, answer)]) }
        hints[hint.origin ?? hint.source] = hint
      }
    }
    return Array(hints.values)
  }
}
