// pthub records

internal import ArgumentParser
internal import HubServer

struct RecordsCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "records",
    abstract: "What the hub holds of an install's journal, counted and hashed again from the rows.",
    discussion: """
      One line per epoch. ROOT is the RFC 6962 root over all leaves that are held, computed from the rows now, not taken from what is kept beside them; it equals the \
      root that the agent's journal has at the same sequence. GAPS is 0 unless the database was damaged; LOST counts what damage took at the agent before it was delivered. If the computed root is not the kept one, or there are gaps, \
      the command ends with exit code 78.
      """)

  private struct Line: ListLine {
    enum CodingKeys: String, CodingKey, CaseIterable {
      case epoch, held, count, minSequence, maxSequence, gaps, lost, root, rootAgrees, conflicts, rejections
      case checkpointsVerified, checkpointsRefused
    }

    let epoch: UInt32
    let held: UInt64
    let count: Int
    let minSequence: UInt64?
    let maxSequence: UInt64?
    let gaps: Int
    let lost: UInt64
    let root: String
    let rootAgrees: Bool
    let conflicts: Int
    let rejections: Int
    let checkpointsVerified: Int
    let checkpointsRefused: Int
  }

  @OptionGroup var hub: HubOptions
  @OptionGroup var output: ListOptions
  @Option(help: ArgumentHelp("The install's id, or the unique beginning of it.", valueName: "id")) var install: String

  func run() async throws {
    let (_, store) = try hub.open()
    let install = try await store.findInstall(install)
    let summaries = try await store.summaries(of: install.number)
    let lines = summaries.map {
      Line(
        epoch: $0.epoch, held: $0.held, count: $0.count, minSequence: $0.minSequence, maxSequence: $0.maxSequence,
        gaps: $0.gaps, lost: $0.lost,
        root: "\($0.root)", rootAgrees: $0.agrees, conflicts: $0.conflicts, rejections: $0.rejections,
        checkpointsVerified: $0.checkpointsVerified, checkpointsRefused: $0.checkpointsRefused)
    }
    try output.show(
      lines,
      columns: [
        ("EPOCH", { "\($0.epoch)" }), ("COUNT", { "\($0.count)" }), ("MIN", { $0.minSequence.map { "\($0)" } ?? "-" }),
        ("MAX", { $0.maxSequence.map { "\($0)" } ?? "-" }), ("GAPS", { "\($0.gaps)" }), ("LOST", { "\($0.lost)" }),
        ("CONFLICTS", { "\($0.conflicts)" }),
        ("REJECTED", { "\($0.rejections)" }),
        ("CHECKPOINTS", { "\($0.checkpointsVerified) ok, \($0.checkpointsRefused) refused" }),
        ("ROOT", \.root),
      ], empty: "The hub holds no records of this install.")
    if let damaged = summaries.first(where: { !$0.agrees || $0.gaps > 0 }) {
      throw HubError(
        .configuration,
        "The rows of epoch \(damaged.epoch) are not those that were acknowledged. Stop the hub and restore the database from its backup; the agent sends the rest again."
      )
    }
  }
}
