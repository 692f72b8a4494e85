// Devices' certificates: known again, or refused.

internal import AlertRules
internal import Discovery
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
    guard case .remoteCertificatePinned? = visit.records.bodies.dropFirst(2).first else { throw Unexpected() }
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
    let digits = hexadecimal(shown)
    let raised: [UInt32: Int64] = [UInt32(device.port): 3]
    #expect(pins.shown.map(\.digest) == [shown])
    for wrong in [hexadecimal(former), String(digits.prefix(15)), "", CertificatePins.none] {
      #expect(pins.trust(wrong, now: 5, raised: raised).isEmpty, "\(wrong)")
    }
    #expect(pins.takeNews().isEmpty)
    #expect(pins.trust(String(digits.prefix(16)), now: 5, raised: raised) == [UInt32(device.port)])
    let news = pins.takeNews()
    guard case .remoteCertificatePinned(let accepted)? = news.first, case .alertCleared(let cleared)? = news.last else {
      throw Unexpected()
    }
    #expect(accepted.digest == shown && accepted.former == former && cleared.milliseconds == 2)
    #expect(try await visit.ask("/", port: device.port, scheme: "https").status == 200)
    #expect(pins.trust(digits, now: 9, raised: [:]).isEmpty && pins.shown.isEmpty)
    try await visit.close()
  }

  @Test func `that somebody else shows afterwards is not the one that is accepted`() throws {
    let der = try ["device", "other-device", "hub"].map { try TestKeys.shared.certificate($0).der }
    let digests = try ["device", "other-device", "hub"].map { try TestKeys.shared.certificate($0).fingerprint.bytes }
    let pins = CertificatePins(pinned: [443: digests[0]], standing: [])
    #expect(!pins.accepts(der[1], at: 443) && !pins.accepts(der[2], at: 443) && !pins.accepts(der[1], at: 443))
    #expect(pins.shown.map(\.digest) == [digests[2], digests[1]], "each once")
    #expect(pins.takeNews().count == 3, "two certificates, one alert")
    #expect(pins.trust(hexadecimal(digests[2]), now: 1, raised: [:]) == [443])
    #expect(pins.accepts(der[2], at: 443) && !pins.accepts(der[1], at: 443) && !pins.accepts(der[0], at: 443))
  }

  @Test func `at a second port is one that is known, or none`() throws {
    let der = try ["device", "other-device"].map { try TestKeys.shared.certificate($0).der }
    let pins = CertificatePins(pinned: [:], standing: [])
    #expect(pins.accepts(der[0], at: 443) && pins.accepts(der[0], at: 631))
    #expect(!pins.accepts(der[1], at: 8_443), "who has no certificate for one port could else use another")
    let shown = try #require(pins.shown.first)
    #expect(shown.port == 8_443 && shown.former == SHA256.hash(der[0]).bytes)
  }

  // MARK: Without TLS

  @Test func `that is known is not gone round without TLS`() async throws {
    let (plain, encrypted) = (try PythonDevice(), try PythonDevice(certificate: "device"))
    let visit = try await Visit(ports: [plain.port, encrypted.port])
    #expect(try await visit.ask("/", port: plain.port).status == 200)
    #expect(try await visit.ask("/", port: encrypted.port, scheme: "https").status == 200)
    for scheme in ["http", "ws"] {
      let answer = try await visit.ask("/", port: plain.port, scheme: scheme)
      #expect(answer.status == 502 && answer.error == "tls-changed", "\(scheme)")
    }
    #expect(try await visit.ask("/", port: encrypted.port, scheme: "https").status == 200)
    try await visit.close()
    #expect(visit.records.changed.isEmpty, "a link is no attack")
  }

  @Test func `that is known, and no TLS any more, opens no session and raises an alert`() async throws {
    let (plain, encrypted) = (try PythonDevice(), try PythonDevice(certificate: "device"))
    func rules(_ ports: [UInt16]) throws -> TargetRules {
      try TargetRules(
        device: Visit.device, address: IPv4Address(0x7f00_0001), ports: ports, allowed: Visit.loopback, own: [])
    }
    let digest = try TestKeys.shared.certificate("device").fingerprint.bytes
    let pins = CertificatePins(pinned: [UInt32(encrypted.port): digest], standing: [])
    #expect(
      try await TargetLook.targets(of: rules([plain.port, encrypted.port]), pins) == ["https:\(encrypted.port)"])
    #expect(pins.takeNews().isEmpty)
    // Somebody closes its port.
    for _ in 0..<2 {
      let error = await #expect(throws: RemoteNotOpened.self) {
        _ = try await TargetLook.targets(of: rules([plain.port, 1]), pins)
      }
      #expect(error?.description.contains("without TLS alone") == true)
    }
    let news = pins.takeNews()
    guard news.count == 2, case .remoteCertificateChanged(let changed)? = news.first,
      case .alertRaised(let alert)? = news.last
    else { throw Unexpected() }
    #expect(changed.digest.isEmpty && changed.former == digest)
    #expect(alert.key == RemoteAlert.certificateKey(port: UInt32(encrypted.port)))
    // Until somebody at the agent says that it has none.
    #expect(pins.trust("none", now: 5, raised: [:]) == [UInt32(encrypted.port)] && !pins.wantsTLS(at: encrypted.port))
    guard case .remoteCertificatePinned(let none)? = pins.takeNews().first else { throw Unexpected() }
    #expect(none.digest.isEmpty && none.former == digest)
    #expect(try await TargetLook.targets(of: rules([plain.port, 1]), pins) == ["http:\(plain.port)"])
    #expect(!CertificatePins(pinned: [443: []], standing: []).wantsTLS(at: 443), "as the journal has it")
    let (pages, ipp) = (
      CertificatePins(pinned: [443: [1]], standing: []), CertificatePins(pinned: [631: [1]], standing: [])
    )
    #expect(pages.wantsTLS(at: 80) && pages.wantsTLS(at: 8_080) && !pages.wantsTLS(at: 631))
    #expect(!ipp.wantsTLS(at: 80) && ipp.wantsTLS(at: 631), "many have TLS for IPP, and none for their pages")
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
