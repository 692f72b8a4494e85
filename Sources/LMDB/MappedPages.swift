// What a process has read of data.mdb counts as its memory for as long as the map lasts, although the kernel could take it back at any time: a
// writer that appends for months would seem to grow by all that it wrote. Giving the pages back unmaps them from this process alone. They stay
// in the kernel's cache, nothing is written or lost, and whoever reads one again pays a minor fault.

internal import Glibc

extension Environment {
  /// Gives back the pages of data.mdb that this process has mapped.
  /// - Returns: the address space that was given back, in bytes; 0 where the map was not found, which changes nothing.
  @discardableResult package func giveBackPages() -> Int {
    // The map stays where it is while the gate is held.
    gate.enter()
    defer { gate.leave() }
    guard handle != nil else { return 0 }
    return Self.maps(of: fileNumber).reduce(0) { sum, map in
      // POSIX_MADV_DONTNEED does nothing in glibc.
      madvise(UnsafeMutableRawPointer(bitPattern: map.lowerBound), map.count, MADV_DONTNEED) == 0
        ? sum + map.count : sum
    }
  }

  /// Where this process has mapped a file for reading and shared, as proc_pid_maps(5) has it:
  ///
  ///     7f1c40000000-7f1c80000000 r--s 00000000 fe:01 1835012    /var/lib/printtrail/journal/data.mdb
  ///     from         to           mode offset   device inode     path
  private static func maps(of fileNumber: UInt64) -> [Range<UInt>] {
    guard let file = fopen("/proc/self/maps", "re") else { return [] }
    defer { fclose(file) }
    var maps: [Range<UInt>] = []
    var (line, capacity): (UnsafeMutablePointer<CChar>?, Int) = (nil, 0)
    defer { free(line) }
    while getline(&line, &capacity, file) > 0, let line {
      let fields = String(cString: line).split(whereSeparator: \.isWhitespace)
      guard fields.count > 5, fields[1] == "r--s", UInt64(fields[4]) == fileNumber, fields[5].hasSuffix("/data.mdb")
      else { continue }
      let ends = fields[0].split(separator: "-").map { UInt($0, radix: 16) }
      if ends.count == 2, let from = ends[0], let to = ends[1], from < to { maps.append(from..<to) }
    }
    return maps
  }
}
