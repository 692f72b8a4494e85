// Supplies and trays over IPP.
//
// printer-supply repeats prtMarkerSuppliesTable: the level of a receptacle is the room that is left in it, and -1, -2, -3 mean what they mean there.
// marker-* (CUPS) is older and poorer. Levels are percentages; -1 is "not available", which the MIB calls unknown (-2), since its own -1 is "no
// restriction". For a container of waste CUPS tells how full it is and some printers how much room is left: nothing says which, so the level
// of waste in marker-levels is unknown, and a finding. marker-low-levels and marker-high-levels are thresholds, not capacities.

internal import MIB

extension AttributeTranslation {
  mutating func translateSupplies() {
    let rows = walk.attribute("printer-supply")
    guard !rows.isEmpty else { return translateMarkers() }
    let parsed = rows.compactMap { binding in row(binding).map { (binding: binding, row: $0) } }
    let descriptions = walk.attribute("printer-supply-description")
    let names = descriptions.isEmpty && isInMarkersOrder(parsed.map(\.row)) ? walk.attribute("marker-names") : []
    for (place, index) in Self.indices(parsed.map(\.row)).enumerated() {
      let (binding, row) = parsed[place]
      makeSupply(index, row, binding)
      if names.count == rows.count { makeMarkerName(index, names[place]) }
      guard descriptions.count == rows.count, descriptions[place].value.octets?.isEmpty == false else { continue }
      let name = PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.description, Self.device, index)
      make(name, descriptions[place].value, of: descriptions[place], .pwg510013)
    }
  }

  /// Whether marker-* tell of the same supplies in the same order: each row's level is the percentage that stands in marker-levels at its place.
  private func isInMarkersOrder(_ rows: [AttributeRow]) -> Bool {
    let levels = walk.attribute("marker-levels")
    guard levels.count == rows.count, rows.count == walk.attribute("printer-supply").count else { return false }
    return zip(rows, levels).allSatisfy { row, marker in
      guard let level = row.number("level"), let full = row.number("maxcapacity"), full > 0, (0...full).contains(level),
        let percent = marker.value.number(as: .integer32)
      else { return false }
      return abs(Double(level) / Double(full) * 100 - Double(percent)) <= 1
    }
  }

  /// The rows' own indices where they have them and no two are the same; else their places, from 1.
  static func indices(_ rows: [AttributeRow]) -> [UInt32] {
    let own = rows.compactMap { $0.number("index").flatMap(UInt32.init(exactly:)) }.filter { $0 > 0 }
    return own.count == rows.count && Set(own).count == own.count ? own : rows.indices.map { UInt32($0) + 1 }
  }

  private mutating func makeSupply(_ index: UInt32, _ row: AttributeRow, _ binding: VarBind) {
    let numbers: [(UInt32, Int64?)] = [
      (PrinterMIB.Supplies.markerIndex, number(row, "markerindex", binding)),
      (PrinterMIB.Supplies.colorantIndex, number(row, "colorantindex", binding)),
      (PrinterMIB.Supplies.supplyClass, number(row, "class", .supplyClass, binding)),
      (PrinterMIB.Supplies.type, number(row, "type", .supplyType, binding)),
      (PrinterMIB.Supplies.unit, number(row, "unit", .unit, binding)),
      (PrinterMIB.Supplies.maxCapacity, number(row, "maxcapacity", binding)),
      (PrinterMIB.Supplies.level, number(row, "level", binding)),
    ]
    for (column, number) in numbers {
      let name = PrinterMIB.Supplies.entry.appending(column, Self.device, index)
      if let number { make(name, .integer(number), of: binding, .pwg510013) }
    }
    if let colorant = row["colorantname"] { setColorant(index, colorant, binding, .pwg510013) }
  }

  mutating func setColorant(_ index: UInt32, _ name: String, _ binding: VarBind, _ standard: String) {
    guard let text = DeviceText(decoding: Array(name.utf8), characterSet: nil),
      !["none", "unknown"].contains(text.text)
    else { return }
    let origin = Origin(source: Source(binding), rule: .attribute(standard, binding.name))
    setColorant(RowIndex([Self.device, index]), text, origin)
  }

  // MARK: marker-*

  private mutating func translateMarkers() {
    let (names, types) = (walk.attribute("marker-names"), walk.attribute("marker-types"))
    let (levels, colours) = (walk.attribute("marker-levels"), walk.attribute("marker-colors"))
    let count = max(names.count, levels.count)
    for (keyword, values) in [("marker-names", names), ("marker-types", types), ("marker-levels", levels)]
    where values.count != count && !values.isEmpty {
      found(
        AttributeName(keyword)?.identifier, "\(keyword) has \(values.count) values where there are \(count) supplies")
    }
    for place in 0..<count {
      let index = UInt32(place) + 1
      // Values belong together by their places; where some are missing, nobody knows which.
      if names.count == count { makeMarkerName(index, names[place]) }
      let isWaste = types.count == count ? makeMarkerType(index, types[place]) : nil
      if levels.count == count { makeMarkerLevel(index, levels[place], isWaste: isWaste) }
      if colours.count == count, let octets = colours[place].value.octets {
        setColorant(index, Self.colourName(String(decoding: octets, as: UTF8.self)), colours[place], .cups)
      }
    }
  }

  private mutating func makeMarkerName(_ index: UInt32, _ binding: VarBind) {
    let name = PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.description, Self.device, index)
    guard binding.value.octets?.isEmpty == false else { return }
    make(name, binding.value, of: binding, .cups)
  }

  /// Whether the type is one of waste; nil when it has no meaning.
  private mutating func makeMarkerType(_ index: UInt32, _ binding: VarBind) -> Bool? {
    let word = binding.value.octets.map { String(decoding: $0, as: UTF8.self) } ?? ""
    guard let type = EnumerationNames.number(of: word, in: .supplyType) else {
      found(binding.name, "`\(word)` is none of the standard's types of supplies")
      return nil
    }
    let name = PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.type, Self.device, index)
    make(name, .integer(type), of: binding, .cups)
    let isWaste = EnumerationNames.supplyType(type)?.hasPrefix("waste") ?? false
    let supplyClass = PrinterMIB.Supplies.entry.appending(PrinterMIB.Supplies.supplyClass, Self.device, index)
    if isWaste { make(supplyClass, .integer(4), of: binding, .cups) }
    return isWaste
  }

  private mutating func makeMarkerLevel(_ index: UInt32, _ binding: VarBind, isWaste: Bool?) {
    func name(_ column: UInt32) -> ObjectIdentifier {
      PrinterMIB.Supplies.entry.appending(column, Self.device, index)
    }
    guard let level = binding.value.number(as: .integer32) else {
      return found(binding.name, "expected a percentage or -1, -2 or -3, not \(binding.value.display)")
    }
    make(name(PrinterMIB.Supplies.unit), .integer(CounterUnit.percent.rawValue), of: binding, .cups)
    if isWaste ?? false, level >= 0 {
      found(
        binding.name, "marker-levels does not tell whether \(level) is what is in the waste container or the room left")
      return make(name(PrinterMIB.Supplies.level), .integer(-2), of: binding, .cups)
    }
    make(name(PrinterMIB.Supplies.level), .integer(level == -1 ? -2 : level), of: binding, .cups)
  }

  /// The colours of the four inks by their names; others as they are sent.
  private static func colourName(_ colour: String) -> String {
    switch colour.uppercased() {
    case "#000000": "black"
    case "#00FFFF": "cyan"
    case "#FF00FF": "magenta"
    case "#FFFF00": "yellow"
    default: colour
    }
  }

  // MARK: Trays

  mutating func translateTrays() {
    let inputs = walk.attribute("printer-input-tray").compactMap { binding in row(binding).map { (binding, $0) } }
    for (place, index) in Self.indices(inputs.map(\.1)).enumerated() {
      makeInput(index, inputs[place].1, inputs[place].0)
    }
    let outputs = walk.attribute("printer-output-tray").compactMap { binding in row(binding).map { (binding, $0) } }
    for (place, index) in Self.indices(outputs.map(\.1)).enumerated() {
      makeOutput(index, outputs[place].1, outputs[place].0)
    }
  }

  private mutating func makeInput(_ index: UInt32, _ row: AttributeRow, _ binding: VarBind) {
    let entry = PrinterMIB.Input.entry
    makeRow(
      entry, index, binding,
      [
        (PrinterMIB.Input.type, number(row, "type", .inputType, binding)),
        (PrinterMIB.Input.capacityUnit, number(row, "unit", .unit, binding)),
        (PrinterMIB.Input.maxCapacity, number(row, "maxcapacity", binding)),
        (PrinterMIB.Input.currentLevel, number(row, "level", binding)),
        (PrinterMIB.Input.status, number(row, "status", binding)),
      ],
      [
        (PrinterMIB.Input.mediaName, row["medianame"]), (PrinterMIB.Input.name, row["name"]),
        (PrinterMIB.Input.description, row["description"]),
      ])
  }

  private mutating func makeOutput(_ index: UInt32, _ row: AttributeRow, _ binding: VarBind) {
    makeRow(
      PrinterMIB.Output.entry, index, binding,
      [
        (PrinterMIB.Output.capacityUnit, number(row, "unit", .unit, binding)),
        (PrinterMIB.Output.maxCapacity, number(row, "maxcapacity", binding)),
        (PrinterMIB.Output.remainingCapacity, number(row, "remaining", binding)),
        (PrinterMIB.Output.status, number(row, "status", binding)),
      ], [(PrinterMIB.Output.name, row["name"]), (PrinterMIB.Output.description, row["description"])])
  }

  private mutating func makeRow(
    _ entry: ObjectIdentifier, _ index: UInt32, _ binding: VarBind, _ numbers: [(UInt32, Int64?)],
    _ texts: [(UInt32, String?)]
  ) {
    for (column, number) in numbers {
      if let number { make(entry.appending(column, Self.device, index), .integer(number), of: binding, .pwg510013) }
    }
    for (column, text) in texts {
      guard let text, !text.isEmpty else { continue }
      make(entry.appending(column, Self.device, index), .octets(Array(text.utf8)), of: binding, .pwg510013)
    }
  }
}
