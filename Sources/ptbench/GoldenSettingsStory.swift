// What happens in the golden journal of settings: SettingsApplied and SettingsRefused, which the journals before it were written too early for.

internal import Events

enum GoldenSettingsStory {
  static func entries() throws -> [GoldenEntry] {
    let interval = RecordedSetting(key: "poll.interval", value: "\"10m\"")
    let exclusions = RecordedSetting(key: "discovery.exclusions", value: "[\"192.0.2.1\", \"192.0.2.240-254\"]")
    let device = RecordedDeviceSettings(
      device: "00112233445566778899aabbccddeeff", values: [RecordedSetting(key: "alerts.low_supply", value: "25")])
    let bodies: [EventBody] = [
      .agentStarted(AgentStarted(version: "0.1.0", hostName: "golden")),
      .settingsApplied(
        SettingsApplied(version: 1, digest: digest(1), values: [interval], overridden: ["poll.interval"])),
      .settingsRefused(
        SettingsRefused(
          version: 2, digest: digest(2), keys: ["poll.interval"],
          reason: "poll.interval: found \"0s\", expected a duration such as \"30m\" from 1s to 7d.")),
      .settingsApplied(
        SettingsApplied(version: 3, digest: digest(3), values: [exclusions, interval], devices: [device])),
      .settingsRefused(
        SettingsRefused(version: 4, digest: digest(4), keys: [], reason: "found 200000 bytes, expected fewer.")),
      .agentStopped(AgentStopped(reason: "SIGTERM")),
    ]
    return try bodies.enumerated().map { index, body in
      let time = GoldenStory.begin + Int64(index) * 60_000
      return GoldenEntry(time: time, payload: try Event(time: time, body).encoded())
    }
  }

  private static func digest(_ seed: UInt8) -> [UInt8] { (0..<32).map { $0 &* 7 &+ seed } }
}
