// What a hub sets: inherited by the nearest place, checked by the readers of ptagent.toml, and laid over what the site's file leaves open.

import AlertRules
import Discovery
import Settings
import Testing

private func settings(_ values: [String: String]) -> [Setting] {
  values.map { Setting(key: $0.key, value: $0.value) }.sorted { $0.key < $1.key }
}

@Suite struct `Settings are inherited` {
  private let acme = SettingOrigin.entity("Acme")
  private let berlin = SettingOrigin.entity("Berlin")
  private let install = SettingOrigin.install("7b0c")

  /// The layers from the root on, and what counts: key, value, and the number of the layer that it is of.
  private static let table: [(layers: [[String: String]], effective: [String: (String, Int)])] = [
    ([[:], [:], [:]], [:]),
    ([["poll.interval": "\"1h\""], [:], [:]], ["poll.interval": ("\"1h\"", 0)]),
    ([["poll.interval": "\"1h\""], ["poll.interval": "\"30m\""], [:]], ["poll.interval": ("\"30m\"", 1)]),
    (
      [["poll.interval": "\"1h\""], ["poll.interval": "\"30m\""], ["poll.interval": "\"5m\""]],
      ["poll.interval": ("\"5m\"", 2)]
    ),
    (
      [["poll.interval": "\"1h\"", "journal.keep": "\"30d\""], [:], ["poll.interval": "\"5m\""]],
      ["poll.interval": ("\"5m\"", 2), "journal.keep": ("\"30d\"", 0)]
    ),
    // Keys of a group are taken together.
    (
      [["discovery.sweep_interval": "\"1d\""], ["discovery.sweep_times": "[\"06:00\"]"], [:]],
      ["discovery.sweep_times": ("[\"06:00\"]", 1)]
    ),
    (
      [
        ["discovery.sweep_times": "[\"06:00\"]", "discovery.sweep_days": "[\"mon\"]"], [:],
        ["discovery.sweep_times": "[\"07:00\"]"],
      ], ["discovery.sweep_times": ("[\"07:00\"]", 2)]
    ),
    (
      [["discovery.ranges": "[\"10.0.0.0/24\"]", "poll.interval": "\"1h\""], ["discovery.max_hops": "2"], [:]],
      ["discovery.max_hops": ("2", 1), "poll.interval": ("\"1h\"", 0)]
    ),
    // A key of a later release counts for nothing here.
    ([["poll.colour": "1"], [:], [:]], [:]),
  ]

  @Test(arguments: table.indices) func `by the nearest place`(row: Int) {
    let origins = [acme, berlin, install]
    let layers = zip(origins, Self.table[row].layers).map { SettingsLayer($0, settings($1)) }
    let effective = SettingsInheritance.effective(layers)
    #expect(effective.map(\.key.name) == Self.table[row].effective.keys.sorted())
    for setting in effective {
      #expect(setting.value == Self.table[row].effective[setting.key.name]?.0)
      #expect(setting.origin == Self.table[row].effective[setting.key.name].map { origins[$0.1] })
    }
  }
}

@Suite struct `A hub's settings` {
  private static let device = "000102030405060708090a0b0c0d0e0f"

  private func file(_ text: String) throws -> AgentConfiguration {
    try AgentConfiguration.parse(text, file: "/etc/printtrail/ptagent.toml")
  }

  @Test func `are written as people write them, and kept in one form`() {
    func value(_ key: String, _ text: String) -> String? {
      SettingKey.named(key).map { $0.value(written: text) }.flatMap(SettingKey.canonical)
    }
    #expect(value("poll.interval", "10m") == "\"10m\"")
    #expect(value("poll.interval", "'10m'") == "\"10m\"")
    #expect(value("alerts.low_supply", "15") == "15")
    #expect(value("discovery.ipp", "false") == "false")
    #expect(value("discovery.exclusions", "10.0.0.5, 10.0.0.7") == "[\"10.0.0.5\", \"10.0.0.7\"]")
    #expect(value("discovery.exclusions", "") == "[]")
    #expect(
      value("discovery.ranges", "[ {range=\"10.0.0.0/24\",credentials=['office']} ]")
        == "[{ credentials = [\"office\"], range = \"10.0.0.0/24\" }]")
    #expect(value("delivery.mode", "a \"b\\\u{1}") == "\"a \\\"b\\\\\\u0001\"")
    // Nothing reaches beyond its own value.
    for bad in ["1\n[hub]\ncsr = \"x:1\"", "1\rb = 2", "", "1 2", "\"a\" b", "# nothing", "1, b = 2"] {
      #expect(SettingKey.canonical(bad) == nil, "\(bad)")
    }
  }

  @Test func `have one text and one digest, wherever these are made`() {
    let set = SettingsSet(
      version: 7, values: settings(["poll.interval": "\"10m\"", "alerts.low_supply": "15"]),
      devices: [DeviceSettings(device: Self.device, values: settings(["alerts.low_supply": "25"]))])
    #expect(
      set.text == "alerts.low_supply = 15\npoll.interval = \"10m\"\n[\(Self.device)]\nalerts.low_supply = 25\n")
    // printf ... | sha256sum
    #expect(
      set.digest.map { ($0 < 16 ? "0" : "") + String($0, radix: 16) }.joined()
        == "b613917a927599bb00fe44e9a7e48ba2d70d5279fdb33d285b5efc2e22964753")
    var other = set
    other.version = 8
    #expect(other.digest == set.digest)
    other.values[0].value = "16"
    #expect(other.digest != set.digest)
  }

  @Test func `hold where the file says nothing, and the file wins where it does`() throws {
    let site = try file("[poll]\ninterval = \"20m\"\n[alerts]\nlow_supply = 20\n")
    let set = SettingsSet(
      version: 3,
      values: settings([
        "poll.interval": "\"5m\"", "poll.retire_after": "\"60d\"", "alerts.low_supply": "15",
        "alerts.maintenance_part": "8", "delivery.mode": "\"normal\"", "journal.keep": "\"30d\"",
      ]))
    let layered = try site.layered(with: set)
    #expect(layered.overridden.sorted() == ["alerts.low_supply", "poll.interval"])
    let configuration = layered.configuration
    #expect(configuration.poll.interval == .seconds(1_200))
    #expect(configuration.poll.retireAfter == .seconds(60 * 86_400))
    #expect(configuration.rules.thresholds.lowSupply == 20)
    #expect(configuration.rules.thresholds.maintenancePart == 8)
    #expect(configuration.delivery.mode == .normal)
    #expect(configuration.journal.keep == .seconds(30 * 86_400))
    let explained = configuration.explanation(with: set)
    func origin(_ key: String) -> ExplainedSetting.Origin? { explained.first { $0.key.name == key }?.origin }
    #expect(origin("poll.interval") == .file(line: 2))
    #expect(origin("poll.retire_after") == .hub(version: 3))
    #expect(origin("poll.concurrency") == .preset)
    #expect(explained.first { $0.key.name == "poll.retire_after" }?.value == "\"60d\"")
    // What was set before and is not in the next set is set no more.
    let next = try site.layered(with: SettingsSet(version: 4)).configuration
    #expect(next.poll.retireAfter == PollSettings().retireAfter && next.delivery.mode == .service)
  }

  @Test func `forbid beside the file, and never allow what it forbids`() throws {
    let site = try file("[discovery]\nranges = [\"10.0.0.0/24\"]\ndo_not_touch = [\"10.0.0.9\"]\n")
    let set = SettingsSet(
      version: 1, values: settings(["discovery.do_not_touch": "[\"10.0.0.8\"]", "discovery.exclusions": "[]"]))
    let layered = try site.layered(with: set)
    #expect(layered.overridden.isEmpty)
    #expect(layered.configuration.discovery.doNotTouch.map(\.description) == ["10.0.0.9", "10.0.0.8"])
    let explained = layered.configuration.explanation(with: set)
    #expect(explained.first { $0.key.name == "discovery.do_not_touch" }?.origin == .fileAndHub(version: 1))
  }

  @Test func `give way as a group where the file decides about one of it`() throws {
    let site = try file("[discovery]\nranges = [\"10.0.0.0/24\"]\nsweep_interval = \"2h\"\n")
    let set = SettingsSet(
      version: 1,
      values: settings([
        "discovery.max_hops": "3", "discovery.sweep_times": "[\"06:00\"]", "discovery.sweep_days": "[\"mon\"]",
      ]))
    let layered = try site.layered(with: set)
    #expect(layered.overridden == ["discovery.max_hops", "discovery.sweep_days", "discovery.sweep_times"])
    #expect(layered.configuration.discovery.sweepTimetable == nil)
    #expect(layered.configuration.discovery.sweepInterval == .seconds(7_200))
  }

  @Test func `of a device are narrower than those of all, and the file's are narrower still`() throws {
    let site = try file("[[alerts.device]]\ndevice = \"\(Self.device)\"\nunreachable_after = \"2d\"\n")
    let set = SettingsSet(
      version: 1, values: settings(["alerts.low_supply": "15"]),
      devices: [
        DeviceSettings(
          device: Self.device, values: settings(["alerts.low_supply": "25", "alerts.unreachable_after": "\"3d\""]))
      ])
    let rules = try site.layered(with: set).configuration.rules
    #expect(rules.thresholds.lowSupply == 15)
    #expect(rules.devices.map(\.change.lowSupply) == [25, nil])
    #expect(rules.devices.last?.change.unreachableAfter == .seconds(2 * 86_400))
    // Where the site has set it for all, it has set it for this one.
    let pinned = try file("[alerts]\nlow_supply = 30\n").layered(with: set).configuration.rules
    #expect(pinned.thresholds.lowSupply == 30 && pinned.devices.map(\.change.lowSupply) == [nil])
  }

  @Test(arguments: [
    ("poll.intervall", "\"5m\"", "poll.intervall", "\"poll.interval\", or one of the keys"),
    ("hub.csr", "\"evil.test:1\"", "hub.csr", "one of the keys that a hub may set"),
    ("proxy.address", "\"evil.test:1\"", "proxy.address", "one of the keys that a hub may set"),
    ("credentials.office", "{ kind = \"v2c\" }", "credentials.office", "one of the keys that a hub may set"),
    ("journal.directory", "\"/\"", "journal.directory", "one of the keys that a hub may set"),
    ("poll.interval", "\"0s\"", "poll.interval", "a duration such as"),
    ("poll.interval", "5", "poll.interval", "a duration such as"),
    ("poll.interval", "5m", "poll.interval", "one value as TOML has it"),
    ("alerts.low_supply", "91", "alerts.low_supply", "a whole number from 0 to 90"),
    ("delivery.mode", "\"quiet\"", "delivery.mode", "one of \"service\", \"normal\""),
    ("discovery.sweep_days", "[\"mon\"]", "discovery.sweep_days", "sweep_times beside it"),
    ("discovery.ranges", "[\"224.0.0.1\"]", "discovery.ranges[0]", "addresses below 224.0.0.0"),
    (
      "discovery.ranges", "[{ range = \"10.0.0.0/24\", credentials = [\"offce\"] }]",
      "discovery.ranges[0].credentials[0]", "a name that has a table [credentials.offce], perhaps \"office\""
    ),
  ]) func `are refused whole where one of them is wrong`(
    key: String, value: String, place: String, expected: String
  ) throws {
    let site = try file("[credentials.office]\nkind = \"v2c\"\ncommunity = \"s3cret\"\n")
    let set = SettingsSet(version: 9, values: settings([key: value, "journal.keep": "\"30d\""]))
    let problems = #expect(throws: ConfigurationProblems.self) { try site.layered(with: set) }
    #expect(problems?.problems.map(\.key) == [place])
    #expect(problems?.problems.first?.expected.contains(expected) == true, "\(String(describing: problems))")
    #expect(problems?.description.contains("s3cret") == false)
    #expect(problems?.description.hasPrefix("hub settings, version 9: ") == true)
  }

  @Test func `of devices are refused with the device`() throws {
    for (key, value, place, expected) in [
      ("alerts.low_supply", "\"x\"", "alerts.low_supply of device \(Self.device)", "a whole number"),
      (
        "poll.interval", "\"5m\"", "poll.interval of device \(Self.device)",
        "one of the keys that may be set of a device"
      ),
    ] {
      let set = SettingsSet(
        version: 1, devices: [DeviceSettings(device: Self.device, values: settings([key: value]))])
      #expect(set.problems().map(\.key) == [place])
      #expect(set.problems().first?.expected.hasPrefix(expected) == true)
    }
    let twice = SettingsSet(
      version: 1,
      devices: [DeviceSettings(device: Self.device, values: []), DeviceSettings(device: Self.device, values: [])])
    #expect(twice.problems().map(\.found) == ["it twice"])
    let repeated = SettingsSet(
      version: 1,
      values: [Setting(key: "alerts.low_supply", value: "1"), Setting(key: "alerts.low_supply", value: "2")])
    #expect(repeated.problems().map(\.found) == ["it twice"])
  }

  @Test func `are looked at by a hub without knowing the site's credentials`() {
    let named = "[{ range = \"10.0.0.0/24\", credentials = [\"office\"] }]"
    #expect(SettingsSet(version: 1, values: settings(["discovery.ranges": named])).problems().isEmpty)
    let large = SettingsSet(
      version: 1, values: [Setting(key: "discovery.exclusions", value: String(repeating: "x", count: 200_000))])
    #expect(large.problems().map(\.found) == ["200024 bytes"])
  }

  @Test func `may be anything that a broken hub sends`() throws {
    let nasty = [
      String(repeating: "[", count: 10_000), String(repeating: "{a=", count: 5_000), "1e400", "nan", "-inf",
      "9223372036854775808", "0x", "\"\\u{D800}\"", "\"\\ud800\"", "\"\\UFFFFFFFF\"", "'''a''", "\"\"\"",
      "[1, \"a\", {}]",
      "1979-05-27T07:32:00Z", "\u{0}", "\u{FEFF}1", "{ a = 1, a = 2 }", "{ a.b = 1, a = 2 }", "[[1], [2]]",
    ]
    var generator = Xorshift(state: 0x5eed)
    let letters = Array("[]{}\"'=,.#\\\n\t 019aeinftruls-+_:ä")
    let random = (0..<3_000).map { _ in
      String(
        (0..<Int.random(in: 0...24, using: &generator)).map { _ in letters.randomElement(using: &generator) ?? " " })
    }
    let site = try file("[poll]\ninterval = \"20m\"\n")
    for value in nasty + random {
      let key = SettingKey.all.randomElement(using: &generator)?.name ?? ""
      let set = SettingsSet(
        version: 1, values: [Setting(key: key, value: value)],
        devices: [DeviceSettings(device: value, values: [Setting(key: "alerts.low_supply", value: value)])])
      let layered = try? site.layered(with: set)
      // Whatever it was, the file's word stands; and what is taken is kept in a form that means the same.
      #expect(layered?.configuration.poll.interval ?? .seconds(1_200) == .seconds(1_200))
      if let canonical = SettingKey.canonical(value) {
        #expect(SettingKey.canonical(canonical) == canonical, "\(value)")
      }
    }
  }

  @Test func `have a value for each key, as the defaults have it`() {
    let defaults = AgentConfiguration()
    #expect(SettingKey.all.map(\.name) == SettingKey.all.map(\.name).sorted())
    let without = SettingKey.all.filter { defaults.value(of: $0) == nil }.map(\.name)
    #expect(
      without == [
        "delivery.check_in_interval", "discovery.do_not_touch", "discovery.exclusions", "discovery.ranges",
        "discovery.sweep_days", "discovery.sweep_times",
      ])
    // Every one of them is right as a setting, too.
    for key in SettingKey.all {
      guard let value = defaults.value(of: key) else { continue }
      #expect(SettingsSet(version: 1, values: [Setting(key: key.name, value: value)]).problems().isEmpty, "\(key)")
    }
  }
}

/// Marsaglia's xorshift: the same numbers in each run.
private struct Xorshift: RandomNumberGenerator {
  var state: UInt64

  mutating func next() -> UInt64 {
    state ^= state << 13
    state ^= state >> 7
    state ^= state << 17
    return state
  }
}
