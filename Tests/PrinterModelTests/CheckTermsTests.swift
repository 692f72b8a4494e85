import MIB
import Testing

@testable import PrinterModel

@Suite struct `An arithmetic check` {
  private func reading(_ walk: String) throws -> Reading { Interpretation.read(try Fixtures.walk(walk)) }

  private func names(of meter: String, in reading: Reading) throws -> [String] {
    let name = try #require(MeterName(meter))
    let meter = try #require(reading.meters.first { $0.name == name })
    return reading.checks(including: meter).map(\.name)
  }

  @Test(arguments: [
    ("total", ["total = print + copy + function 3 + fax", "vendor total = life count"]),
    ("print", ["total = print + copy + function 3 + fax", "print = monochrome + single colour + full colour"]),
    ("copy", ["total = print + copy + function 3 + fax"]),
    ("print.monochrome", ["print = monochrome + single colour + full colour"]),
    ("total#marker 3.1", ["vendor total = life count"]),
  ])
  func `includes its total and its parts, and no others`(meter: String, checks: [String]) throws {
    #expect(try names(of: meter, in: reading("colour-mfp")) == checks)
  }

  @Test func `includes a part that has no more than a number, by the name that it would have`() throws {
    var walk = try Fixtures.walk("colour-mfp")
    let functions: ObjectIdentifier = [1, 3, 6, 1, 4, 1, 1347, 42, 3, 1, 1, 1, 1]
    let total = try #require(Interpretation.read(walk).meters.first { $0.name == .total }?.value)
    for (function, value) in zip(UInt32(1)...4, [total - 7, 0, 5, 2]) {
      walk.set(functions.appending(function), .counter32(UInt32(value)))
    }
    let reading = Interpretation.read(walk)
    #expect(try names(of: "other#function 4", in: reading).contains("total = print + copy + function 3 + fax"))
  }

  @Test func `of a life count includes the marker's that stands for the device`() throws {
    var reading = try reading("several-markers")
    reading.checks = [ArithmeticCheck(name: ArithmeticCheck.vendorTotalName, expected: 1, actual: 1)]
    for meter in reading.meters {
      #expect(reading.checks(including: meter).isEmpty == (meter.name != .total))
    }
  }

  @Test func `whose profile is not there includes nothing that is known`() throws {
    let reading = try reading("colour-mfp")
    let print = try #require(reading.meters.first { $0.name == MeterName(.print) })
    #expect(reading.checks(including: print, profiles: .none) == [])
  }
}
