// The version that the agent tells hub, journal and operator.

internal import Platform

package enum AgentVersion {
  package static let text = Release.version
  /// The start of the user agent.
  package static let product = "ptagent/\(text)"
}
