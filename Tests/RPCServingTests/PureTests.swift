internal import GRPCCore
internal import HTTP2
@testable internal import RPCServing
internal import Testing

@Suite struct CallTimeoutTests {
  @Test(arguments: [
    ("5S", Duration.seconds(5)), ("99999999H", .seconds(99_999_999 * 3_600)), ("2M", .seconds(120)),
    ("250m", .milliseconds(250)), ("7u", .microseconds(7)), ("1n", .nanoseconds(1)),
  ])
  func `a caller's deadline is read`(text: String, duration: Duration) {
    #expect((["grpc-timeout": .string(text)] as Metadata).callTimeout == duration)
  }

  @Test(arguments: ["", "S", "5", "5x", "-5S", "+5S", "100000000S", "5 S", "٥S"])
  func `what is no deadline is none`(text: String) {
    #expect((["grpc-timeout": .string(text)] as Metadata).callTimeout == nil)
  }
}

@Suite struct `Messages` {
  private func reader(_ encoding: MessageEncoding? = nil, max: Int = 1_000) -> MessageReader {
    MessageReader(bytesMax: max, encoding: encoding)
  }

  private func read(_ pieces: [[UInt8]], by reader: MessageReader) throws -> (messages: [[UInt8]], isAmid: Bool) {
    var reader = reader
    var messages: [[UInt8]] = []
    for piece in pieces {
      reader.append(piece)
      while let message = try reader.next() { messages.append(message) }
    }
    return (messages, reader.isAmidMessage)
  }

  @Test(arguments: [nil, MessageEncoding.gzip, .deflate])
  func `are whole wherever their bytes are cut`(encoding: MessageEncoding?) throws {
    let messages = [[], [1], [UInt8](repeating: 7, count: 900), [], [2, 3]] as [[UInt8]]
    var bytes: [UInt8] = []
    for message in messages { append(message, encoding: encoding, to: &bytes) }
    #expect(encoding == nil || bytes.count < 200)
    for cut in 0...bytes.count {
      let (read, isAmid) = try read([Array(bytes[..<cut]), Array(bytes[cut...])], by: reader(encoding))
      #expect(read == messages && !isAmid, "cut at \(cut)")
    }
    let (single, _) = try read(bytes.map { [$0] }, by: reader(encoding))
    #expect(single == messages)
  }

  @Test func `that are cut off are seen to be`() throws {
    var bytes: [UInt8] = []
    append([1, 2, 3], encoding: nil, to: &bytes)
    for cut in 1..<bytes.count {
      let (read, isAmid) = try read([Array(bytes[..<cut])], by: reader())
      #expect(read.isEmpty && isAmid, "cut at \(cut)")
    }
  }

  @Test func `that are too long are refused by their prefix, or while they are inflated`() throws {
    let announced = #expect(throws: RPCError.self) { try read([[0, 0, 0, 3, 0xE9]], by: reader()) }
    #expect(announced?.code == .resourceExhausted)
    for encoding in MessageEncoding.allCases {
      var bytes: [UInt8] = []
      append([UInt8](repeating: 0, count: 1_001), encoding: encoding, to: &bytes)
      let inflated = #expect(throws: RPCError.self) { try read([bytes], by: reader(encoding)) }
      #expect(inflated?.code == .resourceExhausted)
      #expect(try read([bytes], by: reader(encoding, max: 1_001)).messages.first?.count == 1_001)
    }
  }

  @Test func `with a flag that means nothing here are refused`() {
    #expect(throws: RPCError.self) { try read([[2, 0, 0, 0, 0]], by: reader()) }
    #expect(throws: RPCError.self) { try read([[1, 0, 0, 0, 0]], by: reader()) }
    #expect(throws: RPCError.self) { try read([[1, 0, 0, 0, 2, 9, 9]], by: reader(.gzip)) }
  }
}

@Suite struct `Heads of calls` {
  private func head(_ changes: [String: String?] = [:], more: [HTTP2Header] = []) throws -> CallHead {
    var fields = [
      ":method": "POST", ":path": "/a.B/C", ":scheme": "https", "content-type": "application/grpc", "te": "trailers",
    ]
    for (name, value) in changes { fields[name] = value }
    return try CallHead(fields.map { HTTP2Header($0, $1) } + more, methods: [:])
  }

  @Test func `name a method, metadata and encodings`() throws {
    let head = try head(
      ["grpc-encoding": "gzip", "grpc-accept-encoding": "identity, snappy,deflate , gzip", "grpc-timeout": "3S"],
      more: [HTTP2Header("x-bin", "AQI,Aw=="), HTTP2Header("x", "1"), HTTP2Header("x", "2")])
    #expect(head.method == MethodDescriptor(fullyQualifiedService: "a.B", method: "C"))
    #expect(head.encoding == .gzip && head.accepted == .deflate)
    #expect(Array(head.metadata[stringValues: "x"]) == ["1", "2"])
    #expect(Array(head.metadata[binaryValues: "x-bin"]) == [[1, 2], [3]])
    #expect(head.metadata.callTimeout == .seconds(3))
    #expect(head.metadata[stringValues: "content-type"].first { _ in true } == nil)
  }

  @Test(arguments: ["application/grpc", "application/grpc+proto", "application/grpc;charset=utf-8"])
  func `may say more of their type`(type: String) throws { _ = try head(["content-type": type]) }

  @Test(arguments: [
    ("content-type", "application/grpcx", "415"), ("content-type", "text/html", "415"), (":method", "GET", "3"),
    (":path", "a.B/C", "12"), (":path", "/C", "12"), (":path", "//C", "12"), (":path", "/a.B/", "12"),
    ("grpc-encoding", "br", "12"),
  ])
  func `that are no call's are refused`(name: String, value: String, answer: String) throws {
    let refusal = #expect(throws: CallHead.Refusal.self) { try head([name: value]) }
    let fields = refusal?.fields ?? []
    #expect((fields.first(named: "grpc-status") ?? fields.first(named: ":status")) == answer)
  }

  @Test func `of answers carry no field that is not theirs`() {
    let metadata: Metadata = [
      "X-Good": "yes", "grpc-status": "0", "content-type": "x", "x bad": "1", "x-text": "ü", "x-bin": .binary([1, 2]),
      "x-spaced": " a b ",
    ]
    let names = answerEnd(Status(code: .notFound, message: "50 %\n"), metadata)
    #expect(
      names == [
        HTTP2Header("grpc-status", "5"), HTTP2Header("grpc-message", "50 %25%0A"), HTTP2Header("x-good", "yes"),
        HTTP2Header("x-bin", "AQI="), HTTP2Header("x-spaced", "a b"),
      ])
  }

  @Test(arguments: [("plain", "plain"), (" a b ", "%20a b%20"), (" ", "%20"), ("☺", "%E2%98%BA"), ("", "")])
  func `have messages in printable ASCII`(text: String, encoded: String) { #expect(percentEncoded(text) == encoded) }
}

@Suite struct `The limit of pings` {
  @Test func `bears two that come too soon, and forgives for what is sent`() {
    let begin = ContinuousClock.now
    var limit = PingLimit(least: .seconds(10))
    let early = (0..<4).map { limit.admits(now: begin.advanced(by: .seconds($0))) }
    #expect(early == [true, true, true, false])
    limit = PingLimit(least: .seconds(10))
    let steady = (0..<100).map { limit.admits(now: begin.advanced(by: .seconds($0 * 10))) }
    #expect(steady.allSatisfy { $0 })
    limit = PingLimit(least: .seconds(10))
    for number in 0..<100 {
      let isFine = limit.admits(now: begin.advanced(by: .milliseconds(number)))
      #expect(isFine)
      limit.forgive()
    }
  }
}
