// What diagnostics tell of a journal: its epochs, its devices and its latest events. A damaged file may end the process that reads it, so from outside of
// the agent a child reads it (`DiagnosticsWorker`).

internal import Evidence
internal import FoundationEssentials
internal import Journal
internal import Platform
internal import Projections
internal import ReadModels

struct JournalExcerpt: Codable, Equatable, Sendable {
  struct Epoch: Codable, Equatable, Sendable {
    let number: UInt32
    let first: UInt64
    let records: UInt64
    /// Ranges as text.
    let lost: [String]
  }

  /// Lines of events: some hours of a hundred devices.
  static let eventsMax = 1_000
  static let devicesMax = 2_000

  var head: String?
  var acknowledged: String?
  var lag: UInt64?
  var epochs: [Epoch] = []
  var devicesTotal = 0
  var devices: [DiagnosedDevice] = []
  var events: [String] = []
  /// What could not be read, and why.
  var troubles: [String] = []

  /// Reads what can be read.
  init(_ reader: JournalReader) {
    var troubles: [String] = []
    func attempt<Value>(_ what: String, _ work: () throws -> Value) -> Value? {
      do { return try work() } catch {
        troubles.append("\(what) could not be read: \(error)")
        return nil
      }
    }
    if let numbers = attempt("the numbers", { try JournalNumbers(reader) }) {
      (head, lag) = (numbers.head.description, numbers.lag)
      acknowledged = numbers.acknowledged?.description
    }
    epochs = attempt("the epochs") { try reader.epochs().map { try Epoch($0, reader) } } ?? []
    if let fleet = attempt("the devices", { try FleetView.load(reader) }) {
      devicesTotal = fleet.devices.count
      devices = fleet.devices.values.sorted { $0.id < $1.id }.prefix(Self.devicesMax).map { DiagnosedDevice($0) }
    }
    events = attempt("the latest events") { try Self.latest(reader) } ?? []
    self.troubles = troubles
  }

  init(trouble: String) { troubles = [trouble] }

  private static func latest(_ reader: JournalReader) throws -> [String] {
    let head = try reader.head()
    let base = try reader.base(epoch: head.epoch).size
    let first = max(base, head.sequence - min(head.sequence, UInt64(eventsMax))) + 1
    guard first <= head.sequence else { return [] }
    var lines: [String] = []
    try reader.scan(from: RecordPosition(epoch: head.epoch, sequence: first), through: head, limit: eventsMax) { view in
      lines.append(EventLine.text(view))
      return true
    }
    return lines
  }
}

/// The child that reads a journal which may be damaged: a hidden first argument, as `JournalWorker` has one.
package enum DiagnosticsWorker {
  static let command = "diagnostics-worker"
  /// For reading the state and a thousand records; a disk that is slower has other troubles.
  static let patience: Duration = .seconds(60)

  /// Prints the excerpt, if the arguments (without the program's name) ask for it.
  /// - Returns: the exit status; nil for arguments that are not the worker's.
  package static func run(_ arguments: [String]) -> Int32? {
    guard arguments.first == command else { return nil }
    guard arguments.count == 2 else { return AgentFailure.Code.usage.rawValue }
    let excerpt: JournalExcerpt
    do { excerpt = JournalExcerpt(try JournalReader.open(directory: arguments[1])) } catch {
      excerpt = JournalExcerpt(trouble: "\(error)")
    }
    guard let json = try? JSONEncoder().encode(excerpt) else { return AgentFailure.Code.software.rawValue }
    do { try StandardOutput.write(Array(json)) } catch { return AgentFailure.Code.inputOutput.rawValue }
    return 0
  }

  /// Has a child read the journal in `directory`; whatever becomes of it, there is an excerpt.
  static func excerpt(of directory: String) -> JournalExcerpt {
    do throws(JournalError) {
      let child = try ChildProcess(
        JournalWorkerCommand.thisProgram.executable, [command, directory], within: patience,
        outputBytesMax: outputBytesMax)
      if let excerpt = try? JSONDecoder().decode(JournalExcerpt.self, from: Data(child.output.utf8)) { return excerpt }
      return JournalExcerpt(trouble: "Reading the journal ended with \(child.ending): it is damaged.")
    } catch {
      return JournalExcerpt(trouble: error.description)
    }
  }

  /// A thousand lines of 2 KB, and two thousand devices of 1 KB.
  private static let outputBytesMax = 8 << 20
}

extension JournalExcerpt.Epoch {
  fileprivate init(_ epoch: JournalEpoch, _ reader: JournalReader) throws {
    self.init(
      number: epoch.number, first: epoch.firstSequence, records: try reader.frontier(epoch: epoch.number).size,
      lost: try reader.lost(epoch: epoch.number).map(\.description))
  }
}
