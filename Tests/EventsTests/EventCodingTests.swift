import MIB
import PrinterModel
import Testing

@testable import Events

@Suite struct `An event's bytes` {
  @Test(arguments: Samples.bodies)
  func `read back as the event that was written`(body: EventBody) throws {
    let event = Event(time: 1_774_300_000_123, device: Samples.device, body)
    #expect(try Event(payload: event.encoded()) == event)
  }

  @Test func `of the agent itself name no device`() throws {
    let event = Event(time: -1, .agentStarted(AgentStarted(version: "1", hostName: "h")))
    #expect(try Event(payload: event.encoded()).device == nil)
    #expect(try Event(payload: event.encoded()).time == -1)
  }

  @Test(arguments: Samples.bodies)
  func `cut at any byte are refused or read as less, and never trap`(body: EventBody) throws {
    let bytes = try Event(time: 1, device: Samples.device, body).encoded()
    for count in 0..<bytes.count {
      let cut = Array(bytes[..<count])
      if count < EventHeader.size {
        #expect(throws: EventCodingError.tooShort(count)) { try Event(payload: cut) }
      } else {
        _ = try? Event(payload: cut)
      }
    }
  }

  @Test(arguments: Samples.bodies)
  func `with any byte changed never trap`(body: EventBody) throws {
    let bytes = try Event(time: 1, device: Samples.device, body).encoded()
    for index in bytes.indices {
      for flip in [UInt8(0x01), 0x80, 0xff] {
        var damaged = bytes
        damaged[index] ^= flip
        _ = try? Event(payload: damaged)
      }
    }
  }

  @Test func `of a type from a newer release are kept as they are`() throws {
    let event = Event(time: 5, device: Samples.device, .unknown(type: 999, bytes: [1, 2, 3]))
    #expect(try Event(payload: event.encoded()) == event)
    #expect(EventType.name(999) == "Type999")
  }

  @Test func `of a newer version are refused with the remedy`() throws {
    var bytes = try Event(time: 5, .agentStopped(AgentStopped(reason: "test"))).encoded()
    bytes[0] = 2
    #expect(throws: EventCodingError.unknownVersion(2)) { try Event(payload: bytes) }
    #expect(EventCodingError.unknownVersion(2).description.contains("newer release"))
  }

  @Test func `of an unchanged poll are small`() throws {
    let event = Event(
      time: 1, device: Samples.device,
      .readingUnchanged(
        ReadingUnchanged(
          uptimeTicks: 4_000_000_000,
          cost: PollCost(requests: 1, bytesSent: 400, bytesReceived: 600, milliseconds: 12))))
    #expect(try event.encoded().count <= 27 + 24)
  }
}

@Suite struct `Packed objects` {
  static let all: [VarBind] = [
    VarBind([1, 3, 6, 1, 2, 1, 1, 3, 0], .timeTicks(.max)),
    VarBind([1, 3, 6, 1, 2, 1, 43, 10, 2, 1, 4, 1, 1], .counter32(.max)),
    VarBind([1, 3, 6, 1, 2, 1, 43, 11, 1, 1, 9, 1, 1], .integer(-3)),
    VarBind([1, 3, 6, 1, 2, 1, 43, 11, 1, 1, 9, 1, 2], .integer(.min)),
    VarBind([1, 3, 6, 1, 2, 1, 43, 11, 1, 1, 9, 1, 3], .integer(.max)),
    VarBind([1, 3, 6, 1, 4, 1, 4_294_967_295], .octets([0, 255])),
    VarBind([], .null), VarBind([2], .objectIdentifier([1, 3, 6])), VarBind([2, 1], .ipAddress([127, 0, 0, 1])),
    VarBind([2, 2], .gauge32(7)), VarBind([2, 3], .opaque([])), VarBind([2, 4], .counter64(.max)),
    VarBind([2, 5], .noSuchObject), VarBind([2, 6], .noSuchInstance), VarBind([2, 7], .endOfMibView),
  ]

  @Test func `read back as they were packed`() throws {
    #expect(try PackedObjects.unpack(PackedObjects.pack(Self.all)) == Self.all)
  }

  @Test func `cut in the middle of an object are an error that names the byte`() throws {
    let bytes = PackedObjects.pack(Self.all)
    var refused = 0
    for count in 0..<bytes.count {
      do throws(PackedObjectsError) {
        let read = try PackedObjects.unpack(Array(bytes[..<count]))
        #expect(read == Array(Self.all.prefix(read.count)))
      } catch {
        refused += 1
        #expect(error.offset <= count)
      }
    }
    #expect(refused == bytes.count - Self.all.count)
  }

  @Test(
    arguments: [
      [1, 0, 5], [0, 129, 1], [0, 0, 0x41, 0xff, 0xff, 0xff, 0xff, 0x7f], [0, 0, 0x04, 0xff, 0x01],
      [0, 0, 0x46, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02], [0, 0, 0x99],
    ] as [[UInt8]])
  func `that lie about lengths are refused`(bytes: [UInt8]) {
    #expect(throws: PackedObjectsError.self) { try PackedObjects.unpack(bytes) }
  }
}
