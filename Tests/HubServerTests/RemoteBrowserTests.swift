// A device's page in a real browser: the console, the tunnel's listener and the browsers' are real, the agent and its device are `FakeTunnel`.

internal import Foundation
@testable internal import HubServer
internal import TestPrograms
internal import Testing
internal import WebServing

private let python = ProcessInfo.processInfo.environment["PT_PYTHON"]
private let support = URL(fileURLWithPath: #filePath).deletingLastPathComponent().deletingLastPathComponent()
  .appendingPathComponent("BrowserTests/Support").path

/// Whether Chromium can be driven here; `tools/test` sees to it.
private let hasChromium: Bool = {
  guard let python else { return false }
  return (try? ChildProgram.run(python, [support + "/browsers.py", "chromium"]))?.status == 0
}()

@Suite(.enabled(if: hasChromium, "skipped: no PT_PYTHON, or Chromium cannot be driven here"))
struct `In Chromium` {
  private struct Check: Decodable {
    let check: String
    let ok: Bool
    let detail: String
  }

  private static func page(_ request: FakeRequest, console: String) -> FakeAnswer {
    switch request.path {
    case "/next": return FakeAnswer(200, [("content-type", "text/html")], "<h1>Next page</h1>")
    case "/upload":
      return FakeAnswer(200, [("content-type", "text/html")], "<p id=got>\(request.body.count) bytes</p>")
    case "/worker.js": return FakeAnswer(200, [("content-type", "text/javascript")], "")
    case "/":
      return FakeAnswer(
        200, [("content-type", "text/html; charset=utf-8"), ("set-cookie", "device=1; Path=/")],
        """
        <!doctype html><title>x</title><h1>Front page</h1><a id="next" href="http://192.168.1.7/next">on</a>
        <form action="/upload" method="post" enctype="multipart/form-data"><input type="file" name="f"><button id="send">Send</button></form>
        <ul id="reach"></ul><script>
        const say = (what, ok) => { const li = document.createElement("li"); li.textContent = `${what}: ${ok ? "reached" : "refused"}`; document.querySelector("#reach").append(li); };
        fetch("\(console)/api/v1/session", { credentials: "include", mode: "no-cors" }).then(() => say("fetch", true), () => say("fetch", false));
        const image = new Image(); image.onload = () => say("image", true); image.onerror = () => say("image", false); image.src = "\(console)/favicon.svg";
        const frame = document.createElement("iframe"); frame.src = "\(console)/"; document.body.append(frame);
        setTimeout(() => { let ok = true; try { ok = frame.contentDocument !== null && frame.contentDocument.body.innerText.includes("PrintTrail"); } catch { ok = false; } say("frame", ok); }, 1500);
        navigator.serviceWorker ? navigator.serviceWorker.register("/worker.js").then(() => say("worker", true), () => say("worker", false)) : say("worker", false);
        say("cookie", document.cookie.includes("printtrail") || document.cookie.includes("pthub"));
        </script>
        """)
    default: return FakeAnswer(404, [("content-type", "text/plain")], "nothing")
    }
  }

  @Test(.timeLimit(.minutes(3)))
  func `a technician sees a device's page, and the page reaches nothing of the hub`() async throws {
    let python = try #require(python)
    try await RemoteSite.run { site in
      let console = "https://localhost:\(try #require(site.hub.ready.console).port)"
      let new = NewConsoleUser(
        name: "ann", displayName: "Ann", passwordHash: try PasswordHash.makeNow(TestConsole.password),
        roles: [.technician], entity: nil)
      try await site.hub.store.addUser(new, within: .everything, by: Actor(name: "test"), now: site.hub.clock.now)
      async let finished = ChildProgram.running(
        python,
        [
          support + "/page_checks.py", "--console", console, "--device", RemoteSite.device, "--user", "ann",
          "--password", TestConsole.password,
        ], environment: ProcessInfo.processInfo.environment.merging(["PYTHONDONTWRITEBYTECODE": "1"]) { $1 })
      try await site.eventuallyTrue(60, "the technician to ask") {
        try await !site.hub.store.openRemoteSessions(within: .everything).isEmpty
      }
      let session = try #require(try await site.hub.store.openRemoteSessions(within: .everything).first)
      #expect(session.userName == "ann" && session.reason == "a jam that comes back")
      _ = try await site.hub.store.dueJobs(of: site.install.number, now: site.hub.clock.now)
      let tunnel = try await site.tunnel(session) { Self.page($0, console: console) }
      let output = try await finished.output
      let results = output.split(separator: "\n").compactMap {
        try? JSONDecoder().decode(Check.self, from: Data($0.utf8))
      }
      for result in results { #expect(result.ok, "\(result.check): \(result.detail)") }
      #expect(results.count >= 13, "\(output)")
      for request in tunnel.requests {
        #expect(request.field("cookie").map { $0 == "device=1" } ?? true, "\(request.head)")
      }
      #expect(try await site.state(session).endReason == "ended by ann (console)")
    }
  }
}
