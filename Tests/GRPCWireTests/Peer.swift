// Processes the transport is tried against: Python servers, and `openssl s_server`.
//
// The Python ones need grpcio and h2: name a Python that has them in the environment variable PT_PYTHON, else their
// tests are skipped and say so.

internal import Glibc
internal import TLS

/// A server process on 127.0.0.1; stopped at the end of its life, and by its own will when this process ends.
final class Peer: Sendable {
  struct CouldNotStart: Error {
    let command: [String]
    let output: String
  }

  /// The interpreter to use; nil when none is named.
  static let python = getenv("PT_PYTHON").map { String(cString: $0) }
  static let skipped = "needs PT_PYTHON, the path of a Python with grpcio and h2"

  let port: UInt16
  private let process: pid_t
  private let standardInput: Int32
  private let standardOutput: Int32

  var endpoint: Endpoint { Endpoint(host: "127.0.0.1", port: port) }

  /// The grpcio server.
  static func grpc(
    port: UInt16 = 0, certificate: String = "server", clientAuthority: String? = "ca"
  ) throws -> Peer {
    let keys = TestKeys.shared
    let authority = clientAuthority.map { keys.path("\($0).pem") } ?? ""
    return try python(
      "grpc_peer.py", [String(port), keys.path("\(certificate).pem"), keys.path("\(certificate).key"), authority])
  }

  /// The server of gRPC's interoperability tests.
  /// - Parameter isTapped: it sees which messages came compressed; calls must then be made one after the other.
  static func interop(isTapped: Bool = false) throws -> Peer {
    let keys = TestKeys.shared
    return try python(
      "interop_peer.py",
      ["0", keys.path("server.pem"), keys.path("server.key"), keys.path("ca.pem")] + (isTapped ? ["tap"] : []))
  }

  /// The server that breaks HTTP/2, or uses it against its client.
  /// - Parameter version: the only version of TLS that it speaks, as Python names it; nil for any.
  static func hostile(version: String? = nil) throws -> Peer {
    let keys = TestKeys.shared
    return try python(
      "hostile_peer.py",
      ["0", keys.path("server.pem"), keys.path("server.key"), keys.path("ca.pem")] + (version.map { [$0] } ?? []))
  }

  /// The HTTP/2 server.
  static func http2() throws -> Peer {
    let keys = TestKeys.shared
    return try python("http2_peer.py", ["0", keys.path("server.pem"), keys.path("server.key")])
  }

  private static func python(_ script: String, _ arguments: [String]) throws -> Peer {
    let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
    return try Peer([python ?? "python3", "\(folder)/Support/\(script)"] + arguments)
  }

  /// `openssl s_server`, which speaks TLS but no HTTP/2.
  static func tls(
    port: UInt16 = 0, certificate: String = "server", options: [String] = ["-alpn", "h2"]
  ) throws -> Peer {
    let keys = TestKeys.shared
    return try Peer(
      [
        "openssl", "s_server", "-accept", "127.0.0.1:\(port)", "-cert", keys.path("\(certificate).pem"), "-key",
        keys.path("\(certificate).key"), "-cert_chain", keys.path("ca.pem"),
      ] + options, wishing: port)
  }

  /// tinyproxy, which opens tunnels to one port alone.
  static func proxy(to port: UInt16, credentials: HTTPProxy.Credentials? = nil) throws -> Peer {
    let own = Listener().port
    let path = TestKeys.shared.path("tinyproxy-\(own).conf")
    let authentication = credentials.map { "BasicAuth \($0.user) \($0.password)\n" } ?? ""
    guard let file = fopen(path, "w") else { throw CouldNotStart(command: ["tinyproxy"], output: path) }
    fputs("Port \(own)\nListen 127.0.0.1\nMaxClients 20\nLogLevel Error\n\(authentication)ConnectPort \(port)\n", file)
    fclose(file)
    return try Peer(["tinyproxy", "-d", "-c", path], listeningOn: own)
  }

  /// Whether the proxy is installed (Debian: tinyproxy-bin).
  static let hasProxy = system("command -v tinyproxy >/dev/null") == 0

  /// Starts the command and reads its port: the number at the end of the first line with `PORT` or `ACCEPT`.
  /// - Parameters:
  ///   - wish: the port that it was asked to take: `openssl s_server` tells no other.
  ///   - known: its port if it tells nothing at all, but listens there in a moment.
  private init(_ command: [String], wishing wish: UInt16 = 0, listeningOn known: UInt16? = nil) throws {
    var (input, output): ([Int32], [Int32]) = ([-1, -1], [-1, -1])
    guard pipe(&input) == 0, pipe(&output) == 0 else { throw CouldNotStart(command: command, output: "no pipe") }
    for descriptor in input + output { _ = fcntl(descriptor, F_SETFD, FD_CLOEXEC) }
    var actions = posix_spawn_file_actions_t()
    posix_spawn_file_actions_init(&actions)
    defer { posix_spawn_file_actions_destroy(&actions) }
    posix_spawn_file_actions_adddup2(&actions, input[0], 0)
    posix_spawn_file_actions_adddup2(&actions, output[1], 1)
    var arguments: [UnsafeMutablePointer<CChar>?] = command.map { strdup($0) } + [nil]
    defer { for argument in arguments { free(argument) } }
    var process = pid_t()
    let status = posix_spawnp(&process, command[0], &actions, nil, &arguments, environ)
    close(input[0])
    close(output[1])
    (self.process, standardInput, standardOutput) = (process, input[1], output[0])
    guard status == 0 else { throw CouldNotStart(command: command, output: "error \(status)") }
    var text = ""
    var port = known
    if let known, !Self.isListening(known) { throw CouldNotStart(command: command, output: "nobody listens") }
    while port == nil, let line = Self.line(from: output[0]) {
      text += line + "\n"
      if line.hasPrefix("PORT") || line.hasPrefix("ACCEPT") {
        port = UInt16(line.split { " :".contains($0) }.last ?? "") ?? (wish > 0 ? wish : nil)
      }
    }
    self.port = port ?? 0
    guard port != nil else { throw CouldNotStart(command: command, output: text) }
  }

  /// Waits for somebody to listen there, for ten seconds at most.
  private static func isListening(_ port: UInt16) -> Bool {
    for _ in 0..<500 {
      if Listener.connects(to: port) { return true }
      usleep(20_000)
    }
    return false
  }

  private static func line(from descriptor: Int32) -> String? {
    var bytes: [UInt8] = []
    var byte: UInt8 = 0
    while read(descriptor, &byte, 1) == 1 {
      if byte == 10 { return String(decoding: bytes, as: UTF8.self) }
      bytes.append(byte)
    }
    return nil
  }

  deinit {
    kill(process, SIGKILL)
    waitpid(process, nil, 0)
    close(standardInput)
    close(standardOutput)
  }
}

/// A TCP port of 127.0.0.1 on which a program of this process listens, or on which nobody listens.
final class Listener {
  let descriptor: Int32
  let port: UInt16

  /// Whether somebody else listens on a port.
  static func connects(to port: UInt16) -> Bool {
    let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    defer { close(descriptor) }
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    address.sin_port = port.bigEndian
    return withUnsafePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
        connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
      }
    }
  }

  init() {
    descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
    var address = sockaddr_in()
    address.sin_family = sa_family_t(AF_INET)
    address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
    var size = socklen_t(MemoryLayout<sockaddr_in>.size)
    let descriptor = descriptor
    withUnsafeMutablePointer(to: &address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
        _ = bind(descriptor, address, size)
        _ = getsockname(descriptor, address, &size)
      }
    }
    listen(descriptor, 8)
    port = UInt16(bigEndian: address.sin_port)
  }

  var endpoint: Endpoint { Endpoint(host: "127.0.0.1", port: port) }

  /// Accepts one connection on a thread of its own, sends `answer`, and closes.
  func answerOnce(_ answer: String) throws {
    let descriptor = descriptor
    try Thread.detach {
      let connection = accept(descriptor, nil, nil)
      var buffer = [UInt8](repeating: 0, count: 4096)
      _ = recv(connection, &buffer, buffer.count, 0)
      _ = answer.withCString { send(connection, $0, strlen($0), Int32(MSG_NOSIGNAL)) }
      close(connection)
    }
  }

  deinit { close(descriptor) }
}
