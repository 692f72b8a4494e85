// What can be wrong with a proof or an export, and the exit status that says so (docs/formats/proof.md, "Exit status").
//
// When several things are wrong, the one with the lowest number says most: an export of another journal has other hashes too.

/// The number is the exit status of `ptjournal verify` and of tools/verify_export.py.
package enum EvidenceFault: Int32, CaseIterable, Comparable, Sendable {
  /// It has not the form of a proof or of a manifest.
  case malformed = 10
  case manifestMissing = 11
  /// It is of another journal than the trusted key's.
  case anotherJournal = 12
  /// A key that is trusted did not sign; maybe another did.
  case unknownKey = 13
  /// A signature is there, but not for these bytes.
  case badSignature = 14
  /// Files, lines or bytes that should be there are missing.
  case incomplete = 15
  /// Something is not what its hash or its neighbours say.
  case edited = 16
  /// The hashes do not lead to the root that was signed.
  case wrongPath = 17
  /// Something lies in an export's directory that its manifest does not name, and that nobody signed.
  case unnamed = 18
  /// Records lie under no checkpoint that every trusted key has signed: whoever holds the journal's key could have made them.
  case notCountersigned = 19

  package static func < (left: Self, right: Self) -> Bool { left.rawValue < right.rawValue }
}

/// One thing that is wrong, as a sentence that says where.
package struct EvidenceFinding: Error, Hashable, Sendable, CustomStringConvertible {
  package let fault: EvidenceFault
  package let description: String

  package init(_ fault: EvidenceFault, _ description: String) {
    self.fault = fault
    self.description = description
  }
}
