// Which passwords users of the console may have: long ones that are not among those that are tried first. No rules about kinds of characters, which
// make passwords worse, and no expiry (NIST SP 800-63B, section 5.1.1.2).

internal import WebServing

package enum UserPassword {
  /// More than for a console that only its own machine reaches: this one is open to a network, and to all of a dealer's customers.
  static let charactersMin = 12
  static let bytesMax = PasswordHash.passwordBytesMax

  /// Why a password may not be used, as a sentence; nil: it may.
  package static func complaint(about password: String, user: String) -> String? {
    guard password.count >= charactersMin else {
      return
        "The password has \(password.count) characters, and needs at least \(charactersMin). A few words that do not belong together make a good one."
    }
    guard user.count < 3 || !password.lowercased().contains(user.lowercased()) else {
      return "The password contains the user's name. Choose one that does not."
    }
    let plain = password.lowercased()
    guard !rows.contains(where: { $0.contains(plain) || String($0.reversed()).contains(plain) }) else {
      return
        "The password is a row of digits, of the alphabet or of the keyboard. A few words that do not belong together make a good one."
    }
    return PasswordRules.complaint(about: password, besides: [user])
  }

  /// Twice, because such a row begins anywhere.
  private static let rows = [
    "abcdefghijklmnopqrstuvwxyz", "0123456789", "qwertyuiopasdfghjklzxcvbnm", "qwertzuiopasdfghjklyxcvbnm",
  ].map { $0 + $0 }

  /// The text to keep of it, made on this thread: for commands.
  package static func hashNow(_ password: String) throws(HubError) -> String {
    do { return try PasswordHash.makeNow(password) } catch { throw HubError(.unavailable, "\(error)") }
  }
}
