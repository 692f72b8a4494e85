// Options that commands share.

internal import ArgumentParser
internal import Glibc
internal import HubServer

struct HubOptions: ParsableArguments {
  @Option(
    name: .shortAndLong, help: ArgumentHelp("The hub's directory. Default: $PTHUB_DIRECTORY.", valueName: "dir"),
    completion: .directory)
  var directory: String?

  func path() throws -> String {
    if let directory { return directory }
    if let named = getenv("PTHUB_DIRECTORY") { return String(cString: named) }
    throw HubError(.usage, "Which hub? Give --directory, or set PTHUB_DIRECTORY.")
  }

  func open() throws -> (HubDirectory, SQLiteStore) {
    let directory = try HubDirectory.open(at: path())
    return (directory, try SQLiteStore(path: directory.databasePath))
  }
}

/// An install, found by its id or by the unique beginning of it.
func findInstall(_ id: String, in store: SQLiteStore) async throws -> Install {
  if let install = try await store.install(id: id) { return install }
  let matches = try await store.installs().filter { $0.id.hasPrefix(id.lowercased()) }
  switch matches.count {
  case 1: return matches[0]
  case 0: throw HubError(.notFound, "There is no install '\(id)'. See `pthub install list`.")
  default: throw HubError(.usage, "'\(id)' is the beginning of \(matches.count) installs' ids. Give more digits.")
  }
}

/// A time span such as `30m`, `24h` or `7d`.
struct Span: ExpressibleByArgument {
  let duration: Duration

  init?(argument: String) {
    let units: [Character: Int64] = ["m": 60, "h": 3_600, "d": 86_400]
    // More digits than this would overflow, and no rule allows as much.
    guard let unit = argument.last.flatMap({ units[$0] }), argument.count <= 8, let count = Int64(argument.dropLast()),
      count > 0
    else { return nil }
    duration = .seconds(count * unit)
  }

  init(_ duration: Duration) { self.duration = duration }

  var defaultValueDescription: String { "24h" }
}

extension Endpoint: ExpressibleByArgument {
  init?(argument: String) { self.init(argument) }
}
