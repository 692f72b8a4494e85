// What the local console has set: `console.toml` in the state directory, beneath ptagent.toml and above the hub
// (docs/decisions/0017-the-console-has-its-own-file.md). Its keys are those that a hub may set, and [hub] and [proxy], each as a whole.
//
// The console writes it whole or not at all, and checked; a person may read it, and remove it.

package import Platform

package struct ConsoleFile: Sendable {
  package static let name = "console.toml"

  package let path: String
  /// Ascending by key; values are TOML.
  package internal(set) var values: [Setting] = []
  var hub: TOMLNode?
  var proxy: TOMLNode?

  package init(path: String) { self.path = path }

  package var isEmpty: Bool { values.isEmpty && hub == nil && proxy == nil }
  package var hasHub: Bool { hub != nil }
  package var hasProxy: Bool { proxy != nil }

  package func value(of key: SettingKey) -> String? { values.first { $0.key == key.name }?.value }

  /// Nil where there is none.
  /// - Throws: everything that is wrong with its form; what its values mean is checked with the file's.
  package static func read(_ path: String) throws(ConfigurationProblems) -> ConsoleFile? {
    let text: String
    do { text = try Files.readText(path) } catch {
      if error.isNotFound { return nil }
      throw ConfigurationProblems([
        ConfigurationProblem(file: path, line: nil, key: "", found: error.reason, expected: "a readable file")
      ])
    }
    let root: TOMLNode
    do { root = try TOMLNode.parse(text) } catch {
      throw ConfigurationProblems([ConfigurationProblem(file: path, syntax: error)])
    }
    var file = ConsoleFile(path: path)
    guard case .table(let nodes) = root else { return file }
    var problems: [ConfigurationProblem] = []
    for (section, node) in nodes.sorted(by: { $0.key < $1.key }) {
      switch (section, node) {
      case ("hub", .table): file.hub = node
      case ("proxy", .table): file.proxy = node
      case (_, .table(let keys)):
        for (key, value) in keys.sorted(by: { $0.key < $1.key }) {
          file.values.append(Setting(key: "\(section).\(key)", value: value.rendered))
        }
      default:
        problems.append(
          ConfigurationProblem(file: path, line: nil, key: section, found: "a value", expected: "a table"))
      }
    }
    guard problems.isEmpty else { throw ConfigurationProblems(problems) }
    return file
  }

  // MARK: Changing

  /// - Parameter value: TOML; nil takes it away.
  package mutating func set(_ key: SettingKey, _ value: String?) {
    values.removeAll { $0.key == key.name }
    guard let value else { return }
    values.append(Setting(key: key.name, value: value))
    values.sort { $0.key < $1.key }
  }

  /// - Parameter pin: as the hub shows it.
  package mutating func setHub(csr: String, dcam: String?, hc: String?, pin: String?) {
    var nodes: [String: TOMLNode] = ["csr": .string(csr)]
    if let dcam { nodes["dcam"] = .string(dcam) }
    if let hc { nodes["hc"] = .string(hc) }
    if let pin { nodes["ca_pin"] = .string(pin) }
    hub = .table(nodes)
  }

  /// Nil takes it away.
  package mutating func setProxy(_ settings: (address: String, user: String?, password: String?)?) {
    guard let settings else { return proxy = nil }
    var nodes: [String: TOMLNode] = ["address": .string(settings.address)]
    if let user = settings.user { nodes["user"] = .string(user) }
    if let password = settings.password { nodes["password"] = .string(password) }
    proxy = .table(nodes)
  }

  /// A proxy's password may be among it.
  /// - Throws: with the former file untouched.
  package func write() throws(SystemError) {
    guard !isEmpty else { return try Files.remove(path) }
    try Files.replace(path, with: Array(text.utf8), mode: 0o600)
  }

  var text: String {
    var text =
      "# Written by the local console, which writes it anew with each change. What ptagent.toml says counts before it.\n"
    for (name, node) in [("hub", hub), ("proxy", proxy)] {
      guard case .table(let nodes)? = node else { continue }
      text += "\n[\(name)]\n"
      for (key, value) in nodes.sorted(by: { $0.key < $1.key }) {
        text += "\(KeyPath().key(key)) = \(value.rendered)\n"
      }
    }
    var section = ""
    for setting in values {
      guard let key = SettingKey.named(setting.key) else { continue }
      if key.section != section { text += "\n[\(key.section)]\n" }
      section = key.section
      text += "\(key.key) = \(setting.value)\n"
    }
    return text
  }
}

extension AgentConfiguration {
  package var consoleFilePath: String { state.directory + "/" + ConsoleFile.name }

  /// Where the file has a key of its own, or another one of its group; nil: nowhere.
  package func fileLine(of key: SettingKey) -> Int? {
    guard fileNodes.decides(key) else { return nil }
    let lines = KeyLocator(source?.text ?? "").lines
    let own = lines[KeyPath().key(key.section).key(key.key)]
    return own
      ?? SettingKey.all.filter { $0.group == key.group && key.group != nil }.compactMap {
        lines[KeyPath().key($0.section).key($0.key)]
      }.min() ?? 0
  }

  /// Whether the file itself has this table.
  package func fileHas(table name: String) -> Bool { fileNodes[name] != nil }

  /// Where the file has a key of any kind; nil: nowhere.
  package func fileLine(ofAny name: String) -> Int? {
    let parts = name.split(separator: ".").map(String.init)
    return KeyLocator(source?.text ?? "").lines[parts.reduce(KeyPath()) { $0.key($1) }]
  }

  package func consoleHub(_ name: String) -> String? { Self.text(source?.console?.hub, name) }

  private static func text(_ node: TOMLNode?, _ name: String) -> String? {
    if case .table(let nodes)? = node, case .string(let text)? = nodes[name] { text } else { nil }
  }
}

/// Addresses as text.
enum NetworkAddress {
  /// Whether it is an IPv4 address in four numbers, or an IPv6 address by its look: binding it says the rest.
  static func isAddress(_ text: String) -> Bool {
    if text.contains(":") {
      return text.utf8.allSatisfy { Self.isHex($0) || $0 == UInt8(ascii: ":") || $0 == UInt8(ascii: ".") }
    }
    let parts = text.split(separator: ".", omittingEmptySubsequences: false)
    return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
  }

  private static func isHex(_ byte: UInt8) -> Bool {
    (0x30...0x39).contains(byte) || (0x41...0x46).contains(byte) || (0x61...0x66).contains(byte)
  }
}
