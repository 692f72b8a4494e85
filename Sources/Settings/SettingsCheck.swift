// A hub's settings, checked by the same readers that check ptagent.toml, and laid over the site's file.
//
//     hub's set ──> by itself: known keys, values within their limits? ──> over the file: does the whole still make sense? ──> configuration
//
// What stands in the site's file wins, key by key; keys of a group win together. Prohibitions of both are joined. Anything wrong refuses the
// whole set.

internal import Platform

/// A set over a site's file.
package struct LayeredConfiguration: Sendable {
  package let configuration: AgentConfiguration
  /// Keys of the set that the file has as well, and that the file decides.
  package let overridden: [String]
}

extension SettingsSet {
  /// Everything that is wrong with the set whatever the site's file says; the names of credentials, which are a site's own, are not looked at.
  ///
  /// - Parameter name: what the set is called in the problems.
  package func problems(named name: String = "settings") -> [ConfigurationProblem] {
    problems(named: name, credentials: .any)
  }

  fileprivate func problems(named name: String, credentials: CredentialSection) -> [ConfigurationProblem] {
    let bytes = text.utf8.count
    guard bytes <= Self.bytesMax else {
      return [
        ConfigurationProblem(
          file: name, line: nil, key: "", found: "\(bytes) bytes", expected: "at most \(Self.bytesMax) bytes")
      ]
    }
    let broken = brokenValues(named: name)
    guard broken.isEmpty else { return broken }
    let findings = Findings(file: name, locator: nil)
    _ = AgentConfiguration(
      TableReader(laid(over: [:]).nodes, at: KeyPath(), findings), directory: "", credentials: credentials)
    return findings.problems.map(named)
  }

  /// Keys that are not to be set or stand twice, and values that are no TOML.
  private func brokenValues(named name: String) -> [ConfigurationProblem] {
    func broken(_ values: [Setting], of device: String?) -> [ConfigurationProblem] {
      var seen: Set<String> = []
      return values.compactMap { setting in
        func problem(found: String, expected: String) -> ConfigurationProblem {
          let whose = device.map { " of device \($0)" } ?? ""
          return ConfigurationProblem(
            file: name, line: nil, key: setting.key + whose, found: found, expected: expected)
        }
        guard let key = SettingKey.named(setting.key), device == nil || key.isForDevices else {
          return problem(
            found: "a key that is not to be set here",
            expected: SettingKey.advice(about: setting.key, forDevices: device != nil))
        }
        guard seen.insert(key.name).inserted else { return problem(found: "it twice", expected: "it once") }
        guard TOMLNode.value(of: setting.value) != nil else {
          return problem(found: setting.value.quotedBriefly, expected: "one value as TOML has it")
        }
        return nil
      }
    }
    var problems = broken(values, of: nil)
    var seen: Set<String> = []
    for device in devices {
      if !seen.insert(device.device).inserted {
        problems.append(
          ConfigurationProblem(
            file: name, line: nil, key: "device \(device.device)", found: "it twice", expected: "it once"))
      }
      problems += broken(device.values, of: device.device)
    }
    return problems
  }

  /// A problem of a device's table, told as one of the device.
  private func named(_ problem: ConfigurationProblem) -> ConfigurationProblem {
    let prefix = "alerts.device["
    guard problem.key.hasPrefix(prefix), let end = problem.key.firstIndex(of: "]"),
      let index = Int(problem.key[problem.key.index(problem.key.startIndex, offsetBy: prefix.count)..<end]),
      devices.indices.contains(index)
    else { return problem }
    let key = "alerts" + problem.key[problem.key.index(after: end)...] + " of device \(devices[index].device)"
    return ConfigurationProblem(
      file: problem.file, line: nil, key: key, found: problem.found, expected: problem.expected)
  }

  /// The file's values with the set's beneath them.
  fileprivate func laid(over site: [String: TOMLNode]) -> (nodes: [String: TOMLNode], overridden: [String]) {
    var (nodes, overridden): ([String: TOMLNode], [String]) = (site, [])
    for setting in values {
      guard let key = SettingKey.named(setting.key), let value = TOMLNode.value(of: setting.value) else { continue }
      let own = site.value(of: key)
      if key.isProhibition, case .array(let mine)? = own, case .array(let theirs) = value {
        nodes.set(.array(mine + theirs), at: key.section, key.key)
      } else if site.decides(key) {
        overridden.append(key.name)
      } else {
        nodes.set(value, at: key.section, key.key)
      }
    }
    nodes.prepend(deviceTables(besides: site), at: "alerts", "device")
    return (nodes, overridden)
  }

  /// [[alerts.device]], in the order of `devices`.
  private func deviceTables(besides site: [String: TOMLNode]) -> [TOMLNode] {
    devices.map { device in
      var table: [String: TOMLNode] = ["device": .string(device.device)]
      for setting in device.values {
        guard let key = SettingKey.named(setting.key), !site.decides(key) else { continue }
        table[key.key] = TOMLNode.value(of: setting.value)
      }
      return .table(table)
    }
  }
}

extension ConsoleFile {
  /// The file's values with the console's beneath them.
  func laid(over file: [String: TOMLNode]) -> [String: TOMLNode] {
    var nodes = SettingsSet(version: 0, values: values).laid(over: file).nodes
    if nodes["hub"] == nil, let hub { nodes["hub"] = hub }
    if nodes["proxy"] == nil, let proxy { nodes["proxy"] = proxy }
    return nodes
  }

  fileprivate func problems(credentials: CredentialSection) -> [ConfigurationProblem] {
    SettingsSet(version: 0, values: values).problems(named: path, credentials: credentials)
  }
}

extension AgentConfiguration {
  /// The set laid over the file that this configuration was read from.
  ///
  /// - Throws: everything that is wrong with the set; nothing of it counts then.
  package func layered(with set: SettingsSet) throws(ConfigurationProblems) -> LayeredConfiguration {
    let name = "hub settings, version \(set.version)"
    let credentials = CredentialSection(byName: self.credentials)
    let problems = set.problems(named: name, credentials: credentials)
    guard problems.isEmpty else { throw ConfigurationProblems(problems) }
    let laid = set.laid(over: siteNodes)
    let configuration = try parsed(laid.nodes, named: name, source)
    return LayeredConfiguration(configuration: configuration, overridden: laid.overridden)
  }

  private func parsed(
    _ nodes: [String: TOMLNode], named name: String, _ source: ConfigurationSource?
  ) throws(ConfigurationProblems) -> AgentConfiguration {
    let findings = Findings(file: name, locator: nil)
    var configuration = AgentConfiguration(
      TableReader(nodes, at: KeyPath(), findings), directory: Files.parent(of: source?.file ?? ""))
    guard findings.problems.isEmpty else { throw ConfigurationProblems(findings.problems) }
    configuration.warnings = findings.warnings
    configuration.source = source
    return configuration
  }

  /// What the file says, and beneath it what the console has set; nothing where there was none.
  var siteNodes: [String: TOMLNode] {
    let nodes = fileNodes
    return source?.console.map { $0.laid(over: nodes) } ?? nodes
  }

  /// What the file says; nothing where there was none.
  var fileNodes: [String: TOMLNode] {
    guard let source, case .table(let nodes)? = try? TOMLNode.parse(source.text) else { return [:] }
    return nodes
  }

  /// This configuration's file, with this of the console instead of what the console had set.
  /// - Throws: everything that is wrong with it.
  package func joined(with console: ConsoleFile) throws(ConfigurationProblems) -> AgentConfiguration {
    let problems = console.problems(credentials: CredentialSection(byName: credentials))
    guard problems.isEmpty else { throw ConfigurationProblems(problems) }
    let source = ConfigurationSource(file: source?.file ?? "", text: source?.text ?? "", console: console)
    return try parsed(console.laid(over: fileNodes), named: console.path, source)
  }
}

extension [String: TOMLNode] {
  fileprivate func value(of key: SettingKey) -> TOMLNode? {
    if case .table(let section)? = self[key.section] { section[key.key] } else { nil }
  }

  /// Whether a site's file has the key, or another one of its group.
  func decides(_ key: SettingKey) -> Bool {
    if value(of: key) != nil { return true }
    guard let group = key.group else { return false }
    return SettingKey.all.contains { $0.group == group && value(of: $0) != nil }
  }

  fileprivate mutating func set(_ value: TOMLNode, at section: String, _ key: String) {
    var table: [String: TOMLNode] = [:]
    if case .table(let present)? = self[section] { table = present }
    table[key] = value
    self[section] = .table(table)
  }

  /// What the file has comes last, and so counts.
  fileprivate mutating func prepend(_ elements: [TOMLNode], at section: String, _ key: String) {
    guard !elements.isEmpty else { return }
    var present: [TOMLNode] = []
    if case .table(let table)? = self[section], case .array(let nodes)? = table[key] { present = nodes }
    set(.array(elements + present), at: section, key)
  }
}

extension String {
  /// For a message: a hub may send anything.
  fileprivate var quotedBriefly: String { "'\(prefix(40))\(count > 40 ? "..." : "")'" }
}
