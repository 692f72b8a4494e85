// The file format of a device model (Fixtures/devices/*.toml): reading and checking it.
//
//   vendor, product, serial (# a digit, @ a letter), mac (three bytes), marker_unit, console
//   [system]  object_id, description, contact, interface
//   [host]    device_index, description, error_state_octets
//   [usage]   pages_per_minute, pages_per_day, colour_share, copy_share, fax_share, duplex_share, large_share, jam_every,
//             initial_pages = [least, most]
//   [[covers]] index, description           [[colorants]] index, value
//   [[inputs]] index, type, name, description, media, capacity, report
//   [[outputs]] index, name, description, capacity, report
//   [[supplies]] index, type, colorant, description, unit, capacity, yield, wear, report, low_at
//   [[objects]] oid, text | integer | hex | object_id | gauge | counter
//   [[counters]] oid, counts, type          [[records]] oid, codes, counts
//   [quirks]  single_gets_only, get_next_only, no_bulk, versions, gen_err_at_end, sleep_after_minutes, wake, wake_ms
//
// Checked here, so that no simulated printer can contradict itself: indexes are unique, a supply's colorant exists, shares
// are percentages, no object is given twice.

internal import MIB

extension DeviceModel {
  /// Rows of one table: far above any printer, far below what would slow a walk.
  static let rowsMax = 64
  /// Objects and counters of one model.
  static let objectsMax = 4096

  /// Reads `<folder>/<name>.toml`. Throws `SettingsError`.
  package static func load(file: String, name: String) throws -> DeviceModel {
    try DeviceModel(name: name, table: SettingsTable(SettingsDocument(file: file)))
  }

  /// Reads a model from text; `file` is the name for messages. Throws `SettingsError`.
  package static func parse(_ text: String, file: String, name: String) throws -> DeviceModel {
    try DeviceModel(name: name, table: SettingsTable(SettingsDocument(file: file, text: text)))
  }

  private init(name: String, table: SettingsTable) throws {
    try table.allowOnly(
      "vendor", "product", "serial", "mac", "marker_unit", "console", "system", "host", "usage", "covers", "inputs",
      "outputs", "colorants", "supplies", "objects", "counters", "records", "quirks")
    self.name = name
    vendor = try table.requiredString("vendor")
    product = try table.requiredString("product")
    serialPattern = try table.requiredString("serial")
    macPrefix = try table.macPrefix("mac")
    markerUnit = try table.integer("marker_unit", in: 1...99) ?? 7
    console = try table.strings("console") ?? ["Ready"]
    system = try SystemGroup(table.requiredTable("system"))
    host = try HostGroup(table.requiredTable("host"))
    usage = try Usage(table.requiredTable("usage"))
    covers = try table.rows("covers", CoverModel.init)
    inputs = try table.rows("inputs", InputModel.init)
    outputs = try table.rows("outputs", OutputModel.init)
    colorants = try table.rows("colorants", ColorantModel.init)
    supplies = try table.rows("supplies", SupplyModel.init)
    objects = try table.tables("objects").map(StaticObject.init)
    counters = try table.tables("counters").map(CounterObject.init)
    records = try table.tables("records").map(RecordObject.init)
    quirks = try table.table("quirks").map(Quirks.init) ?? Quirks()
    try check(table)
  }

  private func check(_ table: SettingsTable) throws {
    try table.unique("covers", covers.map(\.index))
    try table.unique("inputs", inputs.map(\.index))
    try table.unique("outputs", outputs.map(\.index))
    try table.unique("colorants", colorants.map(\.index))
    try table.unique("supplies", supplies.map(\.index))
    for (row, supply) in zip(try table.tables("supplies"), supplies)
    where supply.colorant != 0 && !colorants.contains(where: { $0.index == supply.colorant }) {
      throw row.fault("colorant", "there is no [[colorants]] row \(supply.colorant)")
    }
    let names = objects.map(\.name) + counters.map(\.name) + records.map(\.name)
    guard names.count <= Self.objectsMax else {
      throw table.fault("objects", "\(names.count) objects and counters; at most \(Self.objectsMax)")
    }
    var seen: Set<ObjectIdentifier> = []
    for name in names where !seen.insert(name).inserted {
      throw table.fault("objects", "the object \(name) is given twice")
    }
    if inputs.isEmpty { throw table.fault("inputs", "a printer has at least one [[inputs]] row") }
    if supplies.isEmpty { throw table.fault("supplies", "a printer has at least one [[supplies]] row") }
  }
}

extension SystemGroup {
  fileprivate init(_ table: SettingsTable) throws {
    try table.allowOnly("object_id", "description", "contact", "interface")
    objectID = try table.objectIdentifier("object_id")
    description = try table.requiredString("description")
    contact = try table.string("contact") ?? ""
    interface = try table.string("interface") ?? "eth0"
  }
}

extension HostGroup {
  fileprivate init(_ table: SettingsTable) throws {
    try table.allowOnly("device_index", "description", "error_state_octets")
    deviceIndex = UInt32(try table.integer("device_index", in: 1...65_535) ?? 1)
    description = try table.requiredString("description")
    errorStateOctets = try table.integer("error_state_octets", in: 1...2) ?? 2
  }
}

extension Usage {
  fileprivate init(_ table: SettingsTable) throws {
    try table.allowOnly(
      "pages_per_minute", "pages_per_day", "colour_share", "copy_share", "fax_share", "duplex_share", "large_share",
      "jam_every", "initial_pages")
    pagesPerMinute = try table.requiredInteger("pages_per_minute", in: 1...500)
    pagesPerDay = try table.requiredInteger("pages_per_day", in: 0...500_000)
    colourShare = try table.integer("colour_share", in: 0...100) ?? 0
    copyShare = try table.integer("copy_share", in: 0...100) ?? 0
    faxShare = try table.integer("fax_share", in: 0...100) ?? 0
    duplexShare = try table.integer("duplex_share", in: 0...100) ?? 0
    largeShare = try table.integer("large_share", in: 0...100) ?? 0
    jamEvery = try table.integer("jam_every", in: 0...10_000_000) ?? 0
    initialPages = try table.range("initial_pages") ?? 1_000...50_000
    guard copyShare + faxShare <= 100 else {
      throw table.fault("copy_share", "copy_share and fax_share are \(copyShare + faxShare) together; at most 100")
    }
  }
}

extension CoverModel {
  fileprivate init(_ table: SettingsTable) throws {
    try table.allowOnly("index", "description")
    index = try table.rowIndex()
    description = try table.requiredString("description")
  }
}

extension InputModel {
  fileprivate init(_ table: SettingsTable) throws {
    try table.allowOnly("index", "type", "name", "description", "media", "capacity", "report")
    index = try table.rowIndex()
    type = try table.integer("type", in: 1...9) ?? 3
    name = try table.requiredString("name")
    description = try table.string("description") ?? name
    media = try table.string("media") ?? "A4"
    capacity = try table.requiredInteger("capacity", in: 1...10_000)
    report = try table.choice("report", LevelReport.self) ?? .exact
  }
}

extension OutputModel {
  fileprivate init(_ table: SettingsTable) throws {
    try table.allowOnly("index", "name", "description", "capacity", "report")
    index = try table.rowIndex()
    name = try table.requiredString("name")
    description = try table.string("description") ?? name
    capacity = try table.requiredInteger("capacity", in: 1...10_000)
    report = try table.choice("report", LevelReport.self) ?? .exact
  }
}

extension ColorantModel {
  fileprivate init(_ table: SettingsTable) throws {
    try table.allowOnly("index", "value")
    index = try table.rowIndex()
    value = try table.requiredString("value")
  }
}

extension SupplyModel {
  fileprivate init(_ table: SettingsTable) throws {
    try table.allowOnly(
      "index", "type", "colorant", "description", "unit", "capacity", "yield", "wear", "report", "low_at")
    index = try table.rowIndex()
    guard let type = try table.choice("type", SupplyType.self) else {
      throw table.fault(
        "type", "missing; expected one of \(SupplyType.allCases.map(\.rawValue).joined(separator: ", "))")
    }
    self.type = type
    colorant = UInt32(try table.integer("colorant", in: 0...65_535) ?? 0)
    description = try table.requiredString("description")
    unit = try table.requiredInteger("unit", in: 1...19)
    capacity = try table.requiredInteger("capacity", in: -2...10_000_000)
    yield = try table.requiredInteger("yield", in: 10...100_000_000)
    wear = try table.choice("wear", Wear.self) ?? .all
    report = try table.choice("report", LevelReport.self) ?? .exact
    lowAt = try table.integer("low_at", in: 0...99) ?? 10
  }
}

extension StaticObject {
  fileprivate init(_ table: SettingsTable) throws {
    try table.allowOnly("oid", "text", "integer", "hex", "object_id", "gauge", "counter")
    name = try table.objectIdentifier("oid")
    if let text = try table.string("text") {
      value = .text(text)
    } else if let number = try table.integer("integer", in: Int(Int32.min)...Int(Int32.max)) {
      value = .value(.integer(Int64(number)))
    } else if let number = try table.integer("gauge", in: 0...Int(UInt32.max)) {
      value = .value(.gauge32(UInt32(number)))
    } else if let number = try table.integer("counter", in: 0...Int(UInt32.max)) {
      value = .value(.counter32(UInt32(number)))
    } else if try table.string("object_id") != nil {
      value = .value(.objectIdentifier(try table.objectIdentifier("object_id")))
    } else {
      value = .value(.octets(try table.hex("hex")))
    }
  }
}

extension CounterObject {
  fileprivate init(_ table: SettingsTable) throws {
    try table.allowOnly("oid", "counts", "type")
    name = try table.objectIdentifier("oid")
    counts = try table.counts("counts")
    type = try table.choice("type", CounterType.self) ?? .counter32
  }
}

extension RecordObject {
  fileprivate init(_ table: SettingsTable) throws {
    try table.allowOnly("oid", "codes", "counts")
    name = try table.objectIdentifier("oid")
    let codes = try table.hex("codes")
    let counts = try table.counts("counts")
    guard codes.count == counts.count else {
      throw table.fault("codes", "\(codes.count) codes for \(counts.count) counts; expected as many of each")
    }
    records = zip(codes, counts).map { Record(code: $0, count: $1) }
  }
}

extension Quirks {
  fileprivate init(_ table: SettingsTable) throws {
    try table.allowOnly(
      "single_gets_only", "get_next_only", "no_bulk", "versions", "gen_err_at_end", "sleep_after_minutes", "wake",
      "wake_ms")
    self.init()
    singleGetsOnly = try table.flag("single_gets_only") ?? false
    getNextOnly = try table.flag("get_next_only") ?? false
    noBulk = try table.flag("no_bulk") ?? false
    genErrAtEnd = try table.flag("gen_err_at_end") ?? false
    sleepAfterMinutes = try table.integer("sleep_after_minutes", in: 1...10_000)
    wake = try table.choice("wake", WakeBehaviour.self) ?? .lost
    wakeMilliseconds = try table.integer("wake_ms", in: 0...60_000) ?? 3000
    if let versions = try table.versions("versions") { self.versions = versions }
  }
}
