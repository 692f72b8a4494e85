// `ptagent config explain`: each key that a hub may set, with the value in use and where it comes from. Pure: the file and the journal's state come in.

internal import Events
internal import FoundationEssentials
package import Journal
package import Projections
internal import ReadModels
package import Settings

package struct SettingsReport: Sendable {
  private struct Line: Encodable {
    let key: String
    /// Of which device; nil: of all.
    let device: String?
    /// TOML.
    let value: String
    /// `default`, `file`, `hub`, `file and hub`.
    let origin: String
    /// In the file.
    let line: Int?
    /// Of the hub's settings.
    let version: UInt64?
  }

  private struct Document: Encodable {
    let version: UInt64?
    let refusedVersion: UInt64?
    let refused: String?
    let settings: [Line]
  }

  private let document: Document

  /// - Parameters:
  ///   - site: as the file has it.
  ///   - state: as the journal has it; nil: there is no journal yet.
  package init(_ site: AgentConfiguration, _ state: AgentState?) {
    var (set, configuration) = (state?.settings.map { SettingsSet($0.fact) }, site)
    var refused = state?.settingsRefused?.fact
    if let applied = set {
      do { configuration = try site.layered(with: applied).configuration } catch {
        // What the agent finds when it starts with this file.
        refused = .init(applied, error)
        set = nil
      }
    }
    let lines = configuration.explanation(with: set).map(Self.line)
    let devices = (set?.devices ?? []).flatMap { device in
      device.values.map { setting in
        Line(
          key: setting.key, device: device.device, value: setting.value, origin: "hub", line: nil,
          version: set?.version)
      }
    }
    document = Document(
      version: set?.version, refusedVersion: refused?.version, refused: refused?.reason, settings: lines + devices)
  }

  /// With what the journal says at this moment.
  /// - Throws: `JournalError`, or what a row that cannot be read says.
  package init(_ site: AgentConfiguration, _ reader: JournalReader) throws {
    self.init(site, try FleetView.load(reader).agent)
  }

  private static func line(_ explained: ExplainedSetting) -> Line {
    func made(_ origin: String, line: Int? = nil, version: UInt64? = nil) -> Line {
      Line(
        key: explained.key.name, device: nil, value: explained.value, origin: origin, line: line, version: version)
    }
    return switch explained.origin {
    case .preset: made("default")
    case .file(let line): made("file", line: line)
    case .hub(let version): made("hub", version: version)
    case .console: made("console")
    case .fileAndHub(let version): made("file and hub", version: version)
    case .consoleAndHub(let version): made("console and hub", version: version)
    }
  }

  package var text: String {
    var table = TextTable([.init("KEY"), .init("VALUE"), .init("ORIGIN")])
    for line in document.settings {
      let origin =
        [line.origin, line.line.map { "line \($0)" }, line.version.map { "version \($0)" }].compactMap { $0 }
      table.add([
        line.key + (line.device.map { " of device \($0.prefix(8))" } ?? ""), line.value,
        origin.joined(separator: ", "),
      ])
    }
    guard let version = document.refusedVersion, let reason = document.refused else { return table.text }
    return table.text + "\nVersion \(version) of the hub's settings is refused:\n\(reason)\n"
  }

  /// - Throws: nothing that could happen to texts and numbers.
  package func json() throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(document), as: UTF8.self) + "\n"
  }
}

extension AgentConfiguration {
  /// What an agent with this file would use: with the hub's settings that the journal has, if they go with it.
  /// - Throws: `JournalError`, or what a row that cannot be read says.
  package func inUse(_ reader: JournalReader) throws -> AgentConfiguration {
    guard let applied = try FleetView.load(reader).agent.settings?.fact else { return self }
    // One that the agent would refuse counts for nothing here, either.
    return (try? layered(with: SettingsSet(applied)).configuration) ?? self
  }
}
