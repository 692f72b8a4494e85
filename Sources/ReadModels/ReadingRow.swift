// Meter values as comma-separated lines (RFC 4180) for people with spreadsheets: one line for each meter that a reading told anew.

internal import Events
internal import Evidence
internal import MIB
internal import PrinterModel
internal import Projections

enum ReadingRow {
  static let titles = "time,epoch,sequence,device,address,make,model,serial,meter,value,unit,quality,oid,raw,rule"

  /// The lines of one event; none unless it holds meters. An unknown value is an empty cell.
  static func rows(of event: Event, at position: RecordPosition, _ device: DeviceState) -> [[UInt8]] {
    let meters: [Meter] =
      switch event.body {
      case .readingTaken(let taken): taken.reading.meters
      case .readingChanged(let changed): changed.change.meters.changed
      default: []
      }
    let summary = DeviceSummary(device)
    return meters.map { meter in
      let cells = [
        UTCTime.text(milliseconds: event.time), String(position.epoch), String(position.sequence),
        device.id.description, summary.address, summary.make, summary.model, summary.serial, meter.name.description,
        meter.quality == .unknown ? "" : String(meter.value), meter.unit.name,
        meter.quality.name, meter.source.name.shown,
        meter.source.raw.unsigned.map { String($0) } ?? "\(meter.source.raw)", meter.rule.description,
      ]
      return Array(CSVLine.text(cells).utf8)
    }
  }
}
