// What the agent tells the service manager, and when.

import Enrolment
import Foundation
import Glibc
import Logging
import Platform
import ServiceLifecycle
import Synchronization
import Testing

@testable import AgentCore

@Suite struct SupervisionTests {
  @Test(.timeLimit(.minutes(1)))
  func `it is ready when it collects, alive while nothing hangs, and ends in so many words`() async throws {
    let heard = Heard()
    let (ready, hangs) = (Flag(), Flag())
    let supervision = heard.supervision(ready: ready, hangs: hangs)
    let group = ServiceGroup(services: [supervision], logger: Logger(label: "test"))
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      try await Task.sleep(for: .milliseconds(200))
      #expect(heard.all.isEmpty, "nothing is told before it collects")
      ready.set(true)
      try await heard.waits { $0.contains(.alive) }
      #expect(heard.all.first == [.ready, .status("collecting")])
      hangs.set(true)
      try await heard.waits { $0.contains(.status("hangs: the writer does not move")) }
      let count = heard.count(of: .alive)
      try await Task.sleep(for: .milliseconds(300))
      #expect(heard.count(of: .alive) == count, "a hanging agent says nothing of being alive")
      hangs.set(false)
      try await heard.waits { $0.filter { $0 == .alive }.count > count }
      await group.triggerGracefulShutdown()
      try await tasks.waitForAll()
    }
    #expect(heard.all.last == [.stopping, .status("ends in order")])
  }

  @Test(.timeLimit(.minutes(1))) func `a restart by a job is no end, and nothing is told of one that was never ready`()
    async throws
  {
    let heard = Heard()
    let restart = RestartRequest()
    let group = ServiceGroup(
      services: [heard.supervision(ready: Flag(), hangs: Flag(), restart: restart)], logger: Logger(label: "test"))
    restart.attach(group)
    try await withThrowingTaskGroup(of: Void.self) { tasks in
      tasks.addTask { try await group.run() }
      try await Task.sleep(for: .milliseconds(100))
      await restart.make()
      try await tasks.waitForAll()
    }
    #expect(heard.all == [[.reloading, .status("begins again")]])
  }

  @Test func `collecting has begun when a printer was asked, or when it is said why none is`() {
    let board = StatusBoard()
    #expect(!board.snapshot.isCollectorSettled)
    board.say(.collector, .working, "collecting from 12 addresses")
    #expect(!board.snapshot.isCollectorSettled)
    board.collectorMoved(at: 1)
    #expect(board.snapshot.isCollectorSettled)
    let full = StatusBoard()
    full.say(.collector, .failed, "stopped: the journal cannot take any more")
    #expect(full.snapshot.isCollectorSettled)
  }

  @Test func `the line for people is the worst part's`() {
    let board = StatusBoard()
    board.say(.collector, .working, "collecting from 12 addresses")
    #expect(Agent.summary(board.snapshot) == "collecting from 12 addresses")
    board.say(.delivery, .waiting, "the hub is away")
    #expect(Agent.summary(board.snapshot) == "delivery waiting: the hub is away")
    board.say(.journal, .failed, "full")
    #expect(Agent.summary(board.snapshot) == "journal failed: full")
  }

  @Test(arguments: [
    (EnrolmentError.malformedCode, true), (.codeRefused(hub: "h:1", reason: "used"), true),
    (.unreachable(hub: "h:1", reason: "no route"), false), (.tooManyAttempts(hub: "h:1", wait: .seconds(5)), false),
    (.notOurHub(hub: "h:1", reason: "pin"), false),
  ])
  func `a code that was left is given up when it cannot become good, and kept otherwise`(
    error: EnrolmentError, isUseless: Bool
  ) {
    let outcome = ProvisioningService.Outcome(error)
    #expect(outcome == (isUseless ? .useless(error.description) : .later(error.description)))
    #expect(ProvisioningService.Outcome(.enrolledAlready(installID: "i", entity: "e")) == .enrolled)
  }

  @Test func `a code lies in the state directory, or with the secrets that were handed over`() {
    #expect(
      LeftCode.places(stateDirectory: "/var/lib/printtrail", handedOver: "/run/c") == [
        LeftCode(path: "/var/lib/printtrail/datalink-code", isOurs: true),
        LeftCode(path: "/run/c/secret_datalink-code", isOurs: false),
      ])
    #expect(LeftCode.places(stateDirectory: "/s", handedOver: nil).count == 1)
  }
}

private final class Flag: Sendable {
  private let value = Mutex(false)
  var isSet: Bool { value.withLock { $0 } }
  func set(_ isSet: Bool) { value.withLock { $0 = isSet } }
}

/// A service manager that remembers what it was told.
private final class Heard: Sendable {
  private let notices = Mutex<[[ServiceManager.Notice]]>([])

  var all: [[ServiceManager.Notice]] { notices.withLock { $0 } }
  func count(of notice: ServiceManager.Notice) -> Int { all.joined().filter { $0 == notice }.count }

  func waits(for isThere: ([ServiceManager.Notice]) -> Bool) async throws {
    while !isThere(Array(all.joined())) { try await Task.sleep(for: .milliseconds(5)) }
  }

  func supervision(ready: Flag, hangs: Flag, restart: RestartRequest = RestartRequest()) -> SupervisionService {
    SupervisionService(
      manager: SupervisionService.Manager(watchdogTimeout: .milliseconds(100)) { notices in
        self.notices.withLock { $0.append(notices) }
      }, isReady: { ready.isSet }, trouble: { hangs.isSet ? "the writer does not move" : nil },
      summary: { "collecting" }, restart: restart, logger: Logger(label: "test"))
  }
}
