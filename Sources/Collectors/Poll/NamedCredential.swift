// Credentials as the configuration orders them.

package import SNMP

/// A credential with the name under which it is configured: the name goes into events, the credential never does.
package struct NamedCredential: Hashable, Sendable {
  package var name: String
  package var credential: Credential

  package init(name: String, credential: Credential) {
    self.name = name
    self.credential = credential
  }
}
