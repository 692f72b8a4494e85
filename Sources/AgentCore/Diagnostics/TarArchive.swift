// An archive as every system unpacks it: POSIX ustar (IEEE Std 1003.1-1988, pax(1), "ustar Interchange Format"). Plain files in one directory.
//
//     header, 512 bytes: name[100] mode[8] uid[8] gid[8] size[12] mtime[12] chksum[8] typeflag[1] linkname[100] magic[6] version[2] ...
//     content, filled up with zeros to a multiple of 512
//     ...
//     1,024 zeros

struct TarArchive {
  private static let block = 512

  private(set) var bytes: [UInt8] = []
  private let directory: String
  /// Seconds since 1970 UTC, of every file.
  private let time: Int64

  /// - Parameter directory: what the files are put under when it is unpacked.
  init(directory: String, time: Int64) { (self.directory, self.time) = (directory, time) }

  /// - Parameter name: short: with the directory's it has 100 bytes at most.
  mutating func add(_ name: String, _ content: [UInt8]) {
    bytes += header("\(directory)/\(name)", size: content.count) + content
    bytes += [UInt8](repeating: 0, count: (Self.block - content.count % Self.block) % Self.block)
  }

  /// The archive as a whole.
  consuming func finished() -> [UInt8] { bytes + [UInt8](repeating: 0, count: 2 * Self.block) }

  private func header(_ name: String, size: Int) -> [UInt8] {
    precondition(name.utf8.count < 100, "\(name) does not fit a header")
    var header: [UInt8] = []
    func text(_ text: String, _ width: Int) {
      header += (Array(text.utf8) + [UInt8](repeating: 0, count: width)).prefix(width)
    }
    func octal(_ number: Int64, _ width: Int) {
      let digits = String(number, radix: 8)
      text(String(repeating: "0", count: max(0, width - 1 - digits.count)) + digits, width)
    }
    text(name, 100)
    octal(0o600, 8)
    octal(0, 8)
    octal(0, 8)
    octal(Int64(size), 12)
    octal(time, 12)
    // The sum is made with spaces in its place.
    header += [UInt8](repeating: 0x20, count: 8)
    text("0", 1)
    text("", 100)
    text("ustar", 6)
    text("00", 2)
    header += [UInt8](repeating: 0, count: Self.block - header.count)
    let sum = String(header.reduce(0) { $0 + Int($1) }, radix: 8)
    let field = Array((String(repeating: "0", count: 6 - sum.count) + sum).utf8) + [0, 0x20]
    header.replaceSubrange(148..<156, with: field)
    return header
  }
}
