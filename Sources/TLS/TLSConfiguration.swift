// What a connection trusts, who it says it is, and what it wants to speak. There is no way to trust everything.

package import OpenSSL

package struct TLSConfiguration: Sendable {
  /// Whom the server's chain of certificates must lead to.
  package enum Trust: Sendable, Hashable {
    /// The certificate authorities the operating system trusts.
    case systemRoots
    /// These and no others. They need not be self-signed.
    case authorities([Certificate])
    /// The certificate with this public key, which the server must send along in its chain. It becomes the only trust
    /// anchor and the chain up to it is verified as with any other: for the first enrolment, when the agent knows
    /// nothing of its hub but this pin.
    case pinnedAuthority(PublicKeyPin)
  }

  /// A certificate to show to the server, with its key.
  package struct Identity: Sendable {
    /// The own certificate first, then the authorities between it and the root, if any.
    package let chain: [Certificate]
    package let key: P256PrivateKey

    /// - Throws: when the chain is empty, or the key does not belong to its first certificate.
    package init(chain: [Certificate], key: P256PrivateKey) throws(OpenSSLError) {
      guard let own = chain.first, own.matches(key) else {
        throw OpenSSLError(
          operation: "use the client certificate",
          reasons: [chain.isEmpty ? "there is none" : "the private key belongs to another certificate"])
      }
      self.chain = chain
      self.key = key
    }
  }

  package var trust: Trust
  /// When set, a certificate with this public key must also be in the verified chain.
  package var requiredPin: PublicKeyPin?
  /// The client certificate for mTLS; nil shows none.
  package var identity: Identity?
  /// ALPN names, most wanted first. When not empty, the server must agree to one of them.
  package var applicationProtocols: [String]
  /// The name the server's certificate must bear, and SNI; nil means the endpoint's host.
  package var serverName: String?
  /// The HTTP proxy to go through; nil connects directly.
  package var proxy: HTTPProxy?
  /// Where sessions are kept to be resumed by later connections; nil makes each handshake a full one.
  package var sessions: TLSSessions?

  package init(
    trust: Trust, requiredPin: PublicKeyPin? = nil, identity: Identity? = nil, applicationProtocols: [String] = ["h2"],
    serverName: String? = nil, proxy: HTTPProxy? = nil
  ) {
    self.trust = trust
    self.requiredPin = requiredPin
    self.identity = identity
    self.applicationProtocols = applicationProtocols
    self.serverName = serverName
    self.proxy = proxy
  }
}
