internal import AgentCore
internal import ArgumentParser
internal import Platform
internal import PrinterModel
internal import ReadModels
internal import Settings

struct ProfileCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "profile", abstract: "Look at vendor profiles: what the makers' private objects mean.",
    subcommands: [ProfileCheckCommand.self, ProfileListCommand.self])
}

struct ProfileCheckCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "check",
    abstract: "Tell everything that is wrong with profile files.",
    discussion: """
      Each error with file, line, key and what was expected (docs/formats/profiles.md). Without a FILE those of profiles.directory of the \
      configuration are checked. A name that is another than the file's is a warning. Exits 0 when there is no error, 65 when there is any, 66 when \
      there is no such file, or none in a directory.

        ptagent profile check acme.toml
        ptagent profile check /etc/printtrail/profiles
      """)

  @OptionGroup var file: ConfigurationOption
  @Argument(help: ArgumentHelp("Profile files, and directories of them (*.toml).", valueName: "file"))
  var files: [String] = []

  mutating func run() async throws {
    try await reporting {
      let paths = try files.isEmpty ? configured() : files
      let profiles = try Self.read(paths)
      for (path, profile) in profiles {
        if let name = ProfileFiles.name(of: path), name != profile.name {
          Machine.tell(
            "warning: \(path): the profile's name is \(profile.name), which its rules are told by, and the file's is \(name)\n"
              .replacingControlsKeepingLines)
        }
        let parts = profile.counters.count + profile.tables.count + profile.records.count
        try Output.write(
          "\(path) is correct: \(profile.name), version \(profile.version), \(counted(parts, "counter or table", plural: "counters and tables")), \(counted(profile.checks.count, "check")).\n"
            .replacingControlsKeepingLines)
      }
    }
  }

  private func configured() throws -> [String] {
    guard let directory = try file.loadIfPresent().profiles.directory else {
      throw AgentFailure(.usage, "Give a profile file; the configuration names no profiles.directory.")
    }
    return [directory]
  }

  private static func read(_ paths: [String]) throws -> [(file: String, profile: Profile)] {
    for path in paths where !Files.exists(path) { throw AgentFailure(.noInput, "There is no file \(path).") }
    do { return try ProfileFiles.read(paths) } catch let error as ProfileFilesError {
      let count = error.refusals.count
      throw AgentFailure(.data, "\(error)\n\(counted(count, "error")) in all.")
    } catch let error as ExportError where error.kind == .missing {
      throw AgentFailure(.noInput, "\(error)")
    } catch {
      throw AgentFailure(.inputOutput, "\(error)")
    }
  }
}

struct ProfileListCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "list",
    abstract: "List the profiles that readings are made with, and where each is from.",
    discussion: """
      Those of the release, and those of profiles.directory of the configuration. Of two of one name the higher version is used, and of one \
      version the site's own.

        ptagent profile list
      """)

  @OptionGroup var file: ConfigurationOption

  mutating func run() async throws {
    try await reporting {
      let profiles = try LocalProfiles(try file.loadIfPresent().profiles)
      var lines: [[String]] = [["NAME", "VERSION", "MAKE", "COUNTERS", "CHECKS", "FROM"]]
      for entry in profiles.entries {
        let profile = entry.profile
        let counters = profile.counters.count + profile.tables.count + profile.records.count
        lines.append([
          profile.name, String(profile.version), profile.make, String(counters), String(profile.checks.count),
          (entry.file ?? "the release") + (entry.isUsed ? "" : " (not used: another one stands over it)"),
        ])
      }
      try Output.write(Self.table(lines))
    }
  }

  private static func table(_ lines: [[String]]) -> String {
    let widths = lines[0].indices.map { column in lines.map { $0[column].count }.max() ?? 0 }
    return lines.map { line in
      line.indices.map { column in
        column == line.count - 1
          ? line[column] : line[column] + String(repeating: " ", count: widths[column] - line[column].count + 2)
      }.joined()
    }.joined(separator: "\n") + "\n"
  }
}
