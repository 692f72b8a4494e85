// An agent that opens tunnels, and the device behind it: a function of requests.

internal import Crypto
internal import Foundation
@testable internal import HubServer
internal import NIOCore
internal import NIOHPACK
internal import NIOHTTP2
internal import NIOPosix
internal import NIOSSL
internal import Synchronization

struct FakeRequest: Sendable {
  let head: HPACKHeaders
  let body: [UInt8]

  var method: String { head.first(name: ":method") ?? "" }
  var path: String { head.first(name: ":path") ?? "" }
  var authority: String { head.first(name: ":authority") ?? "" }
  var scheme: String { head.first(name: ":scheme") ?? "" }
  func field(_ name: String) -> String? { head.first(name: name) }
}

struct FakeAnswer: Sendable {
  var status = 200
  var fields: [(String, String)] = [("content-type", "text/html")]
  var body: [UInt8] = []
  /// The stream is reset after this much of the body.
  var isCutOff = false
  /// Nothing comes after the body, and the stream stays open.
  var isEndless = false

  init(_ status: Int = 200, _ fields: [(String, String)] = [("content-type", "text/html")], _ body: String = "") {
    (self.status, self.fields, self.body) = (status, fields, Array(body.utf8))
  }
}

final class FakeTunnel: Sendable {
  typealias Device = @Sendable (FakeRequest) -> FakeAnswer

  let channel: any Channel
  private let seen = Mutex<[FakeRequest]>([])

  private init(_ channel: any Channel) { self.channel = channel }

  /// All that the device was asked.
  var requests: [FakeRequest] { seen.withLock { $0 } }

  /// - Parameters:
  ///   - agent: whose certificate is shown; without one: none.
  ///   - hello: what is answered to the hub's first request.
  static func open(
    port: Int, _ agent: TestAgent, protocolName: String = TunnelListener.protocolName, hello: String,
    device: @escaping Device
  ) async throws -> FakeTunnel {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.trustRoots = .certificates([try NIOSSLCertificate(bytes: agent.root, format: .der)])
    configuration.applicationProtocols = [protocolName]
    if let certificate = agent.certificate {
      configuration.certificateChain = [.certificate(try NIOSSLCertificate(bytes: certificate, format: .der))]
      configuration.privateKey = .privateKey(
        try NIOSSLPrivateKey(bytes: Array(agent.key.derRepresentation), format: .der))
    }
    let context = try NIOSSLContext(configuration: configuration)
    let made = NIOLockedTunnel()
    let channel = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            try NIOSSLClientHandler(context: context, serverHostname: "localhost"))
          try TunnelConnection.serve(on: channel) { stream in
            await made.tunnel?.answer(stream, hello: hello, device: device)
          }
        }
      }
      .connect(host: "127.0.0.1", port: port).get()
    let tunnel = FakeTunnel(channel)
    made.set(tunnel)
    return tunnel
  }

  /// Asks over a connection as a hub does that relays.
  ///
  /// - Returns: the status of the answer; nil where the connection ended before.
  static func relayed(port: Int, certificate: TestAgent, session: String) async throws -> String? {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.trustRoots = .certificates([try NIOSSLCertificate(bytes: certificate.root, format: .der)])
    configuration.applicationProtocols = [RelayClient.protocolName]
    configuration.certificateChain = [
      .certificate(try NIOSSLCertificate(bytes: certificate.certificate ?? [], format: .der))
    ]
    configuration.privateKey = .privateKey(
      try NIOSSLPrivateKey(bytes: Array(certificate.key.derRepresentation), format: .der))
    let context = try NIOSSLContext(configuration: configuration)
    let connection = try await ClientBootstrap(group: .singletonMultiThreadedEventLoopGroup)
      .channelInitializer { channel in
        channel.eventLoop.makeCompletedFuture {
          try channel.pipeline.syncOperations.addHandler(
            try NIOSSLClientHandler(context: context, serverHostname: "localhost"))
        }
      }
      .connect(host: "127.0.0.1", port: port).flatMapThrowing { try TunnelConnection.made(on: $0) }.get()
    return try? await connection.stream { answers, outbound in
      let head: HPACKHeaders = [
        ":method": "GET", ":scheme": "http", ":authority": "x:80", ":path": "/", "pt-session": session,
      ]
      try await outbound.write(.headers(.init(headers: head, endStream: true)))
      for try await part in answers {
        if case .headers(let answer) = part { return answer.headers.first(name: ":status") }
      }
      throw ChannelError.eof
    }
  }

  /// The tunnel, once there is one: streams come as soon as the connection is there.
  private final class NIOLockedTunnel: Sendable {
    private let value = Mutex<FakeTunnel?>(nil)
    var tunnel: FakeTunnel? {
      get async {
        while true {
          if let tunnel = value.withLock({ $0 }) { return tunnel }
          await Task.yield()
        }
      }
    }
    func set(_ tunnel: FakeTunnel) { value.withLock { $0 = tunnel } }
  }

  private func answer(_ stream: TunnelConnection.Stream, hello: String, device: Device) async {
    try? await stream.executeThenClose { inbound, outbound in
      var parts = inbound.makeAsyncIterator()
      guard case .headers(let head)? = try await parts.next() else { return }
      if head.headers.first(name: ":protocol") == "websocket" {
        seen.withLock { $0.append(FakeRequest(head: head.headers, body: [])) }
        try await outbound.write(.headers(.init(headers: [":status": "200", "sec-websocket-protocol": "echo"])))
        while let part = try await parts.next() {
          guard case .data(let data) = part else { continue }
          try await outbound.write(.data(.init(data: data.data, endStream: data.endStream)))
          if data.endStream { return }
        }
        return
      }
      var body: [UInt8] = []
      var isOver = head.endStream
      while !isOver, let part = try await parts.next() {
        guard case .data(let data) = part else { continue }
        if case .byteBuffer(let buffer) = data.data { body.append(contentsOf: buffer.readableBytesView) }
        isOver = data.endStream
      }
      let request = FakeRequest(head: head.headers, body: body)
      let answer: FakeAnswer
      if request.path == "/hello", request.authority == "agent" {
        answer = FakeAnswer(200, [("content-type", "application/json")], hello)
      } else {
        seen.withLock { $0.append(request) }
        answer = device(request)
      }
      var fields: HPACKHeaders = [":status": "\(answer.status)"]
      for (name, value) in answer.fields { fields.add(name: name, value: value) }
      let isBodiless = answer.body.isEmpty && !answer.isCutOff || request.method == "HEAD"
      try await outbound.write(.headers(.init(headers: fields, endStream: isBodiless)))
      guard !isBodiless else { return }
      for begin in stride(from: 0, to: answer.body.count, by: 16_000) {
        let piece = ByteBuffer(bytes: answer.body[begin..<min(begin + 16_000, answer.body.count)])
        try await outbound.write(.data(.init(data: .byteBuffer(piece))))
      }
      if answer.isCutOff { return }
      if answer.isEndless {
        while try await parts.next() != nil {}
        return
      }
      try await outbound.write(.data(.init(data: .byteBuffer(ByteBuffer()), endStream: true)))
      while try await parts.next() != nil {}
    }
  }

  /// Says farewell as agents do.
  func close(saying reason: String) async throws {
    let frame = HTTP2Frame(
      streamID: .rootStream,
      payload: .goAway(lastStreamID: .rootStream, errorCode: .noError, opaqueData: ByteBuffer(string: reason)))
    try await channel.writeAndFlush(frame).get()
    try? await channel.close()
  }
}
