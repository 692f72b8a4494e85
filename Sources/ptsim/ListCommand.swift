// ptsim list: which devices a fleet has, without serving it.

internal import ArgumentParser
internal import FoundationEssentials
internal import PrinterSimulator

struct ListCommand: ParsableCommand {
  static let configuration = CommandConfiguration(commandName: "list", abstract: "Lists the devices of a fleet.")

  enum Form: String, ExpressibleByArgument, CaseIterable {
    case table, json
  }

  /// One device. Passwords are not part of it.
  struct Row: Encodable {
    var address: String
    var port: Int
    var vendor: String
    var model: String
    var name: String
    var serial: String
    var versions: [String]
    var communities: [String]
    var users: [String]
    var context: String
    var faults: [String]
    var ipp: Bool
  }

  @OptionGroup var options: FleetOptions

  @Option(name: .long, help: "table or json.")
  var output = Form.table

  func run() throws {
    try Output.reporting {
      let fleet = try options.load()
      let rows = zip(fleet.plans, fleet.devices()).map { Self.row($0, $1, port: fleet.port) }
      switch output {
      case .json: try Output.line(try Self.json(rows))
      case .table: for line in Self.table(rows) { try Output.line(line) }
      }
    }
  }

  private static func row(_ plan: DevicePlan, _ device: Device, port: Int) -> Row {
    var row = Row(
      address: plan.address.description, port: port, vendor: "", model: "", name: plan.name, serial: "",
      versions: plan.spoken.map(\.rawValue).sorted(), communities: plan.communities, users: plan.userNames,
      context: plan.contextName, faults: plan.faults.map(\.spelling), ipp: plan.ipp != nil)
    switch plan.contents {
    case .model(let model): (row.vendor, row.model) = (model.vendor, model.name)
    case .recording(_, let file): row.model = file
    }
    if let printer = device.printer { (row.name, row.serial) = (printer.identity.name, printer.identity.serial) }
    return row
  }

  private static func json(_ rows: [Row]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.prettyPrinted, .sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(rows), as: UTF8.self)
  }

  private static func table(_ rows: [Row]) -> [String] {
    let lines =
      [["ADDRESS", "MODEL", "SERIAL", "NAME", "SPEAKS", "FAULTS"]]
      + rows.map { row in
        let speaks =
          row.versions.map { $0 == "v3" ? "v3 " + row.users.joined(separator: " ") : $0 } + (row.ipp ? ["ipp"] : [])
        return [
          row.address, row.model, row.serial, row.name, speaks.joined(separator: ", "),
          row.faults.joined(separator: " "),
        ]
      }
    let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { line in
      var text = ""
      for (column, cell) in line.enumerated() where column < line.count - 1 {
        text += cell + String(repeating: " ", count: widths[column] - cell.count + 2)
      }
      text += line[line.count - 1]
      while text.last == " " { text.removeLast() }
      return text
    }
  }
}
