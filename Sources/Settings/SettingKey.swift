// The keys that a hub may set: in the names, units and limits of ptagent.toml, and no others.
//
// What a site decides by itself is not among them: which hub it belongs to and by which proxy, where its files lie and how large they get, how
// it logs, the ports, credentials (a hub knows their names at most), and remote sessions. A hub that was broken into can have printers read more
// often or less; it cannot read what a site keeps to itself, and it cannot have a packet sent where the site said that none goes.

/// A key that a hub may set.
package struct SettingKey: Hashable, Sendable, CustomStringConvertible {
  /// How a value is written.
  package enum Form: Sendable {
    /// A text, such as a duration or a word.
    case text
    /// A whole number, true or false.
    case bare
    /// An array, of texts or of tables.
    case list
  }

  /// Keys that mean something only together: the nearest place that has one of them decides about all.
  package enum Group: Sendable {
    case place, timing
  }

  /// Dotted: `poll.interval`.
  package let name: String
  package let form: Form
  package let group: Group?
  /// Whether it may be set of one device, too.
  package let isForDevices: Bool
  /// Whether what the site's file says is joined with it instead of overriding it: a prohibition holds, whoever made it.
  package let isProhibition: Bool

  private init(
    _ name: String, _ form: Form, group: Group? = nil, isForDevices: Bool = false, isProhibition: Bool = false
  ) {
    self.name = name
    self.form = form
    self.group = group
    self.isForDevices = isForDevices
    self.isProhibition = isProhibition
  }

  package var description: String { name }
  /// `poll` of `poll.interval`.
  var section: String { String(name.prefix { $0 != "." }) }
  /// `interval` of `poll.interval`.
  var key: String { String(name.drop { $0 != "." }.dropFirst()) }

  /// Ascending by name.
  package static let all: [SettingKey] = [
    SettingKey("alerts.low_supply", .bare, isForDevices: true),
    SettingKey("alerts.maintenance_part", .bare, isForDevices: true),
    SettingKey("alerts.pages_per_minute_max", .bare, isForDevices: true),
    SettingKey("alerts.unreachable_after", .text, isForDevices: true),
    SettingKey("alerts.volume_every", .bare, isForDevices: true),
    SettingKey("delivery.check_in_interval", .text),
    SettingKey("delivery.mode", .text),
    SettingKey("discovery.dns_sd", .bare),
    SettingKey("discovery.do_not_touch", .list, isProhibition: true),
    SettingKey("discovery.exclusions", .list, isProhibition: true),
    SettingKey("discovery.ipp", .bare),
    SettingKey("discovery.max_hops", .bare, group: .place),
    SettingKey("discovery.packets_per_second", .bare),
    SettingKey("discovery.ranges", .list, group: .place),
    SettingKey("discovery.sweep_days", .list, group: .timing),
    SettingKey("discovery.sweep_interval", .text, group: .timing),
    SettingKey("discovery.sweep_times", .list, group: .timing),
    SettingKey("journal.keep", .text),
    SettingKey("poll.concurrency", .bare),
    SettingKey("poll.interval", .text),
    SettingKey("poll.retire_after", .text),
  ]

  private static let byName = Dictionary(uniqueKeysWithValues: all.map { ($0.name, $0) })

  package static func named(_ name: String) -> SettingKey? { byName[name] }

  /// What is said of a name that is none of them, as it reads after "expected".
  package static func advice(about name: String, forDevices: Bool = false) -> String {
    let names = all.filter { $0.isForDevices || !forDevices }.map(\.name)
    let nearest = nearestName(to: name, among: names).map { "\"\($0)\", or " } ?? ""
    let whose = forDevices ? "that may be set of a device" : "that a hub may set"
    return "\(nearest)one of the keys \(whose): \(names.joined(separator: ", "))"
  }

  /// The TOML value that somebody means who writes this on a command line: texts need no quotes, lists no brackets.
  package func value(written text: String) -> String {
    let isTOML = text.hasPrefix("\"") || text.hasPrefix("'") || text.hasPrefix("[")
    switch form {
    case .bare: return text
    case .text: return isTOML ? text : TOMLNode.string(text).rendered
    case .list where isTOML && text.hasPrefix("["): return text
    case .list:
      let parts = text.split(separator: ",").map { part in
        String(part.drop { $0 == " " }.reversed().drop { $0 == " " }.reversed())
      }
      return TOMLNode.array(parts.map { .string($0) }).rendered
    }
  }

  /// A value in the one form in which it is kept and compared; nil if it is not one value of TOML.
  package static func canonical(_ value: String) -> String? { TOMLNode.value(of: value)?.rendered }
}

extension TOMLNode {
  /// One value alone: nothing that would reach beyond it in a document, such as a line of its own.
  static func value(of text: String) -> TOMLNode? {
    guard !text.utf8.contains(where: { $0 == 0x0a || $0 == 0x0d }),
      case .table(let nodes)? = try? TOMLNode.parse("value = \(text)\n"), nodes.count == 1
    else { return nil }
    return nodes["value"]
  }

  /// The value as TOML, in one line; keys of tables ascend.
  var rendered: String {
    switch self {
    case .table(let nodes):
      let pairs = nodes.sorted { $0.key < $1.key }.map { "\(KeyPath().key($0.key)) = \($0.value.rendered)" }
      return pairs.isEmpty ? "{}" : "{ \(pairs.joined(separator: ", ")) }"
    case .array(let nodes): return "[\(nodes.map(\.rendered).joined(separator: ", "))]"
    case .string(let text): return Self.quoted(text)
    case .integer(let value): return "\(value)"
    case .float(let value): return "\(value)"
    case .boolean(let value): return "\(value)"
    // No key of ours has one; what it is would be refused in any form.
    case .moment: return "1970-01-01"
    }
  }

  /// TOML 1.0, "String": a basic string.
  private static func quoted(_ text: String) -> String {
    var quoted = "\""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\"", "\\": quoted += "\\\(scalar)"
      case _ where scalar.value < 0x20 || scalar.value == 0x7f:
        let digits = String(scalar.value, radix: 16)
        quoted += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
      default: quoted.unicodeScalars.append(scalar)
      }
    }
    return quoted + "\""
  }
}
