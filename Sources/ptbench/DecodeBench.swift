// How many answers a second the decoder reads on one core, what that allocates, and how long the interpretation of a whole walk takes.
// The answers are those in which GetBulk would bring a recorded walk.

internal import ArgumentParser
internal import Glibc
internal import MIB
internal import PrinterModel
internal import SNMP

struct DecodeBench: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "decode", abstract: "Decodes the answers that bring a walk, and interprets the walk.")

  @Option(help: "A walk, a .snmprec file.") var walk: String
  @Option(help: "Bindings of an answer.") var bindings = 32
  @Option(help: "Times that the walk is decoded and interpreted.") var rounds = 2_000

  func validate() throws {
    guard bindings > 0, rounds > 0 else { throw ValidationError("bindings and rounds are at least 1") }
  }

  func run() throws {
    let walk = SNMPRec.parse(try Self.contents(of: walk)).walk
    guard !walk.isEmpty else { throw ValidationError("the walk has no objects") }
    let datagrams = stride(from: 0, to: walk.bindings.count, by: bindings).map { start in
      let part = walk.bindings[start..<min(start + bindings, walk.bindings.count)]
      let pdu = PDU(.response, requestID: Int32(start + 1), bindings: Array(part))
      return Message(version: .v2c, community: Array("public".utf8), pdu: pdu).encoded()
    }
    try decode(datagrams, bindings: walk.bindings.count)
    interpret(walk)
  }

  private func decode(_ datagrams: [[UInt8]], bindings: Int) throws {
    var read = 0
    let measured = try Measured {
      for _ in 0..<rounds {
        for datagram in datagrams { read += try Message(decoding: datagram).pdu.bindings.count }
      }
    }
    guard read == 2 * rounds * bindings else { throw ValidationError("not every binding came back") }
    // Both times that it ran.
    read /= 2
    let messages = Double(rounds * datagrams.count)
    print(
      #"{"benchmark":"decode","messages_per_second":\#(Int(messages / measured.seconds)),"#
        + #""bindings_per_second":\#(Int(Double(read) / measured.seconds)),"bindings_per_message":\#(self.bindings),"#
        + #""bytes":\#(datagrams.joined().count),"allocations_per_message":\#(measured.allocations(per: messages)),"#
        + #""allocations_per_binding":\#(measured.allocations(per: Double(read)))}"#)
  }

  private func interpret(_ walk: Walk) {
    var meters = 0
    let measured = Measured {
      for _ in 0..<rounds { meters += Interpretation.read(walk).meters.count }
    }
    print(
      #"{"benchmark":"interpret","objects":\#(walk.bindings.count),"meters":\#(meters / rounds / 2),"#
        + #""microseconds":\#(measured.seconds / Double(rounds) * 1e6),"allocations":\#(measured.allocations(per: Double(rounds)))}"#
    )
  }

  private static func contents(of path: String) throws -> [UInt8] {
    guard let file = fopen(path, "rb") else {
      throw ValidationError("could not open \(path): \(String(cString: strerror(errno)))")
    }
    defer { fclose(file) }
    var contents: [UInt8] = []
    var portion = [UInt8](repeating: 0, count: 1 << 16)
    while case let count = fread(&portion, 1, portion.count, file), count > 0 { contents += portion[..<count] }
    return contents
  }
}

/// Processor time and allocations of something that ran.
private struct Measured {
  /// Calls of the allocator; nil where AllocationCounter was not preloaded.
  private let calls: UInt64?
  let seconds: Double

  init(_ body: () throws -> Void) rethrows {
    try body()  // Once to warm up.
    let (calls, start) = (Self.calls(), Self.processorSeconds())
    try body()
    seconds = Self.processorSeconds() - start
    self.calls = Self.calls().flatMap { after in calls.map { after - $0 } }
  }

  /// As JSON: `null` where nobody counted.
  func allocations(per count: Double) -> String { calls.map { "\(Double($0) / count)" } ?? "null" }

  private static func processorSeconds() -> Double {
    var now = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now)
    return Double(now.tv_sec) + Double(now.tv_nsec) / 1e9
  }

  private static func calls() -> UInt64? {
    guard let symbol = dlsym(dlopen(nil, RTLD_NOW), "allocation_counter_calls") else { return nil }
    return unsafeBitCast(symbol, to: (@convention(c) () -> UInt64).self)()
  }
}
