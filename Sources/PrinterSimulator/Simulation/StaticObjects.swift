// The objects of a simulated printer that do not change while it lives: the system group, the interface, Host Resources and
// the descriptive columns of the Printer-MIB (RFC 3418, RFC 2863, RFC 2790, RFC 3805).

internal import MIB

struct StaticObjects {
  private let printer: Printer
  private let words: Placeholders
  private(set) var bindings: [VarBind] = []

  init(printer: Printer) {
    self.printer = printer
    words = Placeholders(printer: printer)
    addSystem()
    addInterfaces()
    addHost()
    addGeneral()
    addPaper()
    addMarker()
    addSupplies()
    for object in printer.model.objects {
      switch object.value {
      case .text(let text): bindings.append(VarBind(object.name, self.text(text)))
      case .value(let value): bindings.append(VarBind(object.name, value))
      }
    }
  }

  private var device: UInt32 { printer.model.host.deviceIndex }

  private func text(_ text: String) -> ObjectValue { .octets(Array(words.filled(text).utf8)) }

  private mutating func add(_ name: ObjectIdentifier, _ value: ObjectValue) { bindings.append(VarBind(name, value)) }

  /// One row: the columns of `entry` at the given index.
  private mutating func row(_ entry: ObjectIdentifier, _ index: [UInt32], _ cells: [(UInt32, ObjectValue)]) {
    for (column, value) in cells { add(entry.appending([column] + index), value) }
  }

  private mutating func addSystem() {
    let system = printer.model.system
    add(MIB2.sysDescr, text(system.description))
    add(MIB2.sysObjectID, .objectIdentifier(system.objectID))
    add(MIB2.sysContact, text(system.contact))
    add(MIB2.sysName, text("{name}"))
    add(MIB2.sysLocation, text("{location}"))
    // sysServices: applications and end-to-end (RFC 3418).
    add(MIB2.system.appending(7, 0), .integer(72))
  }

  private mutating func addInterfaces() {
    typealias Interface = MIB2.Interface
    add([1, 3, 6, 1, 2, 1, 2, 1, 0], .integer(2))
    row(
      Interface.entry, [1],
      [
        (1, .integer(1)), (Interface.description, text("lo")), (Interface.type, .integer(24)), (4, .integer(16_436)),
        (5, .gauge32(10_000_000)), (Interface.physicalAddress, .octets([])), (7, .integer(1)),
        (Interface.operationalStatus, .integer(1)),
      ])
    row(
      Interface.entry, [2],
      [
        (1, .integer(2)), (Interface.description, text(printer.model.system.interface)),
        (Interface.type, .integer(Interface.typeEthernet)), (4, .integer(1500)), (5, .gauge32(1_000_000_000)),
        (Interface.physicalAddress, .octets(printer.identity.macAddress)), (7, .integer(1)),
        (Interface.operationalStatus, .integer(1)),
      ])
  }

  private mutating func addHost() {
    typealias Device = HostResources.Device
    row(
      Device.entry, [device],
      [
        (1, .integer(Int64(device))), (Device.type, .objectIdentifier(Device.printerType)),
        (Device.description, text(printer.model.host.description)),
        (Device.identifier, .objectIdentifier(printer.model.system.objectID)), (Device.errors, .counter32(0)),
      ])
  }

  private mutating func addGeneral() {
    typealias General = PrinterMIB.General
    typealias Localization = PrinterMIB.Localization
    row(
      General.entry, [device],
      [
        // prtGeneralCurrentLocalization, prtGeneralReset (notResetting), prtConsoleLocalization.
        (2, .integer(1)), (3, .integer(3)), (10, .integer(1)),
        (General.printerName, text("{name}")), (General.serialNumber, text("{serial}")),
      ])
    row(
      Localization.entry, [device, 1],
      [
        (Localization.language, text("en")), (Localization.country, text("US")),
        // IANA charset 106: UTF-8.
        (Localization.characterSet, .integer(106)),
      ])
    for cover in printer.model.covers {
      row(
        PrinterMIB.Cover.entry, [device, cover.index], [(PrinterMIB.Cover.description, text(cover.description))])
    }
    for (line, content) in printer.model.console.enumerated() {
      row(PrinterMIB.Console.entry, [device, UInt32(line) + 1], [(PrinterMIB.Console.text, text(content))])
    }
  }

  private mutating func addPaper() {
    typealias Input = PrinterMIB.Input
    typealias Output = PrinterMIB.Output
    for tray in printer.model.inputs {
      row(
        Input.entry, [device, tray.index],
        [
          (Input.type, .integer(Int64(tray.type))), (Input.capacityUnit, .integer(8)),
          (Input.maxCapacity, .integer(tray.report == .unknown ? -2 : Int64(tray.capacity))),
          (Input.mediaName, text(tray.media)), (Input.name, text(tray.name)),
          (Input.description, text(tray.description)),
        ])
    }
    for bin in printer.model.outputs {
      row(
        Output.entry, [device, bin.index],
        [
          // prtOutputType 3: removable bin; prtOutputCapacityUnit 8: sheets.
          (2, .integer(3)), (3, .integer(8)),
          (Output.maxCapacity, .integer(bin.report == .unknown ? -2 : Int64(bin.capacity))),
          (Output.name, text(bin.name)), (Output.description, text(bin.description)),
        ])
    }
  }

  private mutating func addMarker() {
    typealias Marker = PrinterMIB.Marker
    let isInkjet = printer.model.supplies.contains { $0.type == .ink || $0.type == .inkCartridge }
    row(
      Marker.entry, [device, 1],
      [
        // prtMarkerMarkTech: 4 electrophotographicLaser, 12 inkjetAqueous.
        (Marker.technology, .integer(isInkjet ? 12 : 4)),
        (Marker.counterUnit, .integer(Int64(printer.model.markerUnit))),
        (Marker.processColorants, .integer(Int64(printer.model.colorants.count))), (Marker.spotColorants, .integer(0)),
      ])
    for colorant in printer.model.colorants {
      typealias Colorant = PrinterMIB.Colorant
      row(
        Colorant.entry, [device, colorant.index],
        [
          // prtMarkerColorantRole 3: process.
          (Colorant.markerIndex, .integer(1)), (Colorant.role, .integer(3)), (Colorant.value, text(colorant.value)),
          (Colorant.tonality, .integer(256)),
        ])
    }
  }

  private mutating func addSupplies() {
    typealias Supplies = PrinterMIB.Supplies
    for supply in printer.model.supplies {
      row(
        Supplies.entry, [device, supply.index],
        [
          (Supplies.markerIndex, .integer(1)), (Supplies.colorantIndex, .integer(Int64(supply.colorant))),
          (Supplies.supplyClass, .integer(supply.type.isReceptacle ? 4 : 3)),
          (Supplies.type, .integer(supply.type.number)), (Supplies.unit, .integer(Int64(supply.unit))),
          (Supplies.maxCapacity, .integer(Int64(supply.capacity))),
        ])
    }
  }
}
