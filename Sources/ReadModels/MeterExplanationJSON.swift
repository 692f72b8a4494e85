// The chain behind a number, for programs. Members and their order are those of the text; what is not known is left out. Meter, identity and
// checks are written as `ptagent read` writes them.

internal import Events
internal import Evidence
internal import MIB
internal import OpenSSL
internal import PrinterModel
internal import Projections

extension MeterExplanation {
  package var json: [UInt8] {
    let form = ReadingJSON()
    var json = JSONWriter()
    json.object { json in
      json.member("device", device.description)
      json.key("meter")
      json.value(form.meter(setting.value.meter))
      if let offset = setting.offset {
        json.key("offset")
        json.object { json in
          json.member("offset", offset.fact.offset)
          json.member("reason", offset.fact.reason)
          json.member("since", UTCTime.text(milliseconds: offset.time))
          json.member("adjusted", setting.adjusted)
        }
      }
      json.key("record")
      json.moment(setting.value.moment)
      json.epoch(setting)
      if !merged.isEmpty {
        json.key("merged")
        json.array(merged) { json, volume in
          json.object { json in
            json.member("device", volume.other.description)
            json.key("goesOnThere")
            json.bool(volume.goesOnThere)
            json.member("counted", volume.counted)
            json.member("shared", volume.shared)
          }
        }
      }
      json.member("address", setting.address)
      json.key("identity")
      json.value(form.identity(setting.identity))
      json.key("checks")
      json.value(.array(setting.checks.map(form.check)))
      later(&json)
      evidence(&json)
      if let objects = setting.objects {
        json.key("objects")
        json.array(objects.bindings) { json, object in json.object { $0.binding(object) } }
      }
    }
    return json.take()
  }

  private func later(_ json: inout JSONWriter) {
    json.member("confirmations", setting.confirmations)
    if let last = setting.lastConfirmed {
      json.key("lastConfirmed")
      json.moment(last)
    }
    if let gone = setting.gone {
      json.key("gone")
      json.moment(gone)
    }
    json.member("unreadable", unreadable)
  }

  private func evidence(_ json: inout JSONWriter) {
    json.member("leafHash", leafHash.hex)
    json.key("intact")
    json.bool(isIntact)
    if let seal {
      json.key("checkpoint")
      json.seal(seal)
    }
    json.key("acknowledgement")
    json.acknowledgement(acknowledgement)
  }
}

extension JSONWriter {
  fileprivate mutating func moment(_ moment: RecordMoment) {
    object { json in
      json.member("epoch", moment.position.epoch)
      json.member("sequence", moment.position.sequence)
      json.member("type", EventType.name(moment.type))
      json.member("observed", UTCTime.text(milliseconds: moment.observed))
      json.member("recorded", UTCTime.text(nanoseconds: moment.recorded))
    }
  }

  fileprivate mutating func epoch(_ setting: MeterSetting) {
    key("meterEpoch")
    object { json in
      json.member("number", setting.epoch.number)
      if let (event, moment) = setting.epoch.opening {
        json.member("evidence", event.evidence)
        if !event.cause.isEmpty { json.member("cause", event.cause) }
        json.member("volume", event.volume)
        if let continues = event.continues { json.member("continues", continues) }
        json.member("previous", event.previous)
        json.member("current", event.current)
        json.key("opened")
        json.moment(moment)
      }
      if let first = setting.epoch.first { json.earlier("first", first, setting.value) }
    }
    if let earlier = setting.earlier { self.earlier("before", earlier, setting.value) }
  }

  private mutating func earlier(_ name: StaticString, _ earlier: MeterValue, _ value: MeterValue) {
    key(name)
    object { json in
      json.key("meter")
      json.value(ReadingJSON().meter(earlier.meter))
      json.key("record")
      json.moment(earlier.moment)
      json.member("volumeSince", value.volume(since: earlier))
    }
  }

  fileprivate mutating func seal(_ seal: RecordSeal) {
    object { json in
      json.member("size", seal.size)
      json.member("root", seal.root?.hex)
      json.member("sealed", seal.sealed.map { UTCTime.text(nanoseconds: $0) })
      json.key("sound")
      json.bool(seal.fault == nil)
      json.member("fault", seal.fault)
      json.key("countersigners")
      json.array(seal.countersigners) { $0.string($1) }
      json.key("verified")
      json.array(seal.verified) { $0.string($1) }
    }
  }

  fileprivate mutating func acknowledgement(_ acknowledgement: Acknowledgement) {
    object { json in
      switch acknowledgement {
      case .acknowledged(let position):
        json.member("state", "acknowledged")
        json.member("upTo", position.description)
      case .outstanding(let position):
        json.member("state", "outstanding")
        json.member("upTo", position?.description)
      case .rejected(let position, let reason):
        json.member("state", "rejected")
        json.member("by", position.description)
        json.member("reason", reason)
      }
    }
  }
}
