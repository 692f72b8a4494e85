// Which device is it? The address is only where it answers today.
//
// Decision, for what answered at an address:
//
//     serial number known, and the makes do not differ           -> that device, unless it answers elsewhere now with another MAC: two live
//                                                                   devices with one serial number are two devices
//     else MAC known, and neither serial numbers, makes nor      -> that device
//          models contradict
//     else UUID known, and none of these contradicts             -> that device
//     else the device known at this address, if nothing
//          contradicts and one of the two has neither            -> that device (it told more, or less, than before)
//     else one without an identifier that was at this address
//          until another took it: same make and model, and a
//          count that goes on (ReturnEvidence)                   -> that device
//     else                                                       -> a new device
//
//     that device is known elsewhere        -> ask there first: if it still answers there it has two addresses and stays, which is told once
//                                              for each address; else it moved
//     A model that no update makes of the other contradicts as a make does: by the IEEE 1284 device id, else by the model as read.
//
//     another device was known at this address -> that one was replaced here, and has no address until it is found again
//
//     that device is known by its serial number, and another one, that told none, by the MAC or else the UUID that is told with it here, which
//     contradicts nothing                      -> they are one: the other is merged into that device
//
//     that device answers at two addresses, and what was known at the second told nothing that identifies, and contradicts nothing
//                                              -> it was met there before it told who it is: that one is merged into it as well
//
//     that device was replaced here by one that told no serial number, and this one now tells that device's number: the new board of it was met
//     before it was programmed                 -> merged into that device likewise
//
// Whether a device is asked over SNMP or over IPP is a matter of the port: at another port of its own address it is where it was, and the move is
// told without asking.
//
// Never: a match by a serial number that identifies nothing, by one that several known devices share (then the MAC may tell which), by a MAC or a UUID
// that another live device tells, or two known devices made one without an identifier that both have, or that one tells at the addresses of both.

package import Discovery
package import Events
package import PrinterModel

/// The known devices by what identifies them.
package struct DeviceRegistry: Sendable {
  package struct Entry: Equatable, Sendable {
    package var endpoint: Endpoint?
    package var identity: DeviceIdentity
    /// Where it was until another device took its address; nil where it has one.
    package var formerAddress: IPv4Address?
  }

  /// What a sighting means.
  package struct Sighting: Equatable, Sendable {
    package var device: DeviceID
    /// Whether polls of this endpoint belong to the device. False for the second address of a device that is polled at its first.
    package var isPolledHere = true
    /// What happened, ordered; each event names its own device.
    package var events: [Event] = []
    /// The device that had this address before and has none now.
    package var displaced: DeviceID?
    /// Devices that were found to be this one; they are known no more.
    package var merged: [Merged] = []
    /// What identified the device.
    package var evidence = ""
  }

  /// A device that goes on as another one, and where it was known.
  package struct Merged: Equatable, Sendable {
    package var device: DeviceID
    package var endpoint: Endpoint?

    package init(device: DeviceID, endpoint: Endpoint?) {
      self.device = device
      self.endpoint = endpoint
    }
  }

  /// What the endpoint said where the device is known.
  package enum Elsewhere: Equatable, Sendable {
    /// Nothing, or it was not asked.
    case silent
    /// The same device; the words say what shows it, beyond what identifies it.
    case same(String)
    /// Another device that tells the same serial number.
    case another(String)
  }

  package private(set) var entries: [DeviceID: Entry] = [:]
  private var byAddress: [IPv4Address: DeviceID] = [:]
  /// Every poll asks whose reading it is: that must not take longer the more devices there are.
  private var bySerial: [SerialNumber: Set<DeviceID>] = [:]
  private var byMAC: [[UInt8]: Set<DeviceID>] = [:]
  private var byUUID: [String: Set<DeviceID>] = [:]
  /// Second addresses that were told.
  private var seenAlso: [Endpoint: DeviceID] = [:]

  package init(_ known: some Sequence<KnownDevice> = []) {
    for device in known {
      let former = device.endpoint == nil ? device.formerAddress : nil
      set(Entry(endpoint: device.endpoint, identity: device.identity, formerAddress: former), of: device.id)
      if let endpoint = device.endpoint { byAddress[endpoint.address] = device.id }
    }
  }

  /// Whoever is known at its address, whichever port it is asked at.
  package func device(at endpoint: Endpoint) -> DeviceID? { byAddress[endpoint.address] }

  /// Who this is, if it is a known device.
  package func device(telling identity: DeviceIdentity, at endpoint: Endpoint) -> DeviceID? {
    match(identity, at: endpoint)?.0
  }

  /// The known address to ask before `sighted` is called: the device that this looks like may still be there.
  package func endpointToVerify(_ identity: DeviceIdentity, at endpoint: Endpoint) -> Endpoint? {
    guard let (device, _) = match(identity, at: endpoint), let known = entries[device]?.endpoint,
      known.address != endpoint.address
    else {
      return nil
    }
    return known
  }

  /// Takes what answered at an endpoint.
  /// - Parameters:
  ///   - credential: name of the credential that worked.
  ///   - elsewhere: what answered at `endpointToVerify` just now.
  ///   - returning: which of `mayReturn` it is by its count, and the words for that.
  ///   - newID: the id to give if it is a new device.
  package mutating func sighted(
    _ identity: DeviceIdentity, at endpoint: Endpoint, credential: String, elsewhere: Elsewhere = .silent,
    returning: (device: DeviceID, words: String)? = nil, newID: DeviceID, time: Int64
  ) -> Sighting {
    var isShared = ""
    var there: DeviceID?
    if case .another(let words) = elsewhere {
      isShared = words
      there = match(identity, at: endpoint)?.0
    }
    let found = match(identity, at: endpoint, but: there) ?? returning.flatMap { back($0, identity, at: endpoint) }
    guard let (device, evidence) = found else {
      return discovered(
        identity, at: endpoint, credential: credential, evidence: isShared, newID: newID, time: time)
    }
    let former = entries[device]?.endpoint
    var sighting = Sighting(device: device)
    sighting.evidence = evidence
    merge(into: device, identity, at: endpoint, into: &sighting, time: time)
    if case .same(let words) = elsewhere, let former, former.address != endpoint.address {
      let evidence = words.isEmpty ? evidence : "\(evidence); \(words)"
      seenAlso(identity, at: endpoint, knownAt: former, evidence: evidence, into: &sighting, time: time)
      return sighting
    }
    displace(at: endpoint, by: device, identity, evidence: evidence, into: &sighting, time: time)
    if let former, former != endpoint {
      let moved = DeviceMoved(from: former.description, to: endpoint.description, evidence: evidence)
      sighting.events.append(Event(time: time, device: device, .deviceMoved(moved)))
    } else if former == nil {
      let found = DeviceMoved(from: "", to: endpoint.description, evidence: evidence)
      sighting.events.append(Event(time: time, device: device, .deviceMoved(found)))
    }
    place(device, at: endpoint, identity: merged(entries[device]?.identity, identity))
    return sighting
  }

  private mutating func seenAlso(
    _ identity: DeviceIdentity, at endpoint: Endpoint, knownAt former: Endpoint, evidence: String,
    into sighting: inout Sighting, time: Int64
  ) {
    let device = sighting.device
    sighting.isPolledHere = false
    mergeNameless(at: endpoint, into: device, identity, into: &sighting, time: time)
    displace(at: endpoint, by: device, identity, evidence: evidence, into: &sighting, time: time)
    guard seenAlso.updateValue(device, forKey: endpoint) != device else { return }
    let body = DeviceSeenAlso(address: endpoint.description, known: former.description, evidence: evidence)
    sighting.events.append(Event(time: time, device: device, .deviceSeenAlso(body)))
  }

  /// Whoever was known at this address by nothing but the address is the device that answers here: it was met before it told who it is.
  private mutating func mergeNameless(
    at endpoint: Endpoint, into device: DeviceID, _ identity: DeviceIdentity, into sighting: inout Sighting,
    time: Int64
  ) {
    guard let other = byAddress[endpoint.address], other != device, let record = entries[other],
      record.identity.tellingSerial == nil, record.identity.comparableMAC == nil,
      record.identity.comparableUUID == nil, isCompatible(record.identity, identity)
    else { return }
    let evidence = "nothing but the address was known of it, where device \(device.short) answers now"
    let body = DeviceMerged(into: device, address: endpoint.description, evidence: evidence)
    sighting.events.append(Event(time: time, device: other, .deviceMerged(body)))
    sighting.merged.append(Merged(device: other, endpoint: record.endpoint))
    byAddress[endpoint.address] = nil
    entries[other] = nil
  }

  /// Whoever is known by the MAC or the UUID that this device told, and by nothing that contradicts it, is this device: it was met before it told
  /// its serial number.
  private mutating func merge(
    into device: DeviceID, _ identity: DeviceIdentity, at endpoint: Endpoint, into sighting: inout Sighting, time: Int64
  ) {
    guard let serial = identity.comparableSerial, let entry = entries[device],
      entry.identity.comparableSerial == serial, let (other, words) = other(than: device, identity),
      let record = entries[other],
      !macsContradict(entry.identity, identity) || isNewBoard(other, of: device, at: endpoint)
    else { return }
    let evidence = "\(words) is told with serial \(serial)"
    let body = DeviceMerged(into: device, address: endpoint.description, evidence: evidence)
    sighting.events.append(Event(time: time, device: other, .deviceMerged(body)))
    sighting.merged.append(Merged(device: other, endpoint: record.endpoint))
    if let former = record.endpoint, byAddress[former.address] == other { byAddress[former.address] = nil }
    if let mac = record.identity.comparableMAC { byMAC[mac]?.remove(other) }
    if let uuid = record.identity.comparableUUID { byUUID[uuid]?.remove(other) }
    entries[other] = nil
  }

  /// The one other device, known without a serial number, that has the MAC, or else the UUID, which is told here; and the words for it.
  private func other(than device: DeviceID, _ identity: DeviceIdentity) -> (DeviceID, words: String)? {
    func only(_ candidates: Set<DeviceID>?, _ words: String) -> (DeviceID, words: String)? {
      let others = known(candidates) { !macsContradict($0, identity) && kindsAgree($0, identity) }.filter {
        $0 != device && entries[$0]?.identity.comparableSerial == nil
      }
      return others.count == 1 ? others.first.map { ($0, words) } : nil
    }
    if let mac = identity.comparableMAC, let found = only(byMAC[mac], "MAC \(mac.macText)") { return found }
    return identity.comparableUUID.flatMap { only(byUUID[$0], "UUID \($0)") }
  }

  private mutating func discovered(
    _ identity: DeviceIdentity, at endpoint: Endpoint, credential: String, evidence: String, newID: DeviceID,
    time: Int64
  ) -> Sighting {
    var sighting = Sighting(device: newID)
    displace(at: endpoint, by: newID, identity, evidence: "", into: &sighting, time: time)
    let body = DeviceDiscovered(
      address: endpoint.description, identity: identity, credential: credential, evidence: evidence)
    sighting.events.append(Event(time: time, device: newID, .deviceDiscovered(body)))
    place(newID, at: endpoint, identity: identity)
    return sighting
  }

  /// Takes the address from whoever else had it.
  private mutating func displace(
    at endpoint: Endpoint, by device: DeviceID, _ identity: DeviceIdentity, evidence: String,
    into sighting: inout Sighting, time: Int64
  ) {
    guard let other = byAddress[endpoint.address], other != device else { return }
    let reason = difference(entries[other]?.identity, identity)
    let body = DeviceReplaced(address: endpoint.description, replacement: device, evidence: reason)
    sighting.events.append(Event(time: time, device: other, .deviceReplaced(body)))
    sighting.displaced = other
    entries[other]?.endpoint = nil
    entries[other]?.formerAddress = endpoint.address
    byAddress[endpoint.address] = nil
  }

  private mutating func place(_ device: DeviceID, at endpoint: Endpoint, identity: DeviceIdentity) {
    if let former = entries[device]?.endpoint, byAddress[former.address] == device { byAddress[former.address] = nil }
    set(Entry(endpoint: endpoint, identity: identity), of: device)
    byAddress[endpoint.address] = device
    seenAlso[endpoint] = nil
  }

  private mutating func set(_ entry: Entry, of device: DeviceID) {
    let former = entries.updateValue(entry, forKey: device)
    guard former?.identity != entry.identity else { return }
    if let serial = former?.identity.comparableSerial { bySerial[serial]?.remove(device) }
    if let mac = former?.identity.comparableMAC { byMAC[mac]?.remove(device) }
    if let uuid = former?.identity.comparableUUID { byUUID[uuid]?.remove(device) }
    if let serial = entry.identity.comparableSerial { bySerial[serial, default: []].insert(device) }
    if let mac = entry.identity.comparableMAC { byMAC[mac, default: []].insert(device) }
    if let uuid = entry.identity.comparableUUID { byUUID[uuid, default: []].insert(device) }
  }

  // MARK: Devices without any identifier

  /// Devices that may be back where another one took their address, since nothing but the address was known of them: of the same make and model, to
  /// the letter. Their counts tell whether one of them is.
  package func mayReturn(_ identity: DeviceIdentity, to endpoint: Endpoint) -> [DeviceID] {
    guard !identity.isAnyones, identity.model != nil, match(identity, at: endpoint) == nil else { return [] }
    return entries.keys.filter { isBack($0, identity, at: endpoint) }.sorted()
  }

  private func isBack(_ device: DeviceID, _ identity: DeviceIdentity, at endpoint: Endpoint) -> Bool {
    guard let entry = entries[device], entry.endpoint == nil, entry.formerAddress == endpoint.address else {
      return false
    }
    let known = entry.identity
    return !known.isAnyones && known.make == identity.make && known.model?.text == identity.model?.text
      && known.systemObjectID == identity.systemObjectID && isCompatible(known, identity)
  }

  private func back(
    _ returning: (device: DeviceID, words: String), _ identity: DeviceIdentity, at endpoint: Endpoint
  ) -> (DeviceID, evidence: String)? {
    isBack(returning.device, identity, at: endpoint) ? (returning.device, returning.words) : nil
  }

  // MARK: Matching

  /// - Parameter other: a device that answers elsewhere now and tells the same serial number, MAC or UUID; the serial number decides nothing then.
  private func match(
    _ identity: DeviceIdentity, at endpoint: Endpoint, but other: DeviceID? = nil
  ) -> (DeviceID, evidence: String)? {
    if other == nil, let serial = identity.comparableSerial {
      let candidates = known(bySerial[serial]) { makesAgree($0, identity) }
      if candidates.count == 1, let found = candidates.first {
        return knownByMAC(identity, but: found, at: endpoint) ?? (found, "serial \(serial)")
      }
      // Several known devices share it, so it identifies none of them: of those the MAC tells which, or the address.
      if candidates.count > 1 {
        if let mac = identity.comparableMAC {
          let alike = candidates.filter { entries[$0]?.identity.comparableMAC == mac }
          if alike.count == 1, let found = alike.first {
            return (found, "serial \(serial), which others have, with MAC \(mac.macText)")
          }
        }
        guard let here = byAddress[endpoint.address], candidates.contains(here) else { return nil }
        return (here, "serial \(serial) at its own address")
      }
    }
    if let mac = identity.comparableMAC {
      // The MAC of a print server outside of the printers is that of each that stands behind it.
      let candidates = known(byMAC[mac]) { !serialsContradict($0, identity) && kindsAgree($0, identity) }
      if candidates.count == 1, let found = candidates.first, found != other { return (found, "MAC \(mac.macText)") }
    }
    if let uuid = identity.comparableUUID {
      let candidates = known(byUUID[uuid]) {
        !serialsContradict($0, identity) && !macsContradict($0, identity) && kindsAgree($0, identity)
      }
      if candidates.count == 1, let found = candidates.first, found != other { return (found, "UUID \(uuid)") }
    }
    guard let here = byAddress[endpoint.address], let known = entries[here]?.identity else { return nil }
    return isCompatible(known, identity) ? (here, "the same address") : nil
  }

  /// The device with this very MAC, where the one with the serial number is known to have another MAC: the board decides, and the serial
  /// number is one that two devices tell.
  private func knownByMAC(
    _ identity: DeviceIdentity, but serialDevice: DeviceID, at endpoint: Endpoint
  ) -> (DeviceID, evidence: String)? {
    guard let mac = identity.comparableMAC, let entry = entries[serialDevice], macsContradict(entry.identity, identity)
    else { return nil }
    let alike = known(byMAC[mac]) { !serialsContradict($0, identity) && kindsAgree($0, identity) }
    guard alike.count == 1, let found = alike.first, found != serialDevice,
      !isNewBoard(found, of: serialDevice, at: endpoint)
    else { return nil }
    return (found, "MAC \(mac.macText); its serial number is also that of device \(serialDevice.short)")
  }

  /// Whether a device without a serial number is another one's new board, which now tells that one's number: it took the other's address, which
  /// has none since.
  private func isNewBoard(_ device: DeviceID, of former: DeviceID, at endpoint: Endpoint) -> Bool {
    guard let board = entries[device], let entry = entries[former] else { return false }
    return board.identity.tellingSerial == nil && byAddress[endpoint.address] == device && entry.endpoint == nil
      && entry.formerAddress == endpoint.address && kindsAgree(entry.identity, board.identity)
  }

  private func known(_ devices: Set<DeviceID>?, where mayBe: (DeviceIdentity) -> Bool) -> [DeviceID] {
    (devices ?? []).filter { device in entries[device].map { mayBe($0.identity) } ?? false }
  }

  private func makesAgree(_ left: DeviceIdentity, _ right: DeviceIdentity) -> Bool {
    guard let a = left.make, let b = right.make else { return true }
    return a.lowercased() == b.lowercased()
  }

  /// Whether two identities are of one kind of device: neither makes nor models contradict.
  private func kindsAgree(_ left: DeviceIdentity, _ right: DeviceIdentity) -> Bool {
    makesAgree(left, right) && left.modelContradiction(right) == nil
  }

  private func serialsContradict(_ left: DeviceIdentity, _ right: DeviceIdentity) -> Bool {
    guard let a = left.tellingSerial, let b = right.tellingSerial else { return false }
    return a != b
  }

  private func macsContradict(_ left: DeviceIdentity, _ right: DeviceIdentity) -> Bool {
    guard let a = left.comparableMAC, let b = right.comparableMAC else { return false }
    return a != b
  }

  /// Whether two identities at one address can be one device: no identifying value differs, and neither does the kind of device.
  private func isCompatible(_ left: DeviceIdentity, _ right: DeviceIdentity) -> Bool {
    if serialsContradict(left, right) || macsContradict(left, right) || !kindsAgree(left, right) { return false }
    if let a = left.comparableUUID, let b = right.comparableUUID, a != b { return false }
    guard let a = left.systemObjectID, let b = right.systemObjectID, a != b else { return true }
    // Firmware now and then changes sysObjectID; then the model has to be the same.
    return left.model != nil && left.model == right.model
  }

  /// What tells two devices at one address apart, in words.
  private func difference(_ before: DeviceIdentity?, _ after: DeviceIdentity) -> String {
    guard let before else { return "another device answers" }
    if let a = before.tellingSerial, let b = after.tellingSerial, a != b { return "serial \(b) instead of \(a)" }
    if let a = before.comparableMAC, let b = after.comparableMAC, a != b {
      return "MAC \(b.macText) instead of \(a.macText)"
    }
    if let a = before.make, let b = after.make, a != b { return "\(b) instead of \(a)" }
    if let words = before.modelContradiction(after) { return words }
    if let a = before.model?.text, let b = after.model?.text, a != b { return "\(b) instead of \(a)" }
    return "another device answers"
  }

  /// The newer identity, keeping what identifies the device where the newer one does not tell it.
  private func merged(_ before: DeviceIdentity?, _ after: DeviceIdentity) -> DeviceIdentity {
    var result = after
    if result.comparableSerial == nil, let serial = before?.serial { result.serial = serial }
    if result.comparableMAC == nil, let mac = before?.macAddress { result.macAddress = mac }
    result.uuid = result.uuid ?? before?.uuid
    result.make = result.make ?? before?.make
    result.model = result.model ?? before?.model
    result.deviceID = result.deviceID ?? before?.deviceID
    return result
  }
}
