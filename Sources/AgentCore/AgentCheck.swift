// Whether this program could run here: what is asked before a new release takes over from the one that runs, and before a service is started.
// Nothing is written.

package import Settings

internal import Enrolment
internal import Evidence
internal import Journal
internal import Platform
internal import ReadModels

/// What stands ready, in sentences.
package struct AgentCheck: Sendable {
  package let lines: [String]
  /// Whether a start makes the journal one that earlier releases refuse.
  package let convertsJournal: Bool

  /// Looks at everything that a start needs, as the user that the agent runs as.
  /// - Parameter file: the configuration's name.
  /// - Throws: `AgentFailure` of the first thing that would keep the agent from running.
  package init(_ configuration: AgentConfiguration, file: String) throws {
    _ = try LocalProfiles(configuration.profiles)
    try ConsoleService.check(configuration)
    var lines = ["configuration: \(file) is correct"]
    lines.append("state: \(try Self.state(configuration.state.directory))")
    let journal = try Self.journal(configuration.journal.directory)
    lines.append("journal: \(journal.sentence)")
    lines.append("identity: \(try Self.identity(configuration.state.directory))")
    self.lines = lines
    convertsJournal = journal.isToBeConverted
  }

  private static func state(_ directory: String) throws(AgentFailure) -> String {
    guard Files.exists(directory) else { return "\(directory) is not there yet" }
    guard Files.isWritableDirectory(directory) else {
      throw AgentFailure(
        .permission,
        "The state directory \(directory) cannot be written. Run this as the agent's user, or let that user write there."
      )
    }
    return "\(directory) can be written"
  }

  private static func journal(_ directory: String) throws(AgentFailure) -> (sentence: String, isToBeConverted: Bool) {
    guard Files.exists(directory + "/data.mdb") else { return ("there is none yet", false) }
    do {
      let reader = try JournalReader.open(directory: directory)
      let head = try reader.head()
      let identity = reader.identity
      let sentence =
        "\(directory), format \(identity.format), epoch \(head.epoch), \(counted(Int(clamping: head.sequence), "record"))"
      guard identity.isToBeConverted else { return (sentence, false) }
      return (
        sentence + "; a start makes it format \(JournalIdentity.newestFormat), which earlier releases refuse", true
      )
    } catch {
      // A start salvages what is sound, and goes on.
      if JournalError.damagedDirectory(of: error) != nil {
        return ("\(directory) is damaged (\(error)); a start sets the damaged files aside and goes on", false)
      }
      throw AgentFailure(error, directory: directory)
    }
  }

  private static func identity(_ directory: String) throws(AgentFailure) -> String {
    do {
      guard let identity = try IdentityStore(stateDirectory: directory).identity() else {
        return "this machine is not enrolled"
      }
      let days = identity.daysLeft(at: Machine.milliseconds / 1000)
      return "install \(identity.installID) of \(identity.entity), certificate good for \(counted(Int(days), "day"))"
    } catch {
      throw AgentFailure(error)
    }
  }
}
