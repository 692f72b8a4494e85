// A console's own certificate, from PEM files.

package import NIOSSL
internal import Platform

package enum WebTLS {
  /// Why a certificate or a key cannot be used, and what to do.
  package struct Failure: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String
  }

  /// TLS 1.2 or newer, HTTP/1.1.
  /// - Parameters:
  ///   - certificate: a PEM file with the certificate, and those between it and its root.
  ///   - key: a PEM file with its private key, without a pass phrase.
  package static func configuration(certificate: String, key: String) throws(Failure) -> TLSConfiguration {
    let chain = try certificates(certificate)
    let privateKey = try self.key(key)
    var configuration = TLSConfiguration.makeServerConfiguration(
      certificateChain: chain.map { .certificate($0) }, privateKey: .privateKey(privateKey))
    configuration.minimumTLSVersion = .tlsv12
    configuration.applicationProtocols = ["http/1.1"]
    do { _ = try NIOSSLContext(configuration: configuration) } catch {
      throw Failure(
        description:
          "The key in \(key) does not belong to the first certificate in \(certificate). Name the two that were made together."
      )
    }
    return configuration
  }

  private static func certificates(_ path: String) throws(Failure) -> [NIOSSLCertificate] {
    let bytes = try read(path)
    let found = try? NIOSSLCertificate.fromPEMBytes(bytes)
    guard let found, !found.isEmpty else {
      throw Failure(
        description: "\(path) holds no certificate in PEM. Name the file that begins with -----BEGIN CERTIFICATE-----.")
    }
    return found
  }

  private static func key(_ path: String) throws(Failure) -> NIOSSLPrivateKey {
    let bytes = try read(path)
    guard let key = try? NIOSSLPrivateKey(bytes: bytes, format: .pem) else {
      throw Failure(
        description:
          "\(path) holds no private key in PEM that can be read without a pass phrase. Take the pass phrase off (openssl pkey -in … -out …) and keep the file readable by the agent's user alone."
      )
    }
    return key
  }

  private static func read(_ path: String) throws(Failure) -> [UInt8] {
    do { return try Files.read(path) } catch { throw Failure(description: error.description) }
  }
}
