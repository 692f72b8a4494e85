internal import AgentCore
internal import ArgumentParser
internal import Collectors
internal import Settings
internal import Discovery
internal import Platform
internal import UnixSignals

struct SweepCommand: AsyncParsableCommand {
  enum Format: String, ExpressibleByArgument, CaseIterable {
    case table, json, csv
  }

  static let configuration = CommandConfiguration(
    commandName: "sweep",
    abstract: "Look for printers in ranges of addresses, and tell for each address what was found or why not.",
    discussion: """
      Ranges are written 10.0.0.7, 10.0.0.1-10, 10.0.0.1-10.0.1.20, 10.0.0.* or 10.0.0.0/24. Without a range, those of the configuration are \
      swept; without any there, the networks that this machine is in. Its exclusions and do-not-touch list always hold. Nothing is journalled. Progress goes to standard error: a bar with rate and time \
      left on a terminal, lines otherwise. Interrupted, it shows what was found until then and exits 75.

        ptagent sweep 10.0.0.0/24
        ptagent sweep 10.0.0.* 10.0.1.1-50 --community secret --output csv > found.csv
      """)

  @OptionGroup var file: ConfigurationOption
  @Argument(help: ArgumentHelp("Where to look.", valueName: "range"))
  var ranges: [String] = []
  @Option(help: ArgumentHelp("Leave these addresses out; may be given several times.", valueName: "range"))
  var exclude: [String] = []
  @Option(help: ArgumentHelp("How fast, 1 to 10000. (default: as configured, or 250)", valueName: "number"))
  var packetsPerSecond: Int?
  @OptionGroup var how: CredentialOptions
  @Option(help: "table, json or csv.")
  var output = Format.table

  func validate() throws {
    for range in ranges + exclude {
      do {
        let read = try AddressRange(range)
        guard read.isUnicast || exclude.contains(range) else {
          throw ValidationError("'\(range)' cannot be swept: \(AddressRange.notUnicast).")
        }
      } catch let error as AddressRangeError {
        throw ValidationError(error.description)
      }
    }
    if let packetsPerSecond, !DiscoverySettings.packetsPerSecondRange.contains(packetsPerSecond) {
      throw ValidationError(
        "--packets-per-second must be from 1 to \(DiscoverySettings.packetsPerSecondRange.upperBound).")
    }
  }

  mutating func run() async throws {
    try await reporting {
      let settings = try settings()
      let engine = try UDPEngine(parameters)
      defer { engine.shutdown() }
      let display = TerminalDisplay(descriptor: 2)
      let surveyor = Surveyor(DeviceReader(engine: engine, profiles: settings.profiles), settings)
      let (results, isInterrupted) = try await Self.untilInterrupted {
        try await surveyor.sweep { progress in
          display.sweepProgressed(
            progress.done, of: progress.total, found: progress.found, rate: progress.rate, timeLeft: progress.timeLeft)
        }
      }
      display.sweepEnded()
      switch output {
      case .table: try Output.write(SweepReport.table(results))
      case .json: try Output.write(SweepReport.json(results))
      case .csv: try Output.write(SweepReport.csv(results))
      }
      if isInterrupted {
        throw AgentFailure(
          .interrupted, "Interrupted: what is shown was found before; the other addresses were not asked.")
      }
    }
  }

  /// SIGINT and SIGTERM end the sweep, and what it found is shown all the same.
  private static func untilInterrupted(
    _ sweep: @escaping @Sendable () async throws -> [AddressResult]
  ) async throws -> (results: [AddressResult], isInterrupted: Bool) {
    let signals = await UnixSignalsSequence(trapping: .sigint, .sigterm)
    return try await withThrowingTaskGroup(of: [AddressResult]?.self) { group in
      group.addTask { try await sweep() }
      group.addTask {
        for await _ in signals { break }
        return nil
      }
      var isInterrupted = false
      while let result = try await group.next() {
        if let result {
          group.cancelAll()
          return (result, isInterrupted)
        }
        isInterrupted = true
        group.cancelAll()
      }
      return ([], isInterrupted)
    }
  }

  /// Nobody said that packets may go further than the networks that are swept unasked.
  private var parameters: EngineParameters {
    get throws {
      var parameters = EngineParameters()
      let discovery = try file.loadInUse().discovery
      if ranges.isEmpty, discovery.ranges.isEmpty { parameters.hops = max(1, discovery.hopsMax) }
      parameters.packetsPerSecond = max(
        parameters.packetsPerSecond, packetsPerSecond ?? discovery.packetsPerSecond)
      return parameters
    }
  }

  private func settings() throws -> CollectorSettings {
    let configuration = try file.loadInUse()
    var settings = try CollectorSettings(loadingProfilesFor: configuration).inNetworks(of: configuration)
    let chosen = try how.chosen(from: configuration)
    if !ranges.isEmpty {
      // Each address with the credentials of the configured range that it is in; the last one is for those that are in none.
      let configured = settings.ranges
      let fallback = [NamedCredential(Settings.NamedCredential.publicCommunity)]
      settings.ranges = try ranges.flatMap { text in
        let given = AddressSet([try AddressRange(text)])
        let known = configured.map {
          CollectorRange(name: text, addresses: given.intersection($0.addresses), credentials: $0.credentials)
        }
        return known.filter { !$0.addresses.isEmpty }
          + [CollectorRange(name: text, addresses: given, credentials: fallback)]
      }
    }
    if let chosen { for index in settings.ranges.indices { settings.ranges[index].credentials = [chosen] } }
    settings.exclusions = settings.exclusions.union(
      AddressSet(try exclude.map { try AddressRange($0, for: .exclusion) }))
    if let packetsPerSecond {
      settings.sweep.packetsPerSecond = packetsPerSecond
      settings.sweep.burst = max(1, packetsPerSecond / 10)
    }
    guard !settings.ranges.isEmpty else {
      throw AgentFailure(
        .usage,
        "Nothing to sweep: this machine is in no network of its own. Give a range, or configure discovery.ranges.")
    }
    return settings
  }
}
