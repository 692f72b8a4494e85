// pthub settings explain

internal import ArgumentParser
internal import HubServer

extension SettingsCommand {
  struct Explain: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show every key with the value that counts, who set it, and what became of it at the agent.",
      discussion: """
        ORIGIN is default, or the entity, install or device where the value was set. AGENT is `in use`, `waiting` (the agent has not taken this set yet), `refused`, or `its own \
        file` where the site decides. What is set nowhere here the site's own file may set: the hub does not know it, and VALUE is then what counts without it. `ptagent config \
        explain` on the agent's machine tells each value that is in use. For a device, of the install that leads for it.

        EXAMPLE
          pthub settings explain --install 7b0c5a1e
        """)

    private struct Line: Encodable {
      let key: String
      let value: String?
      /// `default`, or where it was set.
      let origin: String
      let agent: String?
    }

    private struct Explanation: Encodable {
      let install: String?
      let state: String?
      let version: UInt64?
      let since: String?
      /// The version that the agent goes on with while it refuses this one.
      let inUse: UInt64?
      let wrongKeys: [String]?
      let reason: String?
      let settings: [Line]
    }

    @OptionGroup var hub: HubOptions
    @OptionGroup var target: Target
    @Option(name: .shortAndLong, help: "How to print: table, or json or csv with every field.")
    var output: ReportFormat = .table

    func run() async throws {
      let (_, store) = try hub.open()
      let place = try await target.find(in: store)
      // What the agent says of it is in its journal.
      try await store.foldEverything()
      let explained = try await store.explainSettings(of: place)
      var isDevice = false
      if case .device = place { isDevice = true }
      let lines = ExplainedLine.lines(of: explained, forDevice: isDevice).map {
        Line(key: $0.key, value: $0.value, origin: $0.origin, agent: $0.agent)
      }
      guard output != .json else { return try printJSON(explanation(explained, lines)) }
      if output == .table, let words = words(of: explained) { printFields(words + [("", "")]) }
      try show(
        lines, as: output,
        table: [("KEY", \.key), ("VALUE", { $0.value ?? "-" }), ("ORIGIN", \.origin), ("AGENT", { $0.agent ?? "-" })],
        csv: [
          ("key", \.key), ("value", { $0.value ?? "" }), ("origin", \.origin), ("agent", { $0.agent ?? "" }),
        ], empty: "-")
    }

    /// The lines above the table.
    private func words(of explained: SettingsExplanation) -> [(String, String)]? {
      guard let install = explained.install else { return nil }
      var fields = [("install", install)]
      switch explained.standing {
      case .none: fields.append(("agent", "nothing is set of it"))
      case .applied(let version, let at):
        fields.append(("agent", "has applied version \(version) at \(timeText(milliseconds: at))"))
      case .refused(let version, let at, _, let reason, let inUse):
        fields.append(("agent", "has REFUSED version \(version) at \(timeText(milliseconds: at))"))
        fields += reason.split(separator: "\n").map { ("because", String($0)) }
        fields.append(("uses", Self.usedWords(inUse)))
      case .waiting(let applied):
        fields.append(("agent", "has not taken it yet, and uses \(Self.usedWords(applied))"))
      }
      return fields + [
        ("default", "only where the agent's own file says nothing: `ptagent config explain` there tells")
      ]
    }

    private static func usedWords(_ version: UInt64?) -> String {
      version.map { "version \($0)" } ?? "no settings of this hub"
    }

    private func explanation(_ explained: SettingsExplanation, _ lines: [Line]) -> Explanation {
      func made(
        _ state: String?, _ version: UInt64? = nil, _ at: Int64? = nil, inUse: UInt64? = nil, _ keys: [String]? = nil,
        _ reason: String? = nil
      ) -> Explanation {
        Explanation(
          install: explained.install, state: state, version: version, since: at.map { timeText(milliseconds: $0) },
          inUse: inUse, wrongKeys: keys, reason: reason, settings: lines)
      }
      switch explained.standing {
      case .none: return made(explained.install == nil ? nil : "none")
      case .applied(let version, let at): return made("applied", version, at)
      case .refused(let version, let at, let keys, let reason, let inUse):
        return made("refused", version, at, inUse: inUse, keys, reason)
      case .waiting(let version): return made("waiting", version)
      }
    }
  }
}
