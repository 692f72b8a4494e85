// The delivery streams that are open, by whom they were opened: so that a revocation ends them, and so that two agents with one identity are
// seen. Pure: times come in, findings go out.
//
// A stream was let in by a certificate, and must not outlive it:
//
//     its install was revoked or replaced      PERMISSION_DENIED
//     the certificate was revoked              UNAUTHENTICATED
//     it ended, and 15 minutes more            UNAUTHENTICATED
//     a newer one was used 15 minutes ago      UNAUTHENTICATED
//     its install opened too many after it     ABORTED
//
// Two streams of one install are nothing unusual: a connection dies, and the hub hears of it late. But a dead one brings nothing. Where
// both bring something well after the second was opened, two agents run with one identity: a machine was copied, or the identity stolen.

struct LiveStreams {
  struct ID: Hashable, Sendable {
    fileprivate let number: UInt64
  }

  /// Why a stream must end.
  enum Ending: Error, Equatable, Sendable {
    case installRevoked, certificateRevoked, certificateEnded, certificateReplaced, crowdedOut
  }

  /// Two agents with one identity.
  struct Twins: Equatable, Sendable {
    let install: InstallNumber
    /// Addresses of both, without ports; the one that was there first.
    let first: String
    let second: String
  }

  private struct Stream {
    let peer: Peer
    let address: String
    let openedAt: Int64
    var heardAt: Int64
  }

  private var streams: [ID: Stream] = [:]
  private var ofInstall: [InstallNumber: Set<ID>] = [:]
  private var next: UInt64 = 0

  var count: Int { streams.count }

  /// - Parameter now: milliseconds since 1970 UTC.
  /// - Returns: which stream it is, and the install's oldest, if that must now end.
  mutating func open(_ peer: Peer, address: String, now: Int64) -> (id: ID, crowdedOut: ID?) {
    let own = ofInstall[peer.install.number] ?? []
    let crowdedOut = own.count < HubLimits.streamsPerInstallMax ? nil : own.min { $0.number < $1.number }
    if let crowdedOut { close(crowdedOut) }
    next += 1
    let id = ID(number: next)
    streams[id] = Stream(peer: peer, address: address, openedAt: now, heardAt: now)
    ofInstall[peer.install.number, default: []].insert(id)
    return (id, crowdedOut)
  }

  mutating func close(_ id: ID) {
    guard let install = streams.removeValue(forKey: id)?.peer.install.number else { return }
    ofInstall[install]?.remove(id)
    if ofInstall[install]?.isEmpty == true { ofInstall[install] = nil }
  }

  /// Something came in a stream.
  ///
  /// - Returns: twins, as often as it shows.
  mutating func heard(_ id: ID, now: Int64) -> Twins? {
    guard let install = streams[id]?.peer.install.number else { return nil }
    streams[id]?.heardAt = now
    guard let ids = ofInstall[install], ids.count > 1, let own = streams[id] else { return nil }
    for other in ids where other != id {
      guard let other = streams[other] else { continue }
      let certain = max(own.openedAt, other.openedAt) + HubLimits.twinOverlap.milliseconds
      guard own.heardAt >= certain, other.heardAt >= certain else { continue }
      let (first, second) = own.openedAt <= other.openedAt ? (own, other) : (other, own)
      return Twins(install: install, first: first.address, second: second.address)
    }
    return nil
  }

  /// The streams that must end, and why.
  func due(_ ended: EndedIdentities, now: Int64) -> [(ID, Ending)] {
    streams.compactMap { id, stream in Self.ending(of: stream.peer, ended, now).map { (id, $0) } }
  }

  private static func ending(of peer: Peer, _ ended: EndedIdentities, _ now: Int64) -> Ending? {
    if ended.installs.contains(peer.install.number) { return .installRevoked }
    if ended.revoked.contains(peer.serial) { return .certificateRevoked }
    if now > peer.notAfter + HubLimits.clockSkew.milliseconds { return .certificateEnded }
    return ended.superseded.contains(peer.serial) ? .certificateReplaced : nil
  }
}
