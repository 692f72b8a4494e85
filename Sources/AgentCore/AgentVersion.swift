// The version that the agent tells hub, journal and operator.

package enum AgentVersion {
  package static let text = "0.1.0"
  /// The start of the user agent.
  package static let product = "ptagent/\(text)"
}
