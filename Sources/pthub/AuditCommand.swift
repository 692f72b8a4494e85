// pthub audit

internal import ArgumentParser
internal import HubServer

struct AuditCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "audit",
    abstract: "What operators and strangers did, the newest first.",
    discussion: """
      Enrolments and those that were refused or limited, renewals, revocations, replacements, changes of the root, identities in doubt, \
      jobs, settings, users, logins. ACTION says what, SUBJECT to which \
      install, code, entity or root, PEER from which address. The hub keeps the last million entries.

      EXAMPLE
        pthub audit --subject 7b0c5a1e --limit 20
      """)

  private struct Line: ListLine {
    enum CodingKeys: String, CodingKey, CaseIterable {
      case time, action, subject, peer, detail
    }

    let time: String
    let action: String
    let subject: String
    let peer: String
    let detail: String
  }

  @OptionGroup var hub: HubOptions
  @OptionGroup var output: ListOptions
  @Option(help: ArgumentHelp("How many entries are looked at.", valueName: "n")) var limit = 100
  @Option(help: ArgumentHelp("Only those whose subject begins so.", valueName: "text")) var subject: String?
  @Option(help: ArgumentHelp("Only those whose action begins so, such as `identity.`.", valueName: "text"))
  var action: String?

  func run() async throws {
    guard limit > 0 else { throw HubError(.usage, "--limit must be 1 or more.") }
    let (_, store) = try hub.open()
    let lines = try await store.auditTrail(limit: limit).filter { entry in
      (subject.map { entry.subject.hasPrefix($0) } ?? true) && (action.map { entry.action.hasPrefix($0) } ?? true)
    }.map {
      Line(time: timeText($0.at), action: $0.action, subject: $0.subject, peer: $0.peer, detail: $0.detail)
    }
    try output.show(
      lines,
      columns: [
        ("TIME", \.time), ("ACTION", \.action), ("SUBJECT", { $0.subject.isEmpty ? "-" : $0.subject }),
        ("PEER", { $0.peer.isEmpty ? "-" : $0.peer }), ("DETAIL", \.detail),
      ], empty: "There is nothing of the kind among the last \(limit) entries.")
  }
}
