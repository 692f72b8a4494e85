// pthub restore

internal import ArgumentParser
internal import HubServer

struct RestoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "restore",
    abstract: "Make a hub of a backup.",
    discussion: """
      Checks every file of the backup and makes a hub of it in a new directory, which can then be served. Agents are told what it holds and send the rest again, as far as \
      they still have it; what they do not have any more is shown as lost.

      Every DataLink code is revoked, for one that was used since the backup would be good again. What operators did since then is forgotten: revoke again whom \
      you had revoked. Agents that renewed their certificates since are known by them; machines that enrolled since have to enrol again.

      With PostgreSQL, first put the database back (pg_restore), then give its address with --store unless it is that of the backup.

      EXAMPLE
        pthub restore --from /backup/pthub-2026-03-01 --directory /var/lib/pthub
      """)

  @OptionGroup var hub: HubOptions
  @OptionGroup var output: OutputOptions
  @Option(help: ArgumentHelp("The backup.", valueName: "dir"), completion: .directory) var from: String

  func run() async throws {
    let restored = try await HubBackup.restore(from: from, to: try hub.path(), store: try hub.address())
    guard output.output == .table else { return try printJSON(restored) }
    printFields([
      ("directory", restored.path), ("made", timeText(restored.madeAt)), ("installs", "\(restored.installs)"),
      ("records", "\(restored.held)"), ("codes revoked", "\(restored.codesRevoked)"),
    ])
  }
}
