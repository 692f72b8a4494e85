// Simulated time.

import Testing

@testable import PrinterSimulator

struct ClockTests {
  @Test func `simulated time is a multiple of the wall's`() {
    let clock = SimulatedClock(speed: 60)
    #expect(clock.milliseconds(at: .zero) == 0)
    #expect(clock.milliseconds(at: .milliseconds(1500)) == 90_000)
  }

  @Test func `a stopped clock stands until it goes on from there`() {
    var clock = SimulatedClock(speed: 10)
    clock.toggle(at: .seconds(1))
    #expect(clock.milliseconds(at: .seconds(50)) == 10_000)
    clock.toggle(at: .seconds(60))
    #expect(clock.milliseconds(at: .seconds(61)) == 20_000)
  }

  @Test func `a push counts whether the clock stands or runs, and never backwards`() {
    var clock = SimulatedClock(speed: 0)
    clock.advance(by: .seconds(3))
    clock.advance(by: .seconds(-9))
    #expect(clock.milliseconds(at: .seconds(7)) == 3000)
    clock.toggle(at: .seconds(7))
    clock.advance(by: .seconds(1))
    #expect(clock.milliseconds(at: .seconds(9)) == 4000)
  }

  @Test func `waiting answers come in the order of their time, then of their arrival`() {
    var pending = PendingReplies()
    for (byte, due) in [(1, 30), (2, 10), (3, 20), (4, 10), (5, 30), (6, 5)] {
      let datagram = OutgoingDatagram(bytes: [UInt8(byte)], address: 0, port: 0)
      let isKept = pending.add(datagram, socket: 0, due: .milliseconds(due))
      #expect(isKept)
    }
    #expect(pending.nextDue == .milliseconds(5))
    var order: [UInt8] = []
    while let entry = pending.next(at: .milliseconds(29)) { order += entry.datagram.bytes }
    #expect(order == [6, 2, 4, 3])
    while let entry = pending.next(at: .milliseconds(30)) { order += entry.datagram.bytes }
    #expect(order == [6, 2, 4, 3, 1, 5])
  }

  @Test func `answers beyond the limit are lost`() {
    var pending = PendingReplies()
    let datagram = OutgoingDatagram(bytes: [], address: 0, port: 0)
    let kept = (0...PendingReplies.countMax).map { _ in pending.add(datagram, socket: 0, due: .zero) }
    #expect(kept.filter { $0 }.count == PendingReplies.countMax)
    #expect(kept.last == false)
  }
}
