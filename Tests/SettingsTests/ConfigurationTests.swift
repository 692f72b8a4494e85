// ptagent.toml: what is right is read as it is meant; what is wrong is told all at once, each with its line.

import AlertRules
import Settings
import Discovery
import Platform
import PrinterModel
import SNMP
import Testing

@Suite struct ConfigurationTests {
  static let hub = "[hub]\ncsr = \"hub.test:7443\"\nca_pin = \"sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"\n"

  @Test func `an empty file collects nothing and ships nothing, with every default in place`() throws {
    let configuration = try AgentConfiguration.parse("", file: "/etc/printtrail/ptagent.toml")
    #expect(configuration.hub == nil)
    #expect(configuration.journal.directory == "/var/lib/printtrail/journal")
    #expect(configuration.journal.sizeMax.written == "1GiB")
    #expect(configuration.discovery.ranges.isEmpty)
    #expect(configuration.discovery.packetsPerSecond == 250)
    #expect(configuration.discovery.sweepInterval.written == "1d")
    #expect(configuration.poll.interval.written == "30m")
    #expect(configuration.log.format == .logfmt)
  }

  @Test func `sweeps may have days and times, traps a port, and the machine's own networks a limit`() throws {
    let discovery = try AgentConfiguration.parse(
      "[discovery]\nsweep_days = [\"mon\", \"Thursday\"]\nsweep_times = [\"6:00\", \"13:30\"]\nmax_hops = 3\ntrap_port = 10162\n"
        + "dns_sd = false\n", file: "x"
    ).discovery
    #expect(discovery.sweepTimetable?.days == [.mon, .thu])
    #expect(discovery.sweepTimetable?.times.map(\.description) == ["06:00", "13:30"])
    #expect(discovery.hopsMax == 3)
    #expect(discovery.trapPort == 10_162)
    #expect(!discovery.browsesAnnouncements)
    let defaults = try AgentConfiguration.parse("", file: "x").discovery
    #expect(defaults.sweepTimetable == nil)
    #expect(defaults.hopsMax == 1)
    #expect(defaults.trapPort == nil)
    #expect(defaults.browsesAnnouncements)
    #expect(
      try AgentConfiguration.parse("[discovery]\nsweep_times = [\"0:00\"]", file: "x").discovery.sweepTimetable?.days
        .count == 7)
  }

  @Test func `the sample is a correct file that shows every key`() throws {
    let path = Files.parent(of: #filePath) + "/../../Fixtures/config/ptagent.toml"
    let configuration = try AgentConfiguration.load(path)
    #expect(configuration.hub?.csr == HostAndPort("hub.example.org:7443"))
    #expect(configuration.discovery.ranges.map(\.range.description) == ["10.1.0.0/24", "10.1.7.1-50"])
    #expect(configuration.discovery.ranges[0].credentials.map(\.name) == ["office", "public"])
    #expect(configuration.discovery.ranges[1].credentials == [.publicCommunity])
    #expect(configuration.discovery.ranges[0].credentials[0].credential.version == .v3)
    // Uncommented, the defaults that it shows are the defaults.
    let text = try Files.readText(path)
    let shown = text.split(separator: "\n", omittingEmptySubsequences: false).map { line in
      line.hasPrefix("# ") && line.contains(" = \"") || line.hasPrefix("# packets") || line.hasPrefix("# port")
        || line.hasPrefix("# concurrency") ? line.dropFirst(2) : line
    }.filter { !$0.hasPrefix("ca_file") }
    let defaults = try AgentConfiguration.parse(shown.joined(separator: "\n"), file: path)
    #expect(defaults.poll.interval == configuration.poll.interval)
    #expect(defaults.poll.concurrency == configuration.poll.concurrency)
    #expect(defaults.discovery.packetsPerSecond == configuration.discovery.packetsPerSecond)
    #expect(defaults.discovery.sweepInterval == configuration.discovery.sweepInterval)
    #expect(defaults.discovery.port == configuration.discovery.port)
    #expect(defaults.discovery.ipp && configuration.discovery.ipp)
    #expect(defaults.journal.sizeMax == configuration.journal.sizeMax)
    #expect(defaults.journal.directory == configuration.journal.directory)
    #expect(defaults.log.level == configuration.log.level)
    #expect(defaults.delivery.mode == .service && configuration.delivery.mode == .service)
  }

  @Test func `a proxy has an address, and a user with a password that nothing shows`() throws {
    func proxy(_ text: String) throws -> ProxySettings? {
      try AgentConfiguration.parse("[proxy]\n" + text, file: "/nowhere/x").proxy
    }
    #expect(try AgentConfiguration.parse("", file: "x").proxy == nil)
    #expect(try proxy("address = \"proxy.test:3128\"") == ProxySettings(address: HostAndPort("proxy.test:3128")!))
    let settings = try proxy("address = \"proxy.test:3128\"\nuser = \"dealer\"\npassword = \"s3cret: word\"")
    #expect(settings?.credentials == .init(user: "dealer", password: "s3cret: word"))
    #expect(settings.map { "\($0)" } == "proxy.test:3128 as dealer")
    for (wrong, key) in [
      ("", "proxy.address"), ("address = \"proxy.test\"", "proxy.address"),
      ("address = \"p:1\"\nuser = \"a:b\"\npassword = \"s3cret\"", "proxy.user"),
      ("address = \"p:1\"\nuser = \"a\"", "proxy.password"),
      ("address = \"p:1\"\nuser = \"a\"\npassword = \"s3cret\\nline\"", "proxy.password"),
      ("address = \"p:1\"\npassword = \"s3cret\"", "proxy.user"),
      ("address = \"p:1\"\nuser = \"a\"\npassword_file = \"none\"", "proxy.password_file"),
      ("address = \"p:1\"\nport = 1", "proxy.port"),
    ] {
      let problems = #expect(throws: ConfigurationProblems.self) { try proxy(wrong) }
      #expect(problems?.problems.map(\.key) == [key], "\(wrong)")
      #expect(problems?.description.contains("s3cret") == false)
    }
  }

  @Test func `normal mode is a choice, and its interval has bounds`() throws {
    func delivery(_ text: String) throws -> DeliverySettings {
      try AgentConfiguration.parse("[delivery]\n" + text, file: "x").delivery
    }
    #expect(try delivery("").checkInInterval == nil)
    let settings = try delivery("mode = \"normal\"\ncheck_in_interval = \"30m\"")
    #expect(settings.mode == .normal && settings.checkInInterval == .seconds(1_800))
    for wrong in ["mode = \"polite\"", "check_in_interval = \"2d\"", "check_in_interval = \"1s\"", "interval = \"5m\""]
    {
      #expect(throws: ConfigurationProblems.self) { try delivery(wrong) }
    }
  }

  @Test func `IPP is asked unless it is switched off in so many words`() throws {
    func parsed(_ value: String) throws -> AgentConfiguration {
      try AgentConfiguration.parse("[discovery]\nipp = \(value)", file: "ptagent.toml")
    }
    #expect(try !parsed("false").discovery.ipp)
    #expect(try parsed("true").discovery.ipp)
    #expect(throws: (any Error).self) { try parsed("\"no\"") }
  }

  @Test(arguments: [
    ("10.0.0.7", 1, 1), ("10.0.0.1-10", 10, 10), ("10.0.0.1-10.0.1.20", 276, 276), ("10.0.0.*", 254, 256),
    ("10.0.0.0/24", 254, 256), ("10.0.0.4/31", 2, 2),
  ])
  func `every form of a range is understood, in ranges as in exclusions`(
    text: String, addresses: Int, spared: Int
  ) throws {
    let configuration = try AgentConfiguration.parse(
      """
      [discovery]
      ranges = [{ range = "\(text)" }, "192.168.7.7"]
      exclusions = ["\(text)"]
      do_not_touch = ["\(text)"]
      """, file: "ptagent.toml")
    let discovery = configuration.discovery
    #expect(AddressSet([discovery.ranges[0].range]).count == addresses)
    #expect(AddressSet(discovery.exclusions).count == spared)
    #expect(AddressSet(discovery.doNotTouch).count == spared)
    #expect(AddressSet(discovery.ranges.map(\.range), excluding: discovery.exclusions).count == 1)
  }

  @Test func `alerts, thresholds and offsets are read, with the narrower ones apart`() throws {
    let configuration = try AgentConfiguration.parse(
      """
      [poll]
      retire_after = "60d"
      [alerts]
      low_supply = 15
      volume_every = 10000
      unreachable_after = "2d"
      [[alerts.device]]
      device = "VNB3K12345"
      low_supply = 20
      maintenance_part = 8
      pages_per_minute_max = 60
      [[alerts.supply]]
      supply = "black"
      low = 5
      [[alerts.supply]]
      device = "0123456789abcdef"
      supply = "1.3"
      low = 30
      [[meters.offset]]
      device = "VNB3K12345"
      meter = "print.fullColor"
      offset = -120
      reason = "new board, 3 May"
      """, file: "ptagent.toml")
    #expect(configuration.poll.retireAfter == .seconds(60 * 86_400))
    let rules = configuration.rules
    #expect(rules.thresholds.lowSupply == 15 && rules.thresholds.maintenancePart == 5)
    #expect(rules.thresholds.volumeEvery == 10_000 && rules.thresholds.unreachableAfter == .seconds(2 * 86_400))
    var change = ThresholdChange()
    (change.lowSupply, change.maintenancePart, change.pagesPerMinuteMax) = (20, 8, 60)
    let device = try #require(DeviceSelector("VNB3K12345"))
    #expect(rules.devices == [DeviceThresholds(device: device, change)])
    #expect(
      rules.supplies == [
        SupplyThreshold(supply: "black", low: 5),
        SupplyThreshold(device: DeviceSelector("0123456789abcdef"), supply: "1.3", low: 30),
      ])
    let name = try #require(MeterName("print.fullColor"))
    #expect(
      configuration.meterOffsets == [MeterOffset(device: device, meter: name, offset: -120, reason: "new board, 3 May")]
    )
  }

  @Test func `what is wrong with alerts and offsets is told with its place`() throws {
    let problems = try #require(throws: ConfigurationProblems.self) {
      try AgentConfiguration.parse(
        """
        [alerts]
        low_supply = 150
        low_suply = 5
        [[alerts.device]]
        low_supply = 5
        [[alerts.supply]]
        supply = "black"
        [[meters.offset]]
        device = "VNB3K12345"
        meter = "pages"
        offset = "12"
        """, file: "ptagent.toml")
    }
    let keys = Set(problems.problems.map(\.key))
    #expect(
      keys.isSuperset(of: [
        "alerts.low_supply", "alerts.low_suply", "alerts.device[0].device", "alerts.supply[0].low",
        "meters.offset[0].meter", "meters.offset[0].offset",
      ]), "\(keys)")
  }

  @Test func `array tables say the same as inline tables`() throws {
    let configuration = try AgentConfiguration.parse(
      """
      [[discovery.ranges]]
      range = "10.0.0.1"
      credentials = ["old"]
      [[discovery.ranges]]
      range = "10.0.0.2"
      [credentials.old]
      kind = "v1"
      community = "secret"
      """, file: "ptagent.toml")
    #expect(configuration.discovery.ranges.map(\.credentials[0].name) == ["old", "public"])
  }

  @Test func `relative paths are relative to the file`() throws {
    let configuration = try AgentConfiguration.parse(
      "[state]\ndirectory = \"state\"\n", file: "/etc/printtrail/ptagent.toml")
    #expect(configuration.state.directory == "/etc/printtrail/state")
    #expect(configuration.journal.directory == "/etc/printtrail/state/journal")
  }

  @Test func `secrets come from files, without their line break`() throws {
    let directory = "/tmp/printtrail-tests/configuration-\(UInt64.random(in: 0 ... .max))"
    try Files.makeDirectory(directory)
    try Files.replace(directory + "/community", with: Array("hidden\n".utf8), mode: 0o600)
    let configuration = try AgentConfiguration.parse(
      """
      [discovery]
      ranges = [{ range = "10.0.0.1", credentials = ["office"] }]
      [credentials.office]
      kind = "v2c"
      community_file = "community"
      """, file: directory + "/ptagent.toml")
    #expect(
      configuration.discovery.ranges[0].credentials[0].credential
        == .community(version: .v2c, community: Array("hidden".utf8)))
  }

  @Test func `secrets may be those that the service manager hands over, by name`() throws {
    let directory = "/tmp/printtrail-tests/configuration-\(UInt64.random(in: 0 ... .max))"
    try Files.makeDirectory(directory + "/credentials")
    try Files.replace(directory + "/credentials/office", with: Array("hidden\n".utf8), mode: 0o600)
    func community(_ name: String) throws -> Credential? {
      try AgentConfiguration.parse(
        "[credentials.office]\nkind = \"v2c\"\ncommunity_file = \"credential:\(name)\"\n",
        file: directory + "/ptagent.toml"
      ).credentials["office"]?.credential
    }
    #expect(try community("office") == .community(version: .v2c, community: Array("hidden".utf8)))
    let missing = #expect(throws: ConfigurationProblems.self) { try community("lost") }
    #expect(missing?.description.contains("credentials.office.community_file") == true)
    let path = #expect(throws: ConfigurationProblems.self) { try community("../office") }
    #expect(path?.description.contains("credential: and a name") == true)
  }

  struct Mistake: CustomTestStringConvertible, Sendable {
    let text: String
    let line: Int
    let key: String
    /// Parts that the sentence must have.
    let says: [String]
    var testDescription: String { key + " " + says.joined(separator: " ") }
  }

  static let mistakes = [
    Mistake(text: "[poll]\n\ninterval = \"soon\"", line: 3, key: "poll.interval", says: ["\"soon\"", "\"30m\""]),
    Mistake(text: "[poll]\ninterval = 30", line: 2, key: "poll.interval", says: ["found 30", "a duration"]),
    Mistake(text: "[poll]\ninterval = \"10ms\"", line: 2, key: "poll.interval", says: ["1s to 7d"]),
    Mistake(
      text: "[poll]\nintervall = \"30m\"", line: 2, key: "poll.intervall", says: ["unknown key", "\"interval\""]),
    Mistake(text: "[pol]\ninterval = \"30m\"", line: 1, key: "pol", says: ["unknown key", "\"poll\""]),
    Mistake(text: "[poll]\nconcurrency = 0", line: 2, key: "poll.concurrency", says: ["1 to 5000"]),
    Mistake(text: "[poll]\nconcurrency = 1.5", line: 2, key: "poll.concurrency", says: ["found 1.5", "whole number"]),
    Mistake(text: "poll = 3", line: 1, key: "poll", says: ["found 3", "a table"]),
    Mistake(text: "[journal]\nsize_max = \"10\"", line: 2, key: "journal.size_max", says: ["\"1GiB\""]),
    Mistake(text: "[journal]\nsize_max = \"1KiB\"", line: 2, key: "journal.size_max", says: ["16MiB to 1TiB"]),
    Mistake(text: "[journal]\ndirectory = \"\"", line: 2, key: "journal.directory", says: ["path of a directory"]),
    Mistake(text: "[log]\nlevel = \"loud\"", line: 2, key: "log.level", says: ["\"loud\"", "\"warning\""]),
    Mistake(text: "[log]\nformat = true", line: 2, key: "log.format", says: ["found true", "\"logfmt\", \"json\""]),
    Mistake(
      text: "[hub]\nca_pin = \"sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=\"", line: 1, key: "hub.csr",
      says: ["found nothing", "hub.example.org:7443"]),
    Mistake(text: "[hub]\ncsr = \"hub:1\"", line: 1, key: "hub.ca_pin", says: ["ca_pin or ca_file"]),
    Mistake(text: "[hub]\ncsr = \"hub:1\"\nca_pin = \"sha1/abc\"", line: 3, key: "hub.ca_pin", says: ["sha256/"]),
    Mistake(
      text: "[hub]\ncsr = \"hub:1\"\nca_file = \"/nowhere.pem\"", line: 3, key: "hub.ca_file", says: ["PEM file"]),
    Mistake(text: hub + "dcam = \"https://hub\"", line: 4, key: "hub.dcam", says: ["https://hub"]),
    Mistake(
      text: "[discovery]\nranges = [\n  { range = \"10.0.0.1\" },\n  { range = \"10.0.0.300\" },\n]", line: 4,
      key: "discovery.ranges[1].range", says: ["10.0.0.300", "10.0.0.0/24"]),
    Mistake(
      text: "[discovery]\nranges = [\n\"10.0.0.9-1\"]", line: 3, key: "discovery.ranges[0]",
      says: ["ends before it begins"]),
    Mistake(text: "[discovery]\nranges = \"10.0.0.1\"", line: 2, key: "discovery.ranges", says: ["an array"]),
    Mistake(
      text: "[discovery]\nranges = [{ credentials = [\"public\"] }]", line: 2, key: "discovery.ranges[0].range",
      says: ["found nothing"]),
    Mistake(
      text:
        "[discovery]\nranges = [{ range = \"10.0.0.1\", credentials = [\"ofice\"] }]\n[credentials.office]\nkind = \"v1\"\ncommunity = \"x\"",
      line: 2, key: "discovery.ranges[0].credentials[0]", says: ["[credentials.ofice]", "perhaps \"office\""]),
    Mistake(
      text: "[discovery]\nranges = [{ range = \"10.0.0.1\", port = 5 }]", line: 2, key: "discovery.ranges[0].port",
      says: ["unknown key"]),
    Mistake(
      text: "[discovery]\nexclusions = [\n  \"10.0.0.1\",\n  7,\n]", line: 4, key: "discovery.exclusions[1]",
      says: ["found 7"]),
    Mistake(
      text: "[discovery]\ndo_not_touch = [\"fe80::1\"]", line: 2, key: "discovery.do_not_touch[0]", says: ["IPv6"]),
    Mistake(text: "[discovery]\nport = 70000", line: 2, key: "discovery.port", says: ["1 to 65535"]),
    Mistake(text: "[discovery]\nsweep_days = [\"mon\"]", line: 2, key: "discovery.sweep_days", says: ["sweep_times"]),
    Mistake(
      text: "[discovery]\nsweep_times = [\"6 o'clock\"]", line: 2, key: "discovery.sweep_times[0]", says: ["\"06:00\""]),
    Mistake(text: "[discovery]\nsweep_times = []", line: 2, key: "discovery.sweep_times", says: ["a time or more"]),
    Mistake(
      text: "[discovery]\nsweep_times = [\"6:00\"]\nsweep_days = [\"monday\", \"hol\"]", line: 3,
      key: "discovery.sweep_days[1]", says: ["\"hol\""]),
    Mistake(
      text: "[discovery]\nsweep_times = [\"6:00\"]\nsweep_interval = \"1d\"", line: 3, key: "discovery.sweep_interval",
      says: ["not both"]),
    Mistake(
      text: "[discovery]\nranges = [\"10.0.0.1\"]\nmax_hops = 2", line: 3, key: "discovery.max_hops",
      says: ["where there are ranges"]),
    Mistake(text: "[discovery]\nmax_hops = 17", line: 2, key: "discovery.max_hops", says: ["0 to 16"]),
    Mistake(text: "[discovery]\ntrap_port = 0", line: 2, key: "discovery.trap_port", says: ["1 to 65535"]),
    Mistake(text: "[discovery]\ndns_sd = \"on\"", line: 2, key: "discovery.dns_sd", says: ["true"]),
    Mistake(text: "[credentials.a]\ncommunity = \"x\"", line: 1, key: "credentials.a.kind", says: ["\"v2c\""]),
    Mistake(
      text: "[credentials.a]\nkind = \"v2\"\ncommunity = \"x\"", line: 2, key: "credentials.a.kind",
      says: ["\"v2\"", "\"v2c\""]),
    Mistake(
      text: "[credentials.a]\nkind = \"v2c\"", line: 1, key: "credentials.a.community",
      says: ["community or community_file"]),
    Mistake(
      text: "[credentials.a]\nkind = \"v2c\"\ncommunity_file = \"/nowhere\"", line: 3,
      key: "credentials.a.community_file", says: ["no such file"]),
    Mistake(
      text: "[credentials.a]\nkind = \"v2c\"\ncommunity = \"x\"\nuser = \"y\"", line: 4, key: "credentials.a.user",
      says: ["unknown key"]),
    Mistake(
      text: "[credentials.a]\nkind = \"v3\"\nuser = \"u\"\nauth = \"sha2\"\nauth_password = \"12345678\"", line: 4,
      key: "credentials.a.auth", says: ["\"sha256\""]),
    Mistake(
      text: "[credentials.a]\nkind = \"v3\"\nuser = \"u\"\nauth = \"sha256\"\nauth_password = \"short\"", line: 5,
      key: "credentials.a.auth_password", says: ["5 bytes", "at least 8"]),
    Mistake(
      text: "[credentials.a]\nkind = \"v3\"\nuser = \"u\"\nauth = \"sha256\"", line: 1,
      key: "credentials.a.auth_password", says: ["auth_password_file"]),
    Mistake(
      text: "[credentials.a]\nkind = \"v3\"\nuser = \"u\"\npriv = \"des\"\npriv_password = \"12345678\"", line: 1,
      key: "credentials.a.auth", says: ["RFC 3414"]),
    Mistake(
      text: "[discovery]\nranges = [{ range = \"10.0.0.1\", credentials = [] }]", line: 2,
      key: "discovery.ranges[0].credentials", says: ["an empty array"]),
    Mistake(
      text: "[discovery]\nranges = [\"239.1.1.1-9\"]", line: 2, key: "discovery.ranges[0]", says: ["multicast"]),
    Mistake(
      text: "[discovery]\nranges = [{ range = \"255.255.255.255\" }]", line: 2, key: "discovery.ranges[0].range",
      says: ["broadcast"]),
    Mistake(
      text: "[poll]\ninterval = ", line: 2, key: "", says: ["not TOML 1.0 at column 12", "end-of-file"]),
    Mistake(text: "[poll]\n[poll]", line: 2, key: "", says: ["not TOML 1.0 at column"]),
    Mistake(text: "x\u{0}y", line: 1, key: "", says: ["NUL"]),
  ]

  @Test(arguments: mistakes)
  func `a mistake is told with its line, what was found and what was expected`(mistake: Mistake) throws {
    let error = try #require(
      throws: ConfigurationProblems.self
    ) { try AgentConfiguration.parse(mistake.text, file: "ptagent.toml") }
    #expect(error.problems.count == 1, "\(error)")
    let problem = try #require(error.problems.first)
    #expect(problem.line == mistake.line, "\(problem)")
    #expect(problem.key == mistake.key, "\(problem)")
    for part in mistake.says { #expect(problem.description.contains(part), "\(problem)") }
    #expect(problem.description.hasPrefix("ptagent.toml:\(mistake.line): "))
  }

  @Test func `all mistakes of a file are told at once, in the order of their lines`() throws {
    let error = try #require(throws: ConfigurationProblems.self) {
      try AgentConfiguration.parse(
        """
        [poll]
        interval = "soon"
        [log]
        level = 7
        colour = "red"
        [discovery]
        ranges = [
          "10.0.0.300",
          { range = "x", credentials = ["nobody"] },
        ]
        """, file: "ptagent.toml")
    }
    #expect(error.problems.map(\.line) == [2, 4, 5, 8, 9, 9])
  }

  @Test func `what can hardly be meant is a warning with its line, and no mistake`() throws {
    let configuration = try AgentConfiguration.parse(
      """
      [discovery]
      ranges = [
        { range = "10.0.0.0/24" },
        "10.0.1.1-10",
        "10.0.0.1-254",
        "10.0.2.7",
      ]
      exclusions = ["10.0.1.0/24"]
      do_not_touch = ["10.0.2.7", "255.255.255.255"]
      """, file: "ptagent.toml")
    #expect(configuration.warnings.map(\.line) == [4, 5, 6])
    #expect(configuration.warnings[0].description.contains("10.0.1.1-10 is wholly excluded"))
    #expect(configuration.warnings[1].description.contains("same addresses as ranges[0]"))
    #expect(try AgentConfiguration.parse("[discovery]\nranges = [\"10.0.0.1\"]", file: "x").warnings.isEmpty)
  }

  private func warnings(_ text: String) throws -> [String] {
    try AgentConfiguration.parse(text, file: "x").warnings.map(\.description)
  }

  @Test func `no range, and ranges that are never used, are warnings`() throws {
    let empty = try warnings("[discovery]\nranges = []")
    #expect(empty.count == 1 && empty[0].contains("no range: the networks of this machine are swept"))
    #expect(try warnings("[discovery]\nranges = []\nmax_hops = 0")[0].contains("nothing is swept"))
    let within = try warnings("[discovery]\nranges = [\n\"10.0.0.0/25\",\n\"10.0.0.128/25\",\n\"10.0.0.7-100\"]")
    #expect(within.count == 1 && within[0].hasPrefix("x:5:") && within[0].contains("never used"))
    #expect(try warnings("[discovery]\nranges = [\"10.0.0.7\", \"10.0.0.0/24\"]").isEmpty, "all but one are its own")
  }

  @Test func `an alert of silence that comes after retiring is a warning`() throws {
    let text = "[poll]\nretire_after = \"7d\"\n[alerts]\nunreachable_after = "
    #expect(try warnings(text + "\"7d\"").isEmpty)
    let late = try warnings(text + "\"8d\"")
    #expect(late.count == 1 && late[0].hasPrefix("x:4:") && late[0].contains("never raised"))
    let device = try warnings(
      "[poll]\nretire_after = \"7d\"\n[[alerts.device]]\ndevice = \"VNB3K12345\"\nunreachable_after = \"9d\"")
    #expect(device.count == 1 && device[0].hasPrefix("x:5:"))
  }

  @Test(arguments: [
    ("ABCD1234", "00abcd-1234", 1), ("ABCD1234", "ABCD1235", 0), ("0a1b2c3d4e", "0A1B2C3D", 1),
    ("0a1b2c3d4e", "0a1b2c3d5e", 0),
  ])
  func `two offsets for one meter of one device are a warning`(first: String, second: String, count: Int) throws {
    func offset(_ device: String, _ meter: String = "total") -> String {
      "[[meters.offset]]\ndevice = \"\(device)\"\nmeter = \"\(meter)\"\noffset = 5\n"
    }
    let told = try warnings(offset(first) + offset(second))
    #expect(told.count == count && told.allSatisfy { $0.hasPrefix("x:5:") && $0.contains("offset[0]") })
    #expect(try warnings(offset(first) + offset(second, "print")).isEmpty)
  }

  @Test func `a file that is not there is one problem with its name`() throws {
    let error = try #require(throws: ConfigurationProblems.self) {
      try AgentConfiguration.load("/nowhere/ptagent.toml")
    }
    #expect(error.description == "/nowhere/ptagent.toml: found no such file or directory, expected a readable file.")
  }

  @Test func `no secret appears in a message or a description`() throws {
    let error = try #require(throws: ConfigurationProblems.self) {
      try AgentConfiguration.parse(
        "[credentials.a]\nkind = \"v3\"\nuser = \"u\"\nauth = \"md5\"\nauth_password = \"hunter2\"",
        file: "ptagent.toml")
    }
    #expect(!error.description.contains("hunter2"))
    #expect(!"\(NamedCredential.publicCommunity.credential)".contains("public"))
  }
}

@Suite struct QuantityTests {
  @Test(arguments: [("30m", 1800), ("1h30m", 5400), ("90s", 90), ("7d", 604_800), ("1h 30m", 5400)])
  func `durations are numbers with units`(text: String, seconds: Int) {
    #expect(Duration(written: text) == .seconds(seconds))
  }

  @Test(arguments: ["", "30", "m", "-5m", "5 years", "1.5h", "99999999999999d", "5m3"])
  func `a duration that needs guessing is refused`(text: String) {
    #expect(Duration(written: text) == nil)
  }

  @Test(arguments: ["250ms", "45s", "30m", "1h30m", "1d", "7d12h"])
  func `a duration is written as it is read`(text: String) {
    #expect(Duration(written: text)?.written == text)
  }

  @Test(arguments: [("1GiB", 1 << 30), ("512 MiB", 512 << 20), ("100MB", 100_000_000), ("7b", 7)])
  func `sizes are numbers with units`(text: String, bytes: Int) {
    #expect(ByteCount(written: text)?.bytes == UInt64(bytes))
  }

  @Test(arguments: ["", "1", "GiB", "1.5GiB", "-1GiB", "99999999999TiB", "1Gi"])
  func `a size that needs guessing is refused`(text: String) {
    #expect(ByteCount(written: text) == nil)
  }
}
