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
    table.finish()
  }

  /// An element: a table, or a text that stands for a range with the default credential.
  private static func range(
    _ node: TOMLNode, at place: KeyPath, _ findings: Findings, _ credentials: CredentialSection
  ) -> DiscoveryRange? {
    switch node {
    case .string(let text):
      return addressRange(text, at: place, findings).map { DiscoveryRange(range: $0, credentials: [.publicCommunity]) }
    case .table(let nodes):
      let table = TableReader(nodes, at: place, findings)
      defer { table.finish() }
      let text = table.required("range", expected: rangeForms) { node in
        if case .string(let text) = node { text } else { nil }
      }
      let range = text.flatMap { addressRange($0, at: place.key("range"), findings) }
      let chosen = names(table, credentials)
      return range.map { DiscoveryRange(range: $0, credentials: chosen.isEmpty ? [.publicCommunity] : chosen) }
    default:
      findings.note(place, found: node.shown, expected: rangeForms)
      return nil
    }
  }

  private static func names(_ table: TableReader, _ credentials: CredentialSection) -> [NamedCredential] {
    table.list("credentials", expected: "names of [credentials.NAME] tables") { node, place in
      guard case .string(let name) = node else {
        table.findings.note(place, found: node.shown, expected: "the name of a [credentials.NAME] table")
        return nil
      }
      if let credential = credentials.byName[name] { return credential }
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
      return addressRange(text, at: place, table.findings)
    }
  }

  private static func addressRange(_ text: String, at place: KeyPath, _ findings: Findings) -> AddressRange? {
    do {
      return try AddressRange(text)
    } catch {
      findings.note(place, found: "\"\(text)\" (\(error.problem))", expected: rangeForms)
      return nil
    }
  }
}
