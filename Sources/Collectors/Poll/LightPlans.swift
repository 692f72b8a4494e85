// Plans of light polls, shared. A plan follows from a device's rows and from what it bears, which devices of one model have in common; it has some
// hundred names, and each of ten thousand devices would have a copy of its own.

internal import Synchronization

/// One copy of each plan, for whoever asks.
final class LightPlans: Sendable {
  /// More than a fleet has models and their options. Beyond it the table begins anew: what was given stays shared among those who have it.
  static let plansMax = 1_024

  private let plans = Mutex<Set<LightPlan>>([])

  init() {}

  /// The plan that is equal, if anybody has had it before, or else this one.
  func shared(_ plan: LightPlan) -> LightPlan {
    plans.withLock { plans in
      if let index = plans.firstIndex(of: plan) { return plans[index] }
      if plans.count >= Self.plansMax { plans.removeAll() }
      plans.insert(plan)
      return plan
    }
  }
}
