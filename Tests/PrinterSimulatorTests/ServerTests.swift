// The server over real loopback sockets.

import MIB
import SNMP
import Testing

@testable import PrinterSimulator

@Suite(.serialized) struct ServerTests {
  private static let get = PDU(.get, requestID: 11, names: [MIB2.sysName])

  @Test func `each device answers from the address and port that was asked`() throws {
    let plans = try (1...5).map { try Fixtures.plan("ricoh-im-c3000", at: "127.31.0.\($0)") }
    try withServer(plans) { server in
      let client = try TestClient()
      for index in plans.indices {
        let response = try #require(try client.exchange(Self.get, with: server, at: index))
        #expect(response.pdu.requestID == 11)
        #expect(response.pdu.bindings.first?.value == .octets(Array("PRN-31-0-\(index + 1)".utf8)))
      }
    }
  }

  @Test func `a whole MIB is walked with GETBULK while time stands still`() throws {
    try withServer([try Fixtures.plan("xerox-versalink-c7025", at: "127.31.1.1")]) { server in
      let client = try TestClient()
      let expected = try #require(server.devices.first).walk.bindings
      var found: [VarBind] = []
      var name: ObjectIdentifier = [1, 3]
      while found.count <= expected.count {
        let pdu = PDU(getBulk: [name], requestID: Int32(found.count), nonRepeaters: 0, maxRepetitions: 25)
        let bindings = try #require(try client.exchange(pdu, with: server)).pdu.bindings
        found += bindings.filter { !$0.value.isException }
        guard let last = bindings.last, !last.value.isException else { break }
        name = last.name
      }
      #expect(found == expected)
    }
  }

  @Test func `moving time moves the counters that are served`() throws {
    try withServer([try Fixtures.plan("epson-wf-c20750", at: "127.31.2.1")]) { server in
      let client = try TestClient()
      let life = PDU(.get, requestID: 1, names: [PrinterMIB.Marker.entry.appending(4, 1, 1)])
      let before = try #require(try client.exchange(life, with: server)?.pdu.bindings.first?.value.unsigned)
      server.advance(by: .seconds(86_400))
      let after = try #require(try client.exchange(life, with: server)?.pdu.bindings.first?.value.unsigned)
      #expect(after > before)
      #expect(server.truth.printers.first?.counters.total == after)
    }
  }

  @Test func `late answers come behind later ones, and slow ones wait`() throws {
    let plan = try Fixtures.plan("ricoh-im-c3000", at: "127.31.3.1", faults: [.late(milliseconds: 300)])
    try withServer([plan]) { server in
      let client = try TestClient()
      for id in Int32(1)...4 {
        var get = Self.get
        get.requestID = id
        let request = Message(version: .v2c, community: Array("public".utf8), pdu: get)
        try client.send(request.encoded(), to: plan.address, port: server.port)
      }
      let order = try (0..<4).map { _ in try Message(decoding: #require(client.receive()).bytes).pdu.requestID }
      #expect(order == [1, 2, 4, 3])
    }
  }

  @Test func `a wrong source port is really another port`() throws {
    let plan = try Fixtures.plan("ricoh-im-c3000", at: "127.31.4.1", faults: [.wrongSourcePort])
    try withServer([plan]) { server in
      let client = try TestClient()
      let request = Message(version: .v2c, community: Array("public".utf8), pdu: Self.get)
      try client.send(request.encoded(), to: plan.address, port: server.port)
      #expect(Int(try #require(client.receive()).port) != server.port)
    }
  }

  @Test func `duplicates arrive twice`() throws {
    try withServer([try Fixtures.plan("ricoh-im-c3000", at: "127.31.5.1", faults: [.duplicates])]) { server in
      let client = try TestClient()
      let first = try #require(try client.exchange(Self.get, with: server))
      #expect(try Message(decoding: #require(client.receive()).bytes) == first)
    }
  }

  @Test func `a port in use is told in one sentence`() throws {
    let plan = try Fixtures.plan("ricoh-im-c3000", at: "127.31.6.1")
    try withServer([plan]) { server in
      let error = #expect(throws: SimulatorError.self) {
        try Server(fleet: Fleet(port: server.port, plans: [plan]))
      }
      #expect(error == .portInUse(address: plan.address, port: server.port))
      #expect(error?.description.contains("127.31.6.1 is in use") == true)
    }
  }

  @Test func `an address of another machine is told in one sentence`() throws {
    // TEST-NET-1 (RFC 5737) is nobody's address.
    let plan = try Fixtures.plan("ricoh-im-c3000", at: "192.0.2.1")
    #expect(throws: SimulatorError.addressNotAssignable(plan.address)) {
      try Server(fleet: Fleet(port: 0, plans: [plan]))
    }
  }

  @Test func `the port is free again when a server is gone`() throws {
    let plan = try Fixtures.plan("ricoh-im-c3000", at: "127.31.7.1")
    let port = try withServer([plan]) { $0.port }
    let second = try Server(fleet: Fleet(port: port, plans: [plan]))
    #expect(second.port == port)
  }

  @Test func `a thousand devices are bound and answer`() throws {
    let fleet = try Fleet.load(file: Fixtures.folder + "/fleets/thousand.toml")
    let server = try Server(fleet: fleet, port: 0, speed: 0)
    try server.run()
    defer { server.stop() }
    let client = try TestClient()
    for index in stride(from: 0, to: 1000, by: 37) {
      #expect(try client.exchange(Self.get, with: server, at: index) != nil)
    }
    #expect(server.lostReplies == 0)
  }
}
