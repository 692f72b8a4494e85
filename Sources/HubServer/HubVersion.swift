// The version that the hub tells agents and operators.

package enum HubVersion {
  package static let text = "0.1.0"
}
