// The lines that a worker prints for its parent: a word, then what belongs to it.

internal import Evidence
internal import OpenSSL

extension InspectionLine {
  var text: String {
    switch self {
    case .at(let place): "at \(place)"
    case .journal(let id, let publicKey, let epoch): "journal \(hexadecimal(id)) \(hexadecimal(publicKey)) \(epoch)"
    case .unfinished: "unfinished"
    case .newerFormat(let format): "format \(format)"
    case .soundThrough(let position): "sound \(position)"
    case .damage(let what): "damage \(what.replacing("\n", with: " "))"
    case .done: "done"
    }
  }

  /// Nil for a line that is none of these.
  init?(_ line: Substring) {
    let (word, rest) = Self.split(line)
    switch word {
    case "at": self = .at(String(rest))
    case "damage": self = .damage(String(rest))
    case "unfinished": self = .unfinished
    case "done": self = .done
    case "format":
      guard let format = UInt32(rest) else { return nil }
      self = .newerFormat(format)
    case "sound":
      guard let position = RecordPosition(rest) else { return nil }
      self = .soundThrough(position)
    case "journal":
      let parts = rest.split(separator: " ")
      guard parts.count == 3, let id = OpenSSL.bytes(hexadecimal: parts[0]),
        let key = OpenSSL.bytes(hexadecimal: parts[1]), let epoch = UInt32(parts[2])
      else { return nil }
      self = .journal(id: id, publicKey: key, epoch: epoch)
    default: return nil
    }
  }

  static func split(_ line: Substring) -> (Substring, Substring) {
    guard let space = line.firstIndex(of: " ") else { return (line, "") }
    return (line[..<space], line[line.index(after: space)...])
  }
}

/// What a salvage tells when it is done.
enum SalvageLine: Equatable {
  case kept(UInt64)
  case lost(LostRecords)
  case failed(String)
  case done

  static func lines(_ report: SalvageReport) -> [SalvageLine] {
    [.kept(report.recordsKept)] + report.lost.map { .lost($0) } + [.done]
  }

  static func report(
    _ lines: [SalvageLine], _ ending: ChildProcess.Ending
  ) -> Result<SalvageReport, JournalWorkerCommand.SalvageFailure> {
    var (report, isDone) = (SalvageReport(), false)
    for line in lines {
      switch line {
      case .kept(let records): report.recordsKept = records
      case .lost(let records): report.lost.append(records)
      case .failed(let reason): return .failure(.init(reason: reason))
      case .done: isDone = true
      }
    }
    guard isDone, ending == .exited(0) else { return .failure(.init(reason: "the work ended with \(ending)")) }
    return .success(report)
  }

  var text: String {
    switch self {
    case .kept(let records): "kept \(records)"
    case .lost(let records): "lost \(records.epoch) \(records.first) \(records.last.map(String.init) ?? "-")"
    case .failed(let reason): "failed \(reason.replacing("\n", with: " "))"
    case .done: "done"
    }
  }

  /// Nil for a line that is none of these.
  init?(_ line: Substring) {
    let (word, rest) = InspectionLine.split(line)
    switch word {
    case "failed": self = .failed(String(rest))
    case "done": self = .done
    case "kept":
      guard let records = UInt64(rest) else { return nil }
      self = .kept(records)
    case "lost":
      let parts = rest.split(separator: " ")
      guard parts.count == 3, let epoch = UInt32(parts[0]), let first = UInt64(parts[1]) else { return nil }
      let last = UInt64(parts[2])
      guard last != nil || parts[2] == "-" else { return nil }
      self = .lost(LostRecords(epoch: epoch, first: first, last: last))
    default: return nil
    }
  }
}
