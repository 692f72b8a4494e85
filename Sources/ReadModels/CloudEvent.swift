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
    write(position, time, Record.leafHash(position: position, time: time, payload: payload), payload)
    return json.bytes
  }

  /// The line of a record whose stored hash was found to be that of its bytes.
  mutating func line(_ view: RecordView) -> [UInt8] {
    write(view.position, view.time, view.leafHash, view.payload)
    return json.bytes
  }

  /// Lends that line.
  mutating func withLine<R, E: Error>(
    of view: RecordView, _ body: (UnsafeRawBufferPointer) throws(E) -> R
  ) throws(E) -> R {
    write(view.position, view.time, view.leafHash, view.payload)
    return try json.withBytes(body)
  }

  private mutating func write(
    _ position: RecordPosition, _ time: Int64, _ leafHash: Digest, _ payload: UnsafeRawBufferPointer
  ) {
    let event = Result { () throws(EventCodingError) in try decoder.event(payload) }
    json.clear()
    json.object { json in
      json.member("specversion", "1.0")
      json.key("id")
      json.composed {
        $0.decimal(position.epoch)
        $0.ascii("-")
        $0.decimal(position.sequence)
      }
      json.member("source", source)
      switch event {
      case .success(let event):
        json.member("type", Self.typeName(event.body.type))
        if let device = event.device {
          json.key("subject")
          json.hex(device.bytes)
        }
        json.member("time", UTCTime.text(milliseconds: event.time))
      case .failure:
        json.member("type", "printtrail.Unreadable.v1")
        json.member("time", UTCTime.text(nanoseconds: time))
      }
      json.member("datacontenttype", "application/json")
      json.member("epoch", position.epoch)
      json.key("sequence")
      json.composed { $0.decimal(position.sequence) }
      json.key("recordtime")
      json.composed { $0.decimal(time) }
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
  }

  private static let typeNames = EventType.names.mapValues { "printtrail.\($0).v1" }

  private static func typeName(_ type: UInt16) -> String {
    typeNames[type] ?? "printtrail.\(EventType.name(type)).v1"
  }
}
