internal import OpenSSL

/// The tree that Certificate Transparency implementations are tested with, and RFC 6962 section 2.1 as it is written.
enum ReferenceTree {
  static let entries: [[UInt8]] = [
    [], [0x00], [0x10], [0x20, 0x21], [0x30, 0x31], [0x40, 0x41, 0x42, 0x43],
    [0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57], Array(0x60...0x6F),
  ]
  static let leaves = entries.map { SHA256.hash([0x00] + $0) }
  /// Of 0 to 8 leaves.
  static let roots = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
  ]

  static func hash(_ leaves: ArraySlice<Digest>) -> Digest {
    if leaves.isEmpty { return SHA256.hash([UInt8]()) }
    if leaves.count == 1 { return leaves[leaves.startIndex] }
    let middle = leaves.startIndex + split(leaves.count)
    return SHA256.hash([0x01] + hash(leaves[..<middle]).bytes + hash(leaves[middle...]).bytes)
  }

  /// PATH(m, D[n]) of RFC 6962 section 2.1.1.
  static func path(_ index: Int, _ leaves: ArraySlice<Digest>) -> [Digest] {
    guard leaves.count > 1 else { return [] }
    let split = split(leaves.count)
    let middle = leaves.startIndex + split
    return index < split
      ? path(index, leaves[..<middle]) + [hash(leaves[middle...])]
      : path(index - split, leaves[middle...]) + [hash(leaves[..<middle])]
  }

  /// PROOF(m, D[n]) of RFC 6962 section 2.1.2.
  static func proof(_ old: Int, _ leaves: ArraySlice<Digest>) -> [Digest] { subproof(old, leaves, true) }

  private static func subproof(_ old: Int, _ leaves: ArraySlice<Digest>, _ isWhole: Bool) -> [Digest] {
    if old == leaves.count { return isWhole ? [] : [hash(leaves)] }
    let split = split(leaves.count)
    let middle = leaves.startIndex + split
    return old <= split
      ? subproof(old, leaves[..<middle], isWhole) + [hash(leaves[middle...])]
      : subproof(old - split, leaves[middle...], false) + [hash(leaves[..<middle])]
  }

  private static func split(_ count: Int) -> Int {
    var split = 1
    while split * 2 < count { split *= 2 }
    return split
  }
}
