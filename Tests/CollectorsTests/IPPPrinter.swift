// A printer that speaks IPP on a loopback address: HTTP as simple as it can be, the answers from a closure.

import Foundation
import IPP
import NIOCore
import NIOPosix

/// Ends with the value.
final class IPPPrinter: Sendable {
  let port: UInt16
  private let channel: any Channel

  /// - Parameter answer: the attributes of the printer group, for a request; nil is HTTP 404.
  init(_ address: String, port: UInt16 = 0, answer: @escaping @Sendable (IPPMessage) -> [IPPAttribute]?) async throws {
    let bootstrap = ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
      .serverChannelOption(.socketOption(.so_reuseaddr), value: 1).childChannelInitializer { channel in
        channel.eventLoop.makeCompletedFuture { try channel.pipeline.syncOperations.addHandler(Server(answer)) }
      }
    channel = try await bootstrap.bind(host: address, port: Int(port)).get()
    self.port = UInt16(channel.localAddress?.port ?? 0)
  }

  deinit { channel.close(promise: nil) }
}

private final class Server: ChannelInboundHandler {
  typealias InboundIn = ByteBuffer
  typealias OutboundOut = ByteBuffer

  private let answer: @Sendable (IPPMessage) -> [IPPAttribute]?
  private var received: [UInt8] = []

  init(_ answer: @escaping @Sendable (IPPMessage) -> [IPPAttribute]?) { self.answer = answer }

  func channelRead(context: ChannelHandlerContext, data: NIOAny) {
    received += unwrapInboundIn(data).readableBytesView
    let text = String(decoding: received, as: UTF8.self)
    guard let end = text.range(of: "\r\n\r\n"), let mark = text.range(of: "Content-Length: ") else { return }
    let length = Int(text[mark.upperBound...].prefix { $0.isNumber }) ?? 0
    guard received.count >= text[..<end.upperBound].utf8.count + length else { return }
    let reply = Self.reply(received.suffix(length), answer)
    context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: reply)), promise: nil)
    context.close(promise: nil)
  }

  private static func reply(_ body: ArraySlice<UInt8>, _ answer: (IPPMessage) -> [IPPAttribute]?) -> [UInt8] {
    guard let request = IPPDecoded(Array(body))?.message, let attributes = answer(request),
      let bytes = try? IPPMessage(
        version: request.version, code: IPPStatus.ok, requestID: request.requestID,
        groups: [IPPGroup(.printer, attributes)]
      ).encoded()
    else { return Array("HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n".utf8) }
    return Array("HTTP/1.1 200 OK\r\nContent-Length: \(bytes.count)\r\n\r\n".utf8) + bytes
  }
}

extension [IPPAttribute] {
  /// A printer with a serial number and a meter.
  static func printer(serial: String, impressions: Int32, upTime: Int32 = 100) -> [IPPAttribute] {
    [
      IPPAttribute("printer-make-and-model", [.string("Acme Jet 5", .textWithoutLanguage)]),
      IPPAttribute("printer-device-id", [.string("MFG:Acme;MDL:Jet 5;SN:\(serial);", .textWithoutLanguage)]),
      IPPAttribute("printer-state", [.enumeration(3)]),
      IPPAttribute("printer-state-reasons", [.string("none", .keyword)]),
      IPPAttribute("printer-up-time", [.integer(upTime)]),
      IPPAttribute("printer-impressions-completed", [.integer(impressions)]),
      IPPAttribute(
        "printer-supply",
        [.octets([UInt8]("type=toner;unit=percent;maxcapacity=100;level=42;colorantname=black;".utf8))]),
    ]
  }
}
