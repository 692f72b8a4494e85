// The words of sd_notify(3), as a service manager hears them.

import Glibc
import Platform
import Testing

@Suite struct ServiceManagerTests {
  @Test(arguments: [true, false]) func `notices arrive at a socket of either kind`(isAbstract: Bool) throws {
    let name =
      isAbstract ? "@printtrail-test-\(UInt64.random(in: 0 ... .max))" : try temporaryDirectory() + "/notify"
    let listener = try Listener(name)
    let manager = try #require(ServiceManager(variable: { $0 == "NOTIFY_SOCKET" ? name : nil }, process: 7))
    try manager.tell([.ready, .status("collecting")])
    #expect(listener.next() == "READY=1\nSTATUS=collecting\n")
    try manager.tell([.alive])
    #expect(listener.next() == "WATCHDOG=1\n")
    try manager.tell([.stopping])
    #expect(listener.next() == "STOPPING=1\n")
    try manager.tell([.reloading])
    let said = listener.next()
    #expect(
      said.hasPrefix("RELOADING=1\nMONOTONIC_USEC=") && said.dropFirst(27).allSatisfy { $0.isNumber || $0 == "\n" })
  }

  @Test func `a status is one line, whatever is in it`() throws {
    let name = "@printtrail-test-\(UInt64.random(in: 0 ... .max))"
    let listener = try Listener(name)
    let manager = try #require(ServiceManager(variable: { $0 == "NOTIFY_SOCKET" ? name : nil }, process: 7))
    try manager.tell([.status("all is well\nREADY=1")])
    #expect(listener.next() == "STATUS=all is well\n")
  }

  @Test func `nobody is told where nobody listens`() throws {
    #expect(ServiceManager(variable: { _ in nil }, process: 7) == nil)
    let gone = try #require(
      ServiceManager(variable: { $0 == "NOTIFY_SOCKET" ? "/nowhere/notify" : nil }, process: 7))
    let error = #expect(throws: SystemError.self) { try gone.tell([.ready]) }
    #expect(error?.description == "Could not tell the service manager at /nowhere/notify: no such file or directory.")
  }

  @Test(arguments: ["vsock:2:1234", "relative", "@", "/" + String(repeating: "x", count: 107)])
  func `what is no name of a socket is passed over`(name: String) {
    #expect(ServiceManager(variable: { $0 == "NOTIFY_SOCKET" ? name : nil }, process: 7) == nil)
  }

  @Test(
    arguments: [
      (nil, nil, nil), ("2000000", nil, 2), ("2000000", "7", 2), ("2000000", "8", nil), ("0", nil, nil),
      ("-5", nil, nil),
      ("soon", nil, nil), ("2000000", "x", nil),
    ] as [(String?, String?, Int?)])
  func `the watchdog's time counts for the process that it is meant for`(
    microseconds: String?, process: String?, seconds: Int?
  ) {
    let variables = ["NOTIFY_SOCKET": "/run/notify", "WATCHDOG_USEC": microseconds, "WATCHDOG_PID": process]
    let manager = ServiceManager(variable: { variables[$0] ?? nil }, process: 7)
    #expect(manager?.watchdogTimeout == seconds.map { .seconds($0) })
  }

  @Test func `a secret is where the service manager put it, else beside the configuration, and its name is no path`() {
    #expect(
      ServiceCredentials.path(of: "proxy", configurationDirectory: "/etc/printtrail", handedOver: "/run/c")
        == "/run/c/secret_proxy")
    #expect(
      ServiceCredentials.path(of: "proxy", configurationDirectory: "/etc/printtrail", handedOver: nil)
        == "/etc/printtrail/credentials/proxy")
    for name in ["", "../shadow", "a/b", ".hidden", "a b", String(repeating: "x", count: 129), "ä"] {
      #expect(ServiceCredentials.path(of: name, configurationDirectory: "/etc", handedOver: nil) == nil, "\(name)")
    }
  }
}

/// The socket of a service manager.
private final class Listener {
  private let descriptor: Int32
  private let path: String?

  init(_ name: String) throws {
    descriptor = socket(AF_UNIX, Int32(SOCK_DGRAM.rawValue), 0)
    var bytes = Array(name.utf8)
    path = name.hasPrefix("@") ? nil : name
    if path == nil { bytes[0] = 0 }
    var address = sockaddr_un()
    address.sun_family = sa_family_t(AF_UNIX)
    withUnsafeMutableBytes(of: &address.sun_path) { $0.copyBytes(from: bytes) }
    let length = socklen_t(2 + bytes.count)
    let bound = withUnsafePointer(to: address) { pointer in
      pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { bind(descriptor, $0, length) }
    }
    try #require(bound == 0)
    // A notice that does not come fails the test instead of holding it up.
    var patience = timeval(tv_sec: 5, tv_usec: 0)
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, socklen_t(MemoryLayout<timeval>.size))
  }

  deinit {
    close(descriptor)
    if let path { unlink(path) }
  }

  func next() -> String {
    var buffer = [UInt8](repeating: 0, count: 4_096)
    let count = recv(descriptor, &buffer, buffer.count, 0)
    return count < 0 ? "" : String(decoding: buffer[..<count], as: UTF8.self)
  }
}
