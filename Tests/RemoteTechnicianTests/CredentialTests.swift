// Printers' passwords follow from their serial numbers, for some makes (CVE-2024-51978): what a session says of either.

internal import Events
internal import Foundation
internal import HTTP2
@testable internal import RemoteTechnician
internal import Testing

@Suite(.timeLimit(.minutes(2))) struct `A device's login` {
  private struct Told: Decodable {
    let headers: [[String]]
  }

  @Test func `is the device's own: nobody logs in for the technician, and no serial number goes along`() async throws {
    let device = try PythonDevice()
    let visit = try await Visit(ports: [device.port])
    let evidence = visit.session.order.evidence.replacingOccurrences(of: "serial ", with: "")
    #expect(evidence == "X")
    let hello = try JSONSerialization.jsonObject(with: Data(try visit.session.hello())) as? [String: Any]
    #expect(Set(try #require(hello).keys) == ["session", "device", "endsInSeconds", "targets", "names"])
    #expect(hello?["names"] as? [String] == ["127.0.0.1", "npi3f2a"])
    let answer = try await visit.ask("/headers", port: device.port)
    let told = try JSONDecoder().decode(Told.self, from: Data(answer.body))
    #expect(told.headers.map { $0.first } == ["Host", "Connection"])
    try await visit.close()
  }

  @Test func `passes where the browser gives it, and is in no record`() async throws {
    let device = try PythonDevice()
    let visit = try await Visit(ports: [device.port])
    let login = HTTP2Header("authorization", "Basic YWRtaW46c2VjcmV0")
    let answer = try await visit.ask(
      "/headers?password=hunter2&token", port: device.port, headers: [login, HTTP2Header("cookie", "sid=s3cr3t")])
    #expect(answer.text.contains("Basic YWRtaW46c2VjcmV0"))
    _ = try await visit.records.request()
    try await visit.close()
    let journal = try visit.records.bodies.map { body in
      String(decoding: try Event(time: 1, device: Visit.device, body).encoded(), as: UTF8.self)
    }.joined()
    for secret in ["YWRtaW46c2VjcmV0", "hunter2", "s3cr3t", "token"] { #expect(!journal.contains(secret), "\(secret)") }
    #expect(journal.contains("password"), "the parameter's name")
  }
}
