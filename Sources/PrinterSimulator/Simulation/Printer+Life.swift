// What happens to a printer, happening by happening. See Printer.swift for the whole.

extension Printer {
  mutating func handle(_ happening: Happening) {
    switch happening {
    case .jobArrives: jobArrives()
    case .pageComesOut: pageComesOut()
    case .someoneOpensCover(let position): someoneOpensCover(position)
    case .coverCloses(let position): closeCover(position)
    case .jamIsCleared: clear(.jam)
    case .trayIsFilled(let position): fillTray(position)
    case .binIsEmptied(let position): emptyBin(position)
    case .supplyIsReplaced(let position): replaceSupply(position)
    }
    resume()
  }

  // MARK: Jobs and pages

  mutating func scheduleJob() {
    guard model.usage.pagesPerDay > 0 else { return }
    let mean = max(1000, Self.millisecondsPerDay * Int64(Self.meanJobPages) / Int64(model.usage.pagesPerDay))
    agenda.add(.jobArrives, at: uptime + Int64.random(in: 1...(2 * mean), using: &random))
  }

  private mutating func jobArrives() {
    scheduleJob()
    if job == nil { startJob() } else { waitingJobs = min(Self.queueMax, waitingJobs + 1) }
  }

  private mutating func startJob() {
    let usage = model.usage
    let draw = Int.random(in: 0..<100, using: &random)
    let service: Service =
      draw < usage.copyShare ? .copy : draw < usage.copyShare + usage.faxShare ? .fax : .print
    job = Job(
      service: service, inColour: service != .fax && random.chance(percent: usage.colourShare),
      duplex: random.chance(percent: usage.duplexShare), large: random.chance(percent: usage.largeShare),
      pagesLeft: Int.random(in: 1...(2 * Self.meanJobPages - 1), using: &random))
    revision += 1
  }

  /// Lets the next page come, if there is one, nothing stops it and none is under way.
  private mutating func resume() {
    guard isPrinting, !agenda.contains(.pageComesOut) else { return }
    agenda.add(.pageComesOut, at: uptime + max(1, 60_000 / Int64(model.usage.pagesPerMinute)))
  }

  private mutating func pageComesOut() {
    guard var current = job, !isStopped else { return }
    let isBack = current.backSide
    if !isBack { takeSheet() }
    current.backSide = current.duplex && !isBack && current.pagesLeft > 1
    // The last page of an odd number stands on a sheet of one side.
    let onBothSides = isBack || current.backSide
    ledger.add(for: current.service, inColour: current.inColour, duplex: onBothSides, large: current.large)
    pagesSincePowerOn += 1
    lastPageAt = uptime
    wear(inColour: current.inColour)
    current.pagesLeft -= 1
    job = current.pagesLeft > 0 ? current : nil
    if job == nil, waitingJobs > 0 {
      waitingJobs -= 1
      startJob()
    }
    revision += 1
    jamNowAndThen()
  }

  private mutating func jamNowAndThen() {
    let every = model.usage.jamEvery
    guard every > 0, Int.random(in: 0..<every, using: &random) == 0 else { return }
    ledger.addJam()
    raise(.jam, "Paper jam")
    agenda.add(.jamIsCleared, at: uptime + minutes(1...10))
  }

  // MARK: Paper

  private mutating func takeSheet() {
    guard let tray = traySheets.firstIndex(where: { $0 > 0 }) else { return }
    traySheets[tray] -= 1
    watchTray(tray)
    guard !binSheets.isEmpty else { return }
    binSheets[0] += 1
    if !agenda.contains(.binIsEmptied(0)) { agenda.add(.binIsEmptied(0), at: uptime + minutes(5...60)) }
    if binSheets[0] >= model.outputs[0].capacity {
      raise(.outputFull(model.outputs[0].index), "\(model.outputs[0].name) full")
    }
  }

  /// Raises and clears what the tray's level means, and sends someone with paper when it is empty.
  mutating func watchTray(_ position: Int) {
    let tray = model.inputs[position]
    let sheets = traySheets[position]
    let isLow = sheets > 0 && sheets <= tray.capacity / 10 && tray.report != .unknown && tray.report != .some
    if isLow { raise(.paperLow(tray.index), "\(tray.name) low") } else { clear(.paperLow(tray.index)) }
    guard sheets == 0 else { return }
    raise(.paperOut(tray.index, last: !traySheets.contains { $0 > 0 }), "\(tray.name) empty")
    if !agenda.contains(.trayIsFilled(position)) { agenda.add(.trayIsFilled(position), at: uptime + minutes(2...30)) }
  }

  private mutating func fillTray(_ position: Int) {
    traySheets[position] = model.inputs[position].capacity
    let index = model.inputs[position].index
    clear(.paperLow(index))
    clear(.paperOut(index, last: false))
    clear(.paperOut(index, last: true))
    // With paper in one tray, the emptiness of another no longer stops the printer.
    for (other, tray) in model.inputs.enumerated() where traySheets[other] == 0 {
      if conditions.contains(.paperOut(tray.index, last: true)) {
        clear(.paperOut(tray.index, last: true))
        raise(.paperOut(tray.index, last: false), "\(tray.name) empty")
      }
    }
  }

  private mutating func emptyBin(_ position: Int) {
    binSheets[position] = 0
    clear(.outputFull(model.outputs[position].index))
    revision += 1
  }

  // MARK: Supplies

  private mutating func wear(inColour: Bool) {
    for position in supplies.indices {
      switch supplies[position].model.wear {
      case .mono where inColour && isColourModel: continue
      case .colour where !inColour: continue
      default: break
      }
      // Coverage varies from page to page; a page of normal coverage counts 1000.
      supplies[position].remaining -= Int.random(in: 400...1600, using: &random)
      watchSupply(position)
    }
  }

  private var isColourModel: Bool { model.usage.colourShare > 0 }

  /// Raises what the supply's level means, and sends someone with a new one when it is due.
  mutating func watchSupply(_ position: Int) {
    let supply = supplies[position]
    let (index, type) = (supply.model.index, supply.model.type)
    guard supply.hundredthsOfPercent <= supply.model.lowAt * 100 else { return }
    if supply.remaining > 0 {
      guard !conditions.contains(.supplyLow(index, type)) else { return }
      raise(.supplyLow(index, type), "\(supplyText(position)) \(type.isReceptacle ? "almost full" : "low")")
      // Some people do not wait until it is empty.
      if random.chance(percent: 20) { agenda.add(.supplyIsReplaced(position), at: uptime + minutes(60...2880)) }
    } else if !conditions.contains(.supplyOut(index, type)) {
      supplies[position].remaining = 0
      clear(.supplyLow(index, type))
      raise(.supplyOut(index, type), "\(supplyText(position)) \(type.isReceptacle ? "full" : "empty")")
      agenda.remove(.supplyIsReplaced(position))
      agenda.add(.supplyIsReplaced(position), at: uptime + minutes(5...90))
    }
  }

  /// Opens the door first; the new cartridge is in when the door closes.
  private mutating func replaceSupply(_ position: Int) {
    if !coversOpen.isEmpty, !coversOpen[0] {
      openCover(0)
      agenda.add(.supplyIsReplaced(position), at: uptime + 20_000)
      agenda.add(.coverCloses(0), at: uptime + 40_000)
      return
    }
    let (index, type) = (supplies[position].model.index, supplies[position].model.type)
    supplies[position].remaining = supplies[position].model.yield * SupplyState.perPage
    supplies[position].serial = SupplyState.newSerial(&random)
    supplies[position].replacements += 1
    configurationChanges &+= 1
    clear(.supplyLow(index, type))
    clear(.supplyOut(index, type))
    revision += 1
  }

  private func supplyText(_ position: Int) -> String {
    let supply = supplies[position]
    let text = Placeholders(printer: self, supplySerial: supply.serial).filled(supply.model.description)
    return String(text.prefix { $0 != ";" && $0 != "," })
  }

  // MARK: Covers

  mutating func scheduleCover() {
    guard !model.covers.isEmpty else { return }
    let position = Int.random(in: model.covers.indices, using: &random)
    agenda.add(.someoneOpensCover(position), at: uptime + minutes(60...(6 * 1440)))
  }

  private mutating func someoneOpensCover(_ position: Int) {
    scheduleCover()
    guard !coversOpen[position] else { return }
    openCover(position)
    agenda.add(.coverCloses(position), at: uptime + Int64.random(in: 15_000...120_000, using: &random))
  }

  private mutating func openCover(_ position: Int) {
    coversOpen[position] = true
    raise(.coverOpen(model.covers[position].index), "\(model.covers[position].description) open")
  }

  private mutating func closeCover(_ position: Int) {
    coversOpen[position] = false
    clear(.coverOpen(model.covers[position].index))
  }

  // MARK: Alerts

  /// Enters the condition, and a row for it in the alert table, unless it holds already.
  mutating func raise(_ condition: Condition, _ description: String) {
    guard conditions.insert(condition).inserted else { return }
    revision += 1
    guard alerts.count < Self.alertsMax else { return }
    alerts.append(
      ActiveAlert(index: nextAlertIndex, condition: condition, description: description, raisedAt: uptime))
    nextAlertIndex &+= 1
    alertEvents &+= 1
    if condition.isCritical { criticalEvents &+= 1 }
  }

  mutating func clear(_ condition: Condition) {
    guard conditions.remove(condition) != nil else { return }
    alerts.removeAll { $0.condition == condition }
    revision += 1
  }

  private mutating func minutes(_ range: ClosedRange<Int64>) -> Int64 {
    Int64.random(in: (range.lowerBound * 60_000)...(range.upperBound * 60_000), using: &random)
  }
}
