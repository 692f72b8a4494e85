// Profile files: what is refused, with the place and what was expected; and what a poll fetches because of them.

internal import Foundation
internal import MIB
internal import PrinterModel
internal import Testing

@Suite("Profiles")
struct ProfileTests {
  private static let head = """
    name = "example"
    version = 3
    make = "Example"
    [match]
    object-ids = ["1.3.6.1.4.1.99999"]

    """

  private func parse(_ text: String) throws(ProfileError) -> Profile {
    try ProfileParser.parse(Array(text.utf8), file: "example.toml")
  }

  private func refusal(_ text: String) -> ProfileError? {
    do {
      _ = try parse(text)
      return nil
    } catch {
      return error
    }
  }

  @Test func `every file of the folder is shipped`() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Sources/PrinterModel/Profiles")
    let files = try FileManager.default.contentsOfDirectory(atPath: folder.path).filter { $0.hasSuffix(".toml") }
    let names = files.map { String($0.dropLast(".toml".count)) }
    #expect(Set(names) == Set(ProfileSet.shipped.profiles.map(\.name)))
  }

  @Test func `a counter becomes a meter with the profile's rule and version`() throws {
    let profile = try parse(
      Self.head + """
        [[counter]]
        id = "pages"
        oid = "1.3.6.1.4.1.99999.1.0"
        meter = "print.fullColor"
        unit = "impressions"
        confidence = "mib-defined"
        """)
    let walk = Walk([
      VarBind(MIB2.sysObjectID, .objectIdentifier([1, 3, 6, 1, 4, 1, 99999, 7])),
      VarBind([1, 3, 6, 1, 4, 1, 99999, 1, 0], .counter32(12)),
    ])
    let meter = try #require(Interpretation.read(walk, profiles: ProfileSet([profile])).meters.first)
    #expect(meter.rule == Rule("example/pages@3"))
    #expect(meter.value == 12)
    #expect(meter.source == Source([1, 3, 6, 1, 4, 1, 99999, 1, 0], .counter32(12)))
  }

  @Test func `a syntax error names file and line`() {
    let error = refusal("name = \"example\"\nversion = \n")
    #expect(error?.file == "example.toml")
    #expect(error?.line == 2)
    #expect(error?.expected.hasPrefix("expected TOML") == true)
  }

  @Test(arguments: [
    (
      "[[counter]]\nid = \"a\"\noid = \"1.3\"\nmeter = \"pages\"\nunit = \"impressions\"\nconfidence = \"reported\"",
      "counter[0].meter", 9
    ),
    (
      "[[counter]]\nid = \"a\"\noid = \"1.x\"\nmeter = \"print\"\nunit = \"impressions\"\nconfidence = \"reported\"",
      "counter[0].oid", 8
    ),
    (
      "[[counter]]\nid = \"a\"\noid = \"1.3\"\nmeter = \"print\"\nunit = \"pages\"\nconfidence = \"reported\"",
      "counter[0].unit", 10
    ),
    (
      "[[counter]]\nid = \"a\"\noid = \"1.3\"\nmeter = \"print\"\nunit = \"sheets\"\nconfidence = \"sure\"",
      "counter[0].confidence", 11
    ),
    ("[[counter]]\nid = \"a\"", "counter[0].meter", 6),
    ("[[counter]]\nid = \"a\"\nlabel = \"x\"", "counter[0].label", 8),
    ("[[check]]\nname = \"a\"\ntotal = \"life\"\nparts = [\"pages\"]", "check[0].parts", 9),
    (
      "[[table]]\nid = \"t\"\nlabels = \"1.3\"\nvalues = \"1.4\"\nunit = \"sheets\"\nconfidence = \"reported\"",
      "table[0].row", 6
    ),
  ])
  func `a wrong key names its path, its line and what was expected`(text: String, key: String, line: Int) {
    let error = refusal(Self.head + text)
    #expect(error?.key == key)
    #expect(error?.line == line)
    #expect(error?.expected.contains("expected") == true)
  }

  @Test func `all errors of a file are told at once, in the order of their lines`() throws {
    let text = """
      name = "Example"
      version = 0
      make = "Example"
      [match]
      object-ids = ["1.3.6.1.4.1.99999"]
      [[counter]]
      id = "pages"
      oid = "1.3.six"
      meter = "printing"
      unit = "pages"
      confidence = "sure"
      [[table]]
      id = "pages"
      values = "1.3.6.1.4.1.99999.2"
      unit = "impressions"
      confidence = "mib-defined"
      row = [
        { label = "A", meter = "print" },
        { label = "B", meter = "copying", units = "sheets" },
      ]
      [[supply-record]]
      oid = "1.3.6.1.4.1.99999.3.0"
      steps-per-percent = 1
      code = [
        { code = 1, type = "glue", description = "Glue" },
      ]
      """
    let (profile, errors) = ProfileParser.check(Array(text.utf8), file: "example.toml")
    #expect(profile == nil)
    #expect(
      errors.map { "\($0.line ?? 0) \($0.key)" } == [
        "1 name", "2 version", "8 counter[0].oid", "9 counter[0].meter", "10 counter[0].unit",
        "11 counter[0].confidence", "13 table[0].id", "19 table[0].row[1].units", "19 table[0].row[1].meter",
        "25 supply-record[0].code[0].type",
      ])
  }

  @Test func `a site's own profile says so in its rules`() throws {
    var profile = try parse(Self.head)
    #expect(profile.rule("pages") == Rule("example/pages@3"))
    profile.isLocal = true
    #expect(profile.rule("pages") == Rule("example/pages@3+local"))
  }

  @Test func `a site's own profile tells its reasons with its meters, and one of the release does not`() throws {
    let text =
      Self.head + """
        [[counter]]
        id = "pages"
        oid = "1.3.6.1.4.1.99999.1.0"
        meter = "print"
        unit = "impressions"
        confidence = "mib-defined"
        reason = "read out at the panel"
        [[table]]
        id = "rows"
        labels = "1.3.6.1.4.1.99999.2.1"
        values = "1.3.6.1.4.1.99999.2.2"
        unit = "impressions"
        confidence = "mib-defined"
        reason = "the rows say it themselves"
        row = [{ label = "Copies", meter = "copy" }]
        [[record]]
        id = "packed"
        oid = "1.3.6.1.4.1.99999.3.0"
        unit = "impressions"
        confidence = "mib-defined"
        reason = "the maker's manual"
        code = [{ code = 7, meter = "fax" }]
        """
    let walk = Walk([
      VarBind(MIB2.sysObjectID, .objectIdentifier([1, 3, 6, 1, 4, 1, 99999, 7])),
      VarBind([1, 3, 6, 1, 4, 1, 99999, 1, 0], .counter32(12)),
      VarBind([1, 3, 6, 1, 4, 1, 99999, 2, 1, 5], .octets(Array("Copies".utf8))),
      VarBind([1, 3, 6, 1, 4, 1, 99999, 2, 2, 5], .counter32(13)),
      VarBind([1, 3, 6, 1, 4, 1, 99999, 3, 0], .octets([7, 1, 4, 0, 0, 0, 14, 0xFF])),
    ])
    var profile = try parse(text)
    func reasons() -> [String: String?] {
      let meters = Interpretation.read(walk, profiles: ProfileSet([profile])).meters
      return Dictionary(uniqueKeysWithValues: meters.map { ("\($0.name)", $0.reason) })
    }
    #expect(reasons() == ["print": nil, "copy": nil, "fax": nil])
    profile.isLocal = true
    #expect(
      reasons() == [
        "print": "read out at the panel", "copy": "the rows say it themselves", "fax": "the maker's manual",
      ])
    #expect(
      Interpretation.reason(for: profile.rule("rows"), profiles: ProfileSet([profile])) == "the rows say it themselves")
  }

  @Test func `a total in place of the life count needs its reason`() {
    let error = refusal(
      Self.head + """
        [[counter]]
        id = "a"
        oid = "1.3"
        meter = "total"
        unit = "impressions"
        confidence = "panel-verified"
        replaces-life-count = true
        """)
    #expect(error?.key == "counter[0].reason")
  }

  @Test func `an id that is there twice is refused`() {
    let counter =
      "[[counter]]\nid = \"a\"\noid = \"1.3\"\nmeter = \"print\"\nunit = \"sheets\"\nconfidence = \"reported\"\n"
    #expect(refusal(Self.head + counter + counter)?.expected.contains("twice") == true)
  }

  @Test func `a label that is there twice in a table is refused: it would mean two things`() {
    let table =
      #"[[table]]\nid = "t"\nlabels = "1.3.1"\nvalues = "1.3.2"\nunit = "impressions"\nconfidence = "reported"\n"#
      .replacingOccurrences(of: "\\n", with: "\n")
    let rows = "row = [{ label = \"Prints\", meter = \"print\" }, { label = \" prints\", meter = \"copy\" }]\n"
    #expect(refusal(Self.head + table + rows)?.expected.contains("`prints` is there twice") == true)
  }

  @Test func `a file cut at any byte is refused or read, and never traps`() throws {
    let folder = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Sources/PrinterModel/Profiles")
    let bytes = [UInt8](try Data(contentsOf: folder.appendingPathComponent("ricoh.toml")))
    for end in stride(from: 0, to: bytes.count, by: 7) {
      do {
        _ = try ProfileParser.parse(Array(bytes[..<end]), file: "cut.toml")
      } catch {
        #expect(!error.description.isEmpty)
      }
    }
  }

  /// Devices that are sold under another name than their maker's: whose private objects, and whose name.
  @Test(
    arguments: [
      ("Olivetti d-Copia 3504MF", [1347, 41], "kyocera", "Olivetti"),
      ("UTAX_TA Printing System", [1347, 41], "kyocera", "UTAX"),
      ("Olivetti d-Color MF254", [18334, 1, 1, 1, 2, 1], "konica-minolta", "Olivetti"),
      ("TOSHIBA e-STUDIO385P version NH61.CY.N639 kernel 3.0.0", [641, 2, 71_107_379], "lexmark", "Toshiba"),
      ("IBM Infoprint 1532 version 55.10.21", [641, 1, 1], "lexmark", "IBM"),
      ("Source Technologies ST9730 version 1", [641, 2, 1], "lexmark", "Source Technologies"),
      ("Dell B3460dn version 1", [641, 2, 1], "lexmark", "Dell"),
      ("HP Laser MFP 131 133 135-138;V3.82.01.10", [236, 11, 5, 1], "samsung", "HP"),
      ("muratec MFX-C3035", [18334, 1, 1, 1, 2, 1, 1], "konica-minolta", "Muratec"),
      ("Develop ineo+ 284e", [18334, 1, 1, 1, 2, 1, 117], "konica-minolta", "Develop"),
      ("LANIER MP C3501", [367, 1, 1], "ricoh", "Lanier"),
      ("SAVIN MP C4503", [367, 1, 1], "ricoh", "Savin"),
      ("FUJIFILM ApeosPort C3060", [297, 1, 11], "xerox", "FUJIFILM"),
      ("FUJI XEROX ApeosPort-V C3376", [297, 1, 11], "xerox", "Fuji Xerox"),
      ("Linux prn 4.9.0 armv7l", [1347, 41], "kyocera", "Kyocera"),
      ("Panasonic DP-MB310 series", [258, 406, 2], "panasonic", "Panasonic"),
      ("SINDOH D410 Series", [20998, 1], "sindoh", "Sindoh"),
    ] as [(String, [UInt32], String, String)])
  func `sysObjectID says whose objects there are, and sysDescr whose name is on the lid`(
    description: String, tree: [UInt32], profile: String, make: String
  ) throws {
    let evidence = DeviceEvidence(
      systemDescription: description, systemObjectID: ObjectIdentifier([1, 3, 6, 1, 4, 1] + tree))
    let chosen = try #require(ProfileSet.shipped.profile(for: evidence))
    #expect(chosen.name == profile)
    #expect(ProfileSet.shipped.make(for: evidence, of: chosen).make == make)
  }

  @Test func `where sysObjectID is nobody's, sysDescr says whose objects there are`() {
    let evidence = DeviceEvidence(
      systemDescription: "KYOCERA Document Solutions Printing System",
      systemObjectID: [1, 3, 6, 1, 4, 1, 8072, 3, 2, 10])
    #expect(ProfileSet.shipped.profile(for: evidence)?.name == "kyocera")
  }

  /// What makes no sense as a whole, where each key is as the schema has it.
  @Test(arguments: [
    ("total = \"print\"\nparts = [\"copy\"]", "check[0].parts", "`copy`"),
    ("total = \"print\"\nparts = [\"print#sheets\"]", "check[0].parts", "impressions and sheets"),
  ])
  func `a check of meters that nothing reads, or of several units, is refused`(
    check: String, key: String, expected: String
  ) {
    let counters = """
      [[counter]]
      id = "a"
      oid = "1.3.6.1.4.1.99999.1.0"
      meter = "print"
      unit = "impressions"
      confidence = "mib-defined"
      [[counter]]
      id = "b"
      oid = "1.3.6.1.4.1.99999.2.0"
      meter = "print#sheets"
      unit = "sheets"
      confidence = "mib-defined"

      """
    let error = refusal(Self.head + counters + "[[check]]\nname = \"a\"\n" + check)
    #expect(error?.key == key && error?.expected.contains(expected) == true)
    let across = "[[check]]\nname = \"a\"\ntotal = \"print\"\nparts = [\"print#sheets\"]\nacross-units = true"
    #expect(refusal(Self.head + counters + across) == nil)
  }

  @Test(arguments: [["print"], ["copy", "copy"], ["copy", "print"]])
  func `a check in which a meter is its own part is refused, and proves nothing`(parts: [String]) throws {
    func counter(_ meter: String, _ confidence: String) -> String {
      "[[counter]]\nid = \"\(meter)\"\noid = \"1.3.6.1.4.1.99999.\(meter == "print" ? 1 : 2).0\"\nmeter = \"\(meter)\"\n"
        + "unit = \"impressions\"\nconfidence = \"\(confidence)\"\n"
    }
    let counters = Self.head + counter("print", "reported") + counter("copy", "mib-defined")
    let check = "[[check]]\nname = \"a\"\ntotal = \"print\"\nparts = \(parts)\n"
    let error = refusal(counters + check)
    #expect(error?.key == "check[0].parts" && error?.expected.contains("proves nothing") == true)
    // A profile that came in another way.
    var profile = try parse(counters + "[[check]]\nname = \"a\"\ntotal = \"print\"\nparts = [\"copy\"]\n")
    profile.checks[0].parts = parts
    let walk = Walk([
      VarBind(MIB2.sysObjectID, .objectIdentifier([1, 3, 6, 1, 4, 1, 99999, 7])),
      VarBind([1, 3, 6, 1, 4, 1, 99999, 1, 0], .counter32(parts.count > 1 ? 14 : 777)),
      VarBind([1, 3, 6, 1, 4, 1, 99999, 2, 0], .counter32(parts == ["copy", "copy"] ? 7 : 0)),
    ])
    let reading = Interpretation.read(walk, profiles: ProfileSet([profile]))
    #expect(reading.meters.map(\.name.description) == ["copy"] && reading.checks.isEmpty)
  }

  @Test(arguments: ["1.3", "1.3.6.1.4.1", "1.3.6.1.2.1.43"])
  func `an object id that is no maker's is refused`(identifier: String) {
    let error = refusal(Self.head.replacingOccurrences(of: "1.3.6.1.4.1.99999", with: identifier))
    #expect(error?.key == "match.object-ids" && error?.expected.contains("maker's number") == true)
  }

  @Test func `a standard object is no meter of a profile's`() {
    let life = "oid = \"1.3.6.1.2.1.43.10.2.1.4.1.1\"\nmeter = \"scan\"\nunit = \"images\"\nconfidence = \"standard\"\n"
    let error = refusal(Self.head + "[[counter]]\nid = \"a\"\n" + life)
    #expect(error?.key == "counter[0].oid" && error?.expected.contains("standard") == true)
  }

  @Test func `a row of a table replaces the life count as a counter does`() throws {
    let table = """
      [[table]]
      id = "t"
      labels = "1.3.6.1.4.1.99999.1.1"
      values = "1.3.6.1.4.1.99999.1.2"
      unit = "impressions"
      confidence = "device-recorded"

      """
    let row = "[[table.row]]\nlabel = \"All\"\nmeter = \"total\"\nreplaces-life-count = true\n"
    #expect(refusal(Self.head + table + row)?.key == "table[0].reason")
    let reason = "reason = \"so it is\"\n"
    #expect(try parse(Self.head + table + reason + row).tables.count == 1)
    let other = row.replacingOccurrences(of: "total", with: "print")
    #expect(refusal(Self.head + table + reason + other)?.key == "table[0].row[0].replaces-life-count")
  }

  @Test func `a text that every device begins with is refused`() {
    let head = Self.head.replacingOccurrences(of: "[match]", with: "[match]\ndescriptions = [\"\"]")
    #expect(refusal(head)?.key == "match.descriptions")
    #expect(refusal(Self.head + "[[brand]]\nprefix = \" \"\nmake = \"A\"")?.key == "brand[0].prefix")
    let nobodys = Self.head.replacing(#/make = "[^"]*"/#, with: "make = \"\"", maxReplacements: 1)
    #expect(refusal(nobodys)?.key == "make")
  }

  @Test func `an object that is read as two meters is refused, and a meter of two labels in one table`() {
    func counter(_ id: String, _ meter: String) -> String {
      "[[counter]]\nid = \"\(id)\"\noid = \"1.3.6\"\nmeter = \"\(meter)\"\nunit = \"sheets\"\nconfidence = \"standard\"\n"
    }
    #expect(refusal(Self.head + counter("a", "print") + counter("b", "copy"))?.key == "counter[1].oid")
    let table =
      "[[table]]\nid = \"t\"\nlabels = \"1.3.1\"\nvalues = \"1.3.2\"\nunit = \"sheets\"\nconfidence = \"standard\"\n"
    let rows = "row = [{ label = \"1\", meter = \"print\" }, { label = \"2\", meter = \"print\" }]\n"
    #expect(refusal(Self.head + table + rows)?.key == "table[0].row[1].meter")
  }

  @Test func `a cell of a table is no counter beside it, and has one meter in all tables`() {
    func table(_ id: String, _ meter: String) -> String {
      """
      [[table]]
      id = "\(id)"
      labels = "1.3.6.1.4.1.99999.2.1.2"
      values = "1.3.6.1.4.1.99999.2.1.3"
      unit = "impressions"
      confidence = "reported"
      row = [{ label = "Copies", meter = "\(meter)" }]

      """
    }
    let check = "[[check]]\nname = \"a\"\ntotal = \"fax\"\nparts = [\"copy\"]\n"
    func counter(_ oid: String) -> String {
      "[[counter]]\nid = \"same\"\noid = \"1.3.6.1.4.1.99999.\(oid)\"\nmeter = \"fax\"\nunit = \"impressions\"\n"
        + "confidence = \"reported\"\n"
    }
    let error = refusal(Self.head + table("t", "copy") + counter("2.1.3.1") + check)
    #expect(error?.key == "counter[0].oid" && error?.expected.contains("a cell of the table `t`") == true)
    #expect(refusal(Self.head + table("t", "copy") + counter("2.1.4.1") + check) == nil)
    let tables = refusal(Self.head + table("t", "copy") + table("u", "fax") + check)
    #expect(tables?.key == "table[1].row[0].meter")
    #expect(refusal(Self.head + table("t", "copy") + table("u", "copy") + counter("3.0") + check) == nil)
  }

  @Test func `the life count and a total that the profile does not read prove nothing`() {
    func counter(_ meter: String) -> String {
      "[[counter]]\nid = \"a\"\noid = \"1.3.6.1.4.1.99999.2.0\"\nmeter = \"\(meter)\"\nunit = \"impressions\"\n"
        + "confidence = \"mib-defined\"\n"
    }
    let check = "[[check]]\nname = \"a\"\ntotal = \"life\"\nparts = [\"total\"]\n"
    let error = refusal(Self.head + counter("copy") + check)
    #expect(error?.key == "check[0].total" && error?.expected.contains("proves nothing") == true)
    #expect(refusal(Self.head + counter("total") + check) == nil)
    let twice = refusal(Self.head + counter("total") + check + check)
    #expect(twice?.key == "check[1].name" && twice?.expected.contains("each name once") == true)
  }

  @Test func `a reported counter that no check can prove is refused`() {
    let counter =
      "[[counter]]\nid = \"a\"\noid = \"1.3.6\"\nmeter = \"print\"\nunit = \"sheets\"\nconfidence = \"reported\"\n"
    #expect(refusal(Self.head + counter)?.key == "counter[0].confidence")
    let check = "[[check]]\nname = \"a\"\ntotal = \"life\"\nparts = [\"print\"]"
    #expect(refusal(Self.head + counter + check) == nil)
  }

  @Test func `a column of units is there with its codes or not at all`() {
    let table = """
      [[table]]
      id = "t"
      labels = "1.3.1"
      values = "1.3.2"
      unit = "impressions"
      confidence = "standard"
      row = [{ label = "1", meter = "print" }]

      """
    #expect(refusal(Self.head + table + "units = \"1.3.3\"")?.key == "table[0].unit-codes")
    #expect(refusal(Self.head + table + "unit-codes = { \"4\" = \"impressions\" }")?.key == "table[0].units")
    let wrong = refusal(Self.head + table + "units = \"1.3.3\"\nunit-codes = { \"4\" = \"sides\" }")
    #expect(wrong?.key == "table[0].unit-codes.4")
  }

  @Test func `a later profile of the same name replaces an earlier one`() throws {
    let first = try parse(Self.head)
    var second = first
    second.version = 4
    #expect(ProfileSet([first, second]).profiles == [second])
  }
}

@Suite("Poll targets")
struct PollTargetTests {
  /// What a walker would fetch: the targets applied to a device that holds `walk`.
  private func fetched(_ targets: PollTargets, from walk: Walk) -> Walk {
    var bindings = targets.scalars.compactMap { name in walk[name].map { VarBind(name, $0) } }
    for column in targets.tables.flatMap(\.columnNames) { bindings += walk.subtree(column) }
    return Walk(bindings)
  }

  /// The standard tables, and then what these ask for.
  private func poll(_ walk: Walk) -> Walk {
    let first = fetched(PollTargets(scalars: [], tables: PollTargets.tables), from: walk)
    return Walk(first.bindings + fetched(PollTargets.further(first), from: walk).bindings)
  }

  @Test(arguments: Fixtures.names)
  func `a poll of the targets reads the same as the whole walk`(name: String) throws {
    let walk = try Fixtures.walk(name)
    let poll = poll(walk)
    #expect(Interpretation.read(poll) == Interpretation.read(walk))
  }

  @Test(.enabled(if: Corpus.root != nil, Corpus.skipped), arguments: Corpus.walks)
  func `a poll of the targets reads the same as a recorded walk`(path: String) throws {
    let walk = try Corpus.walk(path)
    guard walk[MIB2.sysObjectID] != nil else { return }
    let poll = poll(walk)
    #expect(Interpretation.read(poll) == Interpretation.read(walk))
  }

  @Test func `a light poll asks for what moves`() throws {
    let walk = try Fixtures.walk("colour-mfp")
    let moving = PollTargets.moving(previous: walk)
    let names = moving.always + moving.inUse
    for name in [
      "1.3.6.1.2.1.1.3.0", "1.3.6.1.2.1.43.5.1.1.1.3", "1.3.6.1.2.1.43.5.1.1.18.3", "1.3.6.1.2.1.25.3.5.1.2.3",
      "1.3.6.1.2.1.43.10.2.1.4.3.1", "1.3.6.1.2.1.43.11.1.1.9.3.9", "1.3.6.1.2.1.43.8.2.1.10.3.1",
      "1.3.6.1.2.1.43.16.5.1.2.3.1", "1.3.6.1.4.1.1347.43.10.1.1.12.1.1",
    ] {
      #expect(names.contains { $0.description == name }, "\(name)")
    }
    #expect(!names.contains { $0.description.hasPrefix("1.3.6.1.2.1.43.11.1.1.6.") })
    #expect(Set(names).count == names.count)
    #expect(names.count * 2 < walk.bindings.count)
  }

  @Test func `the evidence is enough to classify`() throws {
    for name in ["colour-mfp", "several-markers", "print-server"] {
      let walk = try Fixtures.walk(name)
      #expect(Classification.of(fetched(.evidence, from: walk)).isPrinter == Classification.of(walk).isPrinter)
    }
  }
}
