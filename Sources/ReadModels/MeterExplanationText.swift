// The chain behind a number, for people.

internal import Events
internal import Evidence
internal import MIB
internal import OpenSSL
internal import PrinterModel
internal import Projections

extension MeterExplanation {
  /// A link of the chain a line, each ended by a line feed.
  package var text: String {
    var table = TextTable([.init(""), .init("")])
    let links = [valueLinks, recordLinks, epochLinks, mergedLinks, deviceLinks, laterLinks, evidenceLinks].joined()
    for (name, words) in links { table.add([name, words.replacingControls]) }
    for (index, object) in (setting.objects?.bindings ?? []).enumerated() {
      table.add([index == 0 ? "objects" : "", "\(object.name.shown) = \(object.valueShown)"])
    }
    if wantsObjects, setting.objects == nil {
      table.add(["objects", "not known: a record before this reading is missing or cannot be read"])
    }
    return String(table.text.drop { $0 == "\n" })
  }

  private typealias Link = (name: String, words: String)

  private var valueLinks: [Link] {
    let meter = setting.value.meter
    let reason = Interpretation.reason(for: meter).map { ": " + $0 } ?? ""
    return [("meter", "\(meter.name) of device \(device)"), ("value", meter.words)] + offsetLinks + [
      ("source", "\(meter.source.name.shown) = \(meter.source.rawShown)"), ("rule", "\(meter.rule)\(reason)"),
    ]
  }

  /// Only where an offset is set: the raw value is the value.
  private var offsetLinks: [Link] {
    guard let offset = setting.offset else { return [] }
    let sum = setting.adjusted.map { "\($0)" } ?? "unknown: the sum is no count"
    let sign = offset.fact.offset < 0 ? "" : "+"
    return [
      ("adjusted", sum),
      (
        "offset", "\(sign)\(offset.fact.offset) since \(UTCTime.text(milliseconds: offset.time)): \(offset.fact.reason)"
      ),
    ]
  }

  private var recordLinks: [Link] {
    let moment = setting.value.moment
    return [
      ("set by", "record \(moment.position), \(EventType.name(moment.type))"),
      ("observed", UTCTime.text(milliseconds: moment.observed)),
      ("recorded", UTCTime.text(nanoseconds: moment.recorded)),
    ]
  }

  private var epochLinks: [Link] {
    var links: [Link] = [("meter epoch", setting.epoch.words)]
    if let earlier = setting.earlier {
      links.append(("before", "\(earlier.meter.words), \(earlier.moment.words); \(volume(since: earlier)) since then"))
    } else {
      links.append(("before", "nothing in this meter epoch"))
    }
    if let first = setting.epoch.first { links.append(("in the epoch", volume(since: first))) }
    return links
  }

  private var mergedLinks: [Link] {
    merged.map { volume in
      let shared = volume.shared.map { "\($0) of them" } ?? "an unknown part of them"
      return volume.goesOnThere
        ? (
          "merged",
          "goes on as device \(volume.other): of \(volume.counted) \(volume.unit.name) counted here, \(shared) are counted there"
        )
        : (
          "merged",
          "device \(volume.other) goes on as this one: it counted \(volume.counted) \(volume.unit.name), \(shared) are counted here"
        )
    }
  }

  private func volume(since earlier: MeterValue) -> String {
    guard let volume = setting.value.volume(since: earlier) else { return "a volume that is unknown" }
    return "\(volume) \(setting.value.meter.unit.name)"
  }

  private var deviceLinks: [Link] {
    let identity = setting.identity
    let words = [
      identity.make, identity.model?.text, identity.serial.map { "serial \($0.text)" }, identity.macAddress?.macText,
    ]
    var links: [Link] = [
      ("device", words.compactMap(\.self).joined(separator: ", ")), ("address", setting.address ?? "unknown"),
    ]
    for check in setting.checks {
      let verdict = check.holds ? "holds" : "DOES NOT HOLD"
      links.append(("check", "\(check.name): \(verdict), \(check.expected) and \(check.actual)"))
    }
    if setting.checks.isEmpty { links.append(("check", "none includes this meter")) }
    return links
  }

  private var laterLinks: [Link] {
    var links: [Link] = []
    if let last = setting.lastConfirmed {
      links.append(("confirmed", "by \(counted(setting.confirmations, "later poll")), the last in \(last.words)"))
    } else {
      links.append(("confirmed", "by no later poll up to record \(at)"))
    }
    if let gone = setting.gone { links.append(("gone", "the device does not report it since \(gone.words)")) }
    if unreadable > 0 {
      links.append(("unreadable", "\(counted(unreadable, "record")) of a newer release that may be about the device"))
    }
    return links
  }

  private var evidenceLinks: [Link] {
    let hash =
      isIntact ? "\(leafHash.hex), that of the record as it is stored" : "\(leafHash.hex): NOT THAT OF THE RECORD"
    return [("hash", hash), ("sealed", seal?.words ?? "no checkpoint covers it yet"), ("hub", acknowledgement.words)]
  }
}

extension Meter {
  /// `150 impressions (exact)`; an unknown value is no number.
  var words: String {
    guard quality.isNumber else { return quality.word }
    return "\(value) \(unit == .unknown ? "of an unknown unit" : unit.name) (\(quality.word))"
  }
}

extension RecordMoment {
  fileprivate var words: String { "record \(position), \(UTCTime.text(milliseconds: observed))" }
}

extension MeterEpoch {
  fileprivate var words: String {
    guard let (event, moment) = opening else {
      return "\(number), since the first value" + (first.map { " in \($0.moment.words)" } ?? "")
    }
    let cause = event.cause.isEmpty ? "" : " (\(event.cause))"
    let right = event.volume.map { event.current &- $0 } ?? event.current
    let since = event.continues.map {
      "since it was \(right) in epoch \($0), and what was read in between counts for nothing"
    }
    let volume = event.volume.map { "; \($0) were counted \(since ?? "in between")" } ?? ""
    return
      "\(number), opened in \(moment.words): \(event.evidence)\(cause); \(event.previous) before, \(event.current) after\(volume)"
  }
}

extension RecordSeal {
  fileprivate var words: String {
    let time = sealed.map { ", signed \(UTCTime.text(nanoseconds: $0))" } ?? ""
    let signature = fault.map { "NOT SOUND: \($0)" } ?? "the journal's signature is sound"
    let names = verified.map { "\($0) (whose signature is sound)" } + unverified.map { "\($0) (whose key is not here)" }
    let others = names.isEmpty ? "nobody countersigned" : "countersigned by \(names.joined(separator: ", "))"
    return "checkpoint of \(counted(size, "record"))\(time); \(signature); \(others)"
  }
}

extension Acknowledgement {
  fileprivate var words: String {
    switch self {
    case .acknowledged(let position): "acknowledged; the hub has everything up to \(position)"
    case .outstanding(nil): "not acknowledged; nothing was yet"
    case .outstanding(let position?): "not acknowledged; the hub has everything up to \(position)"
    case .rejected(let position, let reason): "refused for good, says record \(position): \(reason)"
    }
  }
}
