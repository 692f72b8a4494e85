// A request that was let in: who asks, what about, and its parameters with their limits.

internal import FoundationEssentials
internal import HubDatabase

/// What the path names, found within the caller's scope.
enum ConsoleSubject: Sendable {
  case none
  case entity(number: Int64, name: String)
  case install(Install)
  /// By its id.
  case device(String)
  case job(String)
  case code(Int64)
  case user(ConsoleUser)
}

struct ConsoleCall: Sendable {
  let request: ConsoleRequest
  /// Nil only where anyone may ask.
  let session: OpenSession?
  let subject: ConsoleSubject
  let now: Int64

  /// Whose things the caller sees. Nothing, where nobody is logged in.
  var scope: EntityScope { session?.user.scope ?? EntityScope(root: 0) }

  var actor: Actor {
    Actor(name: session.map { "\($0.user.name) (console)" } ?? "nobody", peer: request.peer)
  }

  // MARK: Parameters

  /// The words that a list is cut by, its order, and which part of it is wanted.
  func list(sorts: Set<String>, default preset: String) throws(ConsoleFault) -> ListQuery {
    let sort = request.query["sort"] ?? preset
    let name = sort.hasPrefix("-") ? String(sort.dropFirst()) : sort
    guard sorts.contains(name) else {
      throw .badValue(
        "sort", "is none of \(sorts.sorted().joined(separator: ", ")), with or without a hyphen before it.")
    }
    let words = request.query["q"] ?? ""
    guard words.count <= HubLimits.searchCharactersMax else {
      throw .badValue("q", "has more than \(HubLimits.searchCharactersMax) characters.")
    }
    return ListQuery(
      offset: try whole("offset", 0...HubLimits.pageOffsetMax) ?? 0,
      limit: try whole("limit", 1...HubLimits.pageRowsMax) ?? HubLimits.pageRowsDefault, sort: name,
      isDescending: sort.hasPrefix("-"), words: words.split(separator: " ").map(String.init))
  }

  /// A whole number of the query.
  func whole(_ name: String, _ range: ClosedRange<Int>) throws(ConsoleFault) -> Int? {
    guard let text = request.query[name] else { return nil }
    guard let number = Int(text), range.contains(number) else {
      throw .badValue(name, "is \(shown(text)); give a whole number from \(range.lowerBound) to \(range.upperBound).")
    }
    return number
  }

  /// A word of the query.
  func word(_ name: String, of words: [String]) throws(ConsoleFault) -> String? {
    guard let text = request.query[name] else { return nil }
    guard words.contains(text) else {
      throw .badValue(name, "is \(shown(text)); give one of \(words.joined(separator: ", ")).")
    }
    return text
  }

  // MARK: Members

  func text(_ name: String, max: Int = HubLimits.entityNameMax) throws(ConsoleFault) -> String {
    guard let text = try optionalText(name, max: max) else { throw .badValue(name, "is missing; give a text.") }
    return text
  }

  func optionalText(_ name: String, max: Int = HubLimits.entityNameMax) throws(ConsoleFault) -> String? {
    switch request.body?[name] {
    case nil, .null?: return nil
    case .text(let text)?:
      guard text.count <= max else { throw .badValue(name, "has more than \(max) characters.") }
      return text
    default: throw .badValue(name, "is no text.")
    }
  }

  func texts(_ name: String) throws(ConsoleFault) -> [String]? {
    switch request.body?[name] {
    case nil, .null?: return nil
    case .texts(let texts)?: return texts
    default: throw .badValue(name, "is no list of texts.")
    }
  }

  func flag(_ name: String) throws(ConsoleFault) -> Bool? {
    switch request.body?[name] {
    case nil, .null?: return nil
    case .bool(let value)?: return value
    default: throw .badValue(name, "is neither true nor false.")
    }
  }

  func number(_ name: String, _ range: ClosedRange<Int64>) throws(ConsoleFault) -> Int64? {
    switch request.body?[name] {
    case nil, .null?: return nil
    case .integer(let number)? where range.contains(number): return number
    default: throw .badValue(name, "is no whole number from \(range.lowerBound) to \(range.upperBound).")
    }
  }

  private func shown(_ text: String) -> String { "\"\(cleaned(String(text.prefix(40))))\"" }
}

/// A part of a list.
struct ListQuery: Sendable {
  var offset = 0
  var limit = HubLimits.pageRowsDefault
  /// One of the list's orders.
  var sort: String
  var isDescending = false
  /// Each must occur.
  var words: [String] = []
}
