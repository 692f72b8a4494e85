// What the system says of this process, under the names that Prometheus' client libraries give it
// (prometheus.io/docs/instrumenting/writing_clientlibs/#process-metrics; proc(5)).

internal import Glibc

package enum ProcessFigures {
  package static func families() -> [MetricFamily] {
    var families: [MetricFamily] = []
    let stat = statFields()
    let ticks = Double(sysconf(Int32(_SC_CLK_TCK)))
    if let user = stat[14], let system = stat[15], ticks > 0 {
      families.append(
        .counter("process_cpu_seconds_total", "Processor time that was used, in seconds.", (user + system) / ticks))
    }
    if let size = stat[23] { families.append(.gauge("process_virtual_memory_bytes", "Virtual memory.", size)) }
    if let pages = stat[24] {
      families.append(
        .gauge("process_resident_memory_bytes", "Memory in use.", pages * Double(sysconf(Int32(_SC_PAGESIZE)))))
    }
    if let started = stat[22], ticks > 0, let boot = bootTime() {
      families.append(
        .gauge(
          "process_start_time_seconds", "When the process began, in seconds since 1970 UTC.", boot + started / ticks))
    }
    if let open = openDescriptors() {
      families.append(.gauge("process_open_fds", "File descriptors that are open.", Double(open)))
    }
    var limit = rlimit()
    if getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 {
      families.append(.gauge("process_max_fds", "File descriptors that may be open.", Double(limit.rlim_cur)))
    }
    return families
  }

  /// The fields of /proc/self/stat by their numbers in proc(5). The second, the program's name, may hold anything; what counts is behind its
  /// last parenthesis.
  private static func statFields() -> [Int: Double] {
    guard let text = text("/proc/self/stat"), let end = text.lastIndex(of: ")") else { return [:] }
    var fields: [Int: Double] = [:]
    for (index, field) in text[text.index(after: end)...].split(separator: " ").enumerated() {
      fields[index + 3] = Double(field.trimmingPrefix("\n"))
    }
    return fields
  }

  /// Seconds since 1970 UTC.
  private static func bootTime() -> Double? {
    text("/proc/stat")?.split(separator: "\n").first { $0.hasPrefix("btime ") }.flatMap { Double($0.dropFirst(6)) }
  }

  private static func openDescriptors() -> Int? {
    guard let stream = opendir("/proc/self/fd") else { return nil }
    defer { closedir(stream) }
    var count = 0
    while readdir(stream) != nil { count += 1 }
    // Without ".", ".." and the directory's own.
    return count - 3
  }

  private static func text(_ path: String) -> String? {
    // A file of /proc has no size before it is read; /proc/stat grows with the processors.
    guard let file = fopen(path, "re") else { return nil }
    defer { fclose(file) }
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: 16_384)
    while bytes.count < 1 << 20 {
      let count = fread(&buffer, 1, buffer.count, file)
      if count == 0 { break }
      bytes += buffer[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
