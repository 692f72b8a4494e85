// What of an identity is compared beside the serial number, and which differences show another device.

package import PrinterModel

extension DeviceIdentity {
  /// The hardware address to compare: six bytes of one station. All zeros, all ones and group addresses identify nothing.
  package var comparableMAC: [UInt8]? {
    guard let macAddress, macAddress.count == 6, macAddress[0] & 1 == 0, macAddress.contains(where: { $0 != 0 }) else {
      return nil
    }
    return macAddress
  }

  /// The UUID to compare. Firmware that was cloned gives one to every device of a model, so serial numbers and hardware addresses go before it.
  package var comparableUUID: String? { uuid.flatMap { $0.isEmpty ? nil : $0.lowercased() } }

  /// The words for a difference in model that no update makes: the IEEE 1284 device ids name two models, or else the models as read do. Nil where
  /// one of the two tells no model, or one of them tells more than the other.
  package func modelContradiction(_ other: DeviceIdentity) -> String? {
    let ids = (modelOfDeviceID, other.modelOfDeviceID)
    if let mine = ids.0, let others = ids.1 {
      return Designation(mine).contradicts(Designation(others)) ? "device id \(others) instead of \(mine)" : nil
    }
    guard let mine = readModel, let others = other.readModel else { return nil }
    return Designation(mine).contradicts(Designation(others)) ? "\(others) instead of \(mine)" : nil
  }

  private var modelOfDeviceID: String? { deviceID.flatMap { DeviceIDString($0.text).model } }

  /// The model, unless it is only the name that an administrator gave: that one changes whenever he likes.
  private var readModel: String? { model == printerName ? nil : model?.text }
}

/// The words of a model that hold digits, as `P2055DN`: they stay when a language or a version's text changes.
private struct Designation {
  private let words: Set<String>

  /// Numbers from this length on are dates and build numbers.
  private static let buildDigitsMin = 6
  private static let versionWords: Set<String> = [
    "V", "VER", "VERSION", "FW", "FIRMWARE", "ROM", "REV", "REVISION", "BUILD",
  ]

  init(_ model: String) {
    let all = model.uppercased().split { !($0.isLetter || $0.isNumber || $0 == ".") }.map(String.init)
    var kept: Set<String> = []
    for (index, word) in all.enumerated() where word.contains(where: \.isNumber) {
      let isVersion =
        word.contains(".") || (index > 0 && Self.versionWords.contains(all[index - 1]))
        || (word.hasPrefix("V") && word.dropFirst().allSatisfy(\.isNumber))
      if isVersion || (word.count >= Self.buildDigitsMin && word.allSatisfy(\.isNumber)) { continue }
      kept.insert(word)
    }
    words = kept
  }

  /// Whether each has a word that the other has not, nor the beginning of it.
  func contradicts(_ other: Designation) -> Bool { !isCovered(by: other) && !other.isCovered(by: self) }

  private func isCovered(by other: Designation) -> Bool {
    words.allSatisfy { word in other.words.contains { $0.hasPrefix(word) || word.hasPrefix($0) } }
  }
}
