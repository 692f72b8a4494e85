// The simulator's network side: one thread, one epoll, one UDP socket for each device.
//
//     device sockets --+                    +-- answer now ----> sendmmsg on the socket that was asked
//     eventfd (stop) --+--> epoll thread ---+
//     next due answer -+                    +-- answer later --> PendingReplies, until due
//
// One socket for each address, instead of one wildcard socket with IP_PKTINFO: the kernel then does the demultiplexing and
// answers from the address that was asked; an address that is not this machine's is refused at the start, with its name; the
// port stays free on every other address, so that the product under test and a second fleet can live beside this one; and
// nothing outside of the fleet's addresses can be answered by mistake. The price is a descriptor for each device.
//
// The devices sit behind one lock, held for a batch of datagrams at a time, so that tests and the command line can look at
// them and move time. Limits: see the constants; a full socket buffer loses datagrams, as networks do.

internal import CLinux
internal import Glibc
internal import Synchronization

package final class Server: Sendable {
  /// Requests longer than this are ignored: an SNMP request of some hundred names still fits.
  static let requestBytesMax = 4096
  /// What one UDP datagram over IPv4 carries: 65,535 less 20 of IPv4 and 8 of UDP.
  static let datagramBytesMax = 65_507
  /// Datagrams taken from one socket before the next one has its turn.
  static let batchMax = 32
  /// Descriptors beside the sockets: standard streams, epoll, eventfd, signalfd, files.
  static let descriptorsAside = 64
  /// Socket buffers, so that a burst of a whole fleet's sweep fits one device's socket.
  static let socketBufferBytes = 256 * 1024

  private struct State {
    var devices: [Device]
    var clock: SimulatedClock
    var lostReplies = 0
  }

  private struct Sockets {
    /// One for each device, in the fleet's order.
    var main: [Int32] = []
    /// For devices that answer from a wrong port; -1 for the others.
    var other: [Int32] = []
    var epoll: Int32 = -1
    var wake: Int32 = -1
  }

  /// The port of every device; the kernel's choice if the fleet's was 0.
  package let port: Int
  package let addresses: [HostAddress]
  private let sockets: Sockets
  private let start = clinux_monotonic_nanoseconds()
  private let state: Mutex<State>
  private let stopping = Atomic<Bool>(false)
  private let thread = Mutex<pthread_t?>(nil)
  /// The devices that speak IPP, by their places in the fleet.
  private let ippDevices: [Int]
  private let ippPortWanted: Int
  private let ippServer = Mutex<IPPServer?>(nil)

  /// Binds the sockets; nothing is answered before `run`.
  ///
  /// - Parameters:
  ///   - port: instead of the fleet's; 0 lets the kernel choose one for all devices.
  ///   - ippPort: the same for IPP.
  ///   - speed: simulated seconds for each second; 0 stands still.
  /// - Throws: `SimulatorError`; every descriptor is closed again then.
  package init(fleet: Fleet, port: Int? = nil, ippPort: Int? = nil, speed: Double = 1) throws(SimulatorError) {
    ippDevices = fleet.plans.indices.filter { fleet.plans[$0].ipp != nil }
    ippPortWanted = ippPort ?? fleet.ippPort
    addresses = fleet.plans.map(\.address)
    (sockets, self.port) = try Self.open(fleet, port: port ?? fleet.port)
    state = Mutex(State(devices: fleet.devices(), clock: SimulatedClock(speed: speed)))
  }

  deinit {
    stop()
    Self.close(sockets)
  }

  // MARK: Looking and moving time

  /// The devices as of now.
  package var devices: [Device] {
    state.withLock { state in
      let now = state.clock.milliseconds(at: elapsed)
      for index in state.devices.indices { state.devices[index].advance(toMilliseconds: now) }
      return state.devices
    }
  }

  package var truth: FleetTruth { FleetTruth(devices) }

  /// Answers that were lost because too many waited or a socket was full.
  package var lostReplies: Int { state.withLock { $0.lostReplies } }

  /// Lets all printers live for so long at once, beside the time that passes by itself.
  package func advance(by duration: Duration) {
    state.withLock { $0.clock.advance(by: duration) }
  }

  /// Stops simulated time, or lets it go on. While it stands, the fleet can be read and compared with its truth at leisure.
  package func toggleTime() {
    state.withLock { $0.clock.toggle(at: elapsed) }
  }

  // MARK: Serving

  /// The TCP port of IPP, and how many devices speak it; nil where none does, and before `run`.
  package var ippPort: Int? { ippServer.withLock { $0?.port } }
  package var ippCount: Int { ippDevices.count }

  private func listenForIPP() throws(SimulatorError) {
    guard !ippDevices.isEmpty, ippServer.withLock({ $0 == nil }) else { return }
    let listening = try IPPServer(
      ippDevices.map { index in
        (addresses[index], { [weak self] request in self?.answerIPP(request, at: index) })
      }, port: ippPortWanted)
    ippServer.withLock { $0 = listening }
  }

  private func answerIPP(_ request: [UInt8], at index: Int) -> IPPServer.Reply? {
    let now = elapsed
    return state.withLock { state in
      state.devices[index].advance(toMilliseconds: state.clock.milliseconds(at: now))
      return state.devices[index].answerIPP(request)
    }
  }

  /// Starts the thread that answers, and listens for IPP. Calling it again has no effect.
  package func run() throws(SimulatorError) {
    try listenForIPP()
    let failure: Int32 = thread.withLock { thread in
      guard thread == nil else { return 0 }
      var handle = pthread_t()
      let context = Unmanaged.passRetained(self).toOpaque()
      let result = pthread_create(
        &handle, nil,
        { context in
          guard let context else { return nil }
          Unmanaged<Server>.fromOpaque(context).takeRetainedValue().serve()
          return nil
        }, context)
      if result == 0 { thread = handle } else { Unmanaged<Server>.fromOpaque(context).release() }
      return result
    }
    if failure != 0 { throw .systemCall("pthread_create", code: failure) }
  }

  /// Ends the thread and waits for it. The sockets stay bound until the server is gone.
  package func stop() {
    ippServer.withLock { server in
      server?.close()
      server = nil
    }
    guard
      let running = thread.withLock({ thread in
        let running = thread; thread = nil; return running
      })
    else { return }
    stopping.store(true, ordering: .releasing)
    _ = clinux_eventfd_signal(sockets.wake)
    // The last reference may be dropped by the thread itself, which cannot wait for its own end.
    if pthread_equal(running, pthread_self()) != 0 { pthread_detach(running) } else { pthread_join(running, nil) }
  }

  /// Wall time since the start.
  private var elapsed: Duration { .nanoseconds(Int64(clamping: clinux_monotonic_nanoseconds() - start)) }

  private func serve() {
    var buffers = DatagramBuffers(
      count: Self.batchMax, bytes: Self.datagramBytesMax, requestBytes: Self.requestBytesMax)
    var pending = PendingReplies()
    var events = [CLinuxEvent](repeating: CLinuxEvent(), count: Int(CLINUX_EVENTS_MAX))
    while !stopping.load(ordering: .acquiring) {
      let timeout = pending.nextDue.map { Self.milliseconds(until: $0, from: elapsed) } ?? -1
      let ready = clinux_epoll_wait(sockets.epoll, &events, Int32(events.count), timeout)
      precondition(ready >= 0, "epoll_wait fails only for a descriptor that is not one: error \(-ready)")
      for event in events.prefix(Int(ready)) {
        if event.tag == Self.wakeTag {
          _ = clinux_eventfd_drain(sockets.wake)
        } else {
          answer(Int(event.tag), &buffers, &pending)
        }
      }
      sendDue(&buffers, &pending)
    }
  }

  /// Takes one batch from a device's socket and answers it; what stays waits for the next epoll.
  private func answer(_ index: Int, _ buffers: inout DatagramBuffers, _ pending: inout PendingReplies) {
    let arrived = buffers.receive(sockets.main[index])
    guard !arrived.isEmpty else { return }
    let now = elapsed
    var outgoing: [OutgoingDatagram] = []
    state.withLock { state in
      state.devices[index].advance(toMilliseconds: state.clock.milliseconds(at: now))
      for datagram in arrived {
        for reply in state.devices[index].received(datagram.bytes, now: now) {
          let answer = OutgoingDatagram(bytes: reply.bytes, address: datagram.address, port: datagram.port)
          let socket = reply.fromOtherPort ? sockets.other[index] : sockets.main[index]
          if reply.delay > .zero || reply.fromOtherPort {
            if !pending.add(answer, socket: Int(socket), due: now + reply.delay) { state.lostReplies += 1 }
          } else {
            outgoing.append(answer)
          }
        }
      }
    }
    send(outgoing, sockets.main[index], &buffers)
  }

  private func sendDue(_ buffers: inout DatagramBuffers, _ pending: inout PendingReplies) {
    let now = elapsed
    while let entry = pending.next(at: now) { send([entry.datagram], Int32(entry.socket), &buffers) }
  }

  private func send(_ datagrams: [OutgoingDatagram], _ socket: Int32, _ buffers: inout DatagramBuffers) {
    let lost = buffers.send(datagrams, socket)
    if lost > 0 { state.withLock { $0.lostReplies += lost } }
  }

  /// Rounded up, so that the thread does not spin before the time.
  private static func milliseconds(until due: Duration, from now: Duration) -> Int32 {
    let (seconds, attoseconds) = max(.zero, due - now).components
    return Int32(clamping: seconds * 1000 + (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000)
  }

  // MARK: Sockets

  private static let wakeTag = UInt64.max

  private static func open(_ fleet: Fleet, port: Int) throws(SimulatorError) -> (Sockets, Int) {
    let wanted =
      fleet.plans.count + fleet.plans.filter { $0.faults.contains(.wrongSourcePort) }.count
      + fleet.plans.filter { $0.ipp != nil }.count
    let allowed = clinux_raise_descriptor_limit(Int64(wanted + descriptorsAside))
    guard allowed >= Int64(wanted + descriptorsAside) else {
      throw .tooManySockets(wanted: wanted, allowed: Int(allowed))
    }
    var sockets = Sockets()
    do throws(SimulatorError) {
      sockets.epoll = try check(clinux_epoll_create(), "epoll_create1")
      sockets.wake = try check(clinux_eventfd_create(), "eventfd")
      _ = try check(
        clinux_epoll_add(sockets.epoll, sockets.wake, UInt32(CLINUX_READABLE), wakeTag), "epoll_ctl")
      var bound = port
      for (index, plan) in fleet.plans.enumerated() {
        let socket = try bind(plan.address, bound, into: &sockets.main)
        if bound == 0 { bound = Int(try check(clinux_udp_port(socket), "getsockname")) }
        _ = try check(
          clinux_epoll_add(sockets.epoll, socket, UInt32(CLINUX_READABLE), UInt64(index)), "epoll_ctl")
        if plan.faults.contains(.wrongSourcePort) {
          _ = try bind(plan.address, 0, into: &sockets.other)
        } else {
          sockets.other.append(-1)
        }
      }
      return (sockets, bound)
    } catch {
      close(sockets)
      throw error
    }
  }

  /// Makes a bound socket; it is in `list`, and so closed with the rest, even when binding it fails.
  private static func bind(
    _ address: HostAddress, _ port: Int, into list: inout [Int32]
  ) throws(SimulatorError) -> Int32 {
    let socket = try check(clinux_udp_create(), "socket")
    list.append(socket)
    _ = clinux_udp_buffers(socket, Int32(socketBufferBytes), Int32(socketBufferBytes))
    let result = clinux_udp_bind(socket, address.number, UInt16(truncatingIfNeeded: port))
    switch -result {
    case ..<1: return socket
    case EADDRINUSE: throw .portInUse(address: address, port: port)
    case EADDRNOTAVAIL: throw .addressNotAssignable(address)
    case EACCES: throw .portNotAllowed(port: port)
    default: throw .systemCall("bind", code: -result)
    }
  }

  private static func check(_ result: Int32, _ call: String) throws(SimulatorError) -> Int32 {
    guard result >= 0 else { throw .systemCall(call, code: -result) }
    return result
  }

  private static func close(_ sockets: Sockets) {
    for descriptor in sockets.main + sockets.other + [sockets.epoll, sockets.wake] where descriptor >= 0 {
      _ = clinux_close(descriptor)
    }
  }
}
