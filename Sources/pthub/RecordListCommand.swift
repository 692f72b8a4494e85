// pthub record list

internal import ArgumentParser
internal import HubServer

extension RecordCommand {
  struct List: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "List the records of an install that are not as records should be.",
      discussion: """
        rejected: what the hub will never accept, with the reason; the agent was told. conflicting: records that came under an identity that another record has; HELD \
        is the hash of that one. Both are kept. express: alerts that came ahead of their turn, which has not come yet. The newest first.

          pthub record list --install 3f --kind conflicting
          pthub record show --install 3f --epoch 1 --sequence 4711
        """)

    enum Kind: String, ExpressibleByArgument, CaseIterable {
      case rejected, conflicting, express

      var value: HeldRecord.Kind {
        switch self {
        case .rejected: .rejected
        case .conflicting: .conflicting
        case .express: .express
        }
      }
    }

    private struct Line: ListLine {
      enum CodingKeys: String, CodingKey, CaseIterable {
        case kind, epoch, sequence, hash, heldHash, payloadBytes, reason, received
      }

      let kind: String
      let epoch: UInt32
      let sequence: UInt64
      let hash: String
      let heldHash: String?
      let payloadBytes: Int
      let reason: String?
      let received: String
    }

    @OptionGroup var hub: HubOptions
    @OptionGroup var output: ListOptions
    @Option(help: ArgumentHelp("The install's id, or the unique beginning of it.", valueName: "id")) var install: String
    @Option(help: "rejected, conflicting or express; every kind without it.") var kind: Kind?
    @Option(help: ArgumentHelp("How many of each kind at most.", valueName: "n")) var limit = 100

    func validate() throws {
      guard limit >= 1 else { throw ValidationError("--limit is a number from 1.") }
    }

    func run() async throws {
      let (_, store) = try hub.open()
      let install = try await store.findInstall(install)
      var lines: [Line] = []
      for kind in kind.map({ [$0] }) ?? Kind.allCases {
        lines += try await store.listed(kind.value, of: install.number, limit: limit).map {
          Line(
            kind: $0.kind.rawValue, epoch: $0.epoch, sequence: $0.sequence, hash: "\($0.hash)",
            heldHash: $0.heldHash.map { "\($0)" }, payloadBytes: $0.payloadBytes, reason: $0.reason,
            received: timeText($0.receivedAt))
        }
      }
      try output.show(
        lines,
        columns: [
          ("KIND", \.kind), ("RECORD", { "\($0.epoch)/\($0.sequence)" }), ("RECEIVED", \.received),
          ("BYTES", { "\($0.payloadBytes)" }), ("HASH", \.hash), ("HELD", { $0.heldHash ?? "-" }),
          ("REASON", { $0.reason ?? "-" }),
        ], empty: "The hub holds no such records of this install.")
    }
  }
}
