internal import AgentCore
internal import ArgumentParser
internal import Collectors
internal import Settings
internal import Discovery
internal import Events
internal import MIB
internal import Platform
internal import PrinterModel
internal import ReadModels

struct ReadCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "read",
    abstract: "Read one device now, or a recorded walk, and show what it says.",
    discussion: """
      First what the device says, in words; what is not known is called unknown, and of a waste box the room that is left is told. Then, under \
      Sources, each value with the object it came from (OID), what that held, its unit, the rule that gave it its meaning and its quality; \
      meters have these in their own lines. JSON holds the same (docs/formats/reading.md). Nothing is journalled.

      Vendor profiles of profiles.directory of the configuration are used too; what they give has `+local` in its rule.

      Without a credential on the command line, those of the configuration are tried in their order; without a configuration, SNMPv2c with the \
      community "public". An address on discovery.do_not_touch is never asked.

      A device that does not answer SNMP is asked over IPP (port 631), unless discovery.ipp is false; then sources name the attribute instead of an
      object. With --ipp it is asked over IPP alone.

      A device that refuses the credential (unknown user, wrong password, a security level that it does not grant) ends with 77 and what to \
      configure; one that does not answer, or is no printer, with 69.

      A device that falls silent in the middle is shown as far as it was read, with a finding and exit status 75. On a terminal the time that \
      the reading takes is shown while it takes it.

        ptagent read 10.0.0.7
        ptagent read 10.0.0.7:1161 --community secret --version 1
        ptagent read 10.0.0.7 --ipp
        ptagent read --walk recorded.snmprec --output json
        ptagent read --ipp-capture answer.ipp
      """)

  /// So many findings of a walk's file are told; the rest is counted.
  private static let findingsShownMax = 20

  @OptionGroup var file: ConfigurationOption
  @Argument(help: ArgumentHelp("The device's IPv4 address; :port if it is not 161.", valueName: "address"))
  var address: String?
  @Option(help: ArgumentHelp("Read this recorded walk (.snmprec) instead of a device.", valueName: "file"))
  var walk: String?
  @Flag(help: "Ask over IPP, not over SNMP.")
  var ipp = false
  @Option(
    help: ArgumentHelp(
      "Read this recorded answer to Get-Printer-Attributes (application/ipp) instead of a device.", valueName: "file"))
  var ippCapture: String?
  @OptionGroup var how: CredentialOptions
  @Option(help: "table or json.")
  var output = OutputFormat.table

  func validate() throws {
    let sources = [address, walk, ippCapture].count { $0 != nil }
    guard sources > 0 else { throw ValidationError("Give an address, or --walk or --ipp-capture with a file.") }
    guard sources == 1 else { throw ValidationError("An address, --walk and --ipp-capture exclude one another.") }
    if ipp, address == nil { throw ValidationError("--ipp needs an address.") }
  }

  /// Not a part of `validate`, which comes before options that do not exist are told: of a misspelt one the value would be a wrong address.
  private static func endpoint(_ address: String) throws -> Endpoint {
    guard let endpoint = Endpoint(address) else { throw AgentFailure(.usage, fault(ofAddress: address)) }
    guard AddressRange(endpoint.address).isUnicast else {
      throw AgentFailure(.usage, "'\(address)' is not asked: \(AddressRange.notUnicast).")
    }
    return endpoint
  }

  private static func fault(ofAddress text: String) -> String {
    let parts = text.split(separator: ":", omittingEmptySubsequences: false)
    guard parts.count == 2, Endpoint(String(parts[0])) != nil else { return "'\(text)' is no IPv4 address." }
    return "'\(parts[1])' is no port: 1 to 65535."
  }

  mutating func run() async throws {
    try await reporting {
      if let walk {
        try showWalk(walk)
      } else if let ippCapture {
        try showCapture(ippCapture)
      } else if let address {
        try await showDevice(try Self.endpoint(address), address)
      }
    }
  }

  private func showWalk(_ path: String) throws {
    let document = SNMPRec.parse(try bytes(of: path))
    let findings = document.findings
    for finding in findings.prefix(Self.findingsShownMax) {
      Machine.tell("\(path):\(finding.line): \(finding.message)".replacingControls + "\n")
    }
    if findings.count > Self.findingsShownMax {
      let rest = findings.count - Self.findingsShownMax
      Machine.tell("\(path): and \(rest.grouped) more \(rest == 1 ? "finding" : "findings")\n")
    }
    guard !document.walk.isEmpty else {
      let form =
        "A recorded walk has lines NAME|TAG|VALUE (snmprec): `ptagent capture ADDRESS` writes one; what snmpwalk prints is none."
      throw AgentFailure(.data, "\(path) holds no recorded object. \(form)")
    }
    let profiles = try LocalProfiles(try file.loadIfPresent().profiles).set
    try show(Interpretation.read(document.walk, profiles: profiles), document.walk, profiles)
    let classification = Classification.of(document.walk, profiles: profiles)
    guard classification.isPrinter else {
      throw AgentFailure(.data, "\(path) is no printer's: \(classification.reason). It was read as one all the same.")
    }
    guard document.linesLost == 0 else {
      let lines = document.linesLost == 1 ? "1 line" : "\(document.linesLost.grouped) lines"
      throw AgentFailure(.data, "\(path): \(lines) could not be read; what is shown is from the others.")
    }
  }

  private func showCapture(_ path: String) throws {
    switch IPPAsker.result(ofCapture: try bytes(of: path)) {
    case nil: throw AgentFailure(.data, "\(path) holds no IPP message.")
    case .failed(let failure): throw AgentFailure(.data, "\(path): \(failure.message).")
    case .reading(let poll):
      try show(poll.reading, poll.walk, try LocalProfiles(try file.loadIfPresent().profiles).set)
      if let interruption = poll.interruption {
        throw AgentFailure(.data, "\(path): \(interruption.message); what is shown is from what came before.")
      }
    }
  }

  private func showDevice(_ given: Endpoint, _ text: String) async throws {
    let configuration = try file.loadInUse()
    let settings = try CollectorSettings(loadingProfilesFor: configuration)
    let endpoint = text.contains(":") ? given : Endpoint(given.address, port: settings.port)
    guard !settings.doNotTouch.contains(endpoint.address) else {
      throw AgentFailure(.usage, "\(endpoint.address) is on discovery.do_not_touch: it is not asked.")
    }
    var credentials = try how.chosen(from: configuration).map { [$0] } ?? settings.credentials(for: endpoint.address)
    if credentials.isEmpty { credentials = [NamedCredential(Settings.NamedCredential.publicCommunity)] }
    let port = text.contains(":") ? given.port : settings.ippPort
    let waiting = WaitingLine("reading \(ipp ? Endpoint(given.address, port: port) : endpoint)")
    defer { waiting.end() }
    let outcome: PollOutcome
    if ipp {
      outcome = try await IPPAsker().poll(Endpoint(given.address, port: port), port: port).outcome
    } else {
      let engine = try UDPEngine()
      defer { engine.shutdown() }
      outcome = try await DeviceReader(engine: engine, profiles: settings.profiles).read(
        endpoint, credentials: credentials, ippPort: settings.usesIPP ? settings.ippPort : nil)
    }
    waiting.end()
    try show(outcome, settings.profiles)
  }

  private func show(_ outcome: PollOutcome, _ profiles: ProfileSet) throws {
    let endpoint = outcome.endpoint
    switch outcome.result {
    case .reading(let poll):
      try show(poll.reading, poll.walk, profiles)
      if output == .table { try Output.write("\n\(Self.cost(of: outcome))\n") }
      if let interruption = poll.interruption {
        throw AgentFailure(.interrupted, "\(endpoint): \(interruption.message); what is shown was read before.")
      }
    case .failed(let failure):
      throw Self.failure(failure, at: endpoint)
    }
  }

  static func failure(_ failure: PollFailure, at endpoint: Endpoint) -> AgentFailure {
    switch failure.reason {
    case .authentication: AgentFailure(.permission, "\(endpoint) refuses the credential: \(failure.message).")
    case .notAPrinter: AgentFailure(.unavailable, "\(endpoint) is no printer: \(failure.message).")
    case .timeout, .malformed, .deviceError:
      AgentFailure(.unavailable, "\(endpoint) could not be read: \(failure.message).")
    }
  }

  /// What the reading cost the device and its network.
  private static func cost(of outcome: PollOutcome) -> String {
    let cost = outcome.cost
    let traffic = "\(counted(cost.requests, "request")), \(cost.bytesSent) bytes sent, \(cost.bytesReceived) received"
    let time = Duration.milliseconds(Int64(cost.milliseconds)).spoken
    let way = outcome.credential == IPPAsker.accessName ? "over IPP" : "with credential \(outcome.credential)"
    return "\(outcome.endpoint) \(way): \(traffic), \(time)"
  }

  private func show(_ reading: Reading, _ walk: Walk, _ profiles: ProfileSet) throws {
    let report = ReadingReport(reading, walk: walk, profiles: profiles)
    try Output.write(output == .json ? report.json : report.text)
  }
}

extension Int {
  /// With commas between thousands.
  fileprivate var grouped: String {
    let digits = String(self)
    return String(
      digits.enumerated().flatMap { index, digit in
        index > 0 && (digits.count - index).isMultiple(of: 3) ? [",", digit] : [digit]
      })
  }
}
