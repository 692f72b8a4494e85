// What a probe asks with, one after the other, until the device answers.
//
//   first pass             the credentials
//   second, thorough       the credentials, then each SNMPv2c community in SNMPv1, then whether there is an SNMPv3 engine at all
//   second, of many        the credentials, with SNMPv1 in place of SNMPv2c
//
// Devices are silent to a version that they do not speak, as to a wrong community: only asking in another version tells.

package import Discovery
internal import SNMP

/// One credential to ask with, and for how long.
package struct ProbeAsk: Sendable {
  package enum Purpose: Sendable {
    /// To read the device.
    case reading
    /// To tell somebody that the device is there and wants an SNMPv3 user.
    case engineDiscovery
  }

  var credential: NamedCredential
  var patience: Duration
  var purpose = Purpose.reading

  /// What a probe asks in an attempt, in order.
  package static func all(_ credentials: [NamedCredential], _ attempt: SweepAttempt) -> [ProbeAsk] {
    let asked = attempt.pass == 1 || attempt.isThorough ? credentials : credentials.map { $0.inSNMPv1 ?? $0 }
    let asks = asked.enumerated().map { index, credential in
      ProbeAsk(credential: credential, patience: index == 0 ? attempt.patience : attempt.furtherPatience)
    }
    return attempt.pass > 1 && attempt.isThorough ? asks + lastResorts(credentials) : asks
  }

  /// Other versions of SNMP, for a device that is silent to the credentials.
  package static func lastResorts(_ credentials: [NamedCredential]) -> [ProbeAsk] {
    let patience = SweepParameters.lastResortPatience
    let older = credentials.compactMap { $0.inSNMPv1 }
    var asks = older.filter { ask in !credentials.contains { $0.credential == ask.credential } }.map {
      ProbeAsk(credential: $0, patience: patience)
    }
    if let discovery = Credential.engineDiscovery, !credentials.contains(where: { $0.credential.version == .v3 }) {
      asks.append(
        ProbeAsk(
          credential: NamedCredential(name: "SNMPv3", credential: discovery), patience: patience,
          purpose: .engineDiscovery))
    }
    return asks
  }
}

extension NamedCredential {
  /// The same community in SNMPv1; nil for other credentials.
  var inSNMPv1: NamedCredential? { credential.inSNMPv1.map { NamedCredential(name: name, credential: $0) } }
}
