// pthub ca show | rotate | retire

internal import ArgumentParser
internal import HubServer

struct CACommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "ca", abstract: "The hub's certificate authority.",
    subcommands: [Show.self, Rotate.self, Retire.self])

  struct Show: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Print the root certificate in PEM, and its pin.",
      discussion: """
        The pin is sha256/ and the base64 of the SHA-256 of the root's public key (SubjectPublicKeyInfo). It goes to the technician by another way than the network, and \
        lets an agent know the hub at its first contact. Compare it with

          openssl x509 -pubkey -noout | openssl pkey -pubin -outform der | openssl dgst -sha256 -binary | base64

        While the hub goes over to another root (`ca rotate`) both are shown, the new one first, and how many installs still have a certificate of the one before it. \
        Either pin is good for enrolling then; give out the new one.
        """)

    private struct Root: Encodable {
      let pin: String
      /// `only`, or during a rotation `new` and `old`.
      let role: String
      let notAfter: String
      let pem: String
    }

    private struct Authority: Encodable {
      let pin: String
      let notAfter: String
      let pem: String
      let roots: [Root]
      let rotated: String?
      /// Installs whose certificate is of the old root; nil without a rotation.
      let installsLeft: Int?
    }

    @OptionGroup var hub: HubOptions
    @OptionGroup var output: OutputOptions

    func run() async throws {
      let (directory, store) = try hub.open()
      let roots = directory.roots
      let left = roots.isRotating ? try await RootChange.installsLeft(of: roots, store).count : nil
      let lines = roots.trusted.enumerated().map { index, root in
        Root(
          pin: root.pin, role: !roots.isRotating ? "only" : index == 0 ? "new" : "old",
          notAfter: timeText(root.rootNotAfter), pem: root.rootPEM)
      }
      let shown = Authority(
        pin: lines[0].pin, notAfter: lines[0].notAfter, pem: lines[0].pem, roots: lines,
        rotated: roots.rotatedAt.map { timeText($0) }, installsLeft: left)
      guard output.output == .table else { return try printJSON(shown) }
      for line in lines {
        printFields([("pin", line.pin), ("ends", line.notAfter)] + (roots.isRotating ? [("root", line.role)] : []))
        printLine(line.pem)
      }
      if let left {
        printFields([("rotated", shown.rotated ?? "-"), ("installs left", "\(left)")])
        printLine(
          left == 0
            ? "Every install has a certificate of the new root. End the change: pthub ca retire"
            : "They go over by themselves, each within a day of being switched on. See which: pthub ca retire")
      }
    }
  }

  struct Rotate: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Begin to go over to a new root.",
      discussion: """
        Makes a new root beside the old one. From now on certificates are issued by the new root, both are trusted, and agents are told to trust both and to renew; \
        each does so within a day of being switched on. A hub that is served notices within seconds. `ca show` tells how many installs are left, and `ca retire` ends \
        the change. Do it well before the root ends; if its key may be known to others, do it now, and retire the old root as soon as you can.

        Back up the directory afterwards. Several hubs over one database need the same files in each of their directories.
        """)

    @OptionGroup var hub: HubOptions

    func run() async throws {
      let (directory, store) = try hub.open()
      let roots = try Roots.rotate(directory)
      try await store.audit(
        AuditEntry(
          at: HubClock.system.now, action: "ca.rotated", subject: roots.issuing.pin, peer: "",
          detail: "before it \(roots.serving.pin)"))
      printFields([("new pin", roots.issuing.pin), ("old pin", roots.serving.pin)])
    }
  }

  struct Retire: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
      abstract: "Trust the old root no more, and destroy its key.",
      discussion: """
        Refused with exit code 69, and with the installs by name, as long as an install in use has a certificate of the old root: it would have to be enrolled again by \
        hand. With --force those are given up.
        """)

    @OptionGroup var hub: HubOptions
    @Flag(help: "Also if installs are left, which must then be enrolled again with a new code.") var force = false

    func run() async throws {
      let (directory, store) = try hub.open()
      let left = directory.roots.isRotating ? try await RootChange.installsLeft(of: directory.roots, store) : []
      guard left.isEmpty || force else { throw HubError(.unavailable, RootChange.refusal(left)) }
      let roots = try Roots.retire(directory)
      try await store.audit(
        AuditEntry(
          at: HubClock.system.now, action: "ca.retired", subject: directory.authority.pin, peer: "",
          detail: "installs given up: \(left.count)"))
      printFields([("pin", roots.serving.pin), ("given up", "\(left.count)")])
    }
  }
}
