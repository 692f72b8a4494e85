// Reading single objects by Get, several at once where the device bears it, or by GetNext where it answers no Get.
//
//     answer          several names                              one name
//     --------------  -----------------------------------------  ---------------------------------
//     values          by name; a name left out is asked alone    an exception: absent
//     tooBig          half as many                               finding
//     noSuchName      the named one is absent, the rest again    absent
//     other error     the named one is asked alone, rest again   finding
//     no answer       each is asked alone, then half as many     finding; stop after several in a row
//
// Some devices answer GetNext and no Get. Where no Get was ever answered and one stays silent, one name is asked by GetNext, once:
//
//     silent too      the device is silent: as above
//     answered        Get of one name was silent:       Get is not used again, here and in later polls
//                     Get of several names was silent:  each is asked alone, and the first that is silent again decides the same
//
// Termination: each answer settles a name, moves one to the list of those asked alone, or shrinks the request.

package import MIB

/// A reading of single objects.
package struct ScalarRead: RequestSource {
  package private(set) var bindings: [VarBind] = []
  /// What the device says it does not have.
  package private(set) var absent: [ObjectIdentifier] = []
  package private(set) var findings: [ReadFinding] = []
  package private(set) var statistics = ReadStatistics()
  package private(set) var stopped: ReadStop?
  package private(set) var abilities: DeviceAbilities

  private let limits: ReadLimits
  /// To be asked together.
  private var waiting: [ObjectIdentifier]
  /// To be asked alone, since together something went wrong with them.
  private var alone: [ObjectIdentifier] = []
  private var outstanding: [ObjectIdentifier]?
  private var getNextTrial = GetNextTrial.untried
  /// How many names the Get had that was silent before the trial: several may have been too many for the device.
  private var silencingCount = 0
  private var failuresInARow = 0
  /// A device that stops answering teaches nothing about the size of requests.
  private var abilitiesBeforeFailures: DeviceAbilities?

  /// Whether GetNext is answered where Get is not.
  private enum GetNextTrial {
    case untried
    /// The next request, or the one in flight.
    case due
    case answered
    case failed
  }

  /// - Parameters:
  ///   - names: whole instances, for example `sysDescr.0`.
  ///   - abilities: what is known of the device; read it again afterwards.
  package init(names: [ObjectIdentifier], abilities: DeviceAbilities, limits: ReadLimits = ReadLimits()) {
    waiting = names
    self.abilities = abilities
    self.limits = limits
  }

  package mutating func next() -> Request? {
    precondition(outstanding == nil, "the last request is still unanswered")
    guard stopped == nil, !waiting.isEmpty || !alone.isEmpty else { return nil }
    guard statistics.requests < limits.requestsMax else {
      stopped = .requestsExhausted(limits.requestsMax)
      return nil
    }
    statistics.requests += 1
    let names: [ObjectIdentifier]
    if let first = alone.first {
      names = [first]
      alone.removeFirst()
    } else {
      names = Array(waiting.prefix(abilities.names.current))
      waiting.removeFirst(names.count)
    }
    outstanding = names
    return usesGetNext ? .getNext(names.map(\.justBefore)) : .get(names)
  }

  /// Whether the device was silent to Get, and GetNext comes next: its silence so far does not mean that it is gone.
  package var isTryingGetNext: Bool { getNextTrial == .due }

  private var usesGetNext: Bool { abilities.get == .refused || isTryingGetNext }

  package mutating func received(_ response: Response) {
    guard let asked = outstanding else { return }
    outstanding = nil
    failuresInARow = 0
    abilitiesBeforeFailures = nil
    statistics.count(response)
    let wasGetNext = usesGetNext
    learnOfGet()
    switch response.errorStatus {
    case .noError where wasGetNext: takeFollowing(response.bindings, asked)
    case .noError: take(response.bindings, asked)
    case .tooBig: tooBig(asked)
    default: deviceError(response, asked)
    }
  }

  package mutating func failed(_ failure: SessionFailure) {
    guard let asked = outstanding else { return }
    outstanding = nil
    statistics.failures += 1
    failuresInARow += 1
    let former = abilitiesBeforeFailures ?? abilities
    abilitiesBeforeFailures = former
    if failure.isAuthentication || failuresInARow >= limits.failuresInARowMax {
      stopped = .unreachable(failure)
      abilities = former
    } else if case .timeout = failure, mayTryGetNext(insteadOf: asked) {
      return
    } else if asked.count > 1 {
      abilities.names.halve(used: asked.count)
      alone += asked
    } else {
      findings += asked.map { .noAnswer(failure, $0) }
    }
  }

  /// An answer came.
  private mutating func learnOfGet() {
    if isTryingGetNext {
      getNextTrial = .answered
      if silencingCount == 1 { refuseGet() }
    } else if abilities.get == .unproven {
      abilities.get = .proven
      if silencingCount > 1 { abilities.names.halve(used: silencingCount) }
    }
  }

  /// After a silent Get: whether to go on with GetNext.
  private mutating func mayTryGetNext(insteadOf asked: [ObjectIdentifier]) -> Bool {
    guard abilities.get == .unproven else { return false }
    switch getNextTrial {
    case .untried:
      silencingCount = asked.count
      getNextTrial = .due
      alone = asked + alone
      return true
    case .answered where asked.count == 1:
      alone = asked + alone
      refuseGet()
      return true
    case .due: getNextTrial = .failed
    case .answered, .failed: break
    }
    return false
  }

  /// GetNext from here on. What was to be asked alone was so only because Get was silent.
  private mutating func refuseGet() {
    abilities.get = .refused
    waiting = alone + waiting
    alone = []
  }

  /// What follows the name just before each: the object itself, or a later one where it is not there.
  private mutating func takeFollowing(_ answer: [VarBind], _ asked: [ObjectIdentifier]) {
    guard answer.count == asked.count else { return take([], asked) }
    for (name, binding) in zip(asked, answer) {
      if binding.value.isException || binding.name > name {
        absent.append(name)
      } else if binding.name == name {
        bindings.append(binding)
      } else {
        findings.append(.missing(name))
      }
    }
    abilities.names.grow(used: asked.count)
  }

  private mutating func take(_ answer: [VarBind], _ asked: [ObjectIdentifier]) {
    let values = Dictionary(answer.map { ($0.name, $0.value) }) { first, _ in first }
    var isComplete = true
    for name in asked {
      switch values[name] {
      case let value? where value.isException:
        absent.append(name)
      case let value?:
        bindings.append(VarBind(name, value))
      case nil where asked.count > 1:
        isComplete = false
        alone.append(name)
      case nil:
        findings.append(.missing(name))
      }
    }
    if !isComplete {
      findings.append(.misshapen(asked: asked.count, received: answer.count, at: asked[0]))
      abilities.names.halve(used: asked.count)
    } else {
      abilities.names.grow(used: asked.count)
    }
  }

  private mutating func tooBig(_ asked: [ObjectIdentifier]) {
    if asked.count > 1 {
      abilities.names.halve(used: asked.count)
      waiting = asked + waiting
    } else {
      findings += asked.map { .tooBig($0) }
    }
  }

  private mutating func deviceError(_ response: Response, _ asked: [ObjectIdentifier]) {
    let isAbsent = response.errorStatus == .noSuchName
    var rest = asked
    guard asked.count > 1 else {
      if isAbsent { absent += asked } else { findings += asked.map { .scalarError(response.errorStatus, $0) } }
      return
    }
    guard asked.indices.contains(response.errorIndex - 1) else {
      // It does not say which one: ask each alone.
      alone += asked
      return
    }
    let culprit = rest.remove(at: response.errorIndex - 1)
    if isAbsent { absent.append(culprit) } else { alone.append(culprit) }
    waiting = rest + waiting
  }
}
