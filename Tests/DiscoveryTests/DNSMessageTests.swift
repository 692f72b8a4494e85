import Discovery
import Testing

/// A response as a printer's responder sends it: PTR, SRV, TXT and A in one packet, with names compressed.
enum PrinterResponse {
  static let bytes: [UInt8] = {
    var bytes: [UInt8] = [0, 0, 0x84, 0, 0, 0, 0, 4, 0, 0, 0, 0]
    func label(_ text: String) -> [UInt8] { [UInt8(text.utf8.count)] + Array(text.utf8) }
    func record(_ type: UInt16, _ data: [UInt8]) -> [UInt8] {
      [UInt8(type >> 8), UInt8(type & 0xff), 0x80, 1, 0, 0, 0, 120, UInt8(data.count >> 8), UInt8(data.count & 0xff)]
        + data
    }
    let service = bytes.count  // "_ipp._tcp.local"
    bytes += label("_ipp") + label("_tcp") + label("local") + [0]
    let instance = bytes.count + 10  // in the pointer's data
    bytes += record(12, label("Acme 500 [3F2A.1]") + [0xC0, UInt8(service)])
    bytes += [0xC0, UInt8(instance)]
    let host = bytes.count + 10 + 6
    bytes += record(33, [0, 0, 0, 0, 0x02, 0x77] + label("NPI3F2A") + [0xC0, UInt8(service + 10)])
    bytes += [0xC0, UInt8(instance)]
    bytes += record(16, ["txtvers=1", "ty=Acme ColorJet 500", "rp=ipp/print", "TY=later", "flag"].flatMap(label))
    bytes += [0xC0, UInt8(host)]
    bytes += record(1, [192, 0, 2, 17])
    return bytes
  }()
}

@Suite struct `A DNS message` {
  @Test func `tells an announced printer whole`() throws {
    var announced = AnnouncedPrinters()
    announced.take(try #require(DNSMessage(PrinterResponse.bytes)))
    #expect(announced.missing == [])
    let printer = try #require(announced.printers.first)
    #expect(announced.printers.count == 1)
    #expect(printer.service == "_ipp._tcp")
    #expect(printer.instance == "Acme 500 [3F2A.1]")
    #expect(printer.host == "NPI3F2A.local")
    #expect(printer.port == 631)
    #expect(printer.address == IPv4Address("192.0.2.17"))
    #expect(printer.model == "Acme ColorJet 500")
    #expect(printer.attributes["rp"] == "ipp/print")
    #expect(printer.attributes["flag"] == nil)
  }

  @Test func `cut at any byte gives what came before, and what is missing is asked for`() {
    for length in 0..<PrinterResponse.bytes.count {
      let cut = DNSMessage(Array(PrinterResponse.bytes.prefix(length)))
      #expect((cut == nil) == (length < DNSMessage.headerBytes))
      var announced = AnnouncedPrinters()
      if let cut { announced.take(cut) }
      #expect(announced.printers.isEmpty)
      if cut?.records.isEmpty == false { #expect(!announced.missing.isEmpty) }
    }
  }

  @Test(arguments: [
    [0xC0, 12], [0xC0, 14, 0xC0, 12], [1, 0x61, 0xC0, 12], [0xC0, 0xFF], [0x80, 1, 0], [63],
    Array(repeating: 1, count: 600),
  ])
  func `with a name that loops, leads out of it or does not end gives no record`(name: [UInt8]) throws {
    let header: [UInt8] = [0, 0, 0x84, 0, 0, 0, 0, 1, 0, 0, 0, 0]
    let message = try #require(DNSMessage(header + name + [0, 1, 0, 1, 0, 0, 0, 0, 0, 4, 1, 2, 3, 4]))
    #expect(message.records == [])
  }

  @Test func `of random bytes never traps`() {
    var random = SystemRandomNumberGenerator()
    for _ in 0..<20_000 {
      var bytes = PrinterResponse.bytes
      for _ in 0..<Int.random(in: 1...8, using: &random) {
        bytes[Int.random(in: 0..<bytes.count, using: &random)] = UInt8.random(in: 0...255, using: &random)
      }
      var announced = AnnouncedPrinters()
      if let message = DNSMessage(bytes) { announced.take(message) }
      #expect(announced.printers.count <= 4)
    }
  }

  @Test func `asks for what it should`() throws {
    let query = DNSMessage.query(AnnouncedPrinters.questions, id: 7)
    let read = try #require(DNSMessage(query))
    #expect(!read.isResponse)
    #expect(read.questions == AnnouncedPrinters.questions)
    #expect(read.questions.map(\.name.description).contains("_pdl-datastream._tcp.local"))
  }

  @Test func `that is a query, or of another service, announces nothing`() throws {
    var announced = AnnouncedPrinters()
    var bytes = PrinterResponse.bytes
    bytes[2] = 0
    announced.take(try #require(DNSMessage(bytes)))
    bytes = PrinterResponse.bytes
    bytes[14] = UInt8(ascii: "x")
    announced.take(try #require(DNSMessage(bytes)))
    #expect(announced.printers.isEmpty)
    #expect(announced.missing.isEmpty)
  }
}
