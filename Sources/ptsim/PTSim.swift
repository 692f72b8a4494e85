// ptsim: a fleet of simulated printers on loopback addresses, for demonstrations, scenario tests and benchmarks.

internal import ArgumentParser

@main
struct PTSim: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ptsim", abstract: "Simulates a fleet of network printers (SNMPv1, v2c and v3).",
    subcommands: [ServeCommand.self, ListCommand.self, StateCommand.self])
}
