// A PostgreSQL server of the tests' own: Debian's programs, a new cluster in a temporary directory, a socket and no port. It ends, and its
// directory goes, with the process that started it, however that ends: a shell looks each second whether it is there.

internal import Foundation
internal import Synchronization
internal import TestPrograms

package final class PostgresServer: Sendable {
  private static let programs = "/usr/lib/postgresql/15/bin"

  /// Nil where Debian's package postgresql-15 is not installed.
  package static let shared: PostgresServer? = {
    guard FileManager.default.isExecutableFile(atPath: "\(programs)/postgres") else { return nil }
    do { return try PostgresServer() } catch { fatalError("PostgreSQL did not start: \(error)") }
  }()

  package struct Failure: Error, CustomStringConvertible {
    package let description: String
  }

  /// The directory of the socket, which is also that of the data and of the log.
  package let directory: String
  private let server: ChildProgram
  private let schemas = Atomic(0)
  /// Runs a program for as long as a process lives, then removes a directory.
  private static let guarding = #"""
    owner=$1 directory=$2; shift 2
    "$@" &
    while kill -0 "$owner" 2>/dev/null; do sleep 1; done
    kill $!; wait $!; rm -rf "$directory"
    """#

  private init() throws {
    var template = Array("/tmp/pt-postgres-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw Failure(description: "no temporary directory") }
    directory = template.withUnsafeBufferPointer { String(cString: $0.baseAddress!) }
    let data = directory + "/data"
    // PostgreSQL refuses to run as root, so what root runs is Debian's user of that name.
    if getuid() == 0 {
      guard let user = getpwnam("postgres"), chown(directory, user.pointee.pw_uid, user.pointee.pw_gid) == 0 else {
        throw Failure(description: "there is no user postgres")
      }
    }
    try Self.run("initdb", "-D", data, "-U", "hub", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "--no-sync")
    let log = directory + "/log"
    server = try ChildProgram(
      "/bin/sh",
      ["-c", Self.guarding, "sh", "\(getpid())", directory]
        + Self.command(
          "postgres",
          ["-D", data, "-k", directory, "-c", "listen_addresses=", "-c", "max_connections=200", "-c", "fsync=off"]),
      directory: "/", output: .file(log))
    for _ in 0..<300 {
      if FileManager.default.fileExists(atPath: directory + "/.s.PGSQL.5432"),
        (try? Self.run("psql", "-q", "-h", directory, "-U", "hub", "-d", "postgres", "-c", "SELECT 1")) != nil
      {
        return
      }
      guard server.isRunning else { break }
      usleep(100_000)
    }
    throw Failure(description: (try? String(contentsOfFile: log, encoding: .utf8)) ?? "no log")
  }

  /// The address of a schema of its own, with nothing in it.
  package func newAddress() throws -> String {
    let schema = "test_\(getpid())_\(schemas.add(1, ordering: .relaxed).newValue)"
    try execute("CREATE SCHEMA \(schema)")
    return "postgres://hub@/postgres?host=\(directory)&options=-csearch_path%3D\(schema)"
  }

  /// Runs statements as the superuser, in no schema of a test.
  package func execute(_ sql: String) throws {
    try Self.run("psql", "-q", "-v", "ON_ERROR_STOP=1", "-h", directory, "-U", "hub", "-d", "postgres", "-c", sql)
  }

  private static func run(_ program: String, _ arguments: String...) throws {
    let command = command(program, arguments)
    let ended = try ChildProgram.run(command[0], Array(command.dropFirst()), directory: "/")
    guard ended.status == 0 else { throw Failure(description: "\(program): \(ended.output)") }
  }

  /// As another user than root, whom PostgreSQL refuses.
  private static func command(_ program: String, _ arguments: [String]) -> [String] {
    let user = getuid() == 0 ? ["/usr/bin/setpriv", "--reuid=postgres", "--regid=postgres", "--clear-groups"] : []
    return user + ["\(programs)/\(program)"] + arguments
  }
}
