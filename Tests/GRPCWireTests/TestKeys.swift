// Certificates made once for each run, with the `openssl` command, in a folder of their own.

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
    var template = Array("/tmp/printtrail-wire-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw CommandFailed(command: "mkdtemp") }
    folder = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    for authority in ["ca", "other-ca"] {
      try run(
        """
        openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout \(authority).key \
        -out \(authority).pem -days 2 -subj '/CN=Test \(authority)' -addext keyUsage=critical,keyCertSign
        """)
    }
    let here = "subjectAltName=DNS:localhost,IP:127.0.0.1,IP:::1"
    try issue("server", by: "ca", extensions: here)
    try issue("other-server", by: "other-ca", extensions: here)
    try issue("elsewhere", by: "ca", extensions: "subjectAltName=DNS:other.example")
    try issue("common-name-only", by: "ca", extensions: "keyUsage=digitalSignature", name: "127.0.0.1")
    try issue("expired", by: "ca", extensions: here, days: -1)
    try issue("client", by: "ca", extensions: "extendedKeyUsage=clientAuth")
    try issue("other-client", by: "other-ca", extensions: "extendedKeyUsage=clientAuth")
    atexit { TestKeys.shared.remove() }
  }

  private func issue(
    _ file: String, by authority: String, extensions: String, name: String? = nil, days: Int = 2
  ) throws {
    try run(
      """
      printf '%s' '\(extensions)' > \(file).ext && \
      openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout \(file).key -out \(file).csr \
      -subj '/CN=\(name ?? file)' && openssl x509 -req -in \(file).csr -CA \(authority).pem -CAkey \(authority).key \
      -CAcreateserial -days \(days) -extfile \(file).ext -out \(file).pem
      """)
  }

  private func run(_ command: String) throws {
    guard system("cd '\(folder)' && { \(command); } > commands.log 2>&1") == 0 else {
      throw CommandFailed(command: command)
    }
  }

  private func remove() { _ = system("rm -r '\(folder)'") }

  func path(_ name: String) -> String { "\(folder)/\(name)" }

  func text(_ name: String) throws -> String {
    guard let file = fopen(path(name), "r") else { throw CommandFailed(command: "read \(name)") }
    defer { fclose(file) }
    var buffer = [UInt8](repeating: 0, count: 64 << 10)
    let count = fread(&buffer, 1, buffer.count, file)
    return String(decoding: buffer[..<count], as: UTF8.self)
  }

  func certificate(_ name: String) throws -> Certificate { try Certificate(pem: text("\(name).pem")) }

  func identity(_ name: String) throws -> TLSConfiguration.Identity {
    try TLSConfiguration.Identity(chain: [certificate(name)], key: P256PrivateKey(pem: text("\(name).key")))
  }

  /// Trusts `ca` and shows `client`.
  func configuration(
    authority: String = "ca", identity name: String? = "client"
  ) throws -> TLSConfiguration {
    try TLSConfiguration(trust: .authorities([certificate(authority)]), identity: name.map { try identity($0) })
  }
}
