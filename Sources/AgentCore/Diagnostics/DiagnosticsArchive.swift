// `ptagent diagnostics`: one archive with what a supporter asks for first, made beside a running agent, without one, and where the journal is damaged.
//
//     ptagent-diagnostics-2026-03-01T081500Z/
//       versions.json         the release, the machine, the disk
//       status.txt            what `ptagent status` shows
//       status.json           the same as JSON, with the last word of the agent
//       configuration.json    the settings, written field by field: credentials by name and kind alone
//       journal.json          epochs, what is lost, devices, what could not be read
//       events.txt            the latest events, a line each
//       log.txt               the end of the log
//
// Each text goes through `SecretMask` before it is packed.

package import Journal
internal import Platform
package import Settings

internal import FoundationEssentials
internal import ReadModels
internal import Zlib

package struct DiagnosticsArchive: Sendable {
  private let configuration: AgentConfiguration
  private let status: AgentStatus?
  private let now: Int64

  /// - Parameters:
  ///   - status: the agent's last word; nil: none that can be read.
  ///   - now: milliseconds since 1970 UTC.
  package init(_ configuration: AgentConfiguration, status: AgentStatus?, now: Int64 = Machine.milliseconds) {
    (self.configuration, self.status, self.now) = (configuration, status, now)
  }

  /// The archive's name without its ending; what it is unpacked as.
  package var name: String {
    let time = UTCTime.text(milliseconds: now).prefix(19).filter { $0 != ":" }
    return "ptagent-diagnostics-\(time)Z"
  }

  /// The archive, compressed with gzip. Has a child read the journal, and blocks its thread meanwhile.
  /// - Throws: `ZlibError`, or an encoder's error.
  package func bytes() throws -> [UInt8] {
    try packed(DiagnosticsWorker.excerpt(of: configuration.journal.directory))
  }

  /// The same, with the journal that this process has open.
  package func bytes(_ reader: JournalReader) throws -> [UInt8] { try packed(JournalExcerpt(reader)) }

  func packed(_ excerpt: JournalExcerpt) throws -> [UInt8] {
    let mask = SecretMask(configuration.secrets)
    var archive = TarArchive(directory: name, time: now / 1000)
    for (name, text) in try texts(excerpt) { archive.add(name, mask.masked(text)) }
    let bytes = archive.finished()
    // An archive of zeros and texts is always shorter compressed.
    return try Deflater(.gzip).deflate(bytes) ?? bytes
  }

  private func texts(_ excerpt: JournalExcerpt) throws -> [(String, [UInt8])] {
    var journal = excerpt
    journal.events = []
    let report = StatusReport(status: status, journal: nil, isRunning: Machine.isRunning, now: now)
    return [
      ("versions.json", try json(Versions(configuration, now: now))),
      ("status.txt", Array(report.text.utf8)), ("status.json", Array(try report.json().utf8)),
      ("configuration.json", try json(DiagnosedConfiguration(configuration))), ("journal.json", try json(journal)),
      ("events.txt", Array(excerpt.events.map { $0 + "\n" }.joined().utf8)),
      ("log.txt", RollingFile.read(LogTail.path(in: configuration.state.directory))),
    ]
  }

  private func json(_ value: some Encodable) throws -> [UInt8] {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes, .prettyPrinted]
    return Array(try encoder.encode(value)) + [0x0a]
  }

  private struct Versions: Encodable {
    let version: String
    let written: String
    let hostName: String
    let operatingSystem: String
    let stateDiskFreeBytes: UInt64?
    let journalDiskFreeBytes: UInt64?
    let quarantines: [String]

    init(_ configuration: AgentConfiguration, now: Int64) {
      version = AgentVersion.text
      written = UTCTime.text(milliseconds: now)
      hostName = Machine.hostName
      operatingSystem = Machine.operatingSystem
      stateDiskFreeBytes = Machine.bytesFree(at: configuration.state.directory)
      journalDiskFreeBytes = Machine.bytesFree(at: configuration.journal.directory)
      quarantines = JournalQuarantine.all(of: configuration.journal.directory).map { "\($0.path): \($0.note)" }
    }
  }
}
