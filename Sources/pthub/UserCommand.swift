// pthub user add | list | show | set-password | roles | disable | enable | remove

internal import ArgumentParser
internal import HubServer

struct UserCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "user",
    abstract: "Who may use the console, and for what.",
    discussion: """
      A user has roles, which do not include each other, and sees everything, or one entity with all under it:

        viewer         looks
        operator       creates and cancels jobs, makes and revokes DataLink codes
        configurer     sets settings, adds and renames entities
        technician     opens the pages of devices (Remote Technician User)
        administrator  adds users and gives roles, reads the audit trail

      Whoever has any role may look. Each change is in `pthub audit --action user.`, each login in `--action login.`.
      """,
    subcommands: [
      Add.self, List.self, Show.self, SetPassword.self, Roles.self, Disable.self, Enable.self, Remove.self,
    ])

  fileprivate struct Line: ListLine {
    enum CodingKeys: String, CodingKey, CaseIterable {
      case name, displayName, roles, entity, created, passwordChanged, lastLogin, disabled
    }

    let name: String
    let displayName: String
    let roles: [String]
    /// Nil: everything.
    let entity: String?
    let created: String
    let passwordChanged: String
    let lastLogin: String?
    let disabled: String?

    init(_ user: ConsoleUser) {
      name = user.name
      displayName = user.displayName
      roles = user.roles.sorted().map(\.rawValue)
      entity = user.entity
      created = timeText(user.createdAt)
      passwordChanged = timeText(user.passwordAt)
      lastLogin = user.lastLoginAt.map { timeText($0) }
      disabled = user.disabledAt.map { timeText($0) }
    }

    var state: String { disabled.map { "disabled \($0)" } ?? "good" }
  }

  struct Add: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Add a user.",
      discussion: """
        The password is asked for twice, without showing it; from a pipe one line is read. It has at least 12 characters and is none of those that are tried first.

        EXAMPLES
          pthub user add ann --role administrator --role operator
          pthub user add bob --display-name "Bob, first floor" --role viewer --entity Acme < password-file
        """)

    @OptionGroup var hub: HubOptions
    @Option(help: ArgumentHelp("What people read. Default: the name.", valueName: "text")) var displayName: String?
    @Option(help: ArgumentHelp("A role; may be given several times.", valueName: "role")) var role: [String] = []
    @Option(help: ArgumentHelp("Whose things the user sees. Default: everything.", valueName: "name"))
    var entity: String?
    @Argument(help: "The user's name: small letters, digits and . _ - @ +.") var name: String

    func run() async throws {
      let name = try UserRules.name(name)
      let display = try UserRules.displayName(displayName ?? name)
      let roles = try ConsoleRole.set(of: role)
      let (_, store) = try hub.open()
      // What is wrong beside the password is said before it is asked for.
      if let entity { try await store.requireEntity(entity) }
      let password = try PasswordPrompt.newPassword(of: name)
      let user = NewConsoleUser(
        name: name, displayName: display, passwordHash: try UserPassword.hashNow(password), roles: roles,
        entity: entity)
      try await store.addUser(user, within: .everything, by: Actor(name: operatorName()), now: HubClock.system.now)
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the users.")

    @OptionGroup var hub: HubOptions
    @OptionGroup var output: ListOptions

    func run() async throws {
      let (_, store) = try hub.open()
      try output.show(
        try await store.users(within: .everything).map(Line.init),
        columns: [
          ("NAME", \.name), ("ROLES", { $0.roles.joined(separator: ", ") }), ("SEES", { $0.entity ?? "everything" }),
          ("LAST LOGIN", { $0.lastLogin ?? "-" }), ("STATE", \.state),
        ], empty: "There are no users. Add one with `pthub user add`.")
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Show one user.")

    @OptionGroup var hub: HubOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The user's name.") var name: String

    func run() async throws {
      let (_, store) = try hub.open()
      let line = Line(try await store.user(named: name, within: .everything))
      switch output.output {
      case .json: try printJSON(line)
      case .table:
        printFields([
          ("name", line.name), ("display name", line.displayName), ("roles", line.roles.joined(separator: ", ")),
          ("sees", line.entity ?? "everything"), ("created", line.created),
          ("password changed", line.passwordChanged), ("last login", line.lastLogin ?? "-"), ("state", line.state),
        ])
      }
    }
  }

  struct SetPassword: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      commandName: "set-password",
      abstract: "Give a user another password; what is open with the old one ends.",
      discussion: "The password is asked for twice, without showing it; from a pipe one line is read.")

    @OptionGroup var hub: HubOptions
    @Argument(help: "The user's name.") var name: String

    func run() async throws {
      let (_, store) = try hub.open()
      let user = try await store.user(named: name, within: .everything)
      let password = try PasswordPrompt.newPassword(of: user.name)
      try await store.setPassword(
        hash: try UserPassword.hashNow(password), of: user.name, within: .everything,
        by: Actor(name: operatorName()), now: HubClock.system.now)
    }
  }

  struct Roles: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Say anew which roles a user has, and whose things it sees.",
      discussion: """
        It counts from the user's next request on.

        EXAMPLES
          pthub user roles bob --role viewer --role operator
          pthub user roles bob --entity "Acme, Berlin"
          pthub user roles bob --everything
        """)

    @OptionGroup var hub: HubOptions
    @Option(help: ArgumentHelp("A role, instead of those until now; may be given several times.", valueName: "role"))
    var role: [String] = []
    @Option(help: ArgumentHelp("Whose things the user sees from now on.", valueName: "name")) var entity: String?
    @Flag(help: "The user sees everything from now on.") var everything = false
    @Argument(help: "The user's name.") var name: String

    func run() async throws {
      guard !role.isEmpty || entity != nil || everything else {
        throw HubError(.usage, "What is to change? Give --role, --entity or --everything.")
      }
      guard entity == nil || !everything else {
        throw HubError(.usage, "--entity and --everything exclude each other.")
      }
      var change = UserChange(roles: role.isEmpty ? nil : try ConsoleRole.set(of: role))
      if let entity { change.scope = .entity(entity) }
      if everything { change.scope = .everything }
      try await changeUser(name, change, hub)
    }
  }

  struct Disable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Let a user in no more; what it has open ends at once.",
      discussion: "`pthub user enable` takes it back.")

    @OptionGroup var hub: HubOptions
    @Argument(help: "The user's name.") var name: String

    func run() async throws { try await changeUser(name, UserChange(isDisabled: true), hub) }
  }

  struct Enable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Let a user in again that was disabled.")

    @OptionGroup var hub: HubOptions
    @Argument(help: "The user's name.") var name: String

    func run() async throws { try await changeUser(name, UserChange(isDisabled: false), hub) }
  }

  struct Remove: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Remove a user; what it has open ends at once, what it did stays in the audit trail.")

    @OptionGroup var hub: HubOptions
    @Argument(help: "The user's name.") var name: String

    func run() async throws {
      let (_, store) = try hub.open()
      try await store.removeUser(
        name, within: .everything, keepingAnAdministrator: false, by: Actor(name: operatorName()),
        now: HubClock.system.now)
    }
  }
}

private func changeUser(_ name: String, _ change: UserChange, _ hub: HubOptions) async throws {
  let (_, store) = try hub.open()
  // Whoever is at the hub's machine can add an administrator again.
  try await store.changeUser(
    name, change, within: .everything, keepingAnAdministrator: false, by: Actor(name: operatorName()),
    now: HubClock.system.now)
}
