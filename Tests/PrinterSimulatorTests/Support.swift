// What these tests share: the fixtures, small fleets, and a UDP client that waits without sleeping.

import CLinux
import FoundationEssentials
import MIB
import SNMP
import Testing

@testable import PrinterSimulator

enum Fixtures {
  /// The repository's Fixtures folder, found from this file.
  static let folder: String = {
    let parts = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3)
    return parts.joined(separator: "/") + "/Fixtures"
  }()

  static let modelNames: [String] = {
    let files = (try? FileManager.default.contentsOfDirectory(atPath: folder + "/devices")) ?? []
    return files.filter { $0.hasSuffix(".toml") }.map { String($0.dropLast(5)) }.sorted()
  }()

  static func model(_ name: String) throws -> DeviceModel {
    try DeviceModel.load(file: "\(folder)/devices/\(name).toml", name: name)
  }

  static func printer(_ name: String, seed: UInt64 = 7) throws -> Printer {
    let model = try model(name)
    return Printer(
      model: model, identity: PrinterIdentity(model: model, name: "P1", location: "Lab", seed: seed), seed: seed)
  }

  /// A device of a model, asked with the community public.
  static func device(
    _ name: String, faults: [Fault] = [], users: [USMUser] = [], context: String = "", seed: UInt64 = 7
  ) throws -> Device {
    try plan(name, faults: faults, users: users, context: context).device(seed: seed, keys: USMKeyCache())
  }

  static func plan(
    _ name: String, at address: String = "127.30.0.1", faults: [Fault] = [], users: [USMUser] = [], context: String = ""
  ) throws -> DevicePlan {
    var plan = DevicePlan(address: try #require(HostAddress(address)), contents: .model(try model(name)))
    plan.faults = faults
    plan.users = users
    plan.contextName = context
    return plan
  }
}

extension Printer {
  /// The MIB at this moment.
  var walk: Walk { PrinterImage(of: self).walk }
}

extension Device {
  /// Asks with SNMPv2c (or v1) and the community public, and returns the one response, or nil if nothing comes.
  mutating func ask(_ pdu: PDU, version: CommunityVersion = .v2c, now: Duration = .zero) throws -> PDU? {
    let request = Message(version: version, community: Array("public".utf8), pdu: pdu)
    guard let reply = received(request.encoded(), now: now).first else { return nil }
    return try Message(decoding: reply.bytes).pdu
  }

  /// Walks with GETNEXT from the root until the end or an error; at most `limit` steps.
  mutating func walkByNext(version: CommunityVersion = .v2c, limit: Int = 2000) throws -> [VarBind] {
    var name: ObjectIdentifier = [1, 3]
    var found: [VarBind] = []
    for step in 0..<limit {
      guard let response = try ask(PDU(.getNext, requestID: Int32(step), names: [name]), version: version),
        response.errorStatus == .noError, let binding = response.bindings.first, !binding.value.isException
      else { return found }
      found.append(binding)
      name = binding.name
    }
    return found
  }
}

/// A UDP socket on loopback.
final class TestClient {
  struct Datagram {
    var bytes: [UInt8]
    var port: UInt16
  }

  let socket: Int32
  let epoll: Int32

  init() throws {
    socket = clinux_udp_create()
    epoll = clinux_epoll_create()
    try #require(socket >= 0 && epoll >= 0)
    try #require(clinux_udp_bind(socket, 0x7f00_0001, 0) == 0)
    try #require(clinux_epoll_add(epoll, socket, UInt32(CLINUX_READABLE), 0) == 0)
  }

  deinit {
    _ = clinux_close(socket)
    _ = clinux_close(epoll)
  }

  func send(_ bytes: [UInt8], to address: HostAddress, port: Int) throws {
    var bytes = bytes
    let sent = bytes.withUnsafeMutableBufferPointer { buffer in
      var datagram = CLinuxDatagram(
        bytes: buffer.baseAddress, length: UInt32(buffer.count), capacity: 0, address: address.number, local_address: 0,
        port: UInt16(port), truncated: 0)
      return clinux_udp_send(socket, &datagram, 1)
    }
    try #require(sent == 1)
  }

  /// The next datagram, or nil after `milliseconds` without one.
  func receive(within milliseconds: Int32 = 5000) -> Datagram? {
    var event = CLinuxEvent()
    guard clinux_epoll_wait(epoll, &event, 1, milliseconds) > 0 else { return nil }
    var bytes = [UInt8](repeating: 0, count: 65_535)
    var port: UInt16 = 0
    let length = bytes.withUnsafeMutableBufferPointer { buffer -> Int? in
      var datagram = CLinuxDatagram(
        bytes: buffer.baseAddress, length: 0, capacity: UInt32(buffer.count), address: 0, local_address: 0, port: 0,
        truncated: 0)
      guard clinux_udp_receive(socket, &datagram, 1) == 1 else { return nil }
      port = datagram.port
      return Int(datagram.length)
    }
    guard let length else { return nil }
    return Datagram(bytes: Array(bytes.prefix(length)), port: port)
  }

  func exchange(_ pdu: PDU, with server: Server, at index: Int = 0, within milliseconds: Int32 = 5000) throws
    -> Message?
  {
    let request = Message(version: .v2c, community: Array("public".utf8), pdu: pdu)
    try send(request.encoded(), to: server.addresses[index], port: server.port)
    return try receive(within: milliseconds).map { try Message(decoding: $0.bytes) }
  }
}

/// A server on a port of the system's choice, stopped when the test is done with it.
func withServer<R>(_ plans: [DevicePlan], speed: Double = 0, _ body: (Server) throws -> R) throws -> R {
  let server = try Server(fleet: Fleet(port: 0, seed: 7, plans: plans), speed: speed)
  try server.run()
  defer { server.stop() }
  return try body(server)
}
