// pthub export

internal import ArgumentParser
internal import HubServer

struct ExportCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "export",
    abstract: "Print a report for other programs: \(Report.all.map(\.name).joined(separator: ", ")).",
    discussion: Report.all.map { "  \($0.name)\t\($0.abstract)." }.joined(separator: "\n") + """


      The same rows are views of the database, for programs that speak SQL: docs/hub.md names them.

      EXAMPLE
        pthub export volumes --entity Acme --output csv > volumes.csv
      """)

  @OptionGroup var hub: HubOptions
  @OptionGroup var report: ReportOptions
  @Argument(
    help: "The report.",
    transform: { name in
      guard let report = Report.all.first(where: { $0.name == name }) else {
        throw ValidationError("there is no report '\(name)'; see `pthub export --help`")
      }
      return report
    })
  var name: Report

  func run() async throws {
    let (_, store) = try hub.open()
    try await report.show(name, in: store, empty: "Nothing to report.")
  }
}
