// pthub backup

internal import ArgumentParser
internal import HubServer

struct BackupCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "backup",
    abstract: "Copy everything that the hub is, also while it is served.",
    discussion: """
      Makes a directory with the hub's keys and certificates, its database as of one moment, and the SHA-256 of each file. What is there under that name is never \
      changed: give each backup a name of its own. Whoever has it can pose as the hub: keep it as you keep the hub.

      With PostgreSQL the database is not in it. Copy that with pg_dump, which is consistent by itself (docs/hub.md).

      EXAMPLE
        pthub backup --to /backup/pthub-2026-03-01
      """)

  @OptionGroup var hub: HubOptions
  @OptionGroup var output: OutputOptions
  @Option(help: ArgumentHelp("Where to. There must be nothing yet.", valueName: "dir"), completion: .directory)
  var to: String

  func run() async throws {
    let (directory, store) = try hub.open()
    let made = try await HubBackup.make(of: directory, store, to: to)
    guard output.output == .table else { return try printJSON(made) }
    printFields([
      ("backup", made.path), ("bytes", "\(made.bytes)"),
      ("database", made.hasDatabase ? "in it" : "not in it: copy it with pg_dump"),
    ])
  }
}
