// ptsim: a fleet of simulated printers on loopback addresses, for demonstrations, scenario tests and benchmarks.

internal import ArgumentParser
internal import Platform

@main
struct PTSim: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ptsim", abstract: "Simulates a fleet of network printers (SNMPv1, v2c and v3, and IPP).",
    discussion: """
      The same fleet, seed and time always give the same printers, counters and alerts.

        ptsim serve --fleet Fixtures/fleets/demo.toml --speed 60
        ptsim serve --walk recorded.snmprec --address 127.20.0.1 --port 1161
        ptsim serve --fleet Fixtures/fleets/ipp.toml --ipp-port 1631
        ptsim list --fleet Fixtures/fleets/demo.toml
        ptsim state --fleet Fixtures/fleets/demo.toml --hours 24

      EXIT STATUS
        0   done
        64  the command line is wrong
        69  a port is in use, an address is not this machine's, or too few files may be open
        74  a call of the operating system failed, or standard output could not be written
        77  the port needs privileges
        78  a fleet, a model or a walk cannot be used; the truth file cannot be written

      Version: ptsim --version
      Shell completions: ptsim --generate-completion-script bash|zsh|fish
      """,
    version: "ptsim \(Release.version)",
    subcommands: [ServeCommand.self, ListCommand.self, StateCommand.self])

  static func main() {
    StandardOutput.reportClosedPipes()
    main(nil)
  }
}
