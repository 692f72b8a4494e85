// Options that commands share.

internal import ArgumentParser
internal import Glibc
internal import HubServer

struct HubOptions: ParsableArguments {
  @Option(
    name: .shortAndLong, help: ArgumentHelp("The hub's directory. Default: $PTHUB_DIRECTORY.", valueName: "dir"),
    completion: .directory)
  var directory: String?

  @Option(
    help: ArgumentHelp(
      "The PostgreSQL database that the hub keeps everything in. Default: as given to init, or SQLite in the directory.",
      valueName: "postgres://user@host/database"))
  var store: String?

  func path() throws -> String {
    if let directory { return directory }
    if let named = getenv("PTHUB_DIRECTORY") { return String(cString: named) }
    throw HubError(.usage, "Which hub? Give --directory, or set PTHUB_DIRECTORY.")
  }

  /// What `--store` says.
  func address() throws -> String? {
    guard let store else { return nil }
    guard SQLStore.isAddress(store) else {
      throw HubError(
        .usage, "--store takes the address of a PostgreSQL database, such as postgres://pthub@db.example.org/pthub.")
    }
    return store
  }

  func open() throws -> (HubDirectory, SQLStore) {
    let directory = try HubDirectory.open(at: path())
    return (directory, try directory.openStore(at: address()))
  }
}

/// A time span such as `90s`, `30m`, `24h` or `7d`.
struct Span: ExpressibleByArgument {
  let duration: Duration

  init?(argument: String) {
    let units: [Character: Int64] = ["s": 1, "m": 60, "h": 3_600, "d": 86_400]
    // More digits than this would overflow, and no rule allows as much.
    guard let unit = argument.last.flatMap({ units[$0] }), argument.count <= 8, let count = Int64(argument.dropLast()),
      count > 0
    else { return nil }
    duration = .seconds(count * unit)
  }

  init(_ duration: Duration) { self.duration = duration }

  var defaultValueDescription: String { "\(duration.components.seconds / 3_600)h" }
}

extension Endpoint: ExpressibleByArgument {
  init?(argument: String) { self.init(argument) }
}
