// Fleet and model files: what they mean, and what a mistake in one is answered with.

import MIB
import Testing

@testable import PrinterSimulator

struct FleetFileTests {
  private static let header = "models = \"\(Fixtures.folder)/devices\"\n"

  private func fleet(_ text: String) throws -> Fleet { try Fleet.parse(Self.header + text, file: "fleet.toml") }

  @Test func `the demo fleet has at least 25 printers of 8 vendors in all versions`() throws {
    let fleet = try Fleet.load(file: Fixtures.folder + "/fleets/demo.toml")
    let devices = fleet.devices()
    #expect(fleet.plans.count >= 25)
    #expect(Set(devices.compactMap { $0.printer?.model.vendor }).count >= 8)
    #expect(Set(devices.compactMap { $0.printer?.identity.serial }).count == fleet.plans.count)
    #expect(fleet.plans.contains { $0.spoken == [.v1] })
    #expect(fleet.plans.contains { $0.spoken == [.v3] && $0.contextName == "Jetdirect" })
    #expect(fleet.plans.contains { $0.communities == ["frontdesk"] })
    #expect(Set(fleet.plans.flatMap(\.userNames)) == ["monitor", "fleet", "legacy", "open"])
    #expect(fleet.port > 1023)
  }

  @Test func `the thousand fleet has a thousand printers on a block`() throws {
    let fleet = try Fleet.load(file: Fixtures.folder + "/fleets/thousand.toml")
    #expect(fleet.plans.count == 1000)
    #expect(fleet.plans.first?.address.description == "127.21.0.1")
    #expect(fleet.plans.last?.address.description == "127.21.3.232")
  }

  static let mistakes: [(String, Int?, String, String)] = [
    ("[[printers]]\naddress = \"127.0.0.300\"\nmodel = \"canon-lbp325\"", 3, "printers[1].address", "IPv4"),
    ("[[printers]]\naddress = \"127.0.0.3\"\nmodel = \"canon\"", 4, "printers[1].model", "no model 'canon'"),
    ("[[printers]]\naddress = \"127.0.0.3\"", 2, "printers[1].model", "model, walk and ipp_file"),
    ("port = \"x\"", 2, "port", "whole number"),
    ("port = 70000", 2, "port", "0 to 65535"),
    ("prot = 1", 2, "prot", "unknown key"),
    (
      "[[printers]]\naddress = \"127.0.0.3\"\nmodel = \"canon-lbp325\"\n\nfaults = [\"boom\"]", 6, "printers[1].faults",
      "boom"
    ),
    (
      "[[printers]]\naddress = \"127.0.0.3\"\nmodel = \"canon-lbp325\"\nusers = [\"x\"]", 5, "printers[1].users",
      "named 'x'"
    ),
    (
      "[[printers]]\naddress = \"127.0.0.3\"\nmodel = \"canon-lbp325\"\nversions = [\"v2c\"]", 5,
      "printers[1].versions", "nobody"
    ),
    (
      "[[users]]\nname = \"a\"\nauthentication = \"md5\"\nauthentication_password = \"short\"", 3, "users[1].name",
      "8 bytes"
    ),
    ("[[users]]\nname = \"a\"\nauthentication = \"rot13\"", 4, "users[1].authentication", "sha256"),
    ("[[patterns]]\naddresses = \"127.0.0.0/8\"\ncount = 5\nmodels = []", 3, "patterns[1].addresses", "/16"),
    (
      "[[patterns]]\naddresses = \"127.0.0.0/30\"\ncount = 3\nmodels = [\"canon-lbp325\"]", 4, "patterns[1].count",
      "do not fit"
    ),
    ("seed = 4", nil, "", "no device"),
    ("port = = 1", 2, "", "not valid TOML"),
  ]

  @Test(arguments: mistakes)
  func `a mistake is told with its file, line, key and what was expected`(
    text: String, line: Int?, key: String, words: String
  ) throws {
    let error = #expect(throws: SettingsError.self) { try fleet(text) }
    #expect(error?.file == "fleet.toml")
    #expect(error?.line == line)
    #expect(error?.key == key)
    #expect(error?.message.contains(words) == true, "\(error?.message ?? "")")
  }

  @Test func `an address used twice is a mistake`() throws {
    let row = "[[printers]]\naddress = \"127.0.0.3\"\nmodel = \"canon-lbp325\"\n"
    let error = #expect(throws: SettingsError.self) { try fleet(row + row) }
    #expect(error?.message.contains("127.0.0.3 is used twice") == true)
  }

  @Test func `a missing file says so`() throws {
    let error = #expect(throws: SettingsError.self) { try Fleet.load(file: "/nonexistent/fleet.toml") }
    #expect(error?.description == "/nonexistent/fleet.toml: the file could not be read; expected a readable TOML file")
  }

  @Test func `a mistake in an inline row is told with the row's line`() throws {
    let text = "supplies = [\n  { index = 1 },\n  { index = 2, colour = 3 },\n]"
    let document = try SettingsDocument(file: "m.toml", text: text)
    let row = try SettingsTable(document).tables("supplies")[1]
    let error = #expect(throws: SettingsError.self) { try row.allowOnly("index") }
    #expect(error?.description == "m.toml:3: supplies[2].colour: unknown key; expected one of index")
  }

  @Test func `a model that contradicts itself is refused`() throws {
    let good = """
      vendor = "V"
      product = "P"
      serial = "S#"
      mac = "02:00:00"
      inputs = [{ index = 1, name = "T", capacity = 5 }]
      supplies = [{ index = 1, type = "toner", colorant = 1, description = "d", unit = 19, capacity = 100, yield = 50 }]
      [system]
      object_id = "1.3.6.1.4.1.1"
      description = "d"
      [host]
      description = "d"
      [usage]
      pages_per_minute = 1
      pages_per_day = 1

      """
    let colorant = "[[colorants]]\nindex = 1\nvalue = \"black\"\n"
    let error = #expect(throws: SettingsError.self) { try DeviceModel.parse(good, file: "m.toml", name: "m") }
    #expect(error?.message == "there is no [[colorants]] row 1")
    #expect(error?.line == 6)
    #expect(try DeviceModel.parse(good + colorant, file: "m.toml", name: "m").supplies.count == 1)
    let twice = colorant + colorant
    #expect(throws: SettingsError.self) { try DeviceModel.parse(good + twice, file: "m.toml", name: "m") }
    let objects = String(repeating: "[[objects]]\noid = \"1.3.6.1.4.1.1.1\"\ninteger = 1\n", count: 2)
    #expect(throws: SettingsError.self) { try DeviceModel.parse(good + colorant + objects, file: "m.toml", name: "m") }
  }
}
