// What a walk and a reading of scalars have in common: they decide the next request from the answers so far, remark what was
// odd, and keep count. A poll plan runs one after the other over a session.
//
//     while let request = source.next() { send it; then source.received(response) or source.failed(failure) }

package import MIB

/// A pure machine that reads a part of a device by one request at a time.
package protocol RequestSource: Sendable {
  /// The next request; nil when there is nothing more to ask. Call it once per request.
  mutating func next() -> Request?
  /// Takes the answer to the request `next` gave.
  mutating func received(_ response: Response)
  /// Takes the failure of the request `next` gave.
  mutating func failed(_ failure: SessionFailure)

  /// What was read so far.
  var bindings: [VarBind] { get }
  var findings: [ReadFinding] { get }
  var statistics: ReadStatistics { get }
  /// Why reading ended before everything was read; nil when it did not.
  var stopped: ReadStop? { get }
  /// What the device bears, as known after the last answer.
  var abilities: DeviceAbilities { get }
}

extension ObjectIdentifier {
  /// What GetNext is asked for to be given this name: the sibling before it, or its parent.
  package var justBefore: ObjectIdentifier {
    guard let last else { return self }
    let parent = dropLast()
    return last == 0 ? parent : parent.appending(last - 1)
  }
}

/// The limits of one reading.
package struct ReadLimits: Hashable, Sendable {
  /// Requests of one walk. A large multifunction device needs some hundreds with GetNext alone.
  package var requestsMax = 2_000
  /// Bindings of one walk: a full Printer-MIB has 1,000 to 3,000.
  package var bindingsMax = 10_000
  /// Bindings of one column or subtree; beyond it the device is making them up.
  package var bindingsPerRootMax = 4_000
  /// Failed requests in a row after which the device is taken for gone.
  package var failuresInARowMax = 3

  package init() {}
}

/// The traffic of one reading, in UDP payload bytes.
package struct ReadStatistics: Hashable, Sendable {
  package var requests = 0
  package var failures = 0
  package var requestBytes = 0
  package var responseBytes = 0

  package init() {}

  mutating func count(_ response: Response) {
    requestBytes += response.requestBytes
    responseBytes += response.responseBytes
  }

  package static func + (left: ReadStatistics, right: ReadStatistics) -> ReadStatistics {
    var sum = left
    sum.requests += right.requests
    sum.failures += right.failures
    sum.requestBytes += right.requestBytes
    sum.responseBytes += right.responseBytes
    return sum
  }
}

/// Why a reading ended early. What was read until then stands.
package enum ReadStop: Hashable, Sendable {
  case requestsExhausted(Int)
  case bindingsExhausted(Int)
  /// The device stopped answering; the last failure.
  case unreachable(SessionFailure)
}

/// Something a device did wrong while it was read.
package enum ReadFinding: Hashable, Sendable {
  /// The device answered with an error; the subtree ends here.
  case error(ErrorStatus, root: ObjectIdentifier, after: ObjectIdentifier)
  /// A Get of this name alone was answered with an error.
  case scalarError(ErrorStatus, ObjectIdentifier)
  /// No readable answer about this name or what follows it, though it was asked alone.
  case noAnswer(SessionFailure, ObjectIdentifier)
  /// The next name does not follow the last one; the subtree ends here.
  case notIncreasing(root: ObjectIdentifier, after: ObjectIdentifier, received: ObjectIdentifier)
  /// The next name was given before; the subtree ends here.
  case cycle(root: ObjectIdentifier, after: ObjectIdentifier, received: ObjectIdentifier)
  /// An exception that does not belong into this answer; the subtree ends here.
  case unexpectedException(ObjectValue, ObjectIdentifier)
  /// The answer has another number of bindings than it must have; columns are read one by one from here on.
  case misshapen(asked: Int, received: Int, at: ObjectIdentifier)
  /// The answer does not hold this name though it holds no error.
  case missing(ObjectIdentifier)
  /// GetBulk of what follows this name failed; GetNext is used from here on.
  case bulkRefused(BulkRefusal, at: ObjectIdentifier)
  /// A single binding does not fit the device's answer.
  case tooBig(ObjectIdentifier)
  /// More than `ReadLimits.bindingsPerRootMax`.
  case rootExhausted(ObjectIdentifier)
}

/// How GetBulk failed.
package enum BulkRefusal: Hashable, Sendable {
  case error(ErrorStatus)
  case failure(SessionFailure)
  case notIncreasing
  case misshapen
}

extension ReadFinding: CustomStringConvertible {
  package var description: String {
    switch self {
    case .error(let status, let root, let after): "\(status) after \(after): \(root) ends there"
    case .scalarError(let status, let name): "\(status) for \(name)"
    case .noAnswer(let failure, let name): "\(name) was not answered: \(failure)"
    case .notIncreasing(let root, let after, let received):
      "\(received) was given as following \(after): \(root) ends there"
    case .cycle(let root, let after, let received): "\(received) came again after \(after): \(root) ends there"
    case .unexpectedException(let value, let name): "\(value) where a value belongs, at \(name)"
    case .misshapen(let asked, let received, let name):
      "\(received) bindings answer a request for \(asked), the first of them \(name)"
    case .missing(let name): "the answer lacks \(name)"
    case .bulkRefused(let refusal, let name): "GetBulk is not used: \(refusal), asked for what follows \(name)"
    case .tooBig(let name): "tooBig for \(name), or what follows it, alone"
    case .rootExhausted(let root): "\(root) has more objects than are read"
    }
  }
}

extension BulkRefusal: CustomStringConvertible {
  package var description: String {
    switch self {
    case .error(let status): "it was answered with \(status)"
    case .failure(let failure): failure.description
    case .notIncreasing: "its answer did not increase"
    case .misshapen: "its answer was incomplete"
    }
  }
}
