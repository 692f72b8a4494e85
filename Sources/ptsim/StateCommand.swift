// ptsim state: what a fleet's printers would be after so many hours, without serving it. The same fleet, seed and time always
// give the same state.

internal import ArgumentParser
internal import PrinterSimulator

struct StateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "state", abstract: "Shows each printer's true counters, supplies and alerts after some time (JSON).")

  @OptionGroup var options: FleetOptions

  @Option(name: .long, help: "Simulated hours that have passed.")
  var hours = 0.0

  func validate() throws {
    guard (0...100_000).contains(hours) else { throw ValidationError("Expected --hours from 0 to 100000.") }
  }

  func run() throws {
    try Output.reporting {
      var devices = try options.load().devices()
      for index in devices.indices { devices[index].advance(toMilliseconds: Int64(hours * 3_600_000)) }
      try Output.line(String(decoding: try FleetTruth(devices).json(), as: UTF8.self))
    }
  }
}
