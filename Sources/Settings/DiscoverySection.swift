// [discovery]: where to look for printers, and how gently.

internal import Discovery
internal import SNMP

extension DiscoverySettings {
  private static let rangeForms = "an address range: 10.0.0.7, 10.0.0.1-10, 10.0.0.1-10.0.1.20, 10.0.0.* or 10.0.0.0/24"

  init(_ table: TableReader, credentials: CredentialSection) {
    self.init()
    ranges = table.list("ranges", expected: "tables such as { range = \"10.0.0.0/24\", credentials = [\"public\"] }") {
      node, place in
      Self.range(node, at: place, table.findings, credentials)
    }
    exclusions = Self.addresses("exclusions", table)
    doNotTouch = Self.addresses("do_not_touch", table)
    packetsPerSecond = table.integer("packets_per_second", in: Self.packetsPerSecondRange, default: packetsPerSecond)
    sweepInterval = table.duration("sweep_interval", in: Self.sweepIntervalRange, default: sweepInterval)
    port = UInt16(table.integer("port", in: 1...65_535, default: 161))
    sweepTimetable = Self.timetable(table)
    hopsMax = table.integer("max_hops", in: Self.hopsRange, default: hopsMax)
    if table.has("max_hops"), !ranges.isEmpty {
      table.note("max_hops", expected: "no max_hops where there are ranges: they say where to look")
    }
    browsesAnnouncements = table.boolean("dns_sd", default: browsesAnnouncements)
    if table.has("trap_port") {
      trapPort = UInt16(table.integer("trap_port", in: 1...65_535, default: 162))
    } else {
      table.know("trap_port")
    }
    ipp = table.boolean("ipp", default: ipp)
    table.finish()
    warn(of: table)
  }

  private static func timetable(_ table: TableReader) -> SweepTimetable? {
    let days = table.texts("sweep_days", expected: "days such as \"mon\" or \"thursday\"") { Weekday(written: $0) }
    let times = table.texts("sweep_times", expected: "times of the day such as \"06:00\"") { TimeOfDay(written: $0) }
    let isTimed = table.has("sweep_times")
    if table.has("sweep_days"), !isTimed {
      table.note("sweep_days", expected: "sweep_times beside it: when on those days")
    }
    if isTimed, table.has("sweep_interval") {
      table.note("sweep_interval", expected: "either sweep_interval or sweep_times, not both")
    }
    if table.isEmptyArray("sweep_times") { table.note("sweep_times", expected: "a time or more, such as \"06:00\"") }
    return SweepTimetable(days: days, times: times)
  }

  /// Ranges of which nothing is left, which stand there twice, or which lie within others before them; and no range at all. A range that was not understood stands in the file and not in `ranges`:
  /// then there are problems to tell, and places would be wrong.
  private func warn(of table: TableReader) {
    guard table.findings.problems.isEmpty else { return }
    let excluded = AddressSet(exclusions).union(AddressSet(doNotTouch))
    var earlier: [[ClosedRange<UInt32>]: Int] = [:]
    var covered = AddressSet()
    if table.isEmptyArray("ranges") {
      let swept =
        hopsMax == 0 ? "nothing is swept" : "the networks of this machine are swept, as without this key (max_hops)"
      table.findings.warn(table.path.key("ranges"), "no range: \(swept)")
    }
    for (index, range) in ranges.map(\.range).enumerated() {
      let place = table.path.key("ranges").element(index)
      if AddressSet([range]).subtracting(excluded).isEmpty {
        table.findings.warn(place, "\(range) is wholly excluded: none of it is swept or polled")
      }
      if let first = earlier[range.spans] {
        table.findings.warn(
          place, "\(range) holds the same addresses as ranges[\(first)], and the first range decides about an address")
      } else if AddressSet([range]).subtracting(covered).isEmpty {
        table.findings.warn(
          place,
          "\(range) lies wholly within ranges before it, and the first range decides about an address: this one is never used"
        )
      }
      covered = covered.union(AddressSet([range]))
      earlier[range.spans] = earlier[range.spans] ?? index
    }
  }

  /// An element: a table, or a text that stands for a range with the default credential.
  private static func range(
    _ node: TOMLNode, at place: KeyPath, _ findings: Findings, _ credentials: CredentialSection
  ) -> DiscoveryRange? {
    switch node {
    case .string(let text):
      return sweepable(text, at: place, findings).map { DiscoveryRange(range: $0, credentials: [.publicCommunity]) }
    case .table(let nodes):
      let table = TableReader(nodes, at: place, findings)
      defer { table.finish() }
      let text = table.required("range", expected: rangeForms) { node in
        if case .string(let text) = node { text } else { nil }
      }
      let range = text.flatMap { sweepable($0, at: place.key("range"), findings) }
      let chosen = names(table, credentials)
      return range.map { DiscoveryRange(range: $0, credentials: chosen.isEmpty ? [.publicCommunity] : chosen) }
    default:
      findings.note(place, found: node.shown, expected: rangeForms)
      return nil
    }
  }

  private static func names(_ table: TableReader, _ credentials: CredentialSection) -> [NamedCredential] {
    if table.isEmptyArray("credentials") {
      table.note("credentials", found: "an empty array", expected: "a name or more; without the key it is [\"public\"]")
    }
    return table.list("credentials", expected: "names of [credentials.NAME] tables") { node, place in
      guard case .string(let name) = node else {
        table.findings.note(place, found: node.shown, expected: "the name of a [credentials.NAME] table")
        return nil
      }
      if let credential = credentials.named(name) { return credential }
      // One that is there and wrong has been reported where it stands.
      if !credentials.names.contains(name) {
        let nearest = nearestName(to: name, among: credentials.names).map { ", perhaps \"\($0)\"" } ?? ""
        table.findings.note(
          place, found: "\"\(name)\"", expected: "a name that has a table [credentials.\(name)]\(nearest)")
      }
      return nil
    }
  }

  private static func addresses(_ name: String, _ table: TableReader) -> [AddressRange] {
    table.list(name, expected: "address ranges") { node, place in
      guard case .string(let text) = node else {
        table.findings.note(place, found: node.shown, expected: rangeForms)
        return nil
      }
      return addressRange(text, for: .exclusion, at: place, table.findings)
    }
  }

  /// A range that devices can have: a packet to a multicast or broadcast address would go to all of them at once.
  private static func sweepable(_ text: String, at place: KeyPath, _ findings: Findings) -> AddressRange? {
    guard let range = addressRange(text, for: .sweep, at: place, findings) else { return nil }
    guard range.isUnicast else {
      findings.note(
        place, found: "\"\(text)\" (\(AddressRange.notUnicast))", expected: "addresses below 224.0.0.0")
      return nil
    }
    return range
  }

  private static func addressRange(
    _ text: String, for purpose: AddressRange.Purpose, at place: KeyPath, _ findings: Findings
  ) -> AddressRange? {
    do {
      return try AddressRange(text, for: purpose)
    } catch {
      findings.note(place, found: "\"\(text)\" (\(error.problem))", expected: rangeForms)
      return nil
    }
  }
}
