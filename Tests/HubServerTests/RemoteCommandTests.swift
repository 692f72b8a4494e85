// `pthub remote` as a process, beside a hub.

internal import Events
internal import Foundation
@testable internal import HubServer
internal import NIOCore
internal import TestPrograms
internal import Testing

private let binaries = ProcessInfo.processInfo.environment["PT_BIN"]

@Suite(.enabled(if: binaries != nil, "set PT_BIN to the directory of the built programs"))
struct `The command pthub remote` {
  private func run(_ arguments: [String], _ site: RemoteSite) async throws -> (status: Int32, output: String) {
    let directory = site.hub.directory.path
    let finished = try await ChildProgram.running(
      (binaries ?? "") + "/pthub", ["remote"] + arguments + ["--directory", directory])
    return (finished.status, finished.output + finished.errors)
  }

  @Test func `switches pages on and off, lists what is open, and ends it`() async throws {
    try await RemoteSite.run { site in
      let offer = { try await site.hub.store.remoteOffer(at: .entity("Acme")).isOffered }
      #expect(try await run(["disable", "--entity", "Acme"], site).status == 0)
      #expect(try await !offer())
      #expect(try await run(["enable", "--install", String(site.install.id.prefix(8))], site).status == 0)
      #expect(try await site.hub.store.remoteOffer(at: .install(site.install.id)).isOffered)
      #expect(try await run(["enable", "--entity", "Nobody"], site).status == 65)
      #expect(try await run(["enable"], site).status == 64)
      #expect(try await run(["list"], site).output == "No device's page is open.\n")
      let (session, tunnel, browser) = try await site.opened()
      let list = try await run(["list"], site).output
      #expect(list.contains(session.job.description) && list.contains("tess") && list.contains("open"), "\(list)")
      #expect(!list.contains(browser.token) && !list.contains(browser.cookie ?? "-"))
      #expect(try await run(["close", "ffffffff"], site).status == 65)
      #expect(try await run(["close"], site).status == 64)
      let closed = try await run(["close", String(session.job.description.prefix(8))], site)
      #expect(closed.status == 0 && closed.output.contains("has ended"), "\(closed)")
      try await site.eventuallyTrue(10, "the hub to close the tunnel") { !tunnel.channel.isActive }
      #expect(try await run(["close", "--all"], site).output == "No device's page is open.\n")
    }
  }
}
