// The directories and the journal's configuration, for whoever writes the journal: the agent, or an enrolment while no agent runs.

internal import Journal
internal import Logging
internal import Platform
internal import Settings

extension AgentConfiguration {
  /// Makes the directories of state and journal where they are not there.
  func makeDirectories() throws(AgentFailure) {
    let remedy = "Run this as the agent's user, let that user write there, or name another state.directory."
    do {
      try Files.makeDirectory(state.directory, mode: 0o755)
      try Files.makeDirectory(Files.parent(of: journal.directory), mode: 0o755)
    } catch {
      throw AgentFailure(error.isPermissionDenied ? .permission : .cannotCreate, "\(error.description) \(remedy)")
    }
    guard Files.isWritableDirectory(state.directory) else {
      throw AgentFailure(.permission, "The state directory \(state.directory) cannot be written. \(remedy)")
    }
  }

  /// How the journal is opened.
  func journalConfiguration(_ logger: Logger) -> JournalConfiguration {
    var configuration = JournalConfiguration(directory: journal.directory)
    configuration.sizeLimit = Int(clamping: journal.sizeMax.bytes)
    configuration.mapBytes = max(configuration.mapBytes, configuration.sizeLimit * 2)
    configuration.recovery = .byTheAgent(logger)
    configuration.foldFailed = { position, error in
      if JournalError.damagedDirectory(of: error) != nil {
        return logger.error("the fleet's state was damaged", metadata: ["reason": "\(error)"])
      }
      logger.error("a record could not be folded", metadata: ["record": "\(position)", "reason": "\(error)"])
    }
    return configuration
  }
}
