// Compressed messages, as far as they are pure (gRPC's compression.md): what is read, what is refused, what is sent.

internal import GRPCCore
@testable internal import GRPCWire
internal import HTTP2
internal import Testing

private let text = Array(String(repeating: "Toner, schwarz: 40 %. ", count: 400).utf8)

/// The message as a server would send it.
private func compressed(_ message: [UInt8], _ encoding: MessageEncoding) throws -> [UInt8] {
  try framed(#require(try MessageCompressor(encoding).compressed(message)), isCompressed: true)
}

/// The messages of a response with this encoding, and the error at its end.
private func read(
  _ bytes: [UInt8], encoding: String?, messageBytesMax: Int = 100_000
) -> (messages: [[UInt8]], error: RPCError?) {
  var fields = [HTTP2Header(":status", "200"), HTTP2Header("content-type", "application/grpc")]
  if let encoding { fields.append(HTTP2Header("grpc-encoding", encoding)) }
  var parser = ResponseParser(messageBytesMax: messageBytesMax)
  var messages: [[UInt8]] = []
  do throws(RPCError) {
    for part in [HTTP2Part.headers(fields), .data(bytes), .trailers([HTTP2Header("grpc-status", "0")])] {
      try parser.receive(part)
      while let part = try parser.next() { if case .message(let message) = part { messages.append(message) } }
    }
    return (messages, nil)
  } catch {
    return (messages, error)
  }
}

@Suite struct `A compressed response` {
  @Test(arguments: MessageEncoding.allCases) func `may have messages of both kinds`(encoding: MessageEncoding) throws {
    let bytes = try compressed(text, encoding) + framed([1, 2]) + framed([]) + compressed(text + text, encoding)
    let (messages, error) = read(bytes, encoding: encoding.rawValue)
    #expect(messages == [text, [1, 2], [], text + text])
    #expect(error == nil)
  }

  @Test func `in an encoding that nobody asked for is refused with the ones that are read`() throws {
    let (messages, error) = try read(framed([1]) + compressed(text, .gzip), encoding: "snappy")
    #expect(messages == [[1]], "what is not compressed can be read")
    #expect(error?.code == .internalError)
    #expect(
      error?.message
        == "The server sent a message compressed as 'snappy'; this client reads identity,gzip,deflate.")
  }

  @Test(arguments: [nil, "identity"]) func `that names no encoding is refused`(encoding: String?) throws {
    let (messages, error) = read(try compressed(text, .gzip), encoding: encoding)
    #expect(messages.isEmpty)
    #expect(error?.code == .internalError)
    #expect(error?.message.contains("Compressed-Flag") == true)
  }

  @Test(arguments: MessageEncoding.allCases)
  func `that would be larger than is accepted is not read further`(encoding: MessageEncoding) throws {
    let bomb = try compressed([UInt8](repeating: 0, count: 20_000_000), encoding)
    let (messages, error) = read(bomb, encoding: encoding.rawValue)
    #expect(messages.isEmpty)
    #expect(error?.code == .resourceExhausted)
    let exact = try compressed([UInt8](repeating: 7, count: 100_000), encoding)
    #expect(read(exact, encoding: encoding.rawValue).messages.first?.count == 100_000)
  }

  @Test(arguments: MessageEncoding.allCases)
  func `that is cut, corrupt or too long is refused`(encoding: MessageEncoding) throws {
    let whole = Array(try compressed(text, encoding).dropFirst(framePrefixBytes))
    var corrupt = whole
    corrupt[whole.count / 2] ^= 0x10
    for bytes in [[], Array(whole.dropLast()), whole + [0], corrupt, text] {
      let (messages, error) = read(framed(bytes, isCompressed: true), encoding: encoding.rawValue)
      #expect(messages.isEmpty)
      #expect(error?.code == .internalError)
    }
  }

  /// The same changes in each run.
  private struct Chance: RandomNumberGenerator {
    var state: UInt64
    mutating func next() -> UInt64 {
      state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
      return state ^ state >> 31
    }
  }

  @Test(arguments: MessageEncoding.allCases)
  func `that was changed anywhere gives no message that is too large, and no trap`(encoding: MessageEncoding) throws {
    var chance = Chance(state: 7)
    let whole = try compressed(text, encoding) + framed([1, 2, 3]) + compressed(Array(text.prefix(900)), encoding)
    var refused = 0
    for _ in 0..<20_000 {
      var changed = whole
      for _ in 0..<Int.random(in: 1...4, using: &chance) {
        changed[Int.random(in: 0..<changed.count, using: &chance)] = UInt8.random(in: 0...255, using: &chance)
      }
      let (messages, error) = read(changed, encoding: encoding.rawValue, messageBytesMax: 10_000)
      #expect(messages.allSatisfy { $0.count <= 10_000 })
      if error != nil { refused += 1 }
    }
    #expect(refused > 15_000, "checksums find nearly all of it")
  }
}

@Suite struct `A message to send` {
  @Test func `is compressed where that is shorter and nobody forbids it`() async throws {
    let compressor = try MessageCompressor(.gzip)
    #expect(compressor.compressed(text)?.isEmpty == false)
    #expect(compressor.compressed([1, 2, 3]) == nil)
    let forbidden = try await WireCompression.withoutCompression { try MessageCompressor(.gzip).compressed(text) }
    #expect(forbidden == nil)
  }

  @Test func `is announced by its encoding`() throws {
    let method = MethodDescriptor(fullyQualifiedService: "a.B", method: "C")
    let headers = try requestHeaders(
      of: method, authority: "hub", userAgent: "agent", encoding: .deflate, metadata: ["grpc-encoding": "gzip"])
    #expect(headers.filter { $0.name == "grpc-encoding" } == [HTTP2Header("grpc-encoding", "deflate")])
  }
}
