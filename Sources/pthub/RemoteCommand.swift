// pthub remote enable | disable | inherit | list | close

internal import ArgumentParser
internal import Events
internal import HubServer
internal import Settings

struct RemoteCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "remote",
    abstract: "Devices' own pages: where they may be asked for, and what is open.",
    discussion: """
      A technician opens a device's own page from the console, says why, and sees it through the device's agent. It is off unless it is switched on here and, by the site \
      itself, at the agent. The nearest word counts: a device's, else its install's, else its entity's, else that of the entity above. `serve --remote` has to be given.

        pthub remote enable --entity "Acme, Berlin"
        pthub remote disable --device VNB3K12345
        pthub remote list
        pthub remote close 5f0c
      """, subcommands: [Enable.self, Disable.self, Inherit.self, List.self, Close.self], defaultSubcommand: List.self)

  /// Changes what is offered at one place.
  private static func offer(
    _ isOffered: Bool?, _ hub: HubOptions, _ target: SettingsCommand.Target, said: String
  ) async throws {
    let (_, store) = try hub.open()
    let place = try await target.find(in: store)
    try await store.offerRemote(isOffered, at: place, by: Actor(name: operatorName()), now: HubClock.system.now)
    printLine(said)
  }

  struct Enable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Let technicians ask for the pages of an entity's, an install's, or one device.")

    @OptionGroup var hub: HubOptions
    @OptionGroup var target: SettingsCommand.Target

    func run() async throws {
      try await RemoteCommand.offer(
        true, hub, target, said: "Switched on. The site has a switch of its own at its agent.")
    }
  }

  struct Disable: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Let nobody ask for them. What is open stays open: see `pthub remote close`.")

    @OptionGroup var hub: HubOptions
    @OptionGroup var target: SettingsCommand.Target

    func run() async throws { try await RemoteCommand.offer(false, hub, target, said: "Switched off.") }
  }

  struct Inherit: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "Say nothing there: what is further away counts.")

    @OptionGroup var hub: HubOptions
    @OptionGroup var target: SettingsCommand.Target

    func run() async throws {
      try await RemoteCommand.offer(nil, hub, target, said: "What is further away counts there now.")
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the sessions that are open or asked for.")

    @OptionGroup var hub: HubOptions
    @OptionGroup var output: ListOptions

    private struct Line: ListLine {
      enum CodingKeys: String, CodingKey, CaseIterable {
        case session, user, device, state, created, ends, reason
      }

      let session: String
      let user: String
      let device: String
      let state: String
      let created: String
      let ends: String
      let reason: String
    }

    func run() async throws {
      let (_, store) = try hub.open()
      let lines = try await store.openRemoteSessions(within: .everything).map {
        Line(
          session: $0.job.description, user: $0.userName, device: $0.device, state: $0.state,
          created: timeText($0.createdAt), ends: timeText($0.endsAt), reason: $0.reason)
      }
      try output.show(
        lines,
        columns: [
          ("SESSION", { $0.session }), ("USER", { $0.user }), ("DEVICE", { $0.device }), ("STATE", { $0.state }),
          ("ENDS", { $0.ends }), ("REASON", { $0.reason }),
        ], empty: "No device's page is open.")
    }
  }

  struct Close: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "End sessions at once.")

    @OptionGroup var hub: HubOptions
    @Flag(help: "All of them.") var all = false
    @Argument(help: "The session's id, or the beginning of it.") var session: String?

    func validate() throws {
      guard all != (session != nil) else { throw ValidationError("Which? Give a session, or --all.") }
    }

    func run() async throws {
      let (_, store) = try hub.open()
      let open = try await store.openRemoteSessions(within: .everything)
      let meant = open.filter { all || $0.job.description.hasPrefix((session ?? "").lowercased()) }
      guard all || meant.count <= 1 else {
        throw HubError(.usage, "'\(session ?? "")' is the beginning of \(meant.count) sessions' ids. Give more digits.")
      }
      guard all || !meant.isEmpty else {
        throw HubError(.notFound, "There is no open session '\(session ?? "")'. See `pthub remote list`.")
      }
      let actor = Actor(name: operatorName())
      for one in meant {
        try await store.endRemote(one.job, because: "ended by \(actor.name)", by: actor, now: HubClock.system.now)
        printLine("\(one.job) has ended.")
      }
      if meant.isEmpty { printLine("No device's page is open.") }
    }
  }
}
