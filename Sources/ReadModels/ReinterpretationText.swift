// What readings would be under other rules, for people and for programs.

internal import Events
internal import Evidence
internal import MIB
internal import PrinterModel

extension ReinterpretedValue {
  /// One line, without its line feed: when, which record, which device, what, and both values with their rules.
  package var text: String {
    let place =
      "\(UTCTime.text(milliseconds: observed))  \(position)  \(address ?? "-")  \(device.description.prefix(8))"
    let change = "\(Self.words(change.before)) -> \(Self.words(change.after))"
    return "\(place)  \(subject): \(change)".replacingControls
  }

  private var subject: String {
    switch name {
    case .meter(let name): return name.description
    case .supply(let row):
      guard case .supply(let supply)? = change.after ?? change.before else { return "supply \(row)" }
      return "supply \(row) (\(FleetReport.name(of: supply)))"
    }
  }

  private static func words(_ value: InterpretedValue?) -> String {
    switch value {
    case .meter(let meter): "\(meter.words) from \(meter.source.name) by \(meter.rule)"
    case .supply(let supply): "\(supply.remaining), \(supply.levelOfCapacity) by \(supply.rule)"
    case nil: "none"
    }
  }

  /// One object.
  package var json: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("device", device.description)
      json.member("address", address)
      json.member("epoch", position.epoch)
      json.member("sequence", position.sequence)
      json.member("observed", UTCTime.text(milliseconds: observed))
      switch name {
      case .meter(let name): json.member("meter", name.description)
      case .supply(let row): json.member("supply", row.description)
      }
      json.member("before", change.before)
      json.member("after", change.after)
    }
    return json.take()
  }
}

extension JSONWriter {
  /// A meter or a supply, as `ptagent read` writes it.
  fileprivate mutating func member(_ name: StaticString, _ value: InterpretedValue?) {
    guard let value else { return }
    key(name)
    switch value {
    case .meter(let meter): self.value(ReadingJSON().meter(meter))
    case .supply(let supply): self.value(ReadingJSON().supply(supply))
    }
  }
}

extension ReinterpretationSummary {
  /// What was looked at and what came out, a sentence a line.
  package var text: String {
    var text = "\(counted(readings, "reading")) of \(counted(devices.count, "device")) interpreted again: "
    text +=
      isUnchanged
      ? "every value stays.\n"
      : "\(counted(changes, "value")) of \(counted(devicesChanged.count, "device")) would be different.\n"
    if underOtherRules > 0 {
      let values = counted(underOtherRules, "meter or supply", plural: "meters and supplies")
      text += "Under another rule with the same value: \(values).\n"
    }
    if withoutObjects > 0 {
      text += "Left out, their raw objects not being known: \(counted(withoutObjects, "reading")).\n"
    }
    if unreadable > 0 { text += "Left out, being no events of this release: \(counted(unreadable, "record")).\n" }
    return text
  }

  /// One object with the one member `summary`.
  package var json: [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.key("summary")
      json.object { json in
        json.member("readings", readings)
        json.member("devices", devices.count)
        json.member("changes", changes)
        json.member("devicesChanged", devicesChanged.count)
        json.member("underOtherRules", underOtherRules)
        json.member("withoutObjects", withoutObjects)
        json.member("unreadable", unreadable)
      }
    }
    return json.take()
  }
}
