// Plans of light polls are held once for all devices of which they are the same.

import MIB
import PrinterModel
import SNMP
import Testing

@testable import Collectors

@Suite struct `Plans of light polls` {
  private func plan(_ printer: TestPrinter, _ abilities: DeviceAbilities) -> LightPlan {
    LightPlan(printer.walk, profiles: .none, abilities: abilities)
  }

  /// Where the plan's runs lie.
  private func place(_ plan: LightPlan) -> Int {
    plan.always.runs.withUnsafeBufferPointer { Int(bitPattern: $0.baseAddress) }
  }

  @Test func `equal ones are one`() {
    let plans = LightPlans()
    let abilities = DeviceAbilities(version: .v2c)
    var other = TestPrinter()
    (other.serial, other.lifeCount, other.levels) = ("X1", 7, [1, 2, 3, 4, 5])
    let (first, second) = (plan(TestPrinter(), abilities), plan(other, abilities))
    #expect(first == second && place(first) != place(second))
    #expect(place(plans.shared(first)) == place(plans.shared(second)))
  }

  @Test func `devices with other rows, and such that bear other requests, have their own`() {
    let plans = LightPlans()
    let abilities = DeviceAbilities(version: .v2c)
    var fewer = TestPrinter()
    fewer.levels.removeLast()
    let (first, second) = (plan(TestPrinter(), abilities), plan(fewer, abilities))
    let older = plan(TestPrinter(), DeviceAbilities(version: .v1))
    #expect(plans.shared(first) == first)
    #expect(plans.shared(second) == second && first != second)
    #expect(plans.shared(older) == older && first != older)
    #expect(!older.isStill(first) && first.isStill(first) && !first.isStill(nil))
  }

  @Test func `the table begins anew when it is full, and goes on sharing`() {
    let plans = LightPlans()
    let abilities = DeviceAbilities(version: .v2c)
    for number in 0...LightPlans.plansMax {
      let walk = Walk([VarBind(PrinterMIB.Marker.entry.appending(4, 1, UInt32(number)), .counter32(1))])
      _ = plans.shared(LightPlan(walk, profiles: .none, abilities: abilities))
    }
    let first = plans.shared(plan(TestPrinter(), abilities))
    #expect(place(plans.shared(plan(TestPrinter(), abilities))) == place(first))
  }
}
