// Checking a proof of either kind, from a file or from bytes (docs/formats/proof.md).

package import Evidence
internal import OpenSSL

package enum ProofCheck {
  /// More is no proof: a record of 256 KiB in base64 and two notes of the largest size.
  private static let bytesMax = 1 << 20

  /// - Parameter path: of a file; `-` is standard input.
  /// - Returns: what is proved, as a sentence, or what is wrong.
  /// - Throws: when the file cannot be read.
  package static func outcome(
    ofProofAt path: String, _ trusted: TrustedKeys
  ) throws(ExportError) -> Result<String, EvidenceFinding> {
    outcome(of: try ExportFile.read(path == "-" ? "/dev/stdin" : path, bytesMax: bytesMax), trusted)
  }

  package static func outcome(of bytes: [UInt8], _ trusted: TrustedKeys) -> Result<String, EvidenceFinding> {
    Result { () throws(EvidenceFinding) in
      switch try EvidenceProof(bytes: bytes) {
      case .inclusion(let proof):
        try proof.check(trusted)
        let size = proof.checkpoint.checkpoint.size
        let time = UTCTime.text(nanoseconds: proof.record.time)
        return "record \(proof.record.position) of journal \(trusted.journal), appended \(time), hash "
          + "\(proof.record.leafHash), is in the tree of \(counted(size, "record")) that \(signers(trusted)) signed."
      case .consistency(let proof):
        try proof.check(trusted)
        return
          "the tree of \(counted(proof.newer.checkpoint.size, "record")) of \(proof.newer.checkpoint.origin) begins with that of "
          + "\(proof.older.checkpoint.size); \(signers(trusted)) signed both."
      }
    }
  }

  private static func signers(_ trusted: TrustedKeys) -> String {
    (["the journal"] + trusted.countersigners.map(\.name.description)).joined(separator: " and ")
  }
}
