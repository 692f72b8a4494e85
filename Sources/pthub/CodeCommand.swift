// pthub code create | list | revoke

internal import ArgumentParser
internal import HubServer

struct CodeCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "code",
    abstract: "DataLink codes, with which agents enrol.",
    subcommands: [Create.self, List.self, Revoke.self])

  struct Create: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Create a code for an entity and print it, once.",
      discussion: """
        A code is 24 random hexadecimal digits; the hub keeps only a keyed hash, so it cannot be shown again. A one-time code lives 24 hours at most, one for several \
        machines 30 days. An agent that lost the hub's answer may ask again without another use.

        EXAMPLES
          pthub code create --entity "Acme, Berlin"
          pthub code create --entity "Acme, Berlin" --uses 40 --valid 7d

        With --replaces the code is for a machine that takes the place of an install, of the same entity: one that was installed anew, or its successor. At its enrolment the install that it replaces is shown as replaced, and none of its certificates is accepted any more; what it delivered stays.

          pthub code create --replaces 7b0c5a1e
        """)

    private struct Created: Encodable {
      let number: Int64
      let code: String
      let entity: String
      let uses: Int
      let expires: String
    }

    @OptionGroup var hub: HubOptions
    @OptionGroup var output: OutputOptions
    @Option(help: ArgumentHelp("The entity that the machines will belong to.", valueName: "name")) var entity: String?
    @Option(help: ArgumentHelp("The install that the machine takes the place of.", valueName: "id"))
    var replaces: String?
    @Option(help: ArgumentHelp("How many machines may enrol with it.", valueName: "n")) var uses = 1
    @Option(help: ArgumentHelp("How long it is valid: a number and m, h or d.", valueName: "span")) var valid = Span(
      .seconds(86_400))

    func run() async throws {
      try CodeRules.check(uses: uses, validity: valid.duration)
      let (directory, store) = try hub.open()
      let code = DataLinkCode()
      let record = try await add(code.hash(in: directory), to: store, now: HubClock.system.now)
      let created = Created(
        number: record.number, code: code.text, entity: record.entity, uses: record.usesMax,
        expires: timeText(record.expiresAt))
      switch output.output {
      case .json: try printJSON(created)
      case .table:
        printFields([
          ("code", created.code), ("number", "\(created.number)"), ("entity", created.entity),
          ("uses", "\(created.uses)"),
          ("expires", created.expires),
        ])
      }
    }

    private func add(_ hash: [UInt8], to store: SQLStore, now: Int64) async throws -> CodeRecord {
      let expiresAt = now + valid.duration.milliseconds
      switch (entity, replaces) {
      case (let entity?, nil):
        return try await store.addCode(hash: hash, entity: entity, usesMax: uses, expiresAt: expiresAt, now: now)
      case (nil, let replaces?):
        guard uses == 1 else { throw HubError(.usage, "A code that replaces an install is for one machine.") }
        let install = try await store.findInstall(replaces)
        return try await store.addReplacementCode(hash: hash, for: install.id, expiresAt: expiresAt, now: now)
      default:
        throw HubError(.usage, "Give --entity for new machines, or --replaces for one that takes an install's place.")
      }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the codes: never their digits.", discussion: "States: valid, used, expired, revoked.")

    private struct Line: ListLine {
      enum CodingKeys: String, CodingKey, CaseIterable {
        case number, entity, state, uses, usesMax, created, expires
      }

      let number: Int64
      let entity: String
      let state: String
      let uses: Int
      let usesMax: Int
      let created: String
      let expires: String
    }

    @OptionGroup var hub: HubOptions
    @OptionGroup var output: ListOptions

    func run() async throws {
      let (_, store) = try hub.open()
      let now = HubClock.system.now
      let lines = try await store.codes().map {
        Line(
          number: $0.number, entity: $0.entity, state: $0.state(now: now).rawValue, uses: $0.uses, usesMax: $0.usesMax,
          created: timeText($0.createdAt), expires: timeText($0.expiresAt))
      }
      try output.show(
        lines,
        columns: [
          ("NUMBER", { "\($0.number)" }), ("ENTITY", \.entity), ("STATE", \.state),
          ("USES", { "\($0.uses)/\($0.usesMax)" }),
          ("EXPIRES", \.expires),
        ], empty: "There are no codes. Create one with `pthub code create`.")
    }
  }

  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Revoke a code, by its number or by its digits.",
      discussion: "Installs that enrolled with it before stay; revoke them with `pthub install revoke`.")

    @OptionGroup var hub: HubOptions
    @Argument(help: "The number that `code list` shows, or the 24 digits.") var code: String

    func run() async throws {
      let (directory, store) = try hub.open()
      if let digits = DataLinkCode(code) {
        try await store.revokeCode(hash: digits.hash(in: directory), now: HubClock.system.now)
      } else if let number = Int64(code) {
        try await store.revokeCode(number: number, now: HubClock.system.now)
      } else {
        throw HubError(.usage, "'\(code)' is neither a code's number nor 24 hexadecimal digits.")
      }
    }
  }
}
