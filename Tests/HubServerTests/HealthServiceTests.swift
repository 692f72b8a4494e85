internal import Foundation
@testable internal import HubServer
internal import TestPrograms
internal import Testing

/// hc, asked by curl: another TLS and another HTTP/2 stack.
@Suite struct HealthServiceTests {
  private struct Answer {
    let status: Int
    let body: String
  }

  /// Calls the hub with curl.
  private func curl(
    _ hub: TestHub, _ path: String, agent: TestAgent? = nil, body: String? = nil, type: String = "application/json",
    _ more: String...
  ) async throws -> Answer {
    let place = try TestDirectory()
    var arguments =
      ["-sS", "--max-time", "20", "--cacert", hub.directory.file("ca.pem"), "-w", "\n%{http_code}"] + more
    if let agent {
      let (certificate, key) = (place.path + "/agent.pem", place.path + "/agent.key")
      try Data(agent.certificatePEM.utf8).write(to: URL(fileURLWithPath: certificate))
      try Data(agent.keyPEM.utf8).write(to: URL(fileURLWithPath: key))
      arguments += ["--cert", certificate, "--key", key]
    }
    if let body {
      let file = place.path + "/body"
      try Data(body.utf8).write(to: URL(fileURLWithPath: file))
      arguments += ["--data-binary", "@" + file, "-H", "Content-Type: \(type)"]
    }
    arguments.append("https://127.0.0.1:\(hub.ready.hc.port)\(path)")
    let text = try await ChildProgram.running("/usr/bin/curl", arguments).output
    let split = text.lastIndex(of: "\n") ?? text.startIndex
    return Answer(status: Int(text[split...].dropFirst()) ?? 0, body: String(text[..<split]))
  }

  private func isErrorObject(_ body: String) -> Bool {
    guard let object = try? JSONDecoder().decode([String: String].self, from: Data(body.utf8)) else { return false }
    return object.keys.sorted() == ["error"] && object["error"]?.hasSuffix(".") == true
  }

  @Test(arguments: ["--http2", "--http1.1"])
  func `an install's report is kept as it came`(version: String) async throws {
    try await TestHub.run { hub in
      let (agent, id) = try await hub.agent(try TestJournal())
      let report = #"{"queue": {"records": 12}, "note": "grün"}"#
      #expect(try await curl(hub, "/v1/health", agent: agent, body: report, version).status == 204)
      let install = try #require(try await hub.store.install(id: id))
      #expect(try await hub.store.health(of: install.number) == HealthReport(json: report, receivedAt: hub.clock.now))
    }
  }

  @Test func `the load balancer needs no certificate`() async throws {
    try await TestHub.run { hub in
      let answer = try await curl(hub, "/healthz")
      #expect(answer.status == 200 && answer.body == #"{"status":"ok"}"#)
    }
  }

  @Test func `what is wrong is answered with a status and one sentence in JSON`() async throws {
    try await TestHub.run { hub in
      let (agent, id) = try await hub.agent(try TestJournal())
      let large = "{\"x\":\"" + String(repeating: "y", count: HubLimits.healthBytesMax) + "\"}"
      let deep = String(repeating: "{\"a\":", count: 5_000) + "1" + String(repeating: "}", count: 5_000)
      let answers = [
        (401, try await curl(hub, "/v1/health", body: "{}")),
        (400, try await curl(hub, "/v1/health", agent: agent, body: "[1]")),
        (400, try await curl(hub, "/v1/health", agent: agent, body: "{\"a\":")),
        (400, try await curl(hub, "/v1/health", agent: agent, body: "")),
        (400, try await curl(hub, "/v1/health", agent: agent, body: deep)),
        (413, try await curl(hub, "/v1/health", agent: agent, body: large)),
        (415, try await curl(hub, "/v1/health", agent: agent, body: "{}", type: "text/plain")),
        (405, try await curl(hub, "/v1/health", agent: agent)),
        (404, try await curl(hub, "/v2/health", agent: agent, body: "{}")),
      ]
      for (status, answer) in answers {
        #expect(answer.status == status)
        #expect(isErrorObject(answer.body), "\(answer.body)")
      }
      try await hub.store.revokeInstall(id: id, now: hub.clock.now)
      #expect(try await curl(hub, "/v1/health", agent: agent, body: "{}").status == 403)
      let install = try #require(try await hub.store.install(id: id))
      #expect(try await hub.store.health(of: install.number) == nil)
    }
  }
}
