// Whom a command believes, as the command line says it.

internal import ArgumentParser
internal import Evidence
internal import Journal

struct TrustOption: ParsableArguments {
  @Option(
    name: .customLong("key"), help: "A verifier key to trust, name+id+base64; may be given again.", transform: Self.key)
  private var verifiers: [VerifierKey] = []

  /// Nil where none was given.
  var keys: TrustedKeys? { TrustedKeys(verifiers) }

  static let noJournal = ValidationError("--key must name one journal's key. `ptjournal key JOURNAL` prints it.")

  func validate() throws {
    guard verifiers.isEmpty || keys != nil else { throw Self.noJournal }
  }

  private static func key(_ text: String) throws -> VerifierKey {
    guard let key = try? VerifierKey(text) else {
      throw ValidationError(
        "It is no verifier key, name+id+base64. `ptjournal key JOURNAL` prints the journal's, `pthub key` the hub's.")
    }
    return key
  }
}

extension TrustedKeys {
  /// What a journal says of itself is sound under its own key, whosever that is.
  /// - Returns: nil where it is the journal that is trusted.
  func finding(on identity: JournalIdentity) -> EvidenceFinding? {
    if identity.hexID != journal {
      return EvidenceFinding(.anotherJournal, "This is the journal \(identity.hexID), not \(journal) that you trust.")
    }
    guard identity.publicKey != publicKey else { return nil }
    return EvidenceFinding(.unknownKey, "The journal signs with another key than the one that you trust.")
  }
}
