/// The version of the programs, all of which are released together.
package enum Release {
  package static let version = "0.1.0"
}
