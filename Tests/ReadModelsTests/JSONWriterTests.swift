import Foundation
import Testing

@testable import ReadModels

@Suite struct `JSON text` {
  @Test(arguments: [
    "", "plain", "quote \" backslash \\", "line\nfeed", "tab\tand\u{1}\u{1f}", "ünïcode 漢字 🖨", "\"", "\\\\",
  ])
  func `reads back as the string that was written`(text: String) throws {
    var json = JSONWriter()
    json.array([text]) { $0.string($1) }
    let read = try JSONSerialization.jsonObject(with: Data(json.take())) as? [String]
    #expect(read == [text])
  }

  @Test func `keeps members in the order in which they were written`() {
    var json = JSONWriter()
    json.object { json in
      json.member("b", 1)
      json.member("a", nil as String?)
      json.key("list")
      json.array([1, 2]) { $0.number($1) }
      json.key("inner")
      json.object { $0.member("z", "x") }
      json.key("yes")
      json.bool(true)
      json.key("none")
      json.number(Double.nan)
    }
    #expect(
      String(decoding: json.take(), as: UTF8.self) == #"{"b":1,"list":[1,2],"inner":{"z":"x"},"yes":true,"none":null}"#)
  }

  @Test(arguments: 0..<10)
  func `holds base64 as Foundation reads it`(count: Int) throws {
    let bytes = (0..<count).map { UInt8($0 * 29) }
    var json = JSONWriter()
    bytes.withUnsafeBytes { json.base64($0) }
    let text = String(decoding: json.take().dropFirst().dropLast(), as: UTF8.self)
    #expect(text == Data(bytes).base64EncodedString())
  }
}

@Suite struct `A time in UTC` {
  @Test(
    arguments: [
      (0, "1970-01-01T00:00:00.000Z"), (951_782_400_000, "2000-02-29T00:00:00.000Z"),
      (1_795_468_530_123, "2026-11-23T21:15:30.123Z"), (-1, "1969-12-31T23:59:59.999Z"),
      (4_102_444_799_999, "2099-12-31T23:59:59.999Z"),
    ] as [(Int64, String)])
  func `is written in full`(milliseconds: Int64, text: String) {
    #expect(UTCTime.text(milliseconds: milliseconds) == text)
    #expect(UTCTime.nanoseconds(text) == milliseconds * 1_000_000 || milliseconds < 0)
  }

  @Test(
    arguments: [
      ("2026-11-23", 1_795_392_000_000_000_000), ("2026-11-23T08:15", 1_795_421_700_000_000_000),
      ("2026-11-23 08:15:30.5Z", 1_795_421_730_500_000_000),
      ("2026-11-23T09:15+01:00", 1_795_421_700_000_000_000), ("2026-11-23T02:45:00-05:30", 1_795_421_700_000_000_000),
      ("2026-11-24T00:15+16:00", 1_795_421_700_000_000_000), ("1970-01-01T00:00+01:00", -3_600_000_000_000),
      ("2026-11-23t08:15:00.1234567891z", 1_795_421_700_123_456_789), ("2028-02-29", 1_835_395_200_000_000_000),
    ] as [(String, Int64)])
  func `is read in short forms and with offsets`(text: String, nanoseconds: Int64) {
    #expect(UTCTime.nanoseconds(text) == nanoseconds)
  }

  @Test(arguments: [
    "", "yesterday", "2026-13-01", "2026-11-23T25:00", "2026-11-23T08:15:30.", "12", "2026-11-23T08:15:61",
    "2026-02-29", "2026-04-31", "2026-1-05", "2026-+1-05", "2026-11-23T+8:15", "2026-11-23T08:15+1",
    "2026-11-23T08:15+01",
    "2026-11-23T08:15+0100", "2026-11-23T08:15+24:00", "2026-11-23T08:15+01:60", "2026-11-23T08:15Z+01:00",
    "2026-11-23Z",
    "2026-11-23T08:15:30.123456789x", "2026-11-23T08:15.5", "2026-11-23T08:15 +01:00", "2026-11-23T08:15+01:00x",
  ])
  func `is refused when it is none`(text: String) {
    #expect(UTCTime.nanoseconds(text) == nil)
  }
}

@Suite struct `A table` {
  @Test func `is as wide as its cells, with numbers to the right and nothing trailing`() {
    var table = TextTable([.init("NAME"), .init("N", .right), .init("")])
    table.add(["ä", "7"])
    table.add(["long name", "1234", "x"])
    #expect(table.text == "NAME          N\nä             7\nlong name  1234  x\n")
  }
}
