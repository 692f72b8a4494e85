// Variables of the environment that are ours by their prefix: like a key of the configuration, one that means nothing is not passed over.

internal import Platform

package enum EnvironmentNames {
  package static let agent = ["PTAGENT_PROXY_PASSWORD"]
  /// PTHUB_OPTIONS is for the unit, which makes arguments of it.
  package static let hub = ["PTHUB_DIRECTORY", "PTHUB_OPTIONS"]

  /// What is wrong with those that are set; nil if nothing is.
  /// - Parameters:
  ///   - known: all that mean something; they have the prefix in common.
  ///   - names: of the variables with that prefix that are set.
  package static func complaint(about names: [String], known: [String]) -> String? {
    guard let unknown = names.first(where: { !known.contains($0) }) else { return nil }
    let nearest = nearestName(to: unknown, among: known).map { " \($0) is probably meant." } ?? ""
    return
      "The environment has \(unknown), which means nothing.\(nearest) Those that do: \(known.joined(separator: ", "))."
  }

  /// The same for the variables of this process.
  package static func complaint(prefix: String, known: [String]) -> String? {
    complaint(about: Machine.environmentNames(prefix: prefix), known: known)
  }
}
