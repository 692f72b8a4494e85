// pthub init

internal import ArgumentParser
internal import HubServer

struct InitCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "init",
    abstract: "Make a new hub in a directory.",
    discussion: """
      Makes the directory (0700), the hub's own certificate authority (P-256, 10 years), the key that DataLink codes are hashed with, and an empty \
      database; prints the pin of the root. An interrupted init can be run again and goes on.

      Give every DNS name and address that agents will reach this hub by: they stand in the certificate that the hub shows. localhost, 127.0.0.1 and \
      ::1 are always in it, and so are the addresses that `serve` listens on.

      With --store, everything but the keys is kept in a PostgreSQL database, which several hubs may share: give each a copy of the directory (without \
      server.key and server.pem), and put a TCP balancer before them.

      The directory is the hub: back it up as a whole. Whoever has its ca.key can pose as the hub.

      EXAMPLE
        pthub init --directory /var/lib/pthub --name hub.example.org --name 192.0.2.10
      """)

  @OptionGroup var hub: HubOptions

  @Option(
    name: .shortAndLong,
    help: ArgumentHelp("A DNS name or address of this hub. May be given several times.", valueName: "name"))
  var name: [String] = []

  func run() throws {
    let directory = try HubDirectory.create(at: hub.path(), names: name, store: hub.address())
    printFields([("directory", directory.path), ("pin", directory.authority.pin)])
  }
}
