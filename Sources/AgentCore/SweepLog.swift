// What a sweep met that somebody should know of: an address that answers and is not in the device list is otherwise nowhere but in a count.
//
// Bounded: in a /16 full of computers that speak SNMP, the first of them tell enough, and how many more there were is said at the end.

package import Collectors
package import Logging

internal import Discovery
internal import Synchronization

/// Logs the notable outcomes of one sweep after the other.
package final class SweepLog: Sendable {
  /// Lines of one sweep.
  package static let linesMax = 100

  private let logger: Logger
  private let notable = Mutex(0)

  package init(_ logger: Logger) { self.logger = logger }

  package func began() { notable.withLock { $0 = 0 } }

  package func settled(_ result: AddressResult) {
    guard let (level, message) = Self.line(result) else { return }
    let isLogged = notable.withLock { count in
      count += 1
      return count <= Self.linesMax
    }
    guard isLogged else { return }
    logger.log(level: level, message, metadata: ["address": "\(result.address)", "detail": "\(result.detail)"])
  }

  package func ended() {
    let untold = notable.withLock { $0 - Self.linesMax }
    guard untold > 0 else { return }
    logger.info(
      "further addresses answered and were not found; ptagent sweep names them", metadata: ["addresses": "\(untold)"])
  }

  /// A wrong credential is the operator's to set right; the rest may be as it should.
  private static func line(_ result: AddressResult) -> (Logger.Level, Logger.Message)? {
    switch result.reason {
    case .wrongCredential: (.notice, "an address refuses the credentials")
    case .notAPrinter: (.info, "an address answers and is not taken for a printer")
    case .noAnswer where result.hasAnswered: (.info, "an address answers and cannot be read")
    case .found, .noAnswer, .excluded, .doNotTouch: nil
    }
  }
}
