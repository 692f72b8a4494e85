// pthub entity add | list | move | rename | remove

internal import ArgumentParser
internal import HubServer

struct EntityCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "entity",
    abstract: "The customers, sites or departments that installs belong to: a tree.",
    subcommands: [Add.self, List.self, Move.self, Rename.self, Remove.self])

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add an entity.",
      discussion: """
        Names are unique in the whole tree, without regard to the case of ASCII letters. What is set of an entity holds for those under it, unless they \
        have it otherwise (`pthub settings`).

        EXAMPLE
          pthub entity add Acme
          pthub entity add "Acme, Berlin" --under Acme
        """)

    @OptionGroup var hub: HubOptions
    @Option(help: ArgumentHelp("The entity that it is under. Default: none, at the top.", valueName: "name"))
    var under: String?
    @Argument(help: "The entity's name.") var name: String

    func run() async throws {
      try EntityRules.check(name)
      let (_, store) = try hub.open()
      guard let under else { return try await store.addEntity(named: name, now: HubClock.system.now) }
      try await store.addEntity(named: name, under: under, now: HubClock.system.now)
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the entities as a tree, with their numbers of installs and settings.",
      discussion: "Each stands behind the one that it is under; numbers are of the entity itself.")

    private struct Line: Encodable {
      let name: String
      /// The one that it is under.
      let parent: String?
      /// The names above it, from the root.
      let path: [String]
      let installs: Int
      let settings: Int
      let created: String
    }

    @OptionGroup var hub: HubOptions
    @Option(name: .shortAndLong, help: "How to print: table, or json or csv with every field.")
    var output: ReportFormat = .table

    func run() async throws {
      let (_, store) = try hub.open()
      let lines = try await store.entityTree().map { node in
        Line(
          name: node.entity.name, parent: node.path.last, path: node.path, installs: node.entity.installs,
          settings: node.settings, created: timeText(node.entity.createdAt))
      }
      try show(
        lines, as: output,
        table: [
          ("NAME", { String(repeating: "  ", count: $0.path.count) + $0.name }), ("INSTALLS", { "\($0.installs)" }),
          ("SETTINGS", { "\($0.settings)" }), ("CREATED", \.created),
        ],
        csv: [
          ("name", \.name), ("parent", { $0.parent ?? "" }),
          ("path", { ($0.path + [$0.name]).joined(separator: " / ") }),
          ("installs", { "\($0.installs)" }), ("settings", { "\($0.settings)" }), ("created", \.created),
        ], empty: "There are no entities. Add one with `pthub entity add`.")
    }
  }

  struct Move: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Put an entity, with all that is under it, under another one.",
      discussion: """
        Its codes, installs and devices stay its own. The settings that it inherits are those of its new place from then on.

        EXAMPLE
          pthub entity move "Acme, Berlin" --under "Acme Europe"
          pthub entity move Acme --to-top
        """)

    @OptionGroup var hub: HubOptions
    @Option(help: ArgumentHelp("The entity that it comes under.", valueName: "name")) var under: String?
    @Flag(help: "Put it under none.") var toTop = false
    @Argument(help: "The entity's name.") var name: String

    func run() async throws {
      guard (under != nil) != toTop else { throw HubError(.usage, "Give either --under or --to-top.") }
      let (_, store) = try hub.open()
      try await store.moveEntity(name, under: under, now: HubClock.system.now)
    }
  }

  struct Rename: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Give an entity another name.",
      discussion: "Everything that is in it stays. Agents show the name that the entity had when they enrolled.")

    @OptionGroup var hub: HubOptions
    @Argument(help: "The entity's name.") var name: String
    @Argument(help: "Its name from now on.") var newName: String

    func run() async throws {
      try EntityRules.check(newName)
      let (_, store) = try hub.open()
      try await store.renameEntity(name, to: newName, now: HubClock.system.now)
    }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove an entity that nothing is in.",
      discussion: """
        Refused while there are entities under it, installs of it (revoked ones too: their records are kept), or codes that are still valid. Its settings and its \
        other codes go with it.
        """)

    @OptionGroup var hub: HubOptions
    @Argument(help: "The entity's name.") var name: String

    func run() async throws {
      let (_, store) = try hub.open()
      try await store.removeEntity(name, now: HubClock.system.now)
    }
  }
}
