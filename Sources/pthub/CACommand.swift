// pthub ca show

internal import ArgumentParser
internal import HubServer

struct CACommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ca", abstract: "The hub's certificate authority.", subcommands: [Show.self])

  struct Show: ParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the root certificate in PEM, and its pin.",
      discussion: """
        The pin is sha256/ and the base64 of the SHA-256 of the root's public key (SubjectPublicKeyInfo). It goes to the technician by another way than the network, and \
        lets an agent know the hub at its first contact. Compare it with

          openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64
        """)

    private struct Authority: Encodable {
      let pin: String
      let notAfter: String
      let pem: String
    }

    @OptionGroup var hub: HubOptions
    @OptionGroup var output: OutputOptions

    func run() throws {
      let authority = try HubDirectory.open(at: hub.path()).authority
      let shown = Authority(pin: authority.pin, notAfter: timeText(authority.rootNotAfter), pem: authority.rootPEM)
      guard output.output == .table else { return try printJSON(shown) }
      printFields([("pin", shown.pin), ("ends", shown.notAfter)])
      printLine(shown.pem)
    }
  }
}
