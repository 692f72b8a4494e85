// Whether a directory lies on a network file system, where LMDB's locks, syncs and shared map do not hold.

internal import CLMDB
internal import Glibc

package enum NetworkFileSystem {
  /// Magic numbers of statfs(2).
  private static let names: [UInt32: String] = [
    0x6969: "NFS", 0xFF53_4D42: "CIFS", 0xFE53_4D42: "SMB2", 0x517B: "SMB", 0x0102_1997: "9P", 0x5346_414F: "AFS",
    0x00C3_6400: "Ceph", 0x7461_636F: "OCFS2",
  ]

  /// The name of the network file system that `path` is on; nil when it is on none of those known, or is not there.
  package static func name(at path: String) -> String? {
    var status = statfs()
    guard statfs(path, &status) == 0 else { return nil }
    return names[UInt32(truncatingIfNeeded: status.f_type)]
  }
}
