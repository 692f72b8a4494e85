// pthub install list | show | revoke | replace | settle

internal import ArgumentParser
internal import FoundationEssentials
internal import HubDatabase
internal import HubServer

struct InstallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "install",
    abstract: "The enrolled agents.",
    subcommands: [List.self, Show.self, Revoke.self, Replace.self, Settle.self])

  private struct Line: ListLine {
    enum CodingKeys: String, CodingKey, CaseIterable {
      case id, entity, hostName, operatingSystem, agentVersion, enrolled, seen, revoked, replacedBy, doubted, doubt
      case condition, conditionSince, reasons
    }

    let id: String
    let entity: String
    let hostName: String
    let operatingSystem: String
    let agentVersion: String
    let enrolled: String
    let seen: String?
    let revoked: String?
    let replacedBy: String?
    /// When the identity last seemed to be in two places, and how that showed.
    let doubted: String?
    let doubt: String?
    /// `good`, `degraded`, `failed`, `late`, `new` or `revoked`; since when, and why.
    let condition: String
    let conditionSince: String
    let reasons: [String]

    /// What the operator should know at a glance.
    var state: String {
      if let replacedBy { return "replaced by \(replacedBy.prefix(8))" }
      if let revoked { return "revoked \(revoked)" }
      if let doubted { return "IN DOUBT since \(doubted)" }
      return condition == "good" ? condition : "\(condition) since \(conditionSince)"
    }

    /// The gravest reason, and how many there are besides.
    var why: String {
      if revoked == nil, condition == "late" { return "It does not report its health." }
      guard revoked == nil, let first = reasons.first else { return "-" }
      return reasons.count == 1 ? first : "\(first) (and \(reasons.count - 1) more)"
    }

    init(_ install: Install, _ remarks: InstallRemarks?, _ condition: InstallCondition?) {
      self.condition = condition?.state ?? "new"
      conditionSince = timeText(condition?.since ?? install.enrolledAt)
      reasons = condition?.reasons ?? []
      id = install.id
      entity = install.entity
      hostName = install.machine.hostName
      operatingSystem = install.machine.operatingSystem
      agentVersion = install.machine.agentVersion
      enrolled = timeText(install.enrolledAt)
      seen = install.seenAt.map { timeText($0) }
      revoked = install.revokedAt.map { timeText($0) }
      replacedBy = remarks?.replacedBy
      doubted = remarks?.doubtedAt.map { timeText($0) }
      doubt = remarks?.doubt
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the installs.",
      discussion: """
        STATE is good; degraded or failed, by its last report; late: no report for three minutes; new: none yet; revoked, replaced by another install, or IN DOUBT: two agents seem to use one identity (a machine that was copied, a state directory that was restored \
        elsewhere, or a thief). `install show` says how that showed; `install settle` ends the doubt.
        """)

    @OptionGroup var hub: HubOptions
    @OptionGroup var output: ListOptions
    @Option(help: ArgumentHelp("Of this entity and those under it.", valueName: "name")) var entity: String?
    @Flag(help: "With --entity: of that one alone, not of those under it.") var only = false

    func validate() throws { try requireEntity(entity, of: only) }

    func run() async throws {
      let (_, store) = try hub.open()
      if let entity { try await store.requireEntity(entity) }
      let ids = Set(try await store.rows(of: .installs, entity: entity, alone: only).map { $0[1] })
      let (remarks, conditions) = (try await store.remarks(), try await store.conditions())
      try output.show(
        try await store.installs().filter { ids.contains(.text($0.id)) }.map {
          Line($0, remarks[$0.number], conditions[$0.id])
        },
        columns: [
          ("ID", \.id), ("ENTITY", { cut($0.entity) }), ("HOST", { cut($0.hostName) }), ("VERSION", \.agentVersion),
          ("SEEN", { $0.seen ?? "-" }),
          ("STATE", \.state), ("WHY", \.why),
        ], empty: "There are no installs. Create a code with `pthub code create`, and enrol an agent with it.")
    }
  }

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show one install: machine, journal, certificates, latest health.",
      discussion: "The id may be cut short, as long as it stays unique.")

    private struct Certificate: Encodable {
      let serial: String
      let notBefore: String
      let notAfter: String
      let firstUsed: String?
      let superseded: String?
      let revoked: String?
      /// The serial of the certificate with which it was asked for, and where that came from.
      let renewedFrom: String?
      let renewedBy: String?
    }

    private struct Details: Encodable {
      let install: Line
      let journalID: String
      let journalKey: String
      let certificates: [Certificate]
      let health: String?
      let healthReceived: String?
    }

    @OptionGroup var hub: HubOptions
    @OptionGroup var output: OutputOptions
    @Argument(help: "The install's id.") var id: String

    func run() async throws {
      let (_, store) = try hub.open()
      let install = try await store.findInstall(id)
      let certificates = try await store.certificates(of: install.number).map {
        Certificate(
          serial: $0.serial, notBefore: timeText($0.notBefore), notAfter: timeText($0.notAfter),
          firstUsed: $0.firstUsedAt.map { timeText($0) }, superseded: $0.supersededAt.map { timeText($0) },
          revoked: $0.revokedAt.map { timeText($0) }, renewedFrom: $0.renewedFrom, renewedBy: $0.peer)
      }
      let health = try await store.health(of: install.number)
      let details = Details(
        install: Line(
          install, try await store.remarks()[install.number], try await store.conditions()[install.id]),
        journalID: hexText(install.journalID),
        journalKey: Data(install.journalKey).base64EncodedString(),
        certificates: certificates, health: health?.json, healthReceived: health.map { timeText($0.receivedAt) })
      guard output.output == .table else { return try printJSON(details) }
      printFields([
        ("id", details.install.id), ("entity", details.install.entity), ("host", details.install.hostName),
        ("system", details.install.operatingSystem), ("version", details.install.agentVersion),
        ("enrolled", details.install.enrolled), ("seen", details.install.seen ?? "-"),
        ("state", details.install.state), ("doubt", details.install.doubt ?? "-"),
        ("reasons", details.install.reasons.isEmpty ? "-" : details.install.reasons.joined(separator: " ")),
        ("revoked", details.install.revoked ?? "-"), ("replaced by", details.install.replacedBy ?? "-"),
        ("journal", details.journalID), ("journal key", details.journalKey),
        ("health", details.health ?? "-"), ("health received", details.healthReceived ?? "-"),
      ])
      printLine("")
      printTable(
        [["CERTIFICATE", "ENDS", "FIRST USED", "SUPERSEDED", "REVOKED", "RENEWED WITH", "FROM"]]
          + certificates.map {
            [
              $0.serial, $0.notAfter, $0.firstUsed ?? "-", $0.superseded ?? "-", $0.revoked ?? "-",
              $0.renewedFrom ?? "-", $0.renewedBy ?? "-",
            ]
          })
    }
  }

  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Revoke an install: none of its certificates is accepted any more.",
      discussion: """
        What it delivered stays. A stream that it has open ends within seconds. To come back it must enrol with a new code, as a new install.

        With --certificate only that certificate is refused from now on: one that lies in a lost backup, while the agent uses a newer one. Whoever holds it may have renewed it before: \
        what was renewed from it is told, and `install show` tells where each renewal came from. --with-renewed refuses these, too; if the agent's own is among them, it has to enrol with a new code.
        """)

    @OptionGroup var hub: HubOptions
    @Argument(help: "The install's id, or the unique beginning of it.") var id: String
    @Option(help: ArgumentHelp("Only this certificate, as `install show` names it.", valueName: "serial"))
    var certificate: String?
    @Flag(help: "With --certificate: also what was renewed from it, and from that.") var withRenewed = false

    func validate() throws {
      guard !withRenewed || certificate != nil else {
        throw ValidationError(
          "--with-renewed says what becomes of a certificate's successors: name it by --certificate.")
      }
    }

    func run() async throws {
      let (_, store) = try hub.open()
      let now = HubClock.system.now
      let install = try await store.findInstall(id).id
      guard let certificate else { return try await store.revokeInstall(id: install, now: now) }
      let left = try await store.revokeCertificate(
        serial: certificate, ofInstall: install, withRenewed: withRenewed, now: now)
      for renewed in left {
        let peer = renewed.peer.map { " by \($0)" } ?? ""
        printLine("still good: \(renewed.serial), renewed from it\(peer) at \(timeText(renewed.issuedAt))")
      }
      guard !left.isEmpty else { return }
      printLine("If a stranger renewed them, revoke them with --with-renewed as well.")
    }
  }

  struct Replace: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show an install as replaced by another of the same entity, and revoke it.",
      discussion: """
        For a machine that was installed anew and has enrolled with an ordinary code. Nothing is replaced by itself: a host name proves nothing. Better still is a code that says \
        so from the beginning: `pthub code create --replaces`.
        """)

    @OptionGroup var hub: HubOptions
    @Argument(help: "The install that is no more: its id, or the unique beginning of it.") var id: String
    @Option(help: ArgumentHelp("The install that took its place: its id, or the beginning of it.", valueName: "id"))
    var by: String

    func run() async throws {
      let (_, store) = try hub.open()
      let (replaced, replacing) = (try await store.findInstall(id).id, try await store.findInstall(by).id)
      try await store.replaceInstall(id: replaced, by: replacing, now: HubClock.system.now)
    }
  }

  struct Settle: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "End the doubt about an install's identity.",
      discussion: """
        After the copy got a state directory and a code of its own. If you cannot tell which of the two is right, revoke the install and enrol both.
        """)

    @OptionGroup var hub: HubOptions
    @Argument(help: "The install's id, or the unique beginning of it.") var id: String

    func run() async throws {
      let (_, store) = try hub.open()
      try await store.settleDoubt(id: try await store.findInstall(id).id, now: HubClock.system.now)
    }
  }
}

func hexText(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
}
