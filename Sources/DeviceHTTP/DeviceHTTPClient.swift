// HTTP to printers: one POST, one answer, one connection. For IPP and nothing else; a device's own pages are read by `DeviceConnection`.
//
//     connect -> (TLS) -> request -> head, body -> close          at any point: the deadline, too many bytes, the end of the connection
//
// This is the only room that speaks to devices without encryption, and the only one that accepts a certificate that nobody vouches for: printers
// sign their own. It says which one it saw. The room TLS, which speaks to the hub, can be told neither.
//
// SwiftNIO parses HTTP: Content-Length, chunks, 100 Continue, HTTP/1.0 answers that end with the connection.

internal import NIOCore
internal import NIOHTTP1
internal import NIOPosix
internal import NIOSSL

package enum DeviceHTTPLimits {
  /// Bytes of one answer, head and body: the largest real answer to IPP has 100 KB.
  package static let answerBytesMax = 1 << 20
  /// Bytes of a body. The rest is room for a head.
  package static let bodyBytesMax = answerBytesMax - (64 << 10)
}

/// A POST to a device.
package struct DeviceRequest: Equatable, Sendable {
  /// IPv4, dotted.
  package var address: String
  package var port: UInt16
  package var isEncrypted: Bool
  package var path: String
  package var contentType: String
  package var body: [UInt8]

  package init(
    address: String, port: UInt16, isEncrypted: Bool = false, path: String, contentType: String, body: [UInt8]
  ) {
    self.address = address
    self.port = port
    self.isEncrypted = isEncrypted
    self.path = path
    self.contentType = contentType
    self.body = body
  }
}

/// What a device answered.
package struct DeviceResponse: Equatable, Sendable {
  package var status: Int
  package var contentType: String?
  /// Where it sends whom it does not serve here.
  package var location: String?
  package var body: [UInt8]
  /// SHA-256 of the certificate that the device showed, in hexadecimal digits; nil without TLS.
  package var certificate: String?
  /// Bytes of head and body, as they came out of TLS.
  package var byteCount: Int

  package init(status: Int, body: [UInt8] = [], location: String? = nil) {
    self.status = status
    self.body = body
    self.location = location
    byteCount = body.count
  }
}

/// Why there is no answer.
package enum DeviceHTTPError: Error, Equatable, CustomStringConvertible {
  /// Nothing listens on the port.
  case refused
  /// The host cannot be reached, with what the system says.
  case unreachable(String)
  /// No connection, or no whole answer, within the time.
  case timedOut
  /// The connection ended before the answer did.
  case cut
  /// What came is no HTTP, or broken.
  case malformed(String)
  case tooLarge
  case tls(String)
  case cancelled

  package var description: String {
    switch self {
    case .refused: "nothing listens on the port"
    case .unreachable(let reason): reason
    case .timedOut: "no answer in time"
    case .cut: "the connection ended before the answer did"
    case .malformed(let reason): "the answer is no HTTP (\(reason))"
    case .tooLarge: "the answer is larger than \(DeviceHTTPLimits.answerBytesMax >> 10) KB"
    case .tls(let reason): "no TLS connection (\(reason))"
    case .cancelled: "cancelled"
    }
  }
}

package struct DeviceHTTPClient: Sendable {
  private let group = MultiThreadedEventLoopGroup.singleton

  package init() {}

  /// Whether something accepts TCP connections there. The connection is closed at once.
  package func connect(to address: String, port: UInt16, within patience: Duration) async throws(DeviceHTTPError) {
    do {
      let channel = try await ClientBootstrap(group: group).connectTimeout(TimeAmount(patience))
        .connect(host: address, port: Int(port)).get()
      // That it is open was the question; how its end went is no matter.
      channel.close(promise: nil)
    } catch { throw DeviceHTTPError(error) }
  }

  /// Sends a request and reads the answer.
  /// - Parameter patience: for all of it.
  package func post(_ request: DeviceRequest, within patience: Duration) async throws(DeviceHTTPError) -> DeviceResponse
  {
    let loop = group.next()
    let answer = loop.makePromise(of: DeviceResponse.self)
    let deadline = loop.scheduleTask(in: TimeAmount(patience)) { answer.fail(DeviceHTTPError.timedOut) }
    let bootstrap = ClientBootstrap(group: loop).connectTimeout(TimeAmount(patience)).channelInitializer { channel in
      channel.eventLoop.makeCompletedFuture { try Self.prepare(channel, request, answer) }
    }
    let connection = bootstrap.connect(host: request.address, port: Int(request.port))
    connection.whenFailure { answer.fail($0) }
    answer.futureResult.whenComplete { _ in
      deadline.cancel()
      // A connection that is still being made ends with its timeout.
      connection.whenSuccess { $0.close(promise: nil) }
    }
    do {
      return try await withTaskCancellationHandler {
        try await answer.futureResult.get()
      } onCancel: {
        answer.fail(DeviceHTTPError.cancelled)
      }
    } catch { throw DeviceHTTPError(error) }
  }

  private static func prepare(
    _ channel: any Channel, _ request: DeviceRequest, _ answer: EventLoopPromise<DeviceResponse>
  ) throws {
    let exchange = DeviceExchange(request, answer)
    let pipeline = channel.pipeline.syncOperations
    if request.isEncrypted { try pipeline.addHandler(try encryption(seenBy: exchange)) }
    try pipeline.addHandler(ByteCounter(seenBy: exchange))
    try pipeline.addHTTPClientHandlers()
    try pipeline.addHandler(exchange)
  }

  /// TLS 1.0 and newer: what is asked is printed on the device's own pages, and old printers have nothing newer.
  private static func encryption(seenBy exchange: DeviceExchange) throws -> NIOSSLClientHandler {
    var configuration = TLSConfiguration.makeClientConfiguration()
    configuration.minimumTLSVersion = .tlsv1
    configuration.certificateVerification = .noHostnameVerification
    let context = try NIOSSLContext(configuration: configuration)
    let seen = NIOLoopBound(exchange, eventLoop: exchange.loop)
    return try NIOSSLClientHandler(
      context: context, serverHostname: nil,
      customVerificationCallback: { certificates, verdict in
        // Self-signed, and accepted: who reads the answer is told which one it was.
        seen.value.certificate = certificates.first.flatMap { try? $0.toDERBytes() }
        verdict.succeed(.certificateVerified)
      })
  }
}

extension TimeAmount {
  init(_ duration: Duration) {
    let (seconds, attoseconds) = duration.components
    self = .nanoseconds(seconds * 1_000_000_000 + attoseconds / 1_000_000_000)
  }
}
