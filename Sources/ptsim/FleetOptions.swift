// The options that say which fleet a command is about; all commands share them.

internal import ArgumentParser
internal import PrinterSimulator

struct FleetOptions: ParsableArguments {
  @Option(name: .long, help: "A fleet file (TOML).")
  var fleet: String?

  @Option(name: .long, help: "A recorded walk (.snmprec) to serve; repeat it with as many --address.")
  var walk: [String] = []

  @Option(name: .long, help: "The IPv4 address of the walk in the same place.")
  var address: [String] = []

  @Option(name: .long, help: "The community of the walks.")
  var community = "public"

  @Option(name: .long, help: "Where chance begins; the same seed gives the same fleet.")
  var seed: UInt64?

  @Option(name: .long, help: "A fault as ADDRESS=FAULT, for example 127.20.0.11=drops:20; may be repeated.")
  var fault: [String] = []

  func validate() throws {
    guard fleet != nil || !walk.isEmpty else {
      throw ValidationError("Expected --fleet FILE, or --walk FILE --address A.")
    }
    guard walk.count == address.count else {
      throw ValidationError("\(walk.count) --walk and \(address.count) --address; expected as many of each.")
    }
  }

  /// Reads the fleet file and the walks, and gives the devices their faults. Throws `SettingsError`.
  func load() throws -> Fleet {
    var result = try fleet.map { try Fleet.load(file: $0) } ?? Fleet()
    for (file, text) in zip(walk, address) {
      guard let address = HostAddress(text) else { throw Self.wrong("--address", "'\(text)' is not an IPv4 address") }
      guard !result.plans.contains(where: { $0.address == address }) else {
        throw Self.wrong("--address", "\(address) is in use by the fleet")
      }
      var plan = DevicePlan(address: address, contents: .recording(try Fleet.recording(file: file), file: file))
      plan.communities = [community]
      result.plans.append(plan)
    }
    for text in fault {
      let parts = text.split(separator: "=", maxSplits: 1).map(String.init)
      guard parts.count == 2, let index = result.plans.firstIndex(where: { $0.address.description == parts[0] }) else {
        throw Self.wrong("--fault", "'\(text)' names no device of the fleet; expected ADDRESS=FAULT")
      }
      do { result.plans[index].faults.append(try Fault(parts[1])) } catch {
        throw Self.wrong("--fault", error.description)
      }
    }
    if let seed { result.seed = seed }
    return result
  }

  /// Stands for the file where an option is wrong.
  static let commandLine = "command line"

  private static func wrong(_ option: String, _ message: String) -> SettingsError {
    SettingsError(file: commandLine, key: option, message: message)
  }
}
