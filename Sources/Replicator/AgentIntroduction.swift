// Who delivers.

/// What an agent says of itself at the start of a stream.
package struct AgentIntroduction: Sendable {
  /// 16 bytes.
  package var journalID: [UInt8]
  /// Ed25519, 32 bytes.
  package var journalPublicKey: [UInt8]
  package var agentVersion: String
  /// Whether there is somebody who does what the hub wants done.
  package var takesJobs: Bool

  package init(journalID: [UInt8], journalPublicKey: [UInt8], agentVersion: String, takesJobs: Bool = false) {
    self.takesJobs = takesJobs
    self.journalID = journalID
    self.journalPublicKey = journalPublicKey
    self.agentVersion = agentVersion
  }
}
