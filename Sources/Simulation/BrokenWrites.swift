// Writes to an open journal that fail. LMDB has two descriptors of data.mdb: one for pages and one, opened with O_DSYNC, for the
// meta pages. A descriptor that cannot be written, put in the place of one, makes exactly those writes fail.

internal import Glibc

/// While it lives, writes to one kind of page fail.
package struct BrokenWrites: ~Copyable {
  package enum Target: Sendable { case pages, meta }

  /// The journal has no such descriptor, or the system has none left.
  package struct Failure: Error { package let errno: Int32 }

  private let broken: Int32
  private let saved: Int32

  /// - Parameter directory: the journal's, open in this process. No link may be in its path.
  package init(_ target: Target, in directory: String) throws(Failure) {
    let descriptor = try Self.descriptor(target, directory + "/data.mdb")
    let copy = fcntl(descriptor, F_DUPFD_CLOEXEC, 0)
    let unwritable = open("/dev/null", O_RDONLY | O_CLOEXEC)
    defer { close(unwritable) }
    let isPut = copy >= 0 && unwritable >= 0 && dup2(unwritable, descriptor) == descriptor
    guard isPut else { throw Failure(errno: Glibc.errno) }
    self.init(broken: descriptor, saved: copy)
  }

  private init(broken: Int32, saved: Int32) {
    self.broken = broken
    self.saved = saved
  }

  deinit { close(saved) }

  /// The disk is well again. Not after the journal opened its files again, which it does by itself once a meta page could not be
  /// written: the descriptor is another file's then.
  package consuming func mend() { dup2(saved, broken) }

  private static func descriptor(_ target: Target, _ data: String) throws(Failure) -> Int32 {
    for candidate in openDescriptors() {
      var link = [CChar](repeating: 0, count: Int(PATH_MAX))
      let count = readlink("/proc/self/fd/\(candidate)", &link, link.count)
      guard count > 0, String(decoding: link.prefix(count).map { UInt8(bitPattern: $0) }, as: UTF8.self) == data
      else { continue }
      let isForMeta = fcntl(candidate, F_GETFL) & O_DSYNC != 0
      if isForMeta == (target == .meta) { return candidate }
    }
    throw Failure(errno: ENOENT)
  }

  private static func openDescriptors() -> [Int32] {
    guard let directory = opendir("/proc/self/fd") else { return [] }
    defer { closedir(directory) }
    var descriptors: [Int32] = []
    while let entry = readdir(directory) {
      let name = withUnsafeBytes(of: &entry.pointee.d_name) { String(decoding: $0.prefix { $0 != 0 }, as: UTF8.self) }
      if let descriptor = Int32(name) { descriptors.append(descriptor) }
    }
    return descriptors.sorted()
  }
}
