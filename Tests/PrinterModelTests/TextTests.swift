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

  @Test func `valid UTF-8 is UTF-8, whatever the device declares`() {
    let text = DeviceText(decoding: Array("Größe".utf8), characterSet: .hpRoman8)
    #expect(text == DeviceText("Größe"))
  }

  @Test(arguments: [
    (4, [0x47, 0x72, 0xFC, 0x6E], "Grün"), (5, [0xB1, 0xE6], "ąć"), (8, [0xE1, 0xD5, 0xDB], "сел"),
    (10, [0xE1, 0xE2], "αβ"), (12, [0xFE, 0xFD], "şı"), (2004, [0xCC, 0xCE], "äö"), (2009, [0x84, 0x94], "äö"),
    (2252, [0x80, 0x93], "€\u{201C}"), (2251, [0xEF, 0xE5], "пе"), (111, [0xA4], "€"),
  ])
  func `other bytes are read in the declared set, and kept`(set: Int64, bytes: [UInt8], expected: String) throws {
    let text = try #require(DeviceText(decoding: bytes, characterSet: CharacterSet(rawValue: set)))
    #expect(text.text == expected)
    #expect(text.raw == bytes)
  }

  @Test func `a set of several bytes a character is kept raw`() throws {
    let text = try #require(DeviceText(decoding: [0x41, 0x83, 0x67], characterSet: CharacterSet(rawValue: 17)))
    #expect(text.raw == [0x41, 0x83, 0x67])
    #expect(text.text == "A\u{FFFD}g")
  }

  @Test func `every byte has a text in every set`() {
    for set in [3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 17, 106, 111, 2004, 2009, 2011, 2250, 2251, 2252, 99_999] as [Int64] {
      let text = CharacterSet(rawValue: set).decode(0...255)
      #expect(text.unicodeScalars.count == 256)
      #expect(text.unicodeScalars.prefix(128).map(\.value) == Array(0...127))
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
