// ptbench: the measurements that tools/bench runs. Each prints JSON lines, one a measurement.

internal import ArgumentParser
internal import Glibc
internal import Journal

@main
struct PTBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ptbench", abstract: "Measures PrintTrail's parts. Build it for release.",
    subcommands: [
      JournalBench.self, ReplayBench.self, CollectBench.self, DecodeBench.self, OfflineBench.self, CrashWorkload.self,
      CrashImagesCommand.self, GoldenJournalCommand.self, HoldReader.self, PollBench.self,
      BatchesCommand.self, DeliverBench.self, HerdBench.self,
    ])

  static func main() async {
    if let status = JournalWorker.run(Array(CommandLine.arguments.dropFirst())) { Glibc.exit(status) }
    await main(nil)
  }
}
