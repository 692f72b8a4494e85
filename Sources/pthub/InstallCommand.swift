// pthub install list | show | revoke

internal import ArgumentParser
internal import FoundationEssentials
internal import HubServer

struct InstallCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "install",
    abstract: "The enrolled agents.",
    subcommands: [List.self, Show.self, Revoke.self])

  private struct Line: Encodable {
    let id: String
    let entity: String
    let hostName: String
    let operatingSystem: String
    let agentVersion: String
    let enrolled: String
    let seen: String?
    let revoked: String?

    init(_ install: Install) {
      id = install.id
      entity = install.entity
      hostName = install.machine.hostName
      operatingSystem = install.machine.operatingSystem
      agentVersion = install.machine.agentVersion
      enrolled = timeText(install.enrolledAt)
      seen = install.seenAt.map { timeText($0) }
      revoked = install.revokedAt.map { timeText($0) }
    }
  }

  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(abstract: "List the installs.")

    @OptionGroup var hub: HubOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      let (_, store) = try hub.open()
      try output.show(
        try await store.installs().map(Line.init),
        columns: [
          ("ID", \.id), ("ENTITY", \.entity), ("HOST", \.hostName), ("VERSION", \.agentVersion),
          ("SEEN", { $0.seen ?? "-" }),
          ("REVOKED", { $0.revoked ?? "-" }),
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
      let install = try await findInstall(id, in: store)
      let certificates = try await store.certificates(of: install.number).map {
        Certificate(
          serial: $0.serial, notBefore: timeText($0.notBefore), notAfter: timeText($0.notAfter),
          firstUsed: $0.firstUsedAt.map { timeText($0) }, superseded: $0.supersededAt.map { timeText($0) })
      }
      let health = try await store.health(of: install.number)
      let details = Details(
        install: Line(install), journalID: hexText(install.journalID),
        journalKey: Data(install.journalKey).base64EncodedString(),
        certificates: certificates, health: health?.json, healthReceived: health.map { timeText($0.receivedAt) })
      guard output.output == .table else { return try printJSON(details) }
      printFields([
        ("id", details.install.id), ("entity", details.install.entity), ("host", details.install.hostName),
        ("system", details.install.operatingSystem), ("version", details.install.agentVersion),
        ("enrolled", details.install.enrolled), ("seen", details.install.seen ?? "-"),
        ("revoked", details.install.revoked ?? "-"),
        ("journal", details.journalID), ("journal key", details.journalKey),
        ("health", details.health ?? "-"), ("health received", details.healthReceived ?? "-"),
      ])
      printLine("")
      printTable(
        [["CERTIFICATE", "ENDS", "FIRST USED", "SUPERSEDED"]]
          + certificates.map { [$0.serial, $0.notAfter, $0.firstUsed ?? "-", $0.superseded ?? "-"] })
    }
  }

  struct Revoke: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Revoke an install: none of its certificates is accepted any more.",
      discussion:
        "What it delivered stays. A stream that it has open ends at its next batch. To come back it must enrol with a new code, as a new install."
    )

    @OptionGroup var hub: HubOptions
    @Argument(help: "The install's id, in full.") var id: String

    func run() async throws {
      let (_, store) = try hub.open()
      try await store.revokeInstall(id: id, now: HubClock.system.now)
    }
  }
}

func hexText(_ bytes: some Sequence<UInt8>) -> String {
  bytes.map { byte in (byte < 16 ? "0" : "") + String(byte, radix: 16) }.joined()
}
