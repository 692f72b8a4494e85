// Logs as one line an event, for people (logfmt) or for machines (JSON), to standard error.
//
//   time=2026-03-01T08:15:00.250Z level=info msg="the hub welcomes this agent" lag=12 window=2000
//   {"time":"2026-03-01T08:15:00.250Z","level":"info","msg":"the hub welcomes this agent","lag":"12","window":"2000"}
//
// Devices and hubs choose parts of what is logged. Values are escaped so that none can begin a new line or pretend to be another field, and
// cut at a length that a log's reader can bear.

package import Settings
package import Logging

internal import Platform
internal import ReadModels

/// Formats events and hands each line to `emit`.
package struct LineLogHandler: LogHandler {
  /// A sentence and a stack of OIDs fit; a device's 64 KiB string does not belong into a log.
  package static let valueCharactersMax = 2_000

  package var logLevel: Logger.Level
  package var metadata: Logger.Metadata = [:]
  package var metadataProvider: Logger.MetadataProvider?

  private let format: LogSettings.Format
  private let now: @Sendable () -> Int64
  private let emit: @Sendable (String) -> Void

  /// - Parameters:
  ///   - now: milliseconds since 1970 UTC.
  ///   - emit: takes one line with its line break, from any thread.
  package init(
    format: LogSettings.Format, level: Logger.Level, now: @escaping @Sendable () -> Int64 = { Machine.milliseconds },
    emit: @escaping @Sendable (String) -> Void = { Machine.tell($0) }
  ) {
    self.format = format
    self.now = now
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
    var all = [
      ("time", UTCTime.text(milliseconds: now())), ("level", event.level.rawValue), ("msg", "\(event.message)"),
    ]
    all += fields.sorted { $0.key < $1.key }.map { ($0.key, Self.clipped("\($0.value)")) }
    if let error = event.error { all.append(("error", Self.clipped("\(error)"))) }
    emit(format == .json ? Self.json(all) : Self.logfmt(all))
  }

  static func logfmt(_ fields: [(String, String)]) -> String {
    fields.map { name, value in "\(name)=\(isPlain(value) ? value : quoted(value))" }.joined(separator: " ") + "\n"
  }

  static func json(_ fields: [(String, String)]) -> String {
    "{" + fields.map { name, value in jsonString(name) + ":" + jsonString(value) }.joined(separator: ",") + "}\n"
  }

  /// RFC 8259, section 7; what is invisible is escaped as well.
  private static func jsonString(_ value: String) -> String {
    var text = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case _ where scalar.value != 0x20 && isInvisible(scalar):
        for unit in String(scalar).utf16 {
          let digits = String(unit, radix: 16)
          text += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        }
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }

  private static func clipped(_ value: String) -> String {
    value.count <= valueCharactersMax ? value : value.prefix(valueCharactersMax) + "…"
  }

  private static func isPlain(_ value: String) -> Bool {
    !value.isEmpty
      && value.unicodeScalars.allSatisfy { scalar in
        scalar.value > 0x20 && scalar.value != 0x7f && !"\"=\\".unicodeScalars.contains(scalar) && !isInvisible(scalar)
      }
  }

  private static func quoted(_ value: String) -> String {
    var text = "\""
    for scalar in value.unicodeScalars {
      switch scalar {
      case "\"": text += "\\\""
      case "\\": text += "\\\\"
      case "\n": text += "\\n"
      case "\r": text += "\\r"
      case "\t": text += "\\t"
      case _ where scalar.value != 0x20 && isInvisible(scalar): text += "\\u{\(String(scalar.value, radix: 16))}"
      default: text.unicodeScalars.append(scalar)
      }
    }
    return text + "\""
  }

  /// Control characters, and those that reorder or break lines where the log is looked at.
  private static func isInvisible(_ scalar: Unicode.Scalar) -> Bool {
    switch scalar.properties.generalCategory {
    case .control, .format, .lineSeparator, .paragraphSeparator, .spaceSeparator: true
    default: false
    }
  }
}

extension Logger {
  /// The program's logger, as it is configured.
  /// - Parameter tail: keeps the last lines as well.
  package init(_ settings: LogSettings, tail: LogTail? = nil) {
    let level = Logger.Level(rawValue: settings.level.rawValue) ?? .info
    self.init(label: "ptagent") { _ in
      LineLogHandler(
        format: settings.format, level: level,
        emit: { line in
          Machine.tell(line)
          tail?.add(line)
        })
    }
  }
}
