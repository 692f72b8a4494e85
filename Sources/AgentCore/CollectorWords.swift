// What a status says of collecting beside that it goes on: that there is no network to ask in, or that nothing lets itself be read. Pure.

internal import Collectors
internal import Discovery
internal import Platform
internal import ReadModels

struct CollectorWords: Equatable, Sendable {
  let state: AgentStatus.Condition
  let message: String
  let remedy: String?

  private static let loopback = AddressSet(span: 127 << 24...(128 << 24) - 1)

  /// - Parameters:
  ///   - addresses: that are swept.
  ///   - interfaces: of this machine that are up.
  static func collecting(from addresses: AddressSet, interfaces: [HostInterface]) -> CollectorWords {
    let isElsewhere = !addresses.subtracting(loopback).isEmpty
    guard isElsewhere, !interfaces.contains(where: { !$0.isLoopback }) else {
      return CollectorWords(
        .working, "collecting from \(counted(addresses.count, "address", plural: "addresses"))", remedy: nil)
    }
    return CollectorWords(
      .degraded, "this machine is in no network: no printer can be asked",
      remedy: "Look at its cable and its addresses (ip address). Collecting goes on by itself.")
  }

  /// That nothing lets itself be read, and why, as far as polls and the last sweep say; nil: nothing of the kind.
  /// - Parameters:
  ///   - outcomes: of the last sweep, addresses per reason.
  ///   - devices: that are known, by their condition.
  static func fruitless(_ outcomes: [String: UInt64], devices: [String: Int]) -> CollectorWords? {
    let unreachable = devices["unreachable"] ?? 0
    // One that is switched off is nothing unusual.
    if unreachable > 1, devices["read"] ?? 0 == 0 {
      return CollectorWords(
        .degraded, "none of the \(unreachable) devices answers",
        remedy:
          "Is this machine still in their network? Look at its cable, its addresses and what filters between. Polling goes on by itself."
      )
    }
    let devices = devices.values.reduce(0, +)
    let (found, refused) = (
      outcomes[SweepReason.found.rawValue] ?? 0, outcomes[SweepReason.wrongCredential.rawValue] ?? 0
    )
    guard found == 0, devices == 0, refused > 0 else { return nil }
    let addresses = counted(refused, "address", plural: "addresses")
    return CollectorWords(
      .degraded,
      "no printer was found: \(addresses) \(refused == 1 ? "answers and refuses" : "answer and refuse") every credential",
      remedy:
        "Set the printers' community or SNMPv3 user under [credentials] and name it in discovery.ranges; ptagent sweep shows which addresses they are."
    )
  }

  private init(_ state: AgentStatus.Condition, _ message: String, remedy: String?) {
    (self.state, self.message, self.remedy) = (state, message, remedy)
  }
}
