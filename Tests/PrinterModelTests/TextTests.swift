// Texts of devices: padding, character sets, IEEE 1284 device ids, names of enumerations.

internal import PrinterModel
internal import Testing

@Suite("Texts")
struct TextTests {
  @Test func `padding goes and is not kept`() {
    #expect(DeviceText(decoding: Array(" Ready \0\0".utf8), characterSet: nil) == DeviceText("Ready"))
    #expect(DeviceText(decoding: [0, 0x20, 0], characterSet: nil) == nil)
    #expect(DeviceText(decoding: [], characterSet: nil) == nil)
  }

  @Test func `a NUL inside ends a text, and the bytes are kept`() {
    let bytes = Array("Black\0\0garbage".utf8)
    #expect(DeviceText(decoding: bytes, characterSet: nil) == DeviceText("Black", raw: bytes))
    let padded = Array("Black \0Cyan".utf8)
    #expect(DeviceText(decoding: padded, characterSet: nil) == DeviceText("Black", raw: padded))
    let latin: [UInt8] = [0x47, 0x72, 0xFC, 0x6E, 0, 0xFF]
    #expect(DeviceText(decoding: latin, characterSet: .latin1) == DeviceText("Grün", raw: latin))
    let wide: [UInt8] = [0x41, 0, 0x34, 0]
    #expect(DeviceText(decoding: wide, characterSet: nil) == DeviceText("A4", raw: wide))
  }

  @Test func `a second line of a few pairs is a hexadecimal tail only with the NUL at its end`() {
    let head = "Paper size loade"
    for line in ["A4", "50", "38 33"] {
      let bytes = Array("\(head)\n\(line)".utf8)
      #expect(DeviceText(decoding: bytes, characterSet: nil)?.text == "\(head)\n\(line)")
    }
    #expect(DeviceText(decoding: Array("\(head)\n64 00 ".utf8), characterSet: nil)?.text == "Paper size loaded")
    #expect(DeviceText(decoding: Array("\(head)\n64 20 41 34".utf8), characterSet: nil)?.text == "Paper size loaded A4")
  }

  @Test func `valid UTF-8 is UTF-8, whatever the device declares`() {
    let text = DeviceText(decoding: Array("Größe".utf8), characterSet: .hpRoman8)
    #expect(text == DeviceText("Größe"))
  }

  @Test(arguments: [
    (4, [0x47, 0x72, 0xFC, 0x6E], "Grün"), (5, [0xB1, 0xE6], "ąć"), (8, [0xE1, 0xD5, 0xDB], "сел"),
    (10, [0xE1, 0xE2], "αβ"), (12, [0xFE, 0xFD], "şı"), (2004, [0xCC, 0xCE], "äö"), (2009, [0x84, 0x94], "äö"),
    (2252, [0x80, 0x93], "€\u{201C}"), (2251, [0xEF, 0xE5], "пе"), (111, [0xA4], "€"), (2084, [0xF3, 0xD0], "Сп"),
    (109, [0x4D, 0x61, 0xFE, 0x61, 0x73], "Mažas"), (17, [0x41, 0x83, 0x67, 0x83, 0x69], "Aトナ"),
    (18, [0xA5, 0xC8, 0xA5, 0xCA], "トナ"), (2025, [0xB4, 0xF2, 0xD3, 0xA1], "打印"), (113, [0xB4, 0xF2], "打"),
    (114, [0xB4, 0xF2], "打"), (2026, [0xA5, 0xB4], "打"), (38, [0xC5, 0xE4], "토"), (2259, [0xA1, 0xE0], "กเ"),
    (3, [0xFC], "ü"), (1, [0xFC], "ü"),
  ])
  func `other bytes are read in the declared set, and kept`(set: Int64, bytes: [UInt8], expected: String) throws {
    let text = try #require(DeviceText(decoding: bytes, characterSet: CharacterSet(rawValue: set)))
    #expect(text.text == expected)
    #expect(text.raw == bytes)
  }

  @Test func `a set of two bytes a character is believed where the bytes bear it out`() {
    let wide: [UInt8] = [0, 0x4F, 0, 0x4B, 0x27, 0x13, 0, 0]
    #expect(DeviceText(decoding: wide, characterSet: CharacterSet(rawValue: 1013))?.text == "OK✓")
    #expect(
      DeviceText(decoding: Array("Ready".utf8), characterSet: CharacterSet(rawValue: 1013)) == DeviceText("Ready"))
    #expect(DeviceText(decoding: [0, 0x20, 0, 0], characterSet: CharacterSet(rawValue: 1013)) == nil)
  }

  @Test func `nobody guesses at a set that is not known`() throws {
    let text = try #require(DeviceText(decoding: [0x41, 0xFC, 0x67], characterSet: CharacterSet(rawValue: 99_999)))
    #expect(text.raw == [0x41, 0xFC, 0x67])
    #expect(text.text == "A\u{FFFD}g")
  }

  @Test func `every byte has a text in every set of one byte a character`() {
    for set in [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 106, 109, 111, 2004, 2009, 2011, 2084, 2250, 2251, 2252, 99_999]
      as [Int64]
    {
      let text = CharacterSet(rawValue: set).decode(0...255)
      #expect(text.unicodeScalars.count == 256, "set \(set)")
      #expect(text.unicodeScalars.prefix(128).map(\.value) == Array(0...127))
    }
  }

  @Test func `no bytes end a conversion`() {
    var random = SystemRandomNumberGenerator()
    for set in (0...120).map(Int64.init) + (1000...1020) + (2000...2110) + (2250...2260) {
      for count in [1, 2, 3, 7, 40] {
        let bytes = (0..<count).map { _ in UInt8.random(in: .min ... .max, using: &random) }
        #expect(CharacterSet(rawValue: set).decode(bytes).utf8.count <= 8 * count + 8, "set \(set), \(bytes)")
      }
    }
  }

  @Test func `a device id is read by either spelling of its keys`() {
    let short = DeviceIDString("MFG:EPSON;CMD:ESCPL2,BDC;MDL:WF-1;CLS:PRINTER;SN:5838394142303132;")
    #expect(short.manufacturer == "EPSON")
    #expect(short.model == "WF-1")
    #expect(short.serialNumber == "X89AB012")
    #expect(short.deviceClass == "PRINTER")
    let long = DeviceIDString("MANUFACTURER:Example;MODEL:A:B;CLASS:printer")
    #expect(long.model == "A:B")
    #expect(long.deviceClass == "PRINTER")
    #expect(DeviceIDString("no fields") == DeviceIDString(""))
  }

  @Test func `the codes of finishers are regular`() {
    #expect(EnumerationNames.alertCode(30_203) == "staplerCoverOpen")
    #expect(EnumerationNames.alertCode(30_211) == "staplerLifeOver")
    #expect(EnumerationNames.alertCode(30_807) == "puncherConfigurationChange")
    #expect(EnumerationNames.alertCode(30_201) == nil)
    #expect(EnumerationNames.alertCode(31_900) == nil)
    #expect(EnumerationNames.alertCode(-1) == nil)
    #expect(EnumerationNames.alertCode(1_111_111) == nil)
  }

  @Test func `power-save alerts are told from real ones`() {
    var alert = PrinterAlert(row: RowIndex([1, 1]))
    alert.severity = 1
    alert.group = 5
    alert.code = -1
    #expect(alert.isPowerState)
    alert.severity = 0
    alert.group = 0
    alert.code = 0
    alert.description = DeviceText("Sleep")
    #expect(alert.isPowerState && !alert.isVacant)
    alert.code = 8
    #expect(!alert.isPowerState)
  }
}
