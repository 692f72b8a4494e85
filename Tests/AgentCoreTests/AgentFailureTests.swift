import AgentCore
import Enrolment
import Journal
import Testing

@Suite struct AgentFailureTests {
  static let journalCases: [(JournalError, Int32, String)] = [
    (.locked(path: "/j", pid: 42), 73, "two agents cannot write one journal"),
    (.directoryUnusable(path: "/j", errno: 13), 77, "Let the agent's user write there"),
    (.notADirectory(path: "/j"), 73, "journal.directory"),
    (.newerFormat(path: "/j", found: 9, supported: 1), 74, "newer program"),
    (.full(path: "/j", limitBytes: 1 << 30), 74, "journal.size_max (1024 MiB)"),
    (.file(operation: "write", path: "/j/x", errno: 28), 74, "is full"),
    (.damaged(path: "/j", what: "x"), 74, "ptjournal verify"),
  ]

  @Test(arguments: journalCases.indices)
  func `what the journal refuses is one sentence with its remedy and a documented exit code`(index: Int) {
    let (error, code, remedy) = Self.journalCases[index]
    let failure = AgentFailure(error, directory: "/j")
    #expect(failure.code.rawValue == code)
    #expect(failure.description.contains(remedy), "\(failure)")
    #expect(!failure.description.contains("\n"))
  }

  static let enrolmentCases: [(EnrolmentError, Int32, String)] = [
    (.malformedCode, 64, "24 hexadecimal digits"),
    (.codeRefused(hub: "h:1", reason: "expired"), 77, "expired"),
    (.notOurHub(hub: "h:1", reason: "Wrong pin."), 77, "has not proved to be the hub: Wrong pin."),
    (.unreachable(hub: "h:1", reason: "Nobody listens."), 69, "The code is still good."),
    (.tooManyAttempts(hub: "h:1", wait: .seconds(90)), 69, "1 min 30 s"),
    (.enrolledAlready(installID: "i", entity: "e"), 64, "--again"),
  ]

  @Test(arguments: enrolmentCases.indices)
  func `what hinders an enrolment is one sentence with its remedy and a documented exit code`(index: Int) {
    let (error, code, remedy) = Self.enrolmentCases[index]
    let failure = AgentFailure(error)
    #expect(failure.code.rawValue == code)
    #expect(failure.description.contains(remedy), "\(failure)")
  }
}
