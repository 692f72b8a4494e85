// Printers over IPP with real processes: `ippeveprinter` of CUPS, which nobody here wrote, and a server that wants TLS.

import Foundation
import Glibc
import TestPrograms
import Testing

/// Debian's ippeveprinter announces itself over DNS-SD and does not start without a daemon for it. Where the system has none, these start one on a
/// bus of their own.
private final class EverywherePrinter {
  static let isInstalled = ["/usr/sbin/ippeveprinter", "/usr/bin/dbus-daemon", "/usr/sbin/avahi-daemon"].allSatisfy {
    FileManager.default.isExecutableFile(atPath: $0)
  }

  let port: UInt16
  private let shell: ChildProgram
  private let directory: URL

  /// The three run below a shell, which waits for the bus and tries again.
  private static let script = """
    dbus-daemon --nofork --config-file="$1/bus.conf" & echo $! >> "$1/pids"
    while [ ! -S "$1/bus" ]; do sleep 0.1; done
    export DBUS_SYSTEM_BUS_ADDRESS="unix:path=$1/bus"
    avahi-daemon --no-drop-root --no-rlimits --no-chroot --no-proc-title & echo $! >> "$1/pids"
    # The daemon is on the bus a moment after its start; until then the printer ends at once.
    for attempt in $(seq 100); do
      ippeveprinter -p "$2" -r off -M Acme -m "Everywhere 7" -s 10,5 -d "$1" "Hall Printer" & echo $! > "$1/printer"
      wait $!
      sleep 0.2
    done
    """

  init(in directory: URL, port: UInt16) async throws {
    self.port = port
    self.directory = directory
    try """
    <!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
      "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
    <busconfig><listen>unix:path=\(directory.path)/bus</listen><auth>EXTERNAL</auth><policy context="default">
    <allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/></policy></busconfig>
    """.write(to: directory.appendingPathComponent("bus.conf"), atomically: true, encoding: .utf8)
    shell = try ChildProgram(
      "/bin/bash", ["-c", Self.script, "ippeveprinter", directory.path, "\(port)"], output: .nowhere)
    try await eventually(40, "ippeveprinter on port \(port)") { connects(to: port) }
  }

  /// The shell first, which would start the printer again.
  deinit {
    shell.kill()
    let lists = ["pids", "printer"].compactMap {
      try? String(contentsOf: directory.appendingPathComponent($0), encoding: .utf8)
    }
    let children = lists.joined().split(separator: "\n").compactMap { pid_t($0) }
    for process in children { kill(process, SIGKILL) }
  }
}

/// Whether something accepts connections on a port of this host.
private func connects(to port: UInt16) -> Bool {
  let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
  defer { close(descriptor) }
  var address = sockaddr_in()
  address.sin_family = sa_family_t(AF_INET)
  address.sin_port = port.bigEndian
  address.sin_addr.s_addr = inet_addr("127.0.0.1")
  return withUnsafePointer(to: &address) { pointer in
    pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
      connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
    }
  }
}

private struct Reading: Decodable {
  struct Source: Decodable {
    var value: String
    var attribute: String?
    var raw: String
  }
  struct Identity: Decodable {
    var make: String?
    var model: String?
    var uuid: String?
    var printerName: String?
    var sources: [Source]
  }
  struct Supply: Decodable {
    var remaining: String
    var sources: [Source]
  }
  struct Finding: Decodable { var message: String }
  var identity: Identity
  var supplies: [Supply]
  var findings: [Finding]
}

@Suite(.serialized, .timeLimit(.minutes(5)), .enabled(if: programs != nil, "needs the built programs: run tools/test"))
struct `A printer over IPP` {
  private let directory: URL

  init() throws {
    directory = FileManager.default.temporaryDirectory.appendingPathComponent("pt-ipp-\(UUID().uuidString.prefix(8))")
    try FileManager.default.createDirectory(at: directory, withIntermediateDirectories: true)
  }

  private func read(_ arguments: [String]) async throws -> Reading {
    let result = try await Program.run("ptagent", ["read"] + arguments + ["--output", "json"], in: directory)
    #expect(result.status == 0, "\(result.output)")
    return try JSONDecoder().decode(Reading.self, from: Data(result.output.utf8))
  }

  @Test(
    .enabled(
      if: EverywherePrinter.isInstalled && getuid() == 0,
      "needs cups-ipp-utils, dbus and avahi-daemon, and root to run them"))
  func `of CUPS is read, with an attribute as the source of every value`() async throws {
    let printer = try await EverywherePrinter(in: directory, port: 18_631)
    let reading = try await read(["127.0.0.1:\(printer.port)", "--ipp"])
    #expect(reading.identity.make == "Acme" && reading.identity.model == "Everywhere 7")
    #expect(reading.identity.printerName == "Hall Printer" && reading.identity.uuid?.count == 36)
    #expect(reading.supplies.map(\.remaining).first == "room 25 %", "\(reading.supplies.map(\.remaining))")
    #expect(reading.supplies.count == 5)
    let sources = reading.identity.sources + reading.supplies.flatMap(\.sources)
    #expect(sources.allSatisfy { $0.attribute?.hasPrefix("printer-") ?? false })
    let table = try await Program.run("ptagent", ["read", "127.0.0.1:\(printer.port)", "--ipp"], in: directory)
    #expect(table.output.contains("127.0.0.1:\(printer.port) over IPP: 1 request, "))
  }

  /// Answers in TLS alone, with a certificate of its own making, and to Get-Printer-Attributes with a file.
  private static let encryptedServer = """
    import http.server, ssl, sys
    class Handler(http.server.BaseHTTPRequestHandler):
      def do_POST(self):
        self.rfile.read(int(self.headers['Content-Length']))
        body = open(sys.argv[2], 'rb').read()
        self.send_response(200)
        self.send_header('Content-Type', 'application/ipp')
        self.send_header('Content-Length', str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    server = http.server.HTTPServer(('127.0.0.1', int(sys.argv[1])), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(sys.argv[3], sys.argv[4])
    server.socket = context.wrap_socket(server.socket, server_side=True)
    server.serve_forever()
    """

  @Test func `that speaks only TLS is read, and the finding names its certificate`() async throws {
    let python = ProcessInfo.processInfo.environment["PT_PYTHON"] ?? "/usr/bin/python3"
    let (certificate, key) = (directory.path + "/cert.pem", directory.path + "/key.pem")
    let made = try await ChildProgram.running(
      "/usr/bin/openssl",
      [
        "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-subj", "/CN=printer",
        "-days", "1", "-keyout", key, "-out", certificate,
      ])
    try #require(made.status == 0, "\(made.errors)")
    let answer = Self.fixture("everywhere-laser.ipp").path
    let server = try ChildProgram(
      python, ["-c", Self.encryptedServer, "18632", answer, certificate, key], output: .nowhere)
    defer { server.kill() }
    try await eventually(20, "the server") { connects(to: 18_632) }
    let reading = try await read(["127.0.0.1:18632", "--ipp"])
    #expect(reading.identity.make == "Acme")
    #expect(
      reading.findings.contains { $0.message.hasPrefix("read over TLS; nobody vouches for the printer's certificate") })
  }

  private static func fixture(_ name: String) -> URL {
    URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
      .deletingLastPathComponent().appendingPathComponent("Fixtures/ipp/\(name)")
  }

  @Test func `in a capture is read without a printer`() async throws {
    let reading = try await read(["--ipp-capture", Self.fixture("everywhere-laser.ipp").path])
    #expect(reading.identity.make == "Acme" && reading.supplies.count == 2)
    let bad = directory.appendingPathComponent("bad.ipp")
    try Data("<html>".utf8).write(to: bad)
    let failed = try await Program.run("ptagent", ["read", "--ipp-capture", bad.path], in: directory)
    #expect(failed.status == 65 && failed.output.contains("holds no IPP message"))
    let missing = try await Program.run("ptagent", ["read", "--ipp-capture", directory.path + "/none"], in: directory)
    #expect(missing.status == 66)
  }

  @Test func `that is not there ends with a sentence`() async throws {
    let failed = try await Program.run("ptagent", ["read", "127.0.0.1:18633", "--ipp"], in: directory)
    #expect(
      failed.status == 69 && failed.output.contains("no answer over IPP on port 18633: nothing listens on the port"))
  }
}
