import Events
import Evidence
import Foundation
import Journal
import MIB
import OpenSSL
import PrinterModel
import Testing

@testable import ReadModels

@Suite struct `The chain behind a number` {
  private let fleet = JournalOfAFleet()

  private func explain(
    _ meter: String = "total", of device: String? = nil, at point: JournalPoint = .head, withObjects: Bool = false,
    trusted: TrustedKeys? = nil
  ) throws -> MeterExplanation {
    try MeterExplanation(
      JournalReader.open(directory: fleet.journal), device: device ?? fleet.devices[0].description, meter: meter,
      at: point, withObjects: withObjects, trusted: trusted)
  }

  private func append(_ bodies: EventBody..., at time: Int64 = 90_000) async throws {
    try await fleet.withJournal { journal in
      try await journal.append(bodies.map { try Event(time: time, device: fleet.devices[0], $0).encoded() })
    }
  }

  private func reading(_ meters: Meter...) -> EventBody {
    var change = ReadingChange()
    change.meters.changed = meters
    return .readingChanged(ReadingChanged(change: change, raw: [], removed: [], cost: PollCost()))
  }

  private func total(_ value: UInt64, rule: String = "t@1") -> Meter {
    Meter(
      name: .total, value: value, unit: .impressions,
      source: Source([1, 3, 6, 1, 2, 1, 43, 10, 2, 1, 4, 1, 1], .counter32(UInt32(value))), rule: Rule(rule))
  }

  private let unchanged = EventBody.readingUnchanged(ReadingUnchanged(uptimeTicks: 1, cost: PollCost()))

  @Test func `begins at the record that set it and the value before`() async throws {
    try await fleet.live(polls: 9)
    let chain = try explain()
    #expect(chain.setting.value.meter.value == 107)
    #expect(chain.setting.value.moment.position == RecordPosition(epoch: 1, sequence: 14))
    #expect(chain.setting.value.moment.observed == 10_000)
    #expect(chain.setting.earlier?.meter.value == 104)
    #expect(chain.setting.earlier.map { chain.setting.value.volume(since: $0) } == 3)
    #expect(chain.setting.epoch.first?.meter.value == 100)
    #expect(chain.setting.address == "10.0.0.0:161")
    #expect(chain.setting.identity.serial?.text == "S0")
    #expect(chain.isIntact)
  }

  @Test func `counts the later polls that found the same`() async throws {
    try await fleet.live(polls: 1)
    #expect(try explain().setting.confirmations == 0)
    try await append(unchanged, reading(), reading(total(101)), unchanged, at: 77_000)
    let setting = try explain().setting
    #expect(setting.value.moment.position.sequence == 8)
    #expect(setting.confirmations == 4)
    #expect(setting.lastConfirmed?.observed == 77_000)
  }

  @Test func `says which record opened the meter epoch and subtracts nothing across it`() async throws {
    try await fleet.live(polls: 1)
    let opened = MeterEpochOpened(meter: .total, epoch: 2, previous: 101, current: 5, evidence: "dropped")
    try await append(.meterEpochOpened(opened), reading(total(5)), reading(total(9)))
    let first = try explain(at: .sequence(10, epoch: 1)).setting
    #expect(first.earlier == nil)
    #expect(first.epoch.opening?.event == opened)
    let second = try explain().setting
    #expect(second.epoch.number == 2)
    #expect(second.epoch.first?.meter.value == 5)
    #expect(second.earlier.map { second.value.volume(since: $0) } == 4)
  }

  @Test func `goes on from the value before a wrong reading, whose pages count for nothing`() async throws {
    try await fleet.live(polls: 1)
    let drop = MeterEpochOpened(meter: .total, epoch: 2, previous: 101, current: 5, evidence: "dropped", cause: "drop")
    let back = MeterEpochOpened(
      meter: .total, epoch: 3, previous: 9, current: 103, evidence: "returned to 103 from 9", cause: "returned",
      volume: 2, continues: 1)
    try await append(
      .meterEpochOpened(drop), reading(total(5)), reading(total(9)), .meterEpochOpened(back), reading(total(103)))
    let chain = try explain()
    let setting = chain.setting
    #expect(setting.epoch.number == 3 && setting.earlier?.meter.value == 101)
    #expect(setting.earlier.map { setting.value.volume(since: $0) } == 2)
    #expect(setting.epoch.first.map { setting.value.volume(since: $0) } == 3)
    #expect(chain.text.contains("2 impressions since then") && chain.text.contains("3 impressions"))
    #expect(
      chain.text.contains("2 were counted since it was 101 in epoch 1, and what was read in between counts for nothing")
    )
    let json = try #require(try JSONSerialization.jsonObject(with: Data(chain.json)) as? [String: Any])
    #expect((json["meterEpoch"] as? [String: Any])?["continues"] as? Int == 1)
    try await append(reading(total(104)))
    #expect(try explain().setting.earlier?.meter.value == 103)
  }

  @Test func `goes on from the value before a rise that was read wrongly`() async throws {
    try await fleet.live(polls: 1)
    let back = MeterEpochOpened(
      meter: .total, epoch: 2, previous: 90_100, current: 104, evidence: "returned to 104 from 90100",
      cause: "returned",
      volume: 3, continues: 1)
    try await append(
      reading(total(90_000)), reading(total(90_100)), .meterEpochOpened(back), reading(total(104)))
    let chain = try explain()
    #expect(chain.setting.epoch.number == 2 && chain.setting.earlier?.meter.value == 101)
    #expect(chain.text.contains("3 impressions since then") && chain.text.contains("in the epoch"))
    #expect(chain.setting.epoch.first.flatMap { chain.setting.value.volume(since: $0) } == 4)
    #expect(chain.text.contains("3 were counted since it was 101 in epoch 1"))
    try await append(reading(total(110)))
    #expect(try explain().setting.earlier?.meter.value == 104)
  }

  @Test func `counts a range once that wrong readings interrupted`() {
    var ranges = CountedRanges(.total)
    func read(_ value: UInt64) -> EventBody { reading(total(value)) }
    let bodies: [EventBody] = [
      read(100), read(160),
      .meterEpochOpened(MeterEpochOpened(meter: .total, epoch: 2, previous: 160, current: 0, evidence: "")), read(0),
      read(9),
      .meterEpochOpened(
        MeterEpochOpened(
          meter: .total, epoch: 3, previous: 9, current: 161, evidence: "", volume: 1, continues: 1)), read(161),
    ]
    for (time, body) in bodies.enumerated() { ranges.apply(Event(time: Int64(time), body)) }
    #expect(ranges.counted == 61 && ranges.ranges.count == 1)
  }

  @Test func `counts no page of a rise that was read wrongly`() {
    var ranges = CountedRanges(.total)
    func read(_ value: UInt64) -> EventBody { reading(total(value)) }
    let back = MeterEpochOpened(
      meter: .total, epoch: 2, previous: 90_100, current: 163, evidence: "", volume: 3, continues: 1)
    for (time, body) in [read(100), read(160), read(90_000), .meterEpochOpened(back), read(163), read(170)].enumerated()
    {
      ranges.apply(Event(time: Int64(time), body))
    }
    #expect(ranges.counted == 70 && ranges.ranges.count == 1)
  }

  @Test func `is set anew by another rule for the same number`() async throws {
    try await fleet.live(polls: 1)
    try await append(reading(total(101, rule: "t@2")))
    let setting = try explain().setting
    #expect(setting.value.meter.rule == Rule("t@2"))
    #expect(setting.earlier?.meter.rule == Rule("t@1"))
  }

  @Test func `says since when the device does not report the meter`() async throws {
    try await fleet.live(polls: 1)
    var change = ReadingChange()
    change.meters.removed = [.total]
    try await append(.readingChanged(ReadingChanged(change: change, raw: [], removed: [], cost: PollCost())), unchanged)
    let setting = try explain().setting
    #expect(setting.value.meter.value == 101)
    #expect(setting.gone?.position.sequence == 9)
    #expect(setting.confirmations == 0)
  }

  @Test func `at an earlier record or time is what was known then`() async throws {
    try await fleet.live(polls: 9)
    #expect(try explain(at: .sequence(8, epoch: 1)).setting.value.meter.value == 101)
    #expect(try explain(at: .time(.max)).setting.value.meter.value == 107)
    #expect(throws: SearchError.self) { try explain(at: .time(0)) }
  }

  @Test func `holds the objects of that reading, differences applied`() async throws {
    try await fleet.live(polls: 1)
    let raw = [VarBind([1, 4], .integer(2))]
    var change = ReadingChange()
    change.meters.changed = [total(200)]
    try await append(.readingChanged(ReadingChanged(change: change, raw: raw, removed: [], cost: PollCost())))
    #expect(try explain(withObjects: true).setting.objects == Walk([VarBind([1, 3], .integer(1))] + raw))
  }

  @Test func `ends at the checkpoint, who signed it, and the hub`() async throws {
    try await fleet.live(polls: 9)
    #expect(try explain().seal?.size == 16)
    #expect(try explain().acknowledgement == .outstanding(upTo: nil))
    let hub = SignerKey(name: try NoteKeyName("hub.example"), privateKey: try Ed25519PrivateKey())
    try await fleet.withJournal { journal in
      let stored = try #require(try journal.reader.lastCheckpoint(epoch: 1))
      var note = try SignedNote(bytes: stored.note)
      try note.sign(by: hub)
      try await journal.storeCountersignature(note, by: hub.verifier)
      try await journal.moveCursor("dcam", to: RecordPosition(epoch: 1, sequence: 15))
    }
    let chain = try explain()
    #expect(chain.seal?.countersigners == ["hub.example"])
    #expect(chain.seal?.fault == nil)
    #expect(chain.seal?.verified == [] && chain.isSound)
    #expect(chain.acknowledgement == .acknowledged(upTo: RecordPosition(epoch: 1, sequence: 15)))
  }

  @Test func `is checked against a hub's key where that is given`() async throws {
    let hub = SignerKey(name: try NoteKeyName("hub.example"), privateKey: try Ed25519PrivateKey())
    let impostor = SignerKey(name: hub.verifier.name, privateKey: try Ed25519PrivateKey())
    func seal(_ signer: SignerKey) async throws {
      try await fleet.withJournal { journal in
        let stored = try #require(try journal.reader.lastCheckpoint(epoch: 1))
        let note = try SignedNote(text: try SignedNote(bytes: stored.note).text, signer: signer)
        try await journal.storeCountersignature(note, by: signer.verifier)
      }
    }
    func explain() throws -> MeterExplanation {
      let keys = try fleet.keys()
      return try self.explain(
        trusted: TrustedKeys(journal: keys.journal, publicKey: keys.publicKey, countersigners: [hub.verifier]))
    }
    try await fleet.live(polls: 9)
    #expect(try explain().isSound == false)
    try await seal(impostor)
    #expect(try explain().seal?.fault?.contains("not signed by the key hub.example+") == true)
    #expect(try self.explain().text.contains("hub.example (whose key is not here)"))
    try await seal(hub)
    let chain = try explain()
    #expect(chain.seal?.verified == ["hub.example"] && chain.isSound)
    #expect(chain.seal?.unverified == ["hub.example"], "the impostor's")
    #expect(chain.text.contains("hub.example (whose signature is sound), hub.example (whose key is not here)"))
  }

  @Test func `that nobody has sealed yet is not vouched for by a hub`() async throws {
    try await fleet.withJournal { journal in
      try await journal.append(try fleet.events(polls: 9).map { try $0.encoded() })
      let keys = try fleet.keys()
      let hub = SignerKey(name: try NoteKeyName("hub.example"), privateKey: try Ed25519PrivateKey()).verifier
      let both = TrustedKeys(journal: keys.journal, publicKey: keys.publicKey, countersigners: [hub])
      #expect(try explain(trusted: keys).isSound)
      #expect(try explain(trusted: both).isSound == false)
    }
  }

  @Test func `says that the hub refused the record`() async throws {
    try await fleet.live(polls: 1)
    try await fleet.withJournal { journal in
      let refusal = UploadRejected(epoch: 1, sequence: 8, reason: "no")
      try await journal.append([try Event(time: 1, .uploadRejected(refusal)).encoded()])
      try await journal.moveCursor("dcam", to: RecordPosition(epoch: 1, sequence: 9))
    }
    let rejection = Acknowledgement.rejected(by: RecordPosition(epoch: 1, sequence: 9), reason: "no")
    #expect(try explain().acknowledgement == rejection)
  }

  @Test(arguments: ["S1", "s-1", "10.0.0.1", "10.0.0.1:161", "0104070a"])
  func `takes a serial number, an address or the beginning of an id`(name: String) async throws {
    try await fleet.live(polls: 3)
    #expect(try explain(of: name).device == fleet.devices[1])
  }

  @Test func `lists what there is where a name means nothing or several things`() async throws {
    try await fleet.live(polls: 3)
    #expect { try explain(of: "S9") } throws: { error in
      guard case .unknown(let sentence)? = error as? SearchError else { return false }
      return fleet.devices.allSatisfy { sentence.contains($0.description) }
    }
    #expect { try explain("print") } throws: { "\($0)".contains("It has total.") }
    try await fleet.withJournal { journal in
      var identity = DeviceIdentity()
      identity.serial = DeviceText("S0")
      let twin = DeviceDiscovered(address: "10.0.0.9:161", identity: identity, credential: "public")
      try await journal.append([
        try Event(time: 1, device: DeviceID(repeatElement(7, count: 16)), .deviceDiscovered(twin)).encoded()
      ])
    }
    #expect { try explain(of: "S0") } throws: { error in
      guard case .ambiguous(let sentence)? = error as? SearchError else { return false }
      return sentence.contains("10.0.0.9:161") && sentence.contains("10.0.0.0:161")
    }
  }

  @Test func `names the rule of a site's own profile, its version, and the reason that was recorded`() async throws {
    try await fleet.live(polls: 1)
    var panel = total(105, rule: "site/panel-total@3+local")
    panel.reason = "the number that the panel shows"
    try await append(reading(panel))
    let chain = try explain()
    #expect(chain.text.contains("site/panel-total@3+local: the number that the panel shows"))
    let json = try #require(try JSONSerialization.jsonObject(with: Data(chain.json)) as? [String: Any])
    let meter = json["meter"] as? [String: Any]
    #expect(meter?["rule"] as? String == "site/panel-total@3+local")
    #expect(meter?["reason"] as? String == "the number that the panel shows")
  }

  @Test func `tells what two records of one device have both counted, so that it is counted once`() async throws {
    try await fleet.live(polls: 0)
    let (goesOn, ended) = (fleet.devices[0], fleet.devices[1])
    // Both begin at 100; one is read up to 160, the other to 130 and, after the merge, to 190.
    func event(_ device: DeviceID, _ time: Int64, _ body: EventBody) throws -> [UInt8] {
      try Event(time: time, device: device, body).encoded()
    }
    try await fleet.withJournal { journal in
      try await journal.append([
        event(goesOn, 10_000, reading(fleet.meter(130))), event(ended, 20_000, reading(fleet.meter(160))),
        event(ended, 30_000, .deviceMerged(DeviceMerged(into: goesOn, address: "a", evidence: "MAC"))),
      ])
    }
    let before = try explain(of: goesOn.description).merged
    #expect(before.map(\.counted) == [60] && before.map(\.shared) == [30], "the record that goes on stands at 130")
    try await fleet.withJournal { journal in
      try await journal.append([event(goesOn, 40_000, reading(fleet.meter(190)))])
    }
    let chain = try explain(of: goesOn.description)
    #expect(
      chain.merged == [MergedVolume(other: ended, goesOnThere: false, unit: .impressions, counted: 60, shared: 60)])
    #expect(chain.text.contains("it counted 60 impressions, 60 of them are counted here"))
    let there = try explain(of: ended.description)
    #expect(
      there.merged == [MergedVolume(other: goesOn, goesOnThere: true, unit: .impressions, counted: 60, shared: 60)])
    // 90 is what was printed: the volume of what goes on, and of what ended the part that is not shared.
    let volume = chain.setting.epoch.first.flatMap { chain.setting.value.volume(since: $0) } ?? 0
    #expect(volume + there.merged[0].counted - (there.merged[0].shared ?? 0) == 90)
    let json = try #require(try JSONSerialization.jsonObject(with: Data(chain.json)) as? [String: Any])
    #expect(((json["merged"] as? [[String: Any]])?.first?["shared"] as? Int) == 60)
  }

  @Test func `does not say what two records share that were read from different objects`() {
    func ranges(_ source: ObjectIdentifier, _ values: [UInt64], at time: Int64) -> CountedRanges {
      var ranges = CountedRanges(.total)
      for (place, value) in values.enumerated() {
        var meter = total(value)
        meter.source = Source(source, .counter32(UInt32(value)))
        var change = ReadingChange()
        change.meters.changed = [meter]
        let body = ReadingChanged(change: change, raw: [], removed: [], cost: PollCost())
        ranges.apply(Event(time: time + Int64(place), .readingChanged(body)))
      }
      return ranges
    }
    let (snmp, ipp): (ObjectIdentifier, ObjectIdentifier) = ([1, 3, 1], [1, 3, 2])
    #expect(ranges(ipp, [5, 9], at: 10).shared(with: ranges(snmp, [5, 9], at: 10)) == nil)
    #expect(ranges(snmp, [5, 9], at: 10).shared(with: ranges(snmp, [7, 20], at: 10)) == 2)
    #expect(
      ranges(ipp, [5, 9], at: 10).shared(with: ranges(snmp, [50, 90], at: 100)) == 0, "one ended before the other began"
    )
  }

  @Test func `is told in text and in JSON`() async throws {
    try await fleet.live(polls: 9)
    let chain = try explain("TOTAL")
    let text = chain.text
    for words in [
      "107 impressions (exact)", "1.3.6.1.2.1.43.10.2.1.4.1.1 = Counter32 107", "t@1", "record 1/14, ReadingChanged",
      "3 impressions since then", "checkpoint of 16 records", "S0",
    ] {
      #expect(text.contains(words))
    }
    let json = try #require(try JSONSerialization.jsonObject(with: Data(chain.json)) as? [String: Any])
    #expect((json["meter"] as? [String: Any])?["value"] as? Int == 107)
    #expect((json["before"] as? [String: Any])?["volumeSince"] as? Int == 3)
    #expect((json["checkpoint"] as? [String: Any])?["sound"] as? Bool == true)
  }
}
