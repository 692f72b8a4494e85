internal import ArgumentParser
internal import Evidence
internal import Journal
internal import ReadModels

struct Why: ParsableCommand {
  static let configuration = CommandConfiguration(
    abstract: "Explains a meter's value: the record, object, rule and signature that it rests on.",
    discussion: """
      Tells which record set the meter last, the value with its object, raw value, unit, quality and rule, the meter epoch it belongs to, what \
      was counted since the value before, the arithmetic checks that include it, who the device was and where, how many later polls found \
      the same, and which checkpoint and acknowledgement cover the record. --at asks for the value that was known then; checkpoint and \
      acknowledgement are as of now. Exit status 1 where the record is not what its hash says, or its checkpoint is not sound.

      Keys are trusted as `ptjournal verify` trusts them (--key): the journal must be the key's (else 12 or 13), and with a hub's key beside it \
      the checkpoint must be there and bear the hub's signature (else 1).

      \(JournalPoint.timesExplained)

        ptjournal why /var/lib/printtrail/journal 10.0.0.7 total
        ptjournal why /var/lib/printtrail/journal 00ABC12345 print.fullColor --at 2026-10-31T23:59:59+01:00
      """)

  @OptionGroup var argument: JournalArgument
  @Argument(help: "The device: its id or at least four digits of it, its serial number, or its address.")
  var device: String
  @Argument(help: "The meter as `ptagent devices` has it: total, print.fullColor, total#vendor; mono and colour, too.")
  var meter: String
  @Option(
    help: "After this SEQUENCE or EPOCH/SEQUENCE, or before the first record that was taken after this time.",
    transform: JournalPoint.parsed)
  var at: JournalPoint?
  @Flag(help: "Print the SNMP objects of that reading, too.")
  var raw = false
  @OptionGroup var trust: TrustOption
  @OptionGroup var format: OutputOption

  func run() throws {
    let reader = try argument.open()
    if let finding = trust.keys?.finding(on: reader.identity) {
      Output.complain("\(finding)")
      throw ExitCode(finding.fault.rawValue)
    }
    let explanation = try orExit {
      try orCandidates {
        try MeterExplanation(
          reader, device: device, meter: meter, at: at ?? .head, withObjects: raw, trusted: trust.keys)
      }
    }
    switch format.output {
    case .text: Output.write(explanation.text)
    case .json: Output.line(explanation.json)
    }
    if !explanation.isSound { throw ExitCode(ExitStatus.wrong) }
  }
}

/// Ends the program where a name on the command line means nothing (66) or several things (64), and says what there is.
func orCandidates<Found>(_ body: () throws -> Found) throws -> Found {
  do {
    return try body()
  } catch let error as SearchError {
    Output.complain("\(error)")
    if case .ambiguous = error { throw ExitCode(ExitCode.validationFailure.rawValue) }
    throw ExitCode(ExitStatus.noInput)
  }
}
