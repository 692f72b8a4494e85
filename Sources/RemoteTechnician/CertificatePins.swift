// The certificates of one device, by port. The first that is seen is pinned, and no other is accepted until somebody says so by hand.
//
//     unknown ──seen──> pinned ──another──> refused (an alert stands) ──trust──> pinned to the other

internal import AlertRules
package import Events
internal import OpenSSL
internal import Synchronization

package final class CertificatePins: Sendable {
  private struct State {
    var pinned: [UInt32: [UInt8]]
    /// Others that were shown, the latest of each port.
    var shown: [UInt32: RemoteCertificate] = [:]
    var standing: Set<UInt32>
    var news: [EventBody] = []
  }

  private let state: Mutex<State>

  /// - Parameters:
  ///   - pinned: digests, by port.
  ///   - standing: ports that an alert stands for.
  package init(pinned: [UInt32: [UInt8]], standing: Set<UInt32>) {
    state = Mutex(State(pinned: pinned, standing: standing))
  }

  /// Whether a certificate is the known one, or becomes it.
  func accepts(_ der: [UInt8], at port: UInt16) -> Bool {
    let (digest, port) = (SHA256.hash(der).bytes, UInt32(port))
    let subject = (try? Certificate(der: der))?.subject ?? ""
    return state.withLock { state in
      guard let known = state.pinned[port] else {
        state.pinned[port] = digest
        state.news.append(
          .remoteCertificatePinned(RemoteCertificate(port: port, digest: digest, subject: subject)))
        return true
      }
      if known == digest { return true }
      let changed = RemoteCertificate(port: port, digest: digest, former: known, subject: subject)
      guard state.shown.updateValue(changed, forKey: port) != changed else { return false }
      state.news.append(.remoteCertificateChanged(changed))
      if state.standing.insert(port).inserted {
        state.news.append(
          .alertRaised(
            AlertRaised(
              key: RemoteAlert.certificateKey(port: port), alert: RemoteAlert.certificate(port: port),
              evidence: "SHA-256 \(hexadecimal(digest)) instead of \(hexadecimal(known))")))
      }
      return false
    }
  }

  /// Accepts the other certificates that were shown since the agent started.
  /// - Returns: the ports.
  package func trustShown(now: Int64, raised: [UInt32: Int64]) -> [UInt32] {
    state.withLock { state in
      let ports = state.shown.keys.sorted()
      for port in ports {
        guard let shown = state.shown.removeValue(forKey: port) else { continue }
        state.pinned[port] = shown.digest
        state.news.append(.remoteCertificatePinned(shown))
        guard state.standing.remove(port) != nil else { continue }
        state.news.append(
          .alertCleared(
            AlertCleared(
              key: RemoteAlert.certificateKey(port: port),
              milliseconds: UInt64(clamping: now - (raised[port] ?? now)))))
      }
      return ports
    }
  }

  /// What happened since the last call, for the journal.
  package func takeNews() -> [EventBody] {
    state.withLock { state in
      defer { state.news = [] }
      return state.news
    }
  }
}
