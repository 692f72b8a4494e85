// ptsim serve: answers for a fleet until SIGTERM, SIGINT or the end of --for.
//
// SIGUSR1 writes the truth file now; at the end it is written once more, after the last answer. SIGUSR2 stops simulated time,
// or lets it go on: while it stands, a reader of the whole fleet must arrive at exactly what the truth file says.

internal import ArgumentParser
internal import CLinux
internal import Glibc
internal import PrinterSimulator

struct ServeCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "serve", abstract: "Serves a fleet until SIGTERM or SIGINT.",
    discussion:
      "SIGUSR1 writes the truth file; SIGUSR2 stops simulated time or lets it go on.\n\nFaults (--fault ADDRESS=FAULT, or faults = [...] in the fleet file):\n"
      + faults)

  @OptionGroup var options: FleetOptions

  @Option(name: .long, help: "The UDP port of all devices, instead of the fleet's; 0 lets the system choose.")
  var port: Int?

  @Option(
    name: .long,
    help: "The TCP port of IPP of all devices that speak it, instead of the fleet's; 0 lets the system choose.")
  var ippPort: Int?

  @Option(name: .long, help: "Simulated seconds for each second: 60 makes an hour of a minute, 0 stands still.")
  var speed = 1.0

  @Option(name: .customLong("for"), help: "End by itself after so many seconds.")
  var seconds: Double?

  @Option(
    name: .long, help: "Write each printer's true counters, supplies and alerts here on SIGUSR1 and at the end (JSON).")
  var truth: String?

  func validate() throws {
    guard (0...100_000).contains(speed) else { throw ValidationError("Expected a --speed from 0 to 100000.") }
    guard port.map((0...65_535).contains) ?? true else { throw ValidationError("Expected a --port from 0 to 65535.") }
    guard ippPort.map((0...65_535).contains) ?? true else {
      throw ValidationError("Expected an --ipp-port from 0 to 65535.")
    }
    guard seconds.map({ $0 >= 0 && $0 < 1e9 }) ?? true else { throw ValidationError("Expected seconds in --for.") }
  }

  func run() throws {
    try Output.reporting {
      // Before any thread exists, so that all of them leave these signals to the descriptor.
      var signals = [SIGTERM, SIGINT, SIGUSR1, SIGUSR2]
      let descriptor = clinux_signalfd_create(&signals, Int32(signals.count))
      guard descriptor >= 0 else { throw SimulatorError.systemCall("signalfd", code: -descriptor) }
      defer { _ = clinux_close(descriptor) }
      let server = try Server(fleet: try options.load(), port: port, ippPort: ippPort, speed: speed)
      try server.run()
      let count = server.addresses.count
      // Whoever waits for this line may go away after it; the fleet is served all the same.
      let ipp = server.ippPort.map { ", \(server.ippCount) over IPP on tcp/\($0)" } ?? ""
      try? Output.line("ready: \(count) \(count == 1 ? "printer" : "printers") on udp/\(server.port)\(ipp)")
      try waitForEnd(descriptor, server)
      server.stop()
      try writeTruth(server)
    }
  }

  /// Returns at SIGTERM, SIGINT or the end of --for.
  private func waitForEnd(_ signals: Int32, _ server: Server) throws {
    let epoll = clinux_epoll_create()
    guard epoll >= 0 else { throw SimulatorError.systemCall("epoll_create1", code: -epoll) }
    defer { _ = clinux_close(epoll) }
    let added = clinux_epoll_add(epoll, signals, UInt32(CLINUX_READABLE), 0)
    guard added >= 0 else { throw SimulatorError.systemCall("epoll_ctl", code: -added) }
    let end = seconds.map { clinux_monotonic_nanoseconds() + UInt64($0 * 1e9) }
    var event = CLinuxEvent()
    while true {
      var timeout: Int32 = -1
      if let end {
        let now = clinux_monotonic_nanoseconds()
        guard now < end else { return }
        timeout = Int32(clamping: (end - now + 999_999) / 1_000_000)
      }
      let ready = clinux_epoll_wait(epoll, &event, 1, timeout)
      guard ready >= 0 else { throw SimulatorError.systemCall("epoll_wait", code: -ready) }
      guard ready > 0 else { continue }
      switch clinux_signalfd_next(signals) {
      case SIGTERM, SIGINT: return
      case SIGUSR1: try writeTruth(server)
      case SIGUSR2: server.toggleTime()
      default: break
      }
    }
  }

  private func writeTruth(_ server: Server) throws {
    if let truth { try server.truth.write(file: truth) }
  }

  private static var faults: String {
    let width = Fault.catalogue.map(\.spelling.count).max() ?? 0
    return Fault.catalogue.map { entry in
      "  " + entry.spelling + String(repeating: " ", count: width - entry.spelling.count + 2) + entry.meaning
    }.joined(separator: "\n")
  }
}
