// Devices' certificates: known again, or refused.

internal import AlertRules
internal import Events
internal import Foundation
internal import OpenSSL
@testable internal import RemoteTechnician
internal import Testing

@Suite(.timeLimit(.minutes(5))) struct `A device's certificate` {
  private func pinned(_ records: Records) -> [RemoteCertificate] {
    records.bodies.compactMap { if case .remoteCertificatePinned(let body) = $0 { body } else { nil } }
  }

  @Test func `is pinned when it is first seen, and journalled before anything is said to the device`() async throws {
    let device = try PythonDevice(certificate: "device")
    let visit = try await Visit(ports: [device.port])
    for _ in 0..<2 {
      let answer = try await visit.ask("/", port: device.port, scheme: "https")
      #expect(answer.status == 200 && answer.text == "<h1>Device</h1>")
    }
    try await visit.close()
    let digest = try TestKeys.shared.certificate("device").fingerprint.bytes
    #expect(
      pinned(visit.records) == [RemoteCertificate(port: UInt32(device.port), digest: digest, subject: "CN=device")])
    guard case .remoteCertificatePinned? = visit.records.bodies.dropFirst().first else { throw Unexpected() }
  }

  @Test func `that is another one is refused and raises an alert, until somebody accepts it`() async throws {
    let device = try PythonDevice(certificate: "other-device")
    let former = try TestKeys.shared.certificate("device").fingerprint.bytes
    let shown = try TestKeys.shared.certificate("other-device").fingerprint.bytes
    let pins = CertificatePins(pinned: [UInt32(device.port): former], standing: [])
    let visit = try await Visit(ports: [device.port], pins: pins)
    for _ in 0..<2 {
      let answer = try await visit.ask("/", port: device.port, scheme: "https")
      #expect(answer.status == 502 && answer.error == "tls-changed")
    }
    let changed = visit.records.bodies.compactMap { body -> RemoteCertificate? in
      if case .remoteCertificateChanged(let body) = body { body } else { nil }
    }
    #expect(changed.map(\.digest) == [shown] && changed.map(\.former) == [former])
    let alerts = visit.records.bodies.compactMap { body -> AlertRaised? in
      if case .alertRaised(let body) = body { body } else { nil }
    }
    #expect(alerts.map(\.key) == [RemoteAlert.certificateKey(port: UInt32(device.port))])
    #expect("\(alerts)".contains("remote.certificate: another certificate at port \(device.port)"))
    #expect(pins.trustShown(now: 5, raised: [UInt32(device.port): 3]) == [UInt32(device.port)])
    let news = pins.takeNews()
    guard case .remoteCertificatePinned(let accepted)? = news.first, case .alertCleared(let cleared)? = news.last else {
      throw Unexpected()
    }
    #expect(accepted.digest == shown && accepted.former == former && cleared.milliseconds == 2)
    #expect(try await visit.ask("/", port: device.port, scheme: "https").status == 200)
    #expect(pins.trustShown(now: 9, raised: [:]).isEmpty)
    try await visit.close()
  }

  @Test func `of old TLS is looked at only where that is switched on for the device`() async throws {
    let device = try PythonDevice(certificate: "device", isOld: true)
    let visit = try await Visit(ports: [device.port])
    let refused = try await visit.ask("/", port: device.port, scheme: "https")
    #expect(refused.status == 502 && refused.error == "tls-old")
    try await visit.close()
    let allowed = try await Visit(ports: [device.port], allowsOldTLS: true)
    #expect(try await allowed.ask("/", port: device.port, scheme: "https").status == 200)
    try await allowed.close()
  }

  @Test func `is not asked for where the device speaks none`() async throws {
    let device = try await RawDevice([.send("HTTP/1.1 400 No TLS here\r\n\r\n"), .close])
    let visit = try await Visit(
      ports: [device.port],
      limits: {
        $0.connectPatience = .milliseconds(500)
      })
    #expect(try await visit.ask("/", port: device.port, scheme: "https").error == "tls")
    try await visit.close()
  }
}

@Suite struct `Passing fields` {
  @Test func `are written as every device knows them`() {
    #expect(DeviceAsk.written("content-type") == "Content-Type")
    #expect(DeviceAsk.written("sec-websocket-key") == "Sec-WebSocket-Key")
    #expect(DeviceAsk.written("x--y") == "X--Y")
  }

  @Test func `of a WebSocket's handshake are those of the standard`() {
    // RFC 6455 section 1.3.
    #expect(WebSocketKey(text: "dGhlIHNhbXBsZSBub25jZQ==").accepted == "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=")
    #expect(WebSocketKey().text.utf8.count == 24)
  }
}
