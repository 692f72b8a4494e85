// Log lines for people and for machines: logfmt or JSON, one line an event, to standard error.
//
//     time=2025-01-31T12:00:00.123Z level=info msg="install enrolled" install=7b0c… entity=Acme
//     {"entity":"Acme","install":"7b0c…","level":"info","msg":"install enrolled","time":"2025-01-31T12:00:00.123Z"}
//
// Values from peers are quoted and escaped, so that nobody can write a line of his own.

internal import FoundationEssentials
internal import Glibc
package import Logging

package enum LogFormat: String, Sendable, CaseIterable {
  case logfmt, json
}

package struct LineLogHandler: LogHandler {
  package var logLevel: Logger.Level
  package var metadata: Logger.Metadata = [:]
  package var metadataProvider: Logger.MetadataProvider?

  private let format: LogFormat
  private let clock: HubClock
  private let emit: @Sendable (String) -> Void

  /// - Parameter emit: takes one line without its newline.
  package init(
    format: LogFormat, level: Logger.Level = .info, clock: HubClock = .system,
    emit: @escaping @Sendable (String) -> Void = LineLogHandler.writeToStandardError
  ) {
    self.format = format
    self.clock = clock
    self.emit = emit
    logLevel = level
  }

  package subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  package func log(event: LogEvent) {
    var fields = metadata
    if let provided = metadataProvider?.get() { fields.merge(provided) { $1 } }
    if let own = event.metadata { fields.merge(own) { $1 } }
    var values = fields.mapValues { "\($0)" }
    if let error = event.error { values["error"] = "\(error)" }
    let head = [
      ("time", Date(milliseconds: clock.now).formatted(Date.ISO8601FormatStyle(includingFractionalSeconds: true))),
      ("level", event.level.rawValue), ("msg", "\(event.message)"),
    ]
    switch format {
    case .logfmt: emit(Self.logfmt(head + values.sorted { $0.key < $1.key }.map { ($0.key, $0.value) }))
    case .json: emit(Self.json(values.merging(head) { $1 }))
    }
  }

  private static func logfmt(_ fields: [(String, String)]) -> String {
    fields.map { key, value in "\(key)=\(isPlain(value) ? value : quoted(value))" }.joined(separator: " ")
  }

  private static func isPlain(_ value: String) -> Bool {
    !value.isEmpty
      && value.unicodeScalars.allSatisfy {
        $0.value > 0x20 && $0.value != 0x7F && $0 != "\"" && $0 != "=" && $0 != "\\" && !isSeparator($0)
      }
  }

  private static func isSeparator(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator: true
    default: false
    }
  }

  private static func quoted(_ value: String) -> String {
    var text = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case " ": text += " "
      case _ where isSeparator(scalar): text += "\\u{\(String(scalar.value, radix: 16))}"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }

  private static func json(_ fields: [String: String]) -> String {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .withoutEscapingSlashes]
    guard let encoded = try? encoder.encode(fields) else { return #"{"msg":"a log event could not be encoded"}"# }
    return String(decoding: encoded, as: UTF8.self)
  }

  package static func writeToStandardError(_ line: String) {
    // One write per line, so that lines of several threads do not mix. There is nowhere to report a failure to.
    let bytes = Array((line + "\n").utf8)
    _ = bytes.withUnsafeBytes { write(STDERR_FILENO, $0.baseAddress, $0.count) }
  }
}
