// Answers of real printers, where the environment variable PT_CORPUS names their folder. They are not part of this repository.

internal import Foundation
internal import Testing

internal import IPP

private enum Captures {
  static let root: URL? = ProcessInfo.processInfo.environment["PT_CORPUS"].map { URL(fileURLWithPath: $0) }

  /// What each capture reads as, by its path below the root; read by a decoder that shares nothing with this one.
  static let oracle: [String: Expectation] = {
    guard let root, let data = try? Data(contentsOf: root.appendingPathComponent("ipp-oracle.json")) else { return [:] }
    return (try? JSONDecoder().decode([String: Expectation].self, from: data)) ?? [:]
  }()

  /// Without those that are no binary IPP.
  static let paths = oracle.filter { $0.value.facts["format"] == nil }.keys.sorted()

  static func bytes(_ path: String) throws -> [UInt8] {
    let root = try #require(root)
    return [UInt8](try Data(contentsOf: root.appendingPathComponent(path)))
  }
}

/// What the oracle says of one capture.
private struct Expectation: Decodable {
  /// By the oracle's own names.
  var facts: [String: String] = [:]
  /// By the attributes' names, and `notes`.
  var values: [String: [String]] = [:]

  private struct Key: CodingKey {
    let stringValue: String
    let intValue: Int? = nil
    init(stringValue: String) { self.stringValue = stringValue }
    init?(intValue: Int) { nil }
  }

  /// A number, a truth value or a text, as it is printed.
  private struct Scalar: Decodable {
    let text: String
    init(from decoder: any Decoder) throws {
      let container = try decoder.singleValueContainer()
      if let truth = try? container.decode(Bool.self) {
        text = "\(truth)"
      } else if let number = try? container.decode(Int.self) {
        text = "\(number)"
      } else {
        text = try container.decode(String.self)
      }
    }
  }

  init(from decoder: any Decoder) throws {
    let container = try decoder.container(keyedBy: Key.self)
    for key in container.allKeys {
      if let fact = try? container.decode(Scalar.self, forKey: key) {
        facts[key.stringValue] = fact.text
      } else {
        values[key.stringValue] = try container.decode([Scalar].self, forKey: key).map(\.text)
      }
    }
  }
}

@Suite(.enabled(if: Captures.root != nil, "skipped: PT_CORPUS does not name a folder of captures"))
struct `Captured IPP answers` {
  @Test func `are there`() { #expect(Captures.paths.count > 50) }

  @Test(arguments: Captures.paths) func `read as the oracle says`(path: String) throws {
    let expected = try #require(Captures.oracle[path])
    let read = try #require(IPPDecoded(try Captures.bytes(path)))
    if let error = expected.facts["error"] {
      return #expect(read.findings.contains { $0.problem != .notUTF8 }, "the oracle could not read it: \(error)")
    }
    #expect(read.message.version.description == expected.facts["ipp_version"])
    #expect("\(read.message.code)" == expected.facts["status"])
    #expect("\(read.message.groups.count { $0.kind == .printer })" == expected.facts["printer_groups"])
    let isOtherText = expected.values["notes"]?.contains("non-utf8-string") ?? false
    #expect(read.findings.contains { $0.problem == .notUTF8 } == isOtherText)
    let attributes = read.message[.printer]?.attributes ?? []
    #expect("\(attributes.count)" == expected.facts["n_attributes"])
    for attribute in attributes {
      guard let values = expected.values[attribute.name] else { continue }
      #expect(attribute.values.map(\.plain) == values, "\(attribute.name)")
    }
  }

  /// What was sent once can be sent again: nothing is lost in between.
  @Test(arguments: Captures.paths) func `are the same after they were written and read again`(path: String) throws {
    let read = try #require(IPPDecoded(try Captures.bytes(path)))
    let again = try #require(IPPDecoded(try read.message.encoded()))
    #expect(again.message == read.message)
  }

  @Test(arguments: Captures.paths) func `cut at any byte are read without a trap`(path: String) throws {
    let bytes = try Captures.bytes(path)
    for length in stride(from: 8, to: bytes.count, by: max(1, bytes.count / 500)) {
      let read = try #require(IPPDecoded(bytes[..<length]))
      #expect(read.dataOffset <= length)
    }
  }
}

extension IPPValue {
  /// As the oracle prints it.
  fileprivate var plain: String {
    switch self {
    case .boolean(let isTrue): "\(isTrue)"
    case .dateTime(let date): date.description
    case .outOfBand(.unsupported): "<unsupported>"
    case .outOfBand(.unknown): "<unknown>"
    case .outOfBand(.noValue): "<no-value>"
    default: number.map { "\($0)" } ?? text ?? "\(self)"
    }
  }
}
