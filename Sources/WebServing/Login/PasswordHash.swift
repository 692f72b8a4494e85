// Passwords at rest: scrypt, with its cost and a salt of its own in the text, in the form of the PHC (github.com/P-H-C/phc-string-format):
//
//     $scrypt$ln=15,r=8,p=1$<salt, 22 characters of base64>$<key, 43 characters of base64>
//
// A check costs a tenth of a second and 32 MiB, so few are made at a time, on a queue of their own; who comes when many wait is told to come again.

internal import Dispatch
internal import FoundationEssentials
internal import OpenSSL
internal import Synchronization

package enum PasswordHash {
  /// At one time: 64 MiB.
  private static let parallelMax = 2
  /// Those that wait besides.
  private static let waitingMax = 16
  private static let saltBytes = 16
  private static let keyBytes = 32
  /// A longer one is a file that somebody sends.
  package static let passwordBytesMax = 1_024

  private static let queue = DispatchQueue(label: "printtrail.passwords", qos: .utility, attributes: .concurrent)
  private static let places = DispatchSemaphore(value: parallelMax)
  private static let underWay = Mutex(0)

  /// The text to keep of a password.
  /// - Throws: `WebError` 503 where too many wait, 500 where there is no memory.
  package static func make(_ password: String) async throws -> String {
    try await working { try makeNow(password) }
  }

  /// As `make`, on this thread: for command lines.
  package static func makeNow(_ password: String) throws -> String {
    let salt = SecureRandom.bytes(saltBytes)
    let key = try Scrypt.key(Array(password.utf8), salt: salt, .login, count: keyBytes)
    return
      "$scrypt$ln=\(Scrypt.Cost.login.logarithm),r=\(Scrypt.Cost.login.blockSize),p=\(Scrypt.Cost.login.parallelism)$\(base64(salt))$\(base64(key))"
  }

  /// Whether the password is the one that `text` was made of. A text that is none is made of no password, and takes as long.
  /// - Throws: as `make`.
  package static func verify(_ password: String, _ text: String) async throws -> Bool {
    let isShort = password.utf8.count <= passwordBytesMax
    let parts = Parts(text)
    let stand = parts ?? Parts(cost: .login, salt: [UInt8](repeating: 0, count: saltBytes), key: [])
    let key = try await working {
      try Scrypt.key(Array((isShort ? password : "").utf8), salt: stand.salt, stand.cost, count: keyBytes)
    }
    return parts != nil && isShort && isSameSecret(key, stand.key)
  }

  /// Whether a text is of this form.
  package static func isHash(_ text: String) -> Bool { Parts(text) != nil }

  private struct Parts: Sendable {
    let cost: Scrypt.Cost
    let salt: [UInt8]
    let key: [UInt8]

    init(cost: Scrypt.Cost, salt: [UInt8], key: [UInt8]) { (self.cost, self.salt, self.key) = (cost, salt, key) }

    init?(_ text: String) {
      let parts = text.split(separator: "$", omittingEmptySubsequences: false)
      guard parts.count == 5, parts[0].isEmpty, parts[1] == "scrypt" else { return nil }
      var numbers: [Substring: Int] = [:]
      for pair in parts[2].split(separator: ",") {
        let sides = pair.split(separator: "=")
        guard sides.count == 2, let number = Int(sides[1]) else { return nil }
        numbers[sides[0]] = number
      }
      guard let logarithm = numbers["ln"], let block = numbers["r"], let lanes = numbers["p"],
        let cost = Scrypt.Cost(logarithm: logarithm, blockSize: block, parallelism: lanes),
        let salt = PasswordHash.bytes(parts[3]), salt.count >= 8, let key = PasswordHash.bytes(parts[4]),
        key.count == keyBytes
      else { return nil }
      self.init(cost: cost, salt: salt, key: key)
    }
  }

  private static func working<R: Sendable>(_ body: @escaping @Sendable () throws -> R) async throws -> R {
    let isAdmitted = underWay.withLock { count in
      guard count < parallelMax + waitingMax else { return false }
      count += 1
      return true
    }
    guard isAdmitted else {
      var error = WebError(503, "overloaded", "Too many passwords are being checked. Try again in a few seconds.")
      error.retryAfter = 5
      throw error
    }
    defer { underWay.withLock { $0 -= 1 } }
    return try await withCheckedThrowingContinuation { continuation in
      queue.async {
        places.wait()
        let result = Result { try body() }
        places.signal()
        continuation.resume(with: result)
      }
    }
  }

  /// Without padding, as the PHC has it.
  private static func base64(_ bytes: [UInt8]) -> String {
    String(Data(bytes).base64EncodedString().prefix { $0 != "=" })
  }

  private static func bytes(_ text: Substring) -> [UInt8]? {
    let padded = text + String(repeating: "=", count: (4 - text.utf8.count % 4) % 4)
    return Data(base64Encoded: String(padded)).map(Array.init)
  }
}

/// What a password has to be. Length is what counts (NIST SP 800-63B, section 5.1.1); what everybody tries first does not.
package enum PasswordRules {
  package static let bytesMin = 10

  private static let known: Set<String> = [
    "password", "passwort", "motdepasse", "contrasena", "administrator", "printtrail", "letmein", "welcome",
    "qwertyuiop", "qwertzuiop", "1234567890",
    "0123456789", "iloveyou", "changeme",
  ]

  /// Why a password is not good enough, as a sentence; nil where it is.
  /// - Parameter names: what it must not be, such as the user's and the machine's name.
  package static func complaint(about password: String, besides names: [String] = []) -> String? {
    let count = password.utf8.count
    guard count >= bytesMin else {
      return "The password has \(count) bytes; give it at least \(bytesMin). A few words make a good one."
    }
    guard count <= PasswordHash.passwordBytesMax else {
      return "The password has \(count) bytes; at most \(PasswordHash.passwordBytesMax) are taken."
    }
    guard !password.unicodeScalars.contains(where: { $0.value < 0x20 || $0.value == 0x7f }) else {
      return "The password holds a control character, which cannot be typed in; leave it out."
    }
    guard Set(password).count >= 5 else {
      return "The password has only \(Set(password).count) different characters. A few words make a good one."
    }
    let plain = password.lowercased().filter { $0.isLetter || $0.isNumber }
    let core = String(plain.reversed().drop { $0.isNumber }.reversed())
    let forbidden = known.union(
      names.map { $0.lowercased().filter { $0.isLetter || $0.isNumber } }.filter { $0.count >= 4 })
    if forbidden.contains(plain) || forbidden.contains(core) {
      return "This password is among the first that are tried. A few words make a good one."
    }
    return nil
  }
}
