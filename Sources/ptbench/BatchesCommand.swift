// What delivery would send of a journal, for whoever wants to measure it: tools/benchmarks/compression.py.

internal import ArgumentParser
internal import Evidence
internal import FoundationEssentials
internal import HubProtocol
internal import Journal
internal import OpenSSL
internal import Platform
internal import SwiftProtobuf

struct BatchesCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "batches",
    abstract: "Writes a journal's records as the batches in which delivery sends them.",
    discussion: """
      Standard output gets one AgentMessage after the other, each behind its length (4 bytes, big-endian).

        ptbench batches --directory /tmp/offline --records 500 > batches
      """)

  @Option(help: "A journal.") var directory: String
  @Option(help: "Records in a batch.") var records = 500
  @Option(help: "How many batches at most.") var batches = 400
  @Option(help: "How many records are left out at the beginning.") var skip: UInt64 = 0

  func validate() throws {
    guard (1...10_000).contains(records), batches > 0 else {
      throw ValidationError("records or batches are out of range")
    }
  }

  func run() async throws {
    let reader = try JournalReader.open(directory: directory)
    var message = Printtrail_Dcam_V1_AgentMessage()
    let first = RecordPosition(epoch: try reader.head().epoch, sequence: skip + 1)
    try reader.scan(from: first, limit: records * batches) { view in
      if message.batch.records.isEmpty {
        (message.batch.epoch, message.batch.firstSequence) = (view.position.epoch, view.position.sequence)
      }
      message.batch.records.append(
        .with { ($0.time, $0.hash, $0.payload) = (view.time, Data(view.leafHash.bytes), Data(view.payload)) })
      if message.batch.records.count == records {
        let bytes: [UInt8] = try message.serializedBytes()
        try StandardOutput.write(withUnsafeBytes(of: UInt32(bytes.count).bigEndian) { Array($0) } + bytes)
        message = .init()
      }
      return true
    }
  }
}
