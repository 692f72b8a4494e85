import CrashImages
import Evidence
import Journal
import Replicator
import Simulation

/// What may go wrong at any moment.
enum Fault: CaseIterable {
  case cut
  case killAgent, cutAgentsPower, breakDisk, tearMeta, setClock
  case copyJournal, putJournalBack
  case crashHub, copyHub, putHubBack
}

extension SimulatedWorld {
  func fault() async throws {
    faultsLeft -= 1
    if faultsLeft > 0 { timeline.plan(.fault, in: milliseconds(200...6_000)) }
    guard let fault = Fault.allCases.randomElement(using: &random) else { return }
    note("fault: \(fault)")
    switch fault {
    case .cut: if let connection = agent.running?.connection { cut(connection) }
    case .killAgent: if agent.running != nil { try await endAgent(leaving: try agent.image()) }
    case .cutAgentsPower: try await cutAgentsPower()
    case .breakDisk: try breakDisk()
    // One that is torn already stays so until something is committed.
    case .tearMeta: if agent.running != nil { _ = try? BrokenWrites(.meta, in: agent.directory) }
    case .setClock: agent.clock.set(by: Int64.random(in: -100_000...100_000, using: &random) * 1_000_000_000)
    case .copyJournal: if agent.running != nil { agentBackup = try agent.image() }
    case .putJournalBack: try await putJournalBack()
    case .crashHub: crashHub()
    case .copyHub: hubBackup = hub
    case .putHubBack: putHubBack()
    }
  }

  private func cut(_ connection: Int) {
    network.cut(connection, now: timeline.now, &random)
    timeline.plan(.learnOfCut(connection: connection), in: milliseconds(0...20_000))
  }

  private func endAgent(leaving image: JournalImage) async throws {
    if let connection = agent.running?.connection { network.cut(connection, now: timeline.now, &random) }
    brokenDisk = nil
    try await agent.end(leaving: image)
    timeline.plan(.startAgent, in: milliseconds(10...5_000))
  }

  /// In the middle of an append, of which nobody is told.
  private func cutAgentsPower() async throws {
    guard let journal = agent.running?.journal, brokenDisk == nil else { return }
    let before = try agent.image()
    guard (try? await journal.append(somePayloads())) != nil else { return }
    try await endAgent(leaving: .powerCut(between: before, and: try agent.image(), using: &random))
  }

  private func breakDisk() throws {
    guard agent.running != nil, brokenDisk == nil else { return }
    brokenDisk = try BrokenWrites(.pages, in: agent.directory)
    timeline.plan(.mendDisk(life: agent.life), in: milliseconds(10...3_000))
  }

  private func putJournalBack() async throws {
    guard let backup = agentBackup, agent.running != nil else { return }
    isPutBack = true
    // A hub that is put back to before the conflicts that come of this cannot know of them.
    isHubWhole = true
    try await endAgent(leaving: backup)
  }

  private func crashHub() {
    guard isHubUp else { return }
    isHubUp = false
    hubLife += 1
    received = []
    if let connection = agent.running?.connection { cut(connection) }
    timeline.plan(.startHub, in: milliseconds(10...30_000))
  }

  private func putHubBack() {
    guard !isHubWhole, isHubUp else { return }
    crashHub()
    hub = hubBackup
  }
}
