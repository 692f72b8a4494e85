// omitted.bin: what the tree needs of the records that an export leaves out (docs/formats/export.md).
//
// Between two lines of events.jsonl, before the first and behind the last, lies a run of records that are not there. In its place
// stand the roots of the perfect subtrees that the run is made of, 32 bytes each, left to right: a million records are some twenty
// hashes. A run ends at the latest where the checkpoint's tree does; behind it nothing is needed.

internal import Evidence
internal import OpenSSL

/// Collects the runs of one epoch while its records pass.
struct OmittedRecords: ~Copyable {
  private let size: UInt64
  private var run: MerkleRun?

  /// - Parameters:
  ///   - size: of the checkpoint's tree.
  ///   - base: the tree over the first records, which are not there any more: the first run begins with them.
  init(upTo size: UInt64, base: MerkleFrontier) {
    self.size = size
    if base.size > 0 { run = MerkleRun(base) }
  }

  /// Takes the leaf of a record that is left out.
  mutating func append(_ leaf: Digest, at sequence: UInt64) {
    guard sequence <= size else { return }
    if run == nil { run = MerkleRun(first: sequence - 1) }
    run?.append(leaf)
  }

  /// Ends the run, if there is one: the next record is not left out, or there is none.
  mutating func end(_ file: inout ExportFile) throws(ExportError) {
    for root in run?.roots ?? [] { try root.withBytes { (bytes) throws(ExportError) in try file.write(bytes) } }
    run = nil
  }
}

/// Reads the runs back, as the lines between them tell where they lie.
struct OmittedRuns {
  private var rest: ArraySlice<UInt8>

  init(_ bytes: [UInt8]) { rest = bytes[...] }

  var isAtEnd: Bool { rest.isEmpty }

  /// Appends the leaves of `run` to the tree.
  /// - Returns: false when there are not as many hashes.
  mutating func append(_ run: Range<UInt64>, to tree: inout MerkleFrontier) -> Bool {
    for height in MerkleRun.heights(of: run) {
      guard let root = Digest(bytes: rest.prefix(Digest.byteCount)) else { return false }
      rest = rest.dropFirst(Digest.byteCount)
      tree.append(root, height: height)
    }
    return true
  }
}
