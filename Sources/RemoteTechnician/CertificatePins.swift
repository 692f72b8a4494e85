// The certificates of one device, by port. The first that is seen is pinned, and no other is accepted until somebody says so by hand. Nor is another at
// another port, or a page without TLS: whoever stands between could else close the port that he has no certificate for.
//
//     unknown ──seen──> pinned ──another, or no TLS──> refused (an alert stands) ──trust, by its SHA-256──> pinned to the other
//                                                                                └─trust, none──> unknown

internal import AlertRules
package import Events
internal import OpenSSL
internal import Synchronization

package final class CertificatePins: Sendable {
  /// Others that are remembered, so that one of them can be accepted: the latest, since whoever waits for the right one has just made the device show it.
  package static let shownMax = 8
  /// So many digits tell one certificate from another that somebody made for this.
  package static let digitsMin = 16
  /// What is accepted in the place of digits: that the device has no TLS any more.
  package static let none = "none"

  private struct State {
    var pinned: [UInt32: [UInt8]]
    /// Others that were shown, the latest last.
    var shown: [RemoteCertificate] = []
    var standing: Set<UInt32>
    var news: [EventBody] = []
  }

  private let state: Mutex<State>

  /// - Parameters:
  ///   - pinned: digests, by port; one that is empty pins nothing.
  ///   - standing: ports that an alert stands for.
  package init(pinned: [UInt32: [UInt8]], standing: Set<UInt32>) {
    state = Mutex(State(pinned: pinned.filter { !$0.value.isEmpty }, standing: standing))
  }

  /// Whether a port is spoken to with TLS alone: that of IPP once it has shown a certificate, and all others once one of them has. Many devices have TLS for
  /// IPP, and none for their pages.
  package func wantsTLS(at port: UInt16) -> Bool {
    let isOfIPP = port == Self.portOfIPP
    return state.withLock { $0.pinned.keys.contains { ($0 == Self.portOfIPP) == isOfIPP } }
  }

  /// RFC 8010, section 3.
  private static let portOfIPP: UInt32 = 631

  /// Other certificates that were shown since the agent started, the latest last; one without a digest: the device answered without TLS.
  package var shown: [RemoteCertificate] { state.withLock { $0.shown } }

  /// Whether a certificate is the known one, or becomes it. At a second port only one that is known already does.
  func accepts(_ der: [UInt8], at port: UInt16) -> Bool {
    let (digest, port) = (SHA256.hash(der).bytes, UInt32(port))
    let subject = (try? Certificate(der: der))?.subject ?? ""
    return state.withLock { state in
      if state.pinned[port] == digest { return true }
      guard let known = state.pinned[port] ?? Self.ofAnotherPort(state, digest) else {
        state.pinned[port] = digest
        state.news.append(
          .remoteCertificatePinned(RemoteCertificate(port: port, digest: digest, subject: subject)))
        return true
      }
      Self.refuse(&state, RemoteCertificate(port: port, digest: digest, former: known, subject: subject))
      return false
    }
  }

  /// The certificate that stands against a new one at a port where none is pinned; nil where nothing does.
  private static func ofAnotherPort(_ state: State, _ digest: [UInt8]) -> [UInt8]? {
    state.pinned.values.contains(digest) ? nil : state.pinned.min { $0.key < $1.key }?.value
  }

  /// The device answers, and not with TLS any more, or is made to look so.
  func missTLS() {
    state.withLock { state in
      guard let (port, known) = state.pinned.min(by: { $0.key < $1.key }) else { return }
      Self.refuse(&state, RemoteCertificate(port: port, digest: [], former: known, subject: ""))
    }
  }

  private static func refuse(_ state: inout State, _ other: RemoteCertificate) {
    if let index = state.shown.firstIndex(of: other) {
      return state.shown.append(state.shown.remove(at: index))
    }
    if state.shown.count == shownMax { state.shown.removeFirst() }
    state.shown.append(other)
    state.news.append(.remoteCertificateChanged(other))
    guard state.standing.insert(other.port).inserted else { return }
    let what = other.digest.isEmpty ? "No TLS" : "SHA-256 \(hexadecimal(other.digest))"
    state.news.append(
      .alertRaised(
        AlertRaised(
          key: RemoteAlert.certificateKey(port: other.port), alert: RemoteAlert.certificate(port: other.port),
          evidence: "\(what) instead of \(hexadecimal(other.former))")))
  }

  // MARK: By hand

  /// Accepts one of the certificates that were shown, at each port that showed it, or that the device has no TLS any more.
  /// - Parameter certificate: the first digits of its SHA-256, `digitsMin` or more, in lower case; or `none`.
  /// - Returns: the ports; empty where no such certificate was shown, or more than one.
  package func trust(_ certificate: String, now: Int64, raised: [UInt32: Int64]) -> [UInt32] {
    guard certificate == Self.none || certificate.utf8.count >= Self.digitsMin else { return [] }
    return state.withLock { state in
      let accepted = state.shown.filter {
        certificate == Self.none
          ? $0.digest.isEmpty : !$0.digest.isEmpty && hexadecimal($0.digest).hasPrefix(certificate)
      }
      guard Set(accepted.map(\.digest)).count == 1 else { return [] }
      if certificate == Self.none {
        for (port, known) in state.pinned.sorted(by: { $0.key < $1.key }) {
          state.news.append(
            .remoteCertificatePinned(RemoteCertificate(port: port, digest: [], former: known, subject: "")))
        }
        state.pinned = [:]
      } else {
        for shown in accepted {
          state.pinned[shown.port] = shown.digest
          state.news.append(.remoteCertificatePinned(shown))
        }
      }
      let ports = accepted.map(\.port).sorted()
      state.shown.removeAll { ports.contains($0.port) }
      for port in ports where state.standing.remove(port) != nil {
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
