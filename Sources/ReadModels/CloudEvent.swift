// One record as one line of an export: CloudEvents 1.0 in its JSON form (docs/formats/export.md).

internal import Events
package import Evidence
internal import Journal
internal import OpenSSL

package struct CloudEventWriter: ~Copyable {
  private let source: String
  private var json = JSONWriter()
  private var decoder = EventDecoder()

  package init(journal: String) { source = "urn:printtrail:journal:" + journal }

  /// The line, without its line feed, of a record whose payload may or may not be an event.
  package mutating func line(position: RecordPosition, time: Int64, payload: UnsafeRawBufferPointer) -> [UInt8] {
    let leafHash = Record.leafHash(position: position, time: time, payload: payload)
    let event = Result { () throws(EventCodingError) in try decoder.event(payload) }
    json.clear()
    json.object { json in
      json.member("specversion", "1.0")
      json.member("id", "\(position.epoch)-\(position.sequence)")
      json.member("source", source)
      switch event {
      case .success(let event):
        json.member("type", "printtrail.\(EventType.name(event.body.type)).v1")
        json.member("subject", event.device?.description)
        json.member("time", UTCTime.text(milliseconds: event.time))
      case .failure:
        json.member("type", "printtrail.Unreadable.v1")
        json.member("time", UTCTime.text(nanoseconds: time))
      }
      json.member("datacontenttype", "application/json")
      json.member("epoch", position.epoch)
      json.member("sequence", String(position.sequence))
      json.member("recordtime", String(time))
      json.key("leafhash")
      json.hex(leafHash.bytes)
      json.key("payload")
      json.base64(payload)
      json.key("data")
      switch event {
      case .success(let event): json.body(event.body)
      case .failure(let error): json.object { $0.member("unreadable", error.description) }
      }
    }
    return json.bytes
  }
}
