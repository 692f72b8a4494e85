// The sessions that are open, for `ptagent remote list`.

internal import FoundationEssentials
internal import ReadModels

package enum RemoteReport {
  package static func table(_ sessions: [RemoteSessionLine]) -> String {
    guard !sessions.isEmpty else { return "No session is open.\n" }
    var table = TextTable([
      .init("SESSION"), .init("DEVICE"), .init("ADDRESS"), .init("USER"), .init("FROM"), .init("REQUESTS"),
      .init("BYTES"), .init("LEFT"), .init("REASON"),
    ])
    for session in sessions {
      table.add([
        session.id, String(session.device.prefix(8)), session.address, session.user, session.from,
        "\(session.requests)", "\(session.bytesSent + session.bytesReceived)",
        "\(session.secondsLeft / 60) min \(session.secondsLeft % 60) s", session.reason,
      ])
    }
    return table.text
  }

  /// Certificates that a device has shown, of which one may be accepted.
  package static func certificates(_ certificates: [RemoteCertificateLine]) -> String {
    var table = TextTable([.init("PORT"), .init("SHA-256"), .init("SUBJECT")])
    for certificate in certificates {
      table.add([
        "\(certificate.port)", certificate.sha256.isEmpty ? "none: it answers without TLS" : certificate.sha256,
        certificate.subject,
      ])
    }
    return table.text
  }

  package static func json(_ sessions: [RemoteSessionLine]) throws -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    return String(decoding: try encoder.encode(sessions), as: UTF8.self) + "\n"
  }
}
