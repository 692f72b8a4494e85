internal import DevicePages
internal import Testing

@Suite struct `Cookies of other sessions' pages` {
  private let domain = RemoteDomain(name: "remote.localhost", port: 443)

  @Test func `are taken away by their names, and the hub's own stays`() {
    #expect(
      TossedCookies.removal(["a=1; b = 2;a=3", "sid=x=y; __Host-printtrail-page=0; __host-other=1"], in: domain)
        == ["a", "b", "sid"].map { "\($0)=; Domain=remote.localhost; Path=/; Max-Age=0; Secure" })
  }

  @Test(arguments: ["", ";", "=", "novalue", "=x", "a\"b=1", "a/b=1", "ä=1", "a\r\nb=1"])
  func `that have no name that may be set are left alone`(_ sent: String) {
    #expect(TossedCookies.removal([sent], in: domain).isEmpty)
  }

  @Test func `are as many as a browser has, and no more`() {
    let many = (0..<1_000).map { "c\($0)=1" }.joined(separator: "; ")
    #expect(TossedCookies.removal([many], in: domain).count == 200)
  }
}
