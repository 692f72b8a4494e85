// What answers at a device: asked once, when a session begins.

internal import DeviceHTTP
internal import Discovery

package enum TargetLook {
  /// Somebody waits: what answers later is found when it is asked for. Where nothing answers so soon, it is waited for longer.
  private static let patiences: [Duration] = [.milliseconds(700), .seconds(3)]

  /// What answers at the ports, the best first: `https:443`, `http:80`. TLS goes before none, and the port of IPP comes last. Of a device that has shown a
  /// certificate, what answers without TLS is left out; where nothing else answers, that is among the news of its certificates.
  /// - Throws: `RemoteNotOpened` where nothing is left.
  package static func targets(of rules: TargetRules, _ pins: CertificatePins) async throws(RemoteNotOpened) -> [String]
  {
    var answersWithoutTLS = false
    for patience in patiences {
      let found = await targets(of: rules, within: patience)
      let usable = found.filter { $0.isEncrypted || !pins.wantsTLS(at: $0.port) }
      if !usable.isEmpty { return usable.map(\.text) }
      answersWithoutTLS = answersWithoutTLS || !found.isEmpty
    }
    guard !answersWithoutTLS else {
      pins.missTLS()
      throw RemoteNotOpened(
        "The device answers without TLS alone, and has shown a certificate before: somebody may stand between. Whoever knows why may accept it at the agent: ptagent remote trust."
      )
    }
    let ports = rules.ports.map(String.init).joined(separator: ", ")
    throw RemoteNotOpened("The device answers at none of the ports \(ports) of \(rules.address).")
  }

  private struct Target {
    let isEncrypted: Bool
    let port: UInt16

    var text: String { "\(isEncrypted ? "https" : "http"):\(port)" }
    var rank: Int { (port == 631 ? 2 : 0) + (isEncrypted ? 0 : 1) }
  }

  private static func targets(of rules: TargetRules, within patience: Duration) async -> [Target] {
    let address = rules.address.description
    let found = await withTaskGroup(of: (index: Int, schemes: [String]).self) { group in
      for (index, port) in rules.ports.enumerated() {
        group.addTask { (index, await schemes(at: address, port, patience)) }
      }
      return await group.reduce(into: [:]) { $0[$1.index] = $1.schemes }
    }
    let all = rules.ports.enumerated().flatMap { index, port in
      (found[index] ?? []).map { Target(isEncrypted: $0 == "https", port: port) }
    }
    return all.enumerated().sorted { ($0.element.rank, $0.offset) < ($1.element.rank, $1.offset) }.map(\.element)
  }

  /// The ports of HTTP and HTTPS are what they are named; at others it is tried. Whose certificate it is, is no matter yet.
  private static func schemes(at address: String, _ port: UInt16, _ patience: Duration) async -> [String] {
    switch port {
    case 443: await answers(address, port, nil, patience) ? ["https"] : []
    case 80: await answers(address, port, nil, patience) ? ["http"] : []
    default:
      if await answers(address, port, DeviceTLS(allowsOld: true) { _ in .known }, patience) {
        ["https"]
      } else {
        await answers(address, port, nil, patience) ? ["http"] : []
      }
    }
  }

  private static func answers(
    _ address: String, _ port: UInt16, _ tls: DeviceTLS?, _ patience: Duration
  ) async -> Bool {
    do {
      try await DeviceConnection.open(to: address, port: port, tls: tls, within: patience).close()
      return true
    } catch { return false }
  }
}
