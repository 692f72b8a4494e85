// Secrets that the service manager hands over, so that they need not be readable by the service's user on the disk: systemd's credentials
// (LoadCredential= in systemd.exec(5)). The unit hands over the whole directory `credentials` beside the configuration; each file in it is
// a secret of its name, which a configuration names as `credential:NAME`.

package enum ServiceCredentials {
  /// How a configuration names one.
  package static let prefix = "credential:"
  /// LoadCredential=ID:DIRECTORY hands over a file as `ID_<its name>`.
  private static let identifier = "secret"

  /// Where a secret lies.
  /// - Parameters:
  ///   - configurationDirectory: where the configuration is; there, in `credentials`, whoever is no service finds them.
  ///   - handedOver: the directory that the manager named in CREDENTIALS_DIRECTORY; nil: none.
  /// - Returns: nil for what is no name of a secret.
  package static func path(
    of name: some StringProtocol, configurationDirectory: String,
    handedOver: String? = Machine.environment("CREDENTIALS_DIRECTORY")
  ) -> String? {
    guard isName(name) else { return nil }
    if let handedOver { return "\(handedOver)/\(identifier)_\(name)" }
    return "\(configurationDirectory)/credentials/\(name)"
  }

  /// Letters, digits, `-`, `_` and `.`, not beginning with a dot: no path.
  private static func isName(_ name: some StringProtocol) -> Bool {
    (1...128).contains(name.utf8.count) && name.first != "."
      && name.utf8.allSatisfy { byte in
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"): true
        case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "-"), UInt8(ascii: "_"), UInt8(ascii: "."): true
        default: false
        }
      }
  }
}
