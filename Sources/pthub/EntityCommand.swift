// pthub entity add | list

internal import ArgumentParser
internal import HubServer

struct EntityCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "entity",
    abstract: "The customers, sites or departments that installs belong to.",
    subcommands: [Add.self, List.self])

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add an entity.",
      discussion: """
        Names are unique without regard to the case of ASCII letters.

        EXAMPLE
          pthub entity add "Acme, Berlin"
        """)

    @OptionGroup var hub: HubOptions
    @Argument(help: "The entity's name.") var name: String

    func run() async throws {
      let trimmed = name.drop(while: \.isWhitespace)
      guard trimmed.count == name.count, !name.isEmpty, name.last?.isWhitespace == false,
        name.count <= HubLimits.entityNameMax,
        !name.unicodeScalars.contains(where: { $0.properties.generalCategory == .control })
      else {
        throw HubError(
          .usage, "An entity's name has 1 to \(HubLimits.entityNameMax) printable characters and no space at its ends.")
      }
      let (_, store) = try hub.open()
      try await store.addEntity(named: name, now: HubClock.system.now)
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the entities with their numbers of installs.")

    private struct Line: Encodable {
      let name: String
      let installs: Int
      let created: String
    }

    @OptionGroup var hub: HubOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      let (_, store) = try hub.open()
      let lines = try await store.entities().map {
        Line(name: $0.name, installs: $0.installs, created: timeText($0.createdAt))
      }
      try output.show(
        lines, columns: [("NAME", \.name), ("INSTALLS", { "\($0.installs)" }), ("CREATED", \.created)],
        empty: "There are no entities. Add one with `pthub entity add`.")
    }
  }
}
