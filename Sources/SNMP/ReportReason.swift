// Why an SNMPv3 engine answers with a Report instead of a Response: the counter it names (RFC 3414, section 5; RFC 3412,
// section 5; RFC 3413, section 4.1.2).

package import MIB

/// The counters a Report can be about.
package enum ReportReason: CaseIterable, Hashable, Sendable {
  case unsupportedSecurityLevel, notInTimeWindow, unknownUserName, unknownEngineID, wrongDigest, decryptionError
  case unknownSecurityModel, invalidMessage, unknownPDUHandler
  case unavailableContext, unknownContext

  /// The instance a Report carries, for example `usmStatsUnknownEngineIDs.0`.
  package var name: ObjectIdentifier {
    switch self {
    case .unsupportedSecurityLevel: Self.usmStats.appending(1, 0)
    case .notInTimeWindow: Self.usmStats.appending(2, 0)
    case .unknownUserName: Self.usmStats.appending(3, 0)
    case .unknownEngineID: Self.usmStats.appending(4, 0)
    case .wrongDigest: Self.usmStats.appending(5, 0)
    case .decryptionError: Self.usmStats.appending(6, 0)
    case .unknownSecurityModel: Self.snmpMPDStats.appending(1, 0)
    case .invalidMessage: Self.snmpMPDStats.appending(2, 0)
    case .unknownPDUHandler: Self.snmpMPDStats.appending(3, 0)
    case .unavailableContext: Self.snmpTargetObjects.appending(4, 0)
    case .unknownContext: Self.snmpTargetObjects.appending(5, 0)
    }
  }

  /// The reason a Report gives, if it is a known one. Agents that leave out the instance's `.0` are understood.
  package init?(_ report: PDU) {
    let reason = report.bindings.lazy.compactMap { binding in
      Self.allCases.first { binding.name == $0.name || binding.name == $0.name.dropLast() }
    }.first
    guard let reason else { return nil }
    self = reason
  }

  private static let usmStats: ObjectIdentifier = [1, 3, 6, 1, 6, 3, 15, 1, 1]
  private static let snmpMPDStats: ObjectIdentifier = [1, 3, 6, 1, 6, 3, 11, 2, 1]
  private static let snmpTargetObjects: ObjectIdentifier = [1, 3, 6, 1, 6, 3, 12, 1]
}
