import Discovery
import Testing

@Suite struct AddressRangeTests {
  @Test(arguments: [
    ("10.0.0.7", ["10.0.0.7-10.0.0.7"]),
    ("10.0.0.1-10", ["10.0.0.1-10.0.0.10"]),
    (" 10.0.0.1 - 10.0.1.20 ", ["10.0.0.1-10.0.1.20"]),
    ("10.0.0.*", ["10.0.0.1-10.0.0.254"]),
    ("10.0.0.0-255", ["10.0.0.0-10.0.0.255"]),
    ("10.0.0-2.0-255", ["10.0.0.0-10.0.2.255"]),
    ("10.0.4-5.*", ["10.0.4.1-10.0.4.254", "10.0.5.1-10.0.5.254"]),
    ("10.0.0.7/24", ["10.0.0.1-10.0.0.254"]),
    ("10.0.0.0/30", ["10.0.0.1-10.0.0.2"]),
    ("10.0.0.0/31", ["10.0.0.0-10.0.0.1"]),
    ("10.0.0.9/32", ["10.0.0.9-10.0.0.9"]),
    ("10.1.2.3/8", ["10.0.0.1-10.255.255.254"]),
    ("255.255.255.255", ["255.255.255.255-255.255.255.255"]),
  ])
  func `every form is read as the addresses it stands for`(text: String, spans: [String]) throws {
    let range = try AddressRange(text)
    #expect(range.spans.map { "\(IPv4Address($0.lowerBound))-\(IPv4Address($0.upperBound))" } == spans)
  }

  @Test(arguments: [
    ("10.0.0.*", ["10.0.0.0-10.0.0.255"]),
    ("10.0.4-5.*", ["10.0.4.0-10.0.5.255"]),
    ("10.0.0.7/24", ["10.0.0.0-10.0.0.255"]),
    ("10.0.0.16/29", ["10.0.0.16-10.0.0.23"]),
    ("10.0.0.1-10", ["10.0.0.1-10.0.0.10"]),
  ])
  func `what is to be spared is spared whole, the first and the last address too`(text: String, spans: [String]) throws
  {
    let range = try AddressRange(text, for: .exclusion)
    #expect(range.spans.map { "\(IPv4Address($0.lowerBound))-\(IPv4Address($0.upperBound))" } == spans)
  }

  @Test func `a star in two octets covers every combination`() throws {
    let range = try AddressRange("10.*.3.*")
    #expect(range.spans.count == 256)
    #expect(AddressSet([range]).count == 256 * 254)
  }

  @Test(arguments: [
    ("10.0.0.300", "\"300\" is not an octet"),
    ("10.0.0.010", "\"010\" is not an octet"),
    ("10.0.0", "four octets"),
    ("10.0.0.9-3", "ends before it begins"),
    ("10.0.1.9-10.0.0.3", "ends before it begins"),
    ("10.0.0.1-10.0.0.300", "\"10.0.0.300\" is not an IPv4 address"),
    ("10.0.0.0/7", "from 8 to 32"),
    ("10.0.0.0/+24", "from 8 to 32"),
    ("10.0/16", "not an IPv4 address"),
    ("fe80::1", "IPv6"),
    ("*.1.1.1", "first octet"),
    ("10.*.*.3,5", "not an octet"),
    ("", "four octets"),
  ])
  func `an error names the problem and what was expected`(text: String, problem: String) throws {
    let error = #expect(throws: AddressRangeError.self) { try AddressRange(text) }
    #expect(error?.description.contains(problem) == true, "\(String(describing: error))")
    #expect(error?.description.contains("Expected 10.0.0.7, 10.0.0.1-10") == true)
  }

  @Test func `the widest pattern with holes comes apart into 65536 spans and one without holes stays whole`() throws {
    #expect(try AddressRange("10.*.*.1-3").spans.count == 65_536)
    #expect(try AddressRange("10.*.*.0-255").spans.count == 1)
  }
}

@Suite struct AddressSetTests {
  private func set(_ texts: String...) throws -> AddressSet { AddressSet(try texts.map { try AddressRange($0) }) }

  @Test func `an exclusion wins over every range that holds the address`() throws {
    let ranges = try ["10.0.0.0/28", "10.0.0.5"].map { try AddressRange($0) }
    let addresses = AddressSet(ranges, excluding: [try AddressRange("10.0.0.4-6")])
    #expect(addresses.map(\.description) == (1...14).filter { !(4...6).contains($0) }.map { "10.0.0.\($0)" })
    #expect(addresses.count == 11)
  }

  @Test func `a whole class A is counted and entered without being written out`() throws {
    let addresses = try set("10.0.0.0/8")
    #expect(addresses.count == 16_777_214)
    #expect(addresses.spans.count == 1)
    var iterator = addresses.makeIterator()
    #expect(iterator.next() == IPv4Address("10.0.0.1"))
  }

  @Test func `set operations agree with the same operations on lists of addresses`() {
    var random = SplitMix(state: 7)
    for _ in 0..<300 {
      let (left, right) = (randomSet(&random), randomSet(&random))
      let (a, b) = (Set(left.map(\.value)), Set(right.map(\.value)))
      #expect(left.union(right).map(\.value) == a.union(b).sorted())
      #expect(left.intersection(right).map(\.value) == a.intersection(b).sorted())
      #expect(left.subtracting(right).map(\.value) == a.subtracting(b).sorted())
      #expect(left.subtracting(right).count == a.subtracting(b).count)
      for value in UInt32(0)..<40 { #expect(left.contains(IPv4Address(value)) == a.contains(value)) }
    }
  }

  private func randomSet(_ random: inout SplitMix) -> AddressSet {
    AddressSet(
      (0..<Int.random(in: 0...6, using: &random)).compactMap { _ in
        let start = Int.random(in: 0..<36, using: &random)
        let end = min(39, start + Int.random(in: 0..<9, using: &random))
        return try? AddressRange("0.0.0.\(start)-\(end)")
      })
  }
}

@Suite struct EndpointTests {
  @Test func `an endpoint is read back from its own text`() {
    let endpoint = Endpoint(IPv4Address(0x0a00_0007), port: 1161)
    #expect(endpoint.description == "10.0.0.7:1161")
    #expect(Endpoint("10.0.0.7:1161") == endpoint)
    #expect(Endpoint("10.0.0.7") == Endpoint(endpoint.address, port: 161))
  }

  @Test(arguments: [
    "", "10.0.0.7:", "10.0.0.7:0", "10.0.0.7:65536", "10.0.0.7:1:2", "10.0.0.07", "10.0.0.+7", "a.b.c.d", "1.2.3",
  ])
  func `anything else is not an endpoint`(text: String) {
    #expect(Endpoint(text) == nil)
  }
}

/// A seeded generator, so that a failure can be had again.
struct SplitMix: RandomNumberGenerator {
  var state: UInt64
  mutating func next() -> UInt64 {
    state &+= 0x9e37_79b9_7f4a_7c15
    var z = state
    z = (z ^ z >> 30) &* 0xbf58_476d_1ce4_e5b9
    z = (z ^ z >> 27) &* 0x94d0_49bb_1331_11eb
    return z ^ z >> 31
  }
}
