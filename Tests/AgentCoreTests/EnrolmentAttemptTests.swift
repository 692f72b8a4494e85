// What the status says of an attempt to enrol that failed.

import Enrolment
import Foundation
import Journal
import Logging
import Projections
import ReadModels
import Settings
import Testing

@testable import AgentCore

@Suite struct EnrolmentAttemptTests {
  private let refused = EnrolmentAttempt(
    state: .failed, message: "not enrolled: the hub does not accept this DataLink code", remedy: "Get another code")

  /// A machine with a hub and without an identity.
  private func withWatcher(_ body: (IdentityWatcher, StatusBoard, _ directory: URL) async throws -> Void) async throws {
    let directory = FileManager.default.temporaryDirectory.appendingPathComponent("printtrail-\(UUID().uuidString)")
    defer { try? FileManager.default.removeItem(at: directory) }
    try FileManager.default.createDirectory(
      at: directory.appendingPathComponent("identity"), withIntermediateDirectories: true)
    let fold = FleetFold()
    let journal = try Journal.open(JournalConfiguration(directory: directory.path + "/journal"), fold: fold)
    let (logger, board) = (Logger(label: "test"), StatusBoard())
    let pin = "sha256/47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU="
    let configuration = try AgentConfiguration.parse(
      "[hub]\ncsr = \"127.0.0.1:7443\"\nca_pin = \"\(pin)\"", file: "x")
    let keeper = SettingsKeeper(configuration, past: fold.state.agent, journal: journal, board: board, logger: logger)
    let store = IdentityStore(stateDirectory: directory.path)
    try await body(
      IdentityWatcher(store: store, keeper: keeper, journal: journal, board: board, logger: logger), board, directory)
    await journal.close()
  }

  @Test func `its words stand when the files that it left are looked at`() async throws {
    try await withWatcher { watcher, board, directory in
      try await watcher.look()
      #expect(board.snapshot.words[.identity]?.remedy == "Run: ptagent enroll --code CODE")
      watcher.attempted(refused)
      // What an attempt leaves is news to the watcher.
      try Data("{}".utf8).write(to: directory.appendingPathComponent("identity/pending.json"))
      try await watcher.look()
      #expect(board.snapshot.words[.identity]?.message == refused.message)
      #expect(board.snapshot.words[.identity]?.state == .failed)
    }
  }
}
