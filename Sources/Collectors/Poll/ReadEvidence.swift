// What a poll takes from the findings of its readers and from its first objects.

internal import MIB
internal import PrinterModel
internal import SNMP

extension ReadFinding {
  /// The object it is about, or was met at.
  var name: ObjectIdentifier {
    switch self {
    case .error(_, let root, _), .notIncreasing(let root, _, _), .cycle(let root, _, _): root
    case .scalarError(_, let name), .noAnswer(_, let name), .missing(let name), .tooBig(let name): name
    case .unexpectedException(_, let name), .rootExhausted(let name): name
    case .misshapen(_, _, let name), .bulkRefused(_, let name): name
    }
  }

  /// The name after which the device was silent, if that is what it is about.
  var unansweredName: ObjectIdentifier? {
    switch self {
    case .noAnswer(_, let name), .tooBig(let name), .missing(let name): name
    default: nil
    }
  }

  /// What this finding leaves unknown: the names that were not answered, and those for which an error was the answer.
  var unknownName: ObjectIdentifier? {
    switch self {
    case .error(_, let root, _): root
    case .scalarError(_, let name): name
    default: unansweredName
    }
  }
}
