// A replay's result for programs.

internal import Evidence
internal import OpenSSL
internal import Projections

extension ReplayResult {
  /// The result as one JSON object.
  /// - Parameter withDevices: whether it holds the devices with their meters, supplies and alerts too, as `FleetReport.json` has them.
  package func json(withDevices: Bool = false) -> [UInt8] {
    var json = JSONWriter()
    json.object { json in
      json.member("records", records)
      json.key("position")
      json.position(position)
      if let base {
        json.key("base")
        json.position(base)
      }
      json.member("unreadable", unreadable)
      json.member("deviceCount", state.devices.count)
      json.member("foldVersion", FleetFold.currentVersion)
      json.member("digest", digest.hex)
      json.member("liveDigest", liveDigest?.hex)
      if let isEqual {
        json.key("equal")
        json.bool(isEqual)
      }
      json.member("notCompared", live.obstacle)
      if withDevices { FleetReport.devices(of: state, into: &json) }
    }
    return json.take()
  }
}
