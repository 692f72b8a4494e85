import Platform
import Testing

@Suite struct FilesTests {
  @Test func `a replaced file has the new bytes and the asked mode, and leaves nothing beside it`() throws {
    let directory = try scratchDirectory()
    let path = directory + "/identity.json"
    try Files.replace(path, with: Array("old".utf8), mode: 0o644)
    try Files.replace(path, with: Array("new".utf8), mode: 0o600)
    #expect(try Files.readText(path) == "new")
    #expect(Files.mode(of: path) == 0o600)
    #expect(try Files.names(in: directory) == ["identity.json"])
  }

  @Test func `a file that cannot be replaced stays as it was, and the error names it`() throws {
    let directory = try scratchDirectory()
    // A directory stands where the file should be: rename(2) refuses.
    try Files.makeDirectory(directory + "/taken/inside")
    let error = #expect(throws: SystemError.self) { try Files.replace(directory + "/taken", with: [1]) }
    #expect(error?.description.contains(directory + "/taken") == true)
    #expect(try Files.names(in: directory) == ["taken"])
  }

  @Test func `directories are made with those above them, and twice does no harm`() throws {
    let directory = try scratchDirectory() + "/a/b/c"
    try Files.makeDirectory(directory)
    try Files.makeDirectory(directory)
    #expect(Files.isWritableDirectory(directory))
  }

  @Test func `removing what is not there is fine, reading it is not`() throws {
    let path = try scratchDirectory() + "/nothing"
    try Files.remove(path)
    let error = #expect(throws: SystemError.self) { try Files.read(path) }
    #expect(error?.isNotFound == true)
  }

  @Test(arguments: [("a/b", "a"), ("/a", "/"), ("a", "."), ("/a/b/", "/a")])
  func `the parent of a path is what stands before its last slash`(path: String, parent: String) {
    #expect(Files.parent(of: path) == parent)
  }

  @Test func `a file is written over where it lies, and never grows by it`() throws {
    let path = try scratchDirectory() + "/status.json"
    try Files.replace(path, with: Array("{\"a\":1}        ".utf8))
    try Files.overwrite(path, with: Array("{}".utf8))
    #expect(try Files.readText(path) == "{}" + String(repeating: " ", count: 13))
    #expect(throws: SystemError.self) { try Files.overwrite(path, with: [UInt8](repeating: 0, count: 16)) }
    #expect(try Files.readText(path).hasPrefix("{}"))
  }

  private func scratchDirectory() throws -> String {
    let path = "/tmp/printtrail-tests/files-\(UInt64.random(in: 0 ... .max))"
    try Files.makeDirectory(path)
    return path
  }
}

@Suite struct HostAndPortTests {
  @Test(arguments: [
    ("hub.example.org:7443", "hub.example.org", 7443), ("10.0.0.5:1", "10.0.0.5", 1),
    ("[2001:db8::5]:65535", "2001:db8::5", 65535),
  ])
  func `a host with its port is read and written back`(text: String, host: String, port: Int) {
    let address = HostAndPort(text)
    #expect(address?.host == host)
    #expect(address.map { Int($0.port) } == port)
    #expect(address?.description == text)
  }

  @Test(arguments: [
    "", "hub", "hub:", "hub:0", "hub:65536", ":7443", "hub:+1", "2001:db8::5:7443", "[hub]:1", "https://hub:1", "a b:1",
  ])
  func `anything else is refused`(text: String) {
    #expect(HostAndPort(text) == nil)
  }
}

@Suite struct DurationTests {
  @Test(arguments: [
    (0, "0 ms"), (350, "350 ms"), (12_000, "12 s"), (250_000, "4 min 10 s"), (11_100_000, "3 h 5 min"),
    (1_051_200_000, "12 d 4 h"),
  ])
  func `a duration is spoken in its two largest units`(milliseconds: Int, spoken: String) {
    #expect(Duration.milliseconds(milliseconds).spoken == spoken)
  }
}
