// pthub record show

internal import ArgumentParser
internal import FoundationEssentials
internal import HubServer

struct RecordCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "record", abstract: "Single records.", subcommands: [Show.self, List.self])

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Show everything that is held under one identity.",
      discussion: """
        An accepted record comes first, or the rejection that stands in its place; then other records that came under the same identity (conflicts). The payload is an \
        event in protobuf, shown in base64.
        """)

    private struct Line: Encodable {
      let kind: String
      let timeNanoseconds: Int64
      let time: String
      let hash: String
      let payloadBytes: Int
      let payload: String
      let reason: String?
      let received: String?
    }

    @OptionGroup var hub: HubOptions
    @OptionGroup var output: OutputOptions
    @Option(help: ArgumentHelp("The install's id, or the unique beginning of it.", valueName: "id")) var install: String
    @Option(help: ArgumentHelp("The epoch, from 1.", valueName: "n")) var epoch: UInt32 = 1
    @Option(help: ArgumentHelp("The sequence, from 1.", valueName: "n")) var sequence: UInt64

    func run() async throws {
      let (_, store) = try hub.open()
      let install = try await store.findInstall(install)
      let records = try await store.records(of: install.number, epoch: epoch, sequence: sequence)
      guard !records.isEmpty else {
        throw HubError(
          .notFound,
          "The hub holds nothing under \(epoch)/\(sequence) of this install. See `pthub records --install \(install.id)`."
        )
      }
      let lines = records.map {
        Line(
          kind: $0.kind.rawValue, timeNanoseconds: $0.time, time: timeText($0.time / 1_000_000), hash: "\($0.hash)",
          payloadBytes: $0.payload.count, payload: $0.payload.base64EncodedString(), reason: $0.reason,
          received: $0.receivedAt.map { timeText($0) })
      }
      guard output.output == .table else { return try printJSON(lines) }
      for (index, line) in lines.enumerated() {
        if index > 0 { printLine("") }
        var fields = [
          ("kind", line.kind), ("time", line.time), ("hash", line.hash), ("payload bytes", "\(line.payloadBytes)"),
          ("payload", line.payload),
        ]
        if let reason = line.reason { fields.append(("reason", reason)) }
        if let received = line.received { fields.append(("received", received)) }
        printFields(fields)
      }
    }
  }
}
