// ptbench: the measurements that tools/bench runs. Each prints JSON lines, one a measurement.

internal import ArgumentParser

@main
struct PTBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ptbench", abstract: "Measures PrintTrail's parts. Build it for release.",
    subcommands: [
      JournalBench.self, ReplayBench.self, CollectBench.self, CrashWorkload.self, CrashImagesCommand.self,
      GoldenJournalCommand.self,
    ])
}
