// Many agents at one hub: a stream each, idle, and all of them coming back after the hub was gone.

internal import ArgumentParser
internal import Enrolment
internal import FoundationEssentials
internal import GRPCCore
internal import GRPCNIOTransportHTTP2Posix
internal import HubProtocol
internal import NIOPosix
internal import OpenSSL
internal import Platform
internal import Replicator
internal import Synchronization

struct HerdBench: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "herd",
    abstract: "Enrols many installs, opens a stream of each, and opens it again whenever it ends.",
    discussion: """
      A line of JSON each second says how many are welcomed now, and how many attempts were refused or failed by then. An agent that lost its
      stream waits as real ones do: a second at random, then two, and so on, up to five minutes. Ends when standard input does.
      """)

  @OptionGroup var hub: BenchHub
  @Option(help: "How many agents.") var agents = 1_000
  @Option(help: "How many enrol at the same time.") var enrolling = 8
  @Option(help: "Within how many seconds they connect at first.") var spread = 10

  func validate() throws {
    guard (1...19_000).contains(agents), enrolling > 0, spread >= 0 else {
      throw ValidationError("Expected 1 to 19000 agents.")
    }
  }

  func run() async throws {
    let clock = ContinuousClock()
    let start = clock.now
    let members = try await enrol()
    let seconds = (clock.now - start).seconds
    try StandardOutput.write(
      Array(#"{"benchmark":"herd.enrolled","agents":\#(agents),"seconds":\#(seconds)}"#.utf8) + [UInt8(ascii: "\n")])
    let count = HerdCount()
    try await withThrowingDiscardingTaskGroup { group in
      for member in members { group.addTask { await member.stay(count, spread: spread) } }
      group.addTask {
        while true {
          try StandardOutput.write(Array("\(count.line)\n".utf8))
          do { try await Task.sleep(for: .seconds(1)) } catch { return }
        }
      }
      try await onOwnThread { while readLine() != nil {} }
      group.cancelAll()
    }
  }

  private func enrol() async throws -> [HerdMember] {
    let key = try Ed25519PrivateKey()
    return try await withThrowingTaskGroup(of: HerdMember.self) { group in
      var members: [HerdMember] = []
      for number in 0..<agents {
        if number >= enrolling, let member = try await group.next() { members.append(member) }
        group.addTask {
          var id = [UInt8](repeating: 0, count: 16)
          for place in id.indices { id[place] = .random(in: 0...255) }
          let journal = JournalReference(id: id, publicKey: key.publicKey)
          return HerdMember(journal: journal, install: try await hub.enrol(journal: journal, name: "herd-\(number)"))
        }
      }
      for try await member in group { members.append(member) }
      return members
    }
  }
}

/// How many have what.
final class HerdCount: Sendable {
  private struct State {
    var welcomed = 0
    var attempts = 0
    var failures: [String: Int] = [:]
  }

  private let state = Mutex(State())

  func attempt() { state.withLock { $0.attempts += 1 } }
  func welcome() { state.withLock { $0.welcomed += 1 } }
  func leave() { state.withLock { $0.welcomed -= 1 } }
  func fail(_ code: RPCError.Code) { state.withLock { $0.failures["\(code)", default: 0] += 1 } }

  var line: String {
    let state = state.withLock { $0 }
    let failures = state.failures.sorted { $0.key < $1.key }.map { #""\#($0.key)":\#($0.value)"# }
    return
      #"{"benchmark":"herd","time":\#(Machine.milliseconds),"welcomed":\#(state.welcomed),"attempts":\#(state.attempts),"failures":{\#(failures.joined(separator: ","))}}"#
  }
}

struct HerdMember: Sendable {
  let journal: JournalReference
  let install: BenchInstall

  /// Keeps a stream open until the task is cancelled.
  func stay(_ count: HerdCount, spread: Int) async {
    var generator = SystemRandomNumberGenerator()
    var backoff = Backoff()
    try? await Task.sleep(for: .milliseconds(Int.random(in: 0...spread * 1_000)))
    while !Task.isCancelled {
      count.attempt()
      let isWelcome = Mutex(false)
      do {
        try await stream {
          isWelcome.withLock { $0 = true }; count.welcome()
        }
      } catch let error as RPCError {
        count.fail(error.code)
      } catch {
        count.fail(.unknown)
      }
      if isWelcome.withLock({ $0 }) {
        count.leave()
        backoff.succeeded()
      }
      try? await Task.sleep(for: backoff.failed(using: &generator))
    }
  }

  private func stream(welcomed: @escaping @Sendable () -> Void) async throws {
    let transport = try install.plainTransport(compresses: false, group: MultiThreadedEventLoopGroup.singleton)
    try await withGRPCClient(transport: transport) { client in
      let (end, ending) = AsyncStream.makeStream(of: Never.self)
      let request = StreamingClientRequest<Printtrail_Dcam_V1_AgentMessage> { writer in
        try await writer.write(BenchInstall.hello(journal, heads: []))
        for await _ in end {}
      }
      try await Printtrail_Dcam_V1_DeviceCollection.Client(wrapping: client).stream(request: request) { response in
        defer { ending.finish() }
        for try await message in response.messages {
          if case .welcome = message.message { welcomed() }
        }
      }
    }
  }
}
