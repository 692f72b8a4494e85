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
    if let mine = modelOfDeviceID, let others = other.modelOfDeviceID {
      guard Designation(mine).isAnother(than: Designation(others)) else { return nil }
      return "device id \(others) instead of \(mine)"
    }
    guard let mine = readModel, let others = other.readModel else { return nil }
    return Designation(mine).contradicts(Designation(others)) ? "\(others) instead of \(mine)" : nil
  }

  private var modelOfDeviceID: String? { deviceID.flatMap { DeviceIDString($0.text).model } }

  /// The model, unless it is only the name that an administrator gave: that one changes whenever he likes.
  private var readModel: String? { model == printerName ? nil : model?.text }
}

/// A model by its words. Those that hold digits, as `P2055DN`, stay when a language or a version's text changes.
private struct Designation {
  /// Those that hold digits.
  private var numbered: Set<String> = []
  private var all: Set<String> = []

  /// Numbers from this length on are dates and build numbers.
  private static let buildDigitsMin = 6
  private static let versionWords: Set<String> = [
    "V", "VER", "VERSION", "FW", "FIRMWARE", "ROM", "REV", "REVISION", "BUILD",
  ]

  init(_ model: String) {
    let words = model.uppercased().split { !($0.isLetter || $0.isNumber || $0 == ".") }.map(String.init)
    for (index, word) in words.enumerated() {
      all.insert(word)
      guard word.contains(where: \.isNumber) else { continue }
      let isVersion =
        word.contains(".") || (index > 0 && Self.versionWords.contains(words[index - 1]))
        || (word.hasPrefix("V") && word.dropFirst().allSatisfy(\.isNumber))
      if isVersion || (word.count >= Self.buildDigitsMin && word.allSatisfy(\.isNumber)) {
        all.remove(word)
      } else {
        numbered.insert(word)
      }
    }
  }

  /// Whether each has a word with digits that the other has not, nor the beginning of it: models that were perhaps read from different objects.
  func contradicts(_ other: Designation) -> Bool {
    func isBeginning(_ word: String, _ longer: String) -> Bool { longer.hasPrefix(word) }
    return Self.differ(numbered, other.numbered, isBeginning)
  }

  /// Whether two device ids name two models. The maker writes this text for each model, so it is compared strictly: a word may go on with letters
  /// (`P2055` and `P2055DN`) and not with digits (`T120` and `T1200`), and where neither has a word with digits, all words count.
  func isAnother(than other: Designation) -> Bool {
    func isModelOf(_ word: String, _ longer: String) -> Bool {
      longer.hasPrefix(word) && longer.dropFirst(word.count).allSatisfy(\.isLetter)
    }
    if numbered.isEmpty || other.numbered.isEmpty { return Self.differ(all, other.all, ==) }
    return Self.differ(numbered, other.numbered, isModelOf)
  }

  /// Whether each of the two has a word that has no like in the other.
  private static func differ(_ left: Set<String>, _ right: Set<String>, _ isLike: (String, String) -> Bool) -> Bool {
    func isCovered(_ words: Set<String>, by others: Set<String>) -> Bool {
      words.allSatisfy { word in others.contains { isLike(word, $0) || isLike($0, word) } }
    }
    return !isCovered(left, by: right) && !isCovered(right, by: left)
  }
}
