// Readings, and what they are made of, as JSON: see `EventJSON`.

internal import Events
package import MIB
package import PrinterModel

extension JSONWriter {
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

  mutating func detectors(_ detectors: ChangeDetectors) {
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
      // What is kept beside an unknown meter is no number of the device's.
      if meter.quality.isNumber { json.member("value", meter.value) }
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

  mutating func input(_ tray: InputTray) {
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

  mutating func output(_ bin: OutputBin) {
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
  mutating func amount(_ name: StaticString, _ amount: Int64?, _ meaning: StaticString) {
    guard let amount else { return }
    member(name, amount)
    member(meaning, AmountMeaning(amount).rawValue)
  }

  mutating func cover(_ cover: Cover) {
    object { json in
      json.member("row", cover.row.description)
      json.member("status", cover.status)
      json.member("description", cover.description)
    }
  }

  mutating func marker(_ marker: MarkerUnit) {
    object { json in
      json.member("row", marker.row.description)
      json.member("technology", marker.technology)
      json.member("powerOnCount", marker.powerOnCount)
      json.member("status", marker.status)
    }
  }

  mutating func checks(_ checks: [ArithmeticCheck]) {
    rows("checks", checks, evenIfEmpty: true) { json, check in
      json.object { json in
        json.member("name", check.name)
        json.member("expected", check.expected)
        json.member("actual", check.actual)
      }
    }
  }

  mutating func findings(_ findings: [Finding]) {
    rows("findings", findings, evenIfEmpty: true) { json, finding in
      json.object { json in
        json.member("object", finding.name?.description)
        json.member("message", finding.message)
      }
    }
  }

  mutating func alert(_ alertKey: AlertKey, _ alert: PrinterAlert, _ evidence: String, _ penalty: UInt32) {
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

  mutating func cost(_ cost: PollCost) {
    key("cost")
    object { json in
      json.member("requests", cost.requests)
      json.member("bytesSent", cost.bytesSent)
      json.member("bytesReceived", cost.bytesReceived)
      json.member("milliseconds", cost.milliseconds)
    }
  }

  mutating func objects(_ name: StaticString, _ bindings: [VarBind]) {
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

  mutating func typed(_ type: String, _ value: some BinaryInteger) {
    member("type", type)
    member("value", value)
  }

  mutating func typed(_ type: String, _ value: Octets) {
    member("type", type)
    key("hex")
    hex(value)
  }

  mutating func member(_ name: StaticString, _ identifier: ObjectIdentifier) {
    key(name)
    dotted(identifier)
  }

  mutating func member(_ name: StaticString, _ text: DeviceText?) {
    guard let text else { return }
    key(name)
    self.text(text)
  }

  /// A device's text: a string, or an object with the bytes where decoding lost something.
  mutating func text(_ text: DeviceText) {
    guard let raw = text.raw else { return string(text.text) }
    object { json in
      json.member("text", text.text)
      json.key("hex")
      json.hex(raw)
    }
  }

  mutating func rows<Row>(
    _ name: StaticString, _ rows: [Row], evenIfEmpty: Bool = false, _ each: (inout JSONWriter, Row) -> Void
  ) {
    guard evenIfEmpty || !rows.isEmpty else { return }
    key(name)
    array(rows, each)
  }

  /// A member whose name is not known beforehand.
  mutating func pair(_ name: String, _ value: (inout JSONWriter) -> Void) {
    string(name)
    colon()
    value(&self)
  }
}
