// Events as JSON for people, exports and scripts (docs/formats/export.md). Names are those of events.proto in camel case. What a
// device did not say is left out; a level or a percentage that is unknown is never written as a number that it is not.

package import Events
package import MIB
package import PrinterModel

extension JSONWriter {
  /// The event's body as an object.
  package mutating func body(_ body: EventBody) {
    object { json in
      switch body {
      case .agentStarted(let event):
        json.member("version", event.version)
        json.member("hostName", event.hostName)
      case .agentStopped(let event): json.member("reason", event.reason)
      case .installEnrolled(let event):
        json.member("installId", event.installID)
        json.member("entity", event.entity)
        json.member("hub", event.hub)
        json.member("certificateFingerprint", event.certificateFingerprint)
        json.member("certificateNotAfter", event.certificateNotAfter)
        if event.isRenewal {
          json.key("isRenewal")
          json.bool(true)
        }
      case .sweepStarted(let event):
        json.member("sweep", event.sweep)
        json.key("ranges")
        json.array(event.ranges) { $0.string($1) }
        json.member("addresses", event.addresses)
      case .sweepCompleted(let event): json.sweep(event)
      case .discoveryFailed(let event):
        json.member("address", event.address)
        json.member("credential", event.credential)
        json.member("reason", event.reason)
        json.member("message", event.message)
      case .deviceDiscovered(let event):
        json.member("address", event.address)
        json.member("credential", event.credential)
        if !event.evidence.isEmpty { json.member("evidence", event.evidence) }
        json.identity(event.identity)
      case .deviceMerged(let event):
        json.member("into", event.into.description)
        json.member("address", event.address)
        json.member("evidence", event.evidence)
      case .deviceRetired(let event):
        json.member("address", event.address)
        json.member("lastRead", event.lastRead)
        json.member("evidence", event.evidence)
      case .deviceReturned(let event):
        json.member("address", event.address)
        json.member("evidence", event.evidence)
      case .deviceMoved(let event):
        json.member("from", event.from)
        json.member("to", event.to)
        json.member("evidence", event.evidence)
      case .deviceReplaced(let event):
        json.member("address", event.address)
        json.member("replacement", event.replacement.description)
        json.member("evidence", event.evidence)
      case .deviceSeenAlso(let event):
        json.member("address", event.address)
        json.member("known", event.known)
        json.member("evidence", event.evidence)
      case .readingTaken(let event):
        json.reading(event.reading)
        json.objects("raw", event.raw.bindings)
        json.cost(event.cost)
      case .readingChanged(let event): json.change(event)
      case .readingUnchanged(let event):
        json.member("uptimeTicks", event.uptimeTicks)
        json.cost(event.cost)
      case .pollFailed(let event):
        json.member("address", event.address)
        json.member("reason", event.reason)
        json.member("message", event.message)
      case .alertRaised(let event): json.alert(event.key, event.alert, event.evidence, event.penalty)
      case .alertUpdated(let event): json.alert(event.key, event.alert, event.evidence, event.penalty)
      case .alertCleared(let event):
        json.member("key", event.key.description)
        json.member("milliseconds", event.milliseconds)
        if event.penalty > 0 { json.member("penalty", event.penalty) }
      case .meterOffsetSet(let event):
        json.member("meter", event.meter.description)
        json.member("offset", event.offset)
        json.member("previous", event.previous)
        json.member("reason", event.reason)
      case .meterEpochOpened(let event):
        json.member("meter", event.meter.description)
        json.member("epoch", event.epoch)
        json.member("previous", event.previous)
        json.member("current", event.current)
        json.member("evidence", event.evidence)
        if !event.cause.isEmpty { json.member("cause", event.cause) }
        json.member("volume", event.volume)
      case .uploadRejected(let event):
        json.member("epoch", event.epoch)
        json.member("sequence", event.sequence)
        json.member("reason", event.reason)
      case .uploadConflicted(let event):
        json.member("epoch", event.epoch)
        json.member("first", event.first)
        json.member("last", event.last)
        json.key("heldHash")
        json.hex(event.heldHash)
      case .journalDamaged(let event): json.damage(event)
      case .recordsRemoved(let event):
        json.member("epoch", event.epoch)
        json.member("through", event.through)
        json.member("records", event.records)
        json.member("reason", event.reason)
        json.member("countersigner", event.countersigner)
      case .readingsThinned(let event):
        json.member("intervalSeconds", event.intervalSeconds)
        json.member("percent", event.percent)
      case .journalRestored(let event):
        json.member("reason", event.reason)
        json.member("epoch", event.epoch)
        json.member("sequence", event.sequence)
      case .jobReceived(let event): json.job(event)
      case .jobStarted(let event): json.member("id", event.id.description)
      case .jobCompleted(let event): json.job(event)
      case .jobFailed(let event):
        json.member("id", event.id.description)
        json.member("reason", event.reason)
        json.member("message", event.message)
      case .jobExpired(let event):
        json.member("id", event.id.description)
        json.key("hadStarted")
        json.bool(event.hadStarted)
      case .jobRefused(let event):
        json.member("id", event.id.description)
        json.member("reason", event.reason)
        json.member("message", event.message)
        json.member("kind", event.kind)
        json.member("deadline", event.deadline)
      case .settingsApplied(let event): json.applied(event)
      case .settingsRefused(let event):
        json.member("version", event.version)
        json.key("digest")
        json.hex(event.digest)
        json.key("keys")
        json.array(event.keys) { $0.string($1) }
        json.member("reason", event.reason)
      case .unknown(let type, let bytes):
        json.member("type", type)
        json.key("bytes")
        json.hex(bytes)
      }
    }
  }

  private mutating func job(_ event: JobReceived) {
    member("id", event.id.description)
    member("kind", event.order.kind)
    if !event.order.ranges.isEmpty {
      key("ranges")
      array(event.order.ranges) { $0.string($1) }
    }
    if !event.order.devices.isEmpty {
      key("devices")
      array(event.order.devices) { $0.string($1.description) }
    }
    if !event.order.option.isEmpty { member("option", event.order.option) }
    member("created", event.created)
    member("deadline", event.deadline)
  }

  private mutating func job(_ event: JobCompleted) {
    member("id", event.id.description)
    member("result", event.result)
    member("milliseconds", event.milliseconds)
    if !event.attachment.isEmpty {
      key("attachment")
      hex(event.attachment)
    }
    if !event.path.isEmpty { member("path", event.path) }
  }

  private mutating func applied(_ event: SettingsApplied) {
    member("version", event.version)
    key("digest")
    hex(event.digest)
    key("values")
    settings(event.values)
    key("devices")
    array(event.devices) { json, device in
      json.object { json in
        json.member("device", device.device)
        json.key("values")
        json.settings(device.values)
      }
    }
    key("overridden")
    array(event.overridden) { $0.string($1) }
  }

  private mutating func settings(_ values: [RecordedSetting]) {
    array(values) { json, setting in
      json.object { json in
        json.member("key", setting.key)
        json.member("value", setting.value)
      }
    }
  }

  private mutating func damage(_ event: JournalDamaged) {
    member("reason", event.reason)
    member("quarantine", event.quarantine)
    member("recordsKept", event.recordsKept)
    key("newKey")
    bool(event.hasNewKey)
    member("rangesLost", event.rangesLost)
    key("lost")
    array(event.lost) { json, range in
      json.object { json in
        json.member("epoch", range.epoch)
        json.member("first", range.first)
        json.member("last", range.last)
      }
    }
  }

  private mutating func sweep(_ event: SweepCompleted) {
    member("sweep", event.sweep)
    member("milliseconds", event.milliseconds)
    key("outcomes")
    object { json in
      for outcome in event.outcomes { json.pair(outcome.reason) { $0.number(outcome.addresses) } }
    }
  }

  private mutating func change(_ event: ReadingChanged) {
    let change = event.change
    if let identity = change.identity { self.identity(identity) }
    if let status = change.status { self.status(status) }
    if let detectors = change.detectors { self.detectors(detectors) }
    rows("meters", change.meters.changed) { $0.meter($1) }
    rows("supplies", change.supplies.changed) { $0.supply($1) }
    rows("inputs", change.inputs.changed) { $0.input($1) }
    rows("outputs", change.outputs.changed) { $0.output($1) }
    rows("covers", change.covers.changed) { $0.cover($1) }
    rows("markers", change.markers.changed) { $0.marker($1) }
    if let checks = change.checks { self.checks(checks) }
    if let findings = change.findings { self.findings(findings) }
    rows("removedMeters", change.meters.removed) { $0.string($1.description) }
    rows("removedSupplies", change.supplies.removed) { $0.string($1.description) }
    rows("removedInputs", change.inputs.removed) { $0.string($1.description) }
    rows("removedOutputs", change.outputs.removed) { $0.string($1.description) }
    rows("removedCovers", change.covers.removed) { $0.string($1.description) }
    rows("removedMarkers", change.markers.removed) { $0.string($1.description) }
    objects("raw", event.raw)
    rows("rawRemoved", event.removed) { $0.string($1.description) }
    cost(event.cost)
  }

  /// A reading's groups and tables as members of the object that is open.
  package mutating func reading(_ reading: Reading) {
    identity(reading.identity)
    status(reading.status)
    detectors(reading.detectors)
    rows("meters", reading.meters) { $0.meter($1) }
    rows("supplies", reading.supplies) { $0.supply($1) }
    rows("inputs", reading.inputs) { $0.input($1) }
    rows("outputs", reading.outputs) { $0.output($1) }
    rows("covers", reading.covers) { $0.cover($1) }
    rows("markers", reading.markers) { $0.marker($1) }
    if !reading.checks.isEmpty { checks(reading.checks) }
    if !reading.findings.isEmpty { findings(reading.findings) }
  }

  package mutating func identity(_ identity: DeviceIdentity) {
    key("identity")
    object { json in
      json.member("make", identity.make)
      json.member("model", identity.model)
      json.member("serial", identity.serial)
      if let mac = identity.macAddress {
        json.key("macAddress")
        json.hex(mac)
      }
      json.member("firmware", identity.firmware)
      json.member("hostName", identity.hostName)
      json.member("location", identity.location)
      json.member("assetNumber", identity.assetNumber)
      json.member("printerName", identity.printerName)
      json.member("systemDescription", identity.systemDescription)
      json.member("systemObjectId", identity.systemObjectID?.description)
      json.member("deviceId", identity.deviceID)
      json.member("uuid", identity.uuid)
    }
  }

  package mutating func status(_ status: DeviceStatus) {
    key("status")
    object { json in
      json.member("device", status.device)
      json.member("printer", status.printer)
      if let errors = status.detectedErrors {
        json.key("detectedErrors")
        json.hex(errors)
      }
      json.rows("console", status.console) { $0.text($1) }
    }
  }

  private mutating func detectors(_ detectors: ChangeDetectors) {
    key("detectors")
    object { json in
      json.member("configurationChanges", detectors.configurationChanges)
      json.member("criticalAlertEvents", detectors.criticalAlertEvents)
      json.member("allAlertEvents", detectors.allAlertEvents)
      json.member("uptimeTicks", detectors.uptimeTicks)
    }
  }

  package mutating func meter(_ meter: Meter) {
    object { json in
      json.member("name", meter.name.description)
      json.member("value", meter.value)
      json.member("unit", meter.unit.rawValue)
      json.member("quality", meter.quality.name)
      json.key("source")
      json.object { $0.binding(VarBind(meter.source.name, meter.source.raw)) }
      json.member("rule", meter.rule.description)
    }
  }

  package mutating func supply(_ supply: Supply) {
    object { json in
      json.member("row", supply.row.description)
      json.member("marker", supply.marker)
      json.member("colorantIndex", supply.colorantIndex)
      json.member("colorant", supply.colorant)
      json.member("class", supply.supplyClass)
      json.member("type", supply.type)
      json.member("description", supply.description)
      json.member("unit", supply.unit?.rawValue)
      json.amount("capacityRaw", supply.capacity, "capacityMeaning")
      json.member("levelRaw", supply.level)
      json.member("meaning", supply.meaning.rawValue)
      if let percent = supply.percentRemaining {
        json.key("percentRemaining")
        json.number(percent)
      }
      json.member("pagesRemaining", supply.pagesRemaining)
      json.member("quality", supply.quality.name)
      json.member("partNumber", supply.partNumber)
      json.member("serialNumber", supply.serialNumber)
      json.member("rule", supply.rule.description)
    }
  }

  private mutating func input(_ tray: InputTray) {
    object { json in
      json.member("row", tray.row.description)
      json.member("type", tray.type)
      json.member("capacityUnit", tray.capacityUnit?.rawValue)
      json.amount("capacityRaw", tray.capacity, "capacityMeaning")
      json.amount("levelRaw", tray.level, "levelMeaning")
      json.member("statusRaw", tray.status)
      json.member("media", tray.media)
      json.member("name", tray.name)
      json.member("description", tray.description)
    }
  }

  private mutating func output(_ bin: OutputBin) {
    object { json in
      json.member("row", bin.row.description)
      json.amount("capacityRaw", bin.capacity, "capacityMeaning")
      json.amount("remainingRaw", bin.remaining, "remainingMeaning")
      json.member("statusRaw", bin.status)
      json.member("name", bin.name)
      json.member("description", bin.description)
    }
  }

  /// A number that may be -1, -2 or -3, with what it means.
  private mutating func amount(_ name: StaticString, _ amount: Int64?, _ meaning: StaticString) {
    guard let amount else { return }
    member(name, amount)
    member(meaning, AmountMeaning(amount).rawValue)
  }

  private mutating func cover(_ cover: Cover) {
    object { json in
      json.member("row", cover.row.description)
      json.member("status", cover.status)
      json.member("description", cover.description)
    }
  }

  private mutating func marker(_ marker: MarkerUnit) {
    object { json in
      json.member("row", marker.row.description)
      json.member("technology", marker.technology)
      json.member("powerOnCount", marker.powerOnCount)
      json.member("status", marker.status)
    }
  }

  private mutating func checks(_ checks: [ArithmeticCheck]) {
    rows("checks", checks, evenIfEmpty: true) { json, check in
      json.object { json in
        json.member("name", check.name)
        json.member("expected", check.expected)
        json.member("actual", check.actual)
      }
    }
  }

  private mutating func findings(_ findings: [Finding]) {
    rows("findings", findings, evenIfEmpty: true) { json, finding in
      json.object { json in
        json.member("object", finding.name?.description)
        json.member("message", finding.message)
      }
    }
  }

  private mutating func alert(_ alertKey: AlertKey, _ alert: PrinterAlert, _ evidence: String, _ penalty: UInt32) {
    member("key", alertKey.description)
    if !evidence.isEmpty { member("evidence", evidence) }
    if penalty > 0 { member("penalty", penalty) }
    key("alert")
    self.alert(alert)
  }

  package mutating func alert(_ alert: PrinterAlert) {
    object { json in
      json.member("row", alert.row.description)
      json.member("severity", alert.severity)
      json.member("training", alert.training)
      json.member("group", alert.group)
      json.member("groupIndex", alert.groupIndex)
      json.member("location", alert.location)
      json.member("code", alert.code)
      json.member("description", alert.description)
      json.member("time", alert.time)
    }
  }

  private mutating func cost(_ cost: PollCost) {
    key("cost")
    object { json in
      json.member("requests", cost.requests)
      json.member("bytesSent", cost.bytesSent)
      json.member("bytesReceived", cost.bytesReceived)
      json.member("milliseconds", cost.milliseconds)
    }
  }

  private mutating func objects(_ name: StaticString, _ bindings: [VarBind]) {
    rows(name, bindings) { json, binding in json.object { $0.binding(binding) } }
  }

  /// `oid`, `type` and `value` as members of the object that is open. Bytes are hexadecimal, 64-bit numbers are numbers.
  package mutating func binding(_ binding: VarBind) {
    if let attribute = AttributeName(binding.name) {
      member("attribute", attribute.description)
    } else {
      member("oid", binding.name)
    }
    switch binding.value {
    case .integer(let value): typed("INTEGER", value)
    case .counter32(let value): typed("Counter32", value)
    case .gauge32(let value): typed("Gauge32", value)
    case .timeTicks(let value): typed("TimeTicks", value)
    case .counter64(let value): typed("Counter64", value)
    case .octets(let value): typed("OCTET STRING", value)
    case .ipAddress(let value): typed("IpAddress", value)
    case .opaque(let value): typed("Opaque", value)
    case .objectIdentifier(let value):
      member("type", "OBJECT IDENTIFIER")
      member("value", value)
    case .null: member("type", "NULL")
    case .noSuchObject: member("type", "noSuchObject")
    case .noSuchInstance: member("type", "noSuchInstance")
    case .endOfMibView: member("type", "endOfMibView")
    }
  }

  private mutating func typed(_ type: String, _ value: some BinaryInteger) {
    member("type", type)
    member("value", value)
  }

  private mutating func typed(_ type: String, _ value: Octets) {
    member("type", type)
    key("hex")
    hex(value)
  }

  private mutating func member(_ name: StaticString, _ identifier: ObjectIdentifier) {
    key(name)
    dotted(identifier)
  }

  private mutating func member(_ name: StaticString, _ text: DeviceText?) {
    guard let text else { return }
    key(name)
    self.text(text)
  }

  /// A device's text: a string, or an object with the bytes where decoding lost something.
  private mutating func text(_ text: DeviceText) {
    guard let raw = text.raw else { return string(text.text) }
    object { json in
      json.member("text", text.text)
      json.key("hex")
      json.hex(raw)
    }
  }

  private mutating func rows<Row>(
    _ name: StaticString, _ rows: [Row], evenIfEmpty: Bool = false, _ each: (inout JSONWriter, Row) -> Void
  ) {
    guard evenIfEmpty || !rows.isEmpty else { return }
    key(name)
    array(rows, each)
  }

  /// A member whose name is not known beforehand.
  private mutating func pair(_ name: String, _ value: (inout JSONWriter) -> Void) {
    string(name)
    colon()
    value(&self)
  }
}
