internal import AgentCore
internal import ArgumentParser
internal import Collectors
internal import Discovery
internal import MIB
internal import Platform
internal import PrinterModel
internal import ReadModels
internal import Settings

struct CaptureCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "capture",
    abstract: "Record a device into an anonymous walk that can be sent to others.",
    discussion: """
      Walks the device as kindly as a poll (system group, interfaces, Printer-MIB, the printer among the host's devices, the maker's private \
      objects) and writes a .snmprec file in which serial numbers, hardware and IP addresses, host and domain names, location, contact, \
      operator, asset number, e-mail addresses, telephone numbers and UUIDs are replaced, everywhere and each by the same.

      Every other word is replaced as well, in whatever object and encoding, unless it is known to be a printer's: a word of the list that \
      comes with this program (parts, papers, states, protocols, in the languages that printers speak), a maker's name, or a word of the \
      device's IEEE 1284 device id. What stays: those words, words of one letter, model, firmware, part numbers, numbers of up to six digits \
      (but behind words as Tel and PIN), dates, the maker's part of hardware addresses, counters, levels and states, and the maker's records of counters, so that \
      `ptagent read --walk FILE` shows the same reading under another identity. A name that is also a printer's word (a Mr Black) stays, \
      and so do private data in binary forms that nobody knows. What was replaced is told on standard error. --keep-texts replaces only what the \
      first paragraph names.

      Look through the file before you send it.

        ptagent capture 10.0.0.7 --output printer.snmprec
        ptagent capture --walk recorded.snmprec --output anonymous.snmprec

      A device that falls silent in the middle is written as far as it was read, with exit status 75.
      """)

  @OptionGroup var file: ConfigurationOption
  @Argument(help: ArgumentHelp("The device's IPv4 address; :port if it is not 161.", valueName: "address"))
  var address: String?
  @Option(help: ArgumentHelp("Make this recorded walk anonymous instead of a device's.", valueName: "file"))
  var walk: String?
  @OptionGroup var how: CredentialOptions
  @Option(name: .shortAndLong, help: ArgumentHelp("Where to write; standard output otherwise.", valueName: "file"))
  var output: String?
  @Flag(help: "Leave words that are not known to be a printer's as they are.")
  var keepTexts = false

  func validate() throws {
    if (address == nil) == (walk == nil) { throw ValidationError("Give an address, or --walk with a file.") }
    if let address, Endpoint(address) == nil { throw ValidationError("'\(address)' is no IPv4 address.") }
  }

  mutating func run() async throws {
    try await reporting {
      if let walk {
        try write(try Self.recorded(walk), profiles: try LocalProfiles(try file.loadIfPresent().profiles).set)
      } else if let address, let endpoint = Endpoint(address) {
        try await capture(endpoint, address)
      }
    }
  }

  private static func recorded(_ path: String) throws(AgentFailure) -> Walk {
    let document = SNMPRec.parse(try bytes(of: path))
    guard !document.walk.isEmpty else { throw AgentFailure(.data, "\(path) holds no recorded object.") }
    guard document.linesLost == 0 else {
      throw AgentFailure(
        .data, "\(path): \(counted(document.linesLost, "line")) could not be read; nothing is written.")
    }
    return document.walk
  }

  private func capture(_ given: Endpoint, _ text: String) async throws {
    let configuration = try file.loadInUse()
    let settings = try CollectorSettings(loadingProfilesFor: configuration)
    let endpoint = text.contains(":") ? given : Endpoint(given.address, port: settings.port)
    guard !settings.doNotTouch.contains(endpoint.address) else {
      throw AgentFailure(.usage, "\(endpoint.address) is on discovery.do_not_touch: it is not asked.")
    }
    var credentials = try how.chosen(from: configuration).map { [$0] } ?? settings.credentials(for: endpoint.address)
    if credentials.isEmpty { credentials = [NamedCredential(Settings.NamedCredential.publicCommunity)] }
    let engine = try UDPEngine()
    defer { engine.shutdown() }
    let waiting = WaitingLine("walking \(endpoint)")
    defer { waiting.end() }
    let transcript: CaptureTranscript
    do throws(PollFailure) {
      transcript = try await DeviceReader(engine: engine, profiles: settings.profiles)
        .capture(endpoint, credentials: credentials)
    } catch {
      throw ReadCommand.failure(error, at: endpoint)
    }
    waiting.end()
    guard !transcript.bindings.isEmpty else {
      let failure = transcript.interruption ?? PollFailure(.deviceError, "it gave no object")
      throw ReadCommand.failure(failure, at: endpoint)
    }
    for finding in transcript.findings { Machine.tell("\(finding.message)\n".replacingControlsKeepingLines) }
    try write(Walk(transcript.bindings), profiles: settings.profiles)
    if let interruption = transcript.interruption {
      throw AgentFailure(.interrupted, "\(endpoint): \(interruption.message); what was read before is written.")
    }
  }

  private func write(_ walk: Walk, profiles: ProfileSet) throws {
    let anonymous = Interpretation.anonymised(
      walk, seed: UInt64.random(in: .min ... .max), keepsTexts: keepTexts, profiles: profiles)
    let text = SNMPRec.bytes(of: anonymous.walk)
    if let output {
      do { try Files.replace(output, with: text, mode: 0o600) } catch {
        throw AgentFailure(error.isPermissionDenied ? .permission : .cannotCreate, error.description)
      }
    } else {
      try Output.write(String(decoding: text, as: UTF8.self))
    }
    Machine.tell(anonymous.report.replacingControlsKeepingLines)
  }
}

extension AnonymisedWalk {
  /// What was replaced, for the one who is to send the file.
  fileprivate var report: String {
    var lines = ["\(counted(walk.bindings.count, "object")) written. Replaced:"]
    lines += replacements.map {
      "  \($0.kind.rawValue) \"\($0.original)\" by \"\($0.replacement)\" in \(counted($0.places, "object"))"
    }
    if replacements.isEmpty { lines.append("  nothing that tells whose device it is was found") }
    if textsMasked > 0 {
      lines.append("  words that are not known to be a printer's, in \(counted(textsMasked, "text"))")
    }
    if objectsOutside > 0 { lines.append("Left out: \(counted(objectsOutside, "object")) that no reading needs.") }
    if !objectsLeftOut.isEmpty {
      let names = objectsLeftOut.map(\.description).joined(separator: ", ")
      lines.append("Left out, because it could not be freed of the above: \(names)")
    }
    lines.append("Look through the file before you send it.")
    return lines.joined(separator: "\n") + "\n"
  }
}

extension String {
  /// Without control codes of a device's, which a terminal would follow.
  var replacingControlsKeepingLines: String {
    split(separator: "\n", omittingEmptySubsequences: false).map { String($0).replacingControls }.joined(
      separator: "\n")
  }
}
