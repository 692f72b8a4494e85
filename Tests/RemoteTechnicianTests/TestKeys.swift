// Certificates made once for each run, with the `openssl` command, in a folder of their own: the hub's, the install's, and devices' own.

internal import Glibc
internal import OpenSSL
internal import TLS

final class TestKeys: Sendable {
  struct CommandFailed: Error {
    let command: String
  }

  static let shared: TestKeys = {
    do { return try TestKeys() } catch { fatalError("The openssl command made no certificates: \(error)") }
  }()

  let folder: String

  private init() throws {
    var template = Array("/tmp/printtrail-remote-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw CommandFailed(command: "mkdtemp") }
    folder = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    let key = "-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
    try run(
      "openssl req -x509 \(key) -keyout ca.key -out ca.pem -days 2 -subj '/CN=CA' -addext keyUsage=critical,keyCertSign"
    )
    for device in ["device", "other-device"] {
      try run("openssl req -x509 \(key) -keyout \(device).key -out \(device).pem -days 2 -subj '/CN=\(device)'")
    }
    for (name, extensions) in [
      ("hub", "subjectAltName=IP:127.0.0.1"), ("client", "extendedKeyUsage=clientAuth"),
    ] {
      try run(
        """
        printf '%s' '\(extensions)' > \(name).ext && openssl req -new \(key) -keyout \(name).key -out \(name).csr -subj '/CN=\(name)' && \
        openssl x509 -req -in \(name).csr -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile \(name).ext -out \(name).pem
        """)
    }
    atexit { _ = system("rm -r '\(TestKeys.shared.folder)'") }
  }

  private func run(_ command: String) throws {
    guard system("cd '\(folder)' && { \(command); } > commands.log 2>&1") == 0 else {
      throw CommandFailed(command: command)
    }
  }

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  func text(_ name: String) throws -> String {
    guard let file = fopen(path(name), "r") else { throw CommandFailed(command: "read \(name)") }
    defer { fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    let count = fread(&buffer, 1, buffer.count, file)
    return String(decoding: buffer[..<count], as: UTF8.self)
  }

  func certificate(_ name: String) throws -> Certificate { try Certificate(pem: text("\(name).pem")) }

  /// The install's.
  func configuration() throws -> TLSConfiguration {
    try TLSConfiguration(
      trust: .authorities([certificate("ca")]),
      identity: TLSConfiguration.Identity(chain: [certificate("client")], key: P256PrivateKey(pem: text("client.key"))))
  }
}
