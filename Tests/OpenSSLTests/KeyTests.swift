// Keys, requests and certificates; the requests are judged by the `openssl` command, not by the code that made them.

internal import Glibc
internal import OpenSSL
internal import Testing

private func unhex(_ text: String) throws -> [UInt8] { try #require(bytes(hexadecimal: text)) }

@Suite struct `Ed25519` {
  /// RFC 8032 section 7.1, tests 1 and 2.
  @Test(arguments: [
    (
      "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
      "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a", "",
      """
      e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155\
      5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b
      """
    ),
    (
      "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
      "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c", "72",
      """
      92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
      085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00
      """
    ),
  ])
  func `gives the published keys and signatures`(seed: String, publicKey: String, message: String, signature: String)
    throws
  {
    let key = try Ed25519PrivateKey(rawRepresentation: unhex(seed))
    #expect(hexadecimal(key.publicKey.rawRepresentation) == publicKey)
    #expect(hexadecimal(key.rawRepresentation) == seed)
    let made = try key.sign(unhex(message))
    #expect(hexadecimal(made) == signature)
    #expect(key.publicKey.verify(made, of: try unhex(message)))
  }

  @Test func `refuses a changed message, a changed signature and another key`() throws {
    let key = try Ed25519PrivateKey()
    let message = Array("four pages".utf8)
    let signature = try key.sign(message)
    #expect(key.publicKey.verify(signature, of: message))
    #expect(!key.publicKey.verify(signature, of: message + [0]))
    #expect(!key.publicKey.verify(signature.dropLast(), of: message))
    for index in signature.indices {
      var changed = signature
      changed[index] ^= 1
      #expect(!key.publicKey.verify(changed, of: message))
    }
    #expect(try !Ed25519PrivateKey().publicKey.verify(signature, of: message))
  }

  @Test(arguments: [0, 31, 33]) func `refuses keys that are not of 32 bytes`(count: Int) {
    #expect(throws: OpenSSLError.self) { try Ed25519PrivateKey(rawRepresentation: [UInt8](repeating: 1, count: count)) }
    #expect(throws: OpenSSLError.self) { try Ed25519PublicKey(rawRepresentation: [UInt8](repeating: 1, count: count)) }
  }
}

@Suite struct `The TLS identity key` {
  @Test func `survives its PEM`() throws {
    let key = try P256PrivateKey()
    let pem = try key.pem()
    #expect(pem.hasPrefix("-----BEGIN PRIVATE KEY-----\n"))
    #expect(try P256PrivateKey(pem: pem).pin() == key.pin())
    #expect(try P256PrivateKey().pin() != key.pin())
  }

  @Test func `is refused when it is damaged, encrypted or of another kind`() throws {
    #expect(throws: OpenSSLError.self) { try P256PrivateKey(pem: "") }
    #expect(throws: OpenSSLError.self) { try P256PrivateKey(pem: "-----BEGIN PRIVATE KEY-----\nAAAA\n") }
    let folder = try Folder()
    let encrypted = try folder.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -aes128 -pass pass:x")
    #expect(encrypted.contains("ENCRYPTED"))
    #expect(throws: OpenSSLError.self) { try P256PrivateKey(pem: encrypted) }
    let other = try folder.openssl("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384")
    let error = #expect(throws: OpenSSLError.self) { try P256PrivateKey(pem: other) }
    #expect(error?.description == "Could not read the private key: it is not a P-256 key.")
  }
}

@Suite struct `A certificate request` {
  @Test func `is verified by the openssl command and says what it was asked to`() throws {
    let folder = try Folder()
    let request = try CertificateRequest(
      key: P256PrivateKey(), commonName: "agent Käthe", organization: "PrintTrail",
      alternativeNames: [.dns("agent.example"), .uri("urn:printtrail:install:42")])
    try folder.write(request.der, to: "request.der")
    let text = try folder.openssl(
      "req -inform DER -in request.der -verify -noout -text -nameopt utf8,-esc_msb,sep_comma_plus 2>&1")
    #expect(text.contains("verify OK"))
    #expect(text.contains("O=PrintTrail"))
    #expect(text.contains("CN=agent Käthe"))
    #expect(text.contains("DNS:agent.example, URI:urn:printtrail:install:42"))
    #expect(text.contains("ecdsa-with-SHA256"))
  }

  @Test func `is not made with a name that X.520 does not allow`() throws {
    let key = try P256PrivateKey()
    #expect(throws: OpenSSLError.self) { try CertificateRequest(key: key, commonName: "") }
    #expect(throws: OpenSSLError.self) {
      try CertificateRequest(key: key, commonName: String(repeating: "x", count: 65))
    }
    #expect(throws: OpenSSLError.self) {
      try CertificateRequest(key: key, commonName: "x", alternativeNames: [.dns("a b")])
    }
  }
}

@Suite struct `A certificate` {
  @Test func `is read as the openssl command reads it`() throws {
    let folder = try Folder()
    let key = try P256PrivateKey()
    try folder.write(Array(key.pem().utf8), to: "key.pem")
    let pem = try folder.openssl(
      """
      req -x509 -new -key key.pem -days 3 -subj '/O=PrintTrail/CN=hub.example' -set_serial 0x1a2b3c \
      -addext 'subjectAltName=DNS:hub.example,DNS:*.hub.example,IP:127.0.0.1'
      """)
    try folder.write(Array(pem.utf8), to: "cert.pem")
    let certificate = try Certificate(pem: pem)
    #expect(certificate.subjectCommonName == "hub.example")
    #expect(certificate.subjectOrganization == "PrintTrail")
    #expect(certificate.subject == "CN=hub.example,O=PrintTrail")
    #expect(certificate.issuer == certificate.subject)
    #expect(certificate.serialNumber == "1a2b3c")
    #expect(certificate.dnsNames == ["hub.example", "*.hub.example"])
    #expect(certificate.notAfter - certificate.notBefore == 3 * 86_400)
    let start = try folder.openssl("x509 -in cert.pem -noout -startdate -dateopt iso_8601")
    let now = Int64(time(nil))
    #expect(abs(certificate.notBefore - now) < 120, "openssl says \(start)")
    #expect(certificate.isValid(at: now) && !certificate.isValid(at: now + 4 * 86_400))
    #expect(certificate.matches(key))
    #expect(try !certificate.matches(P256PrivateKey()))
    #expect(certificate.pin == (try key.pin()))

    let fingerprint = try folder.openssl("x509 -in cert.pem -noout -fingerprint -sha256")
    let hex = fingerprint.split(separator: "=").last?.filter(\.isHexDigit).lowercased()
    #expect(certificate.fingerprint.hex == hex)
    let pin = try folder.shell(
      "openssl x509 -in cert.pem -noout -pubkey | openssl pkey -pubin -outform DER | openssl dgst -sha256 -binary | base64"
    )
    #expect(certificate.pin.description == "sha256/" + pin.filter { $0 != "\n" })
    #expect(PublicKeyPin(certificate.pin.description) == certificate.pin)
  }

  @Test func `survives DER and PEM, alone and in a bundle`() throws {
    let folder = try Folder()
    let pems = try (1...3).map { index in
      try folder.openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=\(index) -keyout k.pem")
    }
    let bundle = try Certificate.all(pem: "a remark\n" + pems.joined(separator: "\n"))
    #expect(bundle.map(\.subjectCommonName) == ["1", "2", "3"])
    for certificate in bundle {
      #expect(try Certificate(der: certificate.der) == certificate)
      #expect(try Certificate(pem: certificate.pem) == certificate)
    }
  }

  @Test func `truncated at any byte is refused`() throws {
    let pem = try Folder().openssl(
      "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=x -keyout k.pem")
    let der = try Certificate(pem: pem).der
    for count in 0..<der.count {
      #expect(throws: OpenSSLError.self) { try Certificate(der: der[..<count]) }
    }
    #expect(throws: OpenSSLError.self) { try Certificate(der: der + [0]) }
    #expect(throws: OpenSSLError.self) { try Certificate.all(pem: "nothing here") }
    #expect(throws: OpenSSLError.self) { try Certificate.all(pem: pem + "-----BEGIN CERTIFICATE-----\nAAAA\n") }
  }

  @Test(arguments: ["", "sha256/", "sha1/AAAA", "sha256/AAAA", "47DEQpj8HBSa"])
  func `pin is not read from anything else`(text: String) {
    #expect(PublicKeyPin(text) == nil)
  }
}

/// A temporary folder in which commands run; removed at the end of its life.
final class Folder {
  struct CommandFailed: Error {
    let command: String
    let status: Int32
    let output: String
  }

  let path: String

  init() throws {
    var template = Array("/tmp/printtrail-openssl-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw CommandFailed(command: "mkdtemp", status: errno, output: "") }
    path = String(decoding: template.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  deinit { _ = try? shell("rm -r '\(path)'") }

  /// What `openssl` prints when called with these arguments.
  func openssl(_ arguments: String) throws -> String { try shell("openssl \(arguments)") }

  /// What the command prints; what it says on standard error goes nowhere unless redirected.
  func shell(_ command: String) throws -> String {
    guard let pipe = popen("cd '\(path)' && { \(command); } 2>/dev/null", "r") else {
      throw CommandFailed(command: command, status: errno, output: "")
    }
    var output: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 4096)
    while case let count = fread(&buffer, 1, buffer.count, pipe), count > 0 { output += buffer[..<count] }
    let status = pclose(pipe)
    let text = String(decoding: output, as: UTF8.self)
    guard status == 0 else { throw CommandFailed(command: command, status: status, output: text) }
    return text
  }

  func write(_ bytes: [UInt8], to name: String) throws {
    guard let file = fopen("\(path)/\(name)", "w") else {
      throw CommandFailed(command: "write \(name)", status: errno, output: "")
    }
    fwrite(bytes, 1, bytes.count, file)
    fclose(file)
  }
}
