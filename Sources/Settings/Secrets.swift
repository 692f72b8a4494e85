// What nobody else may know of a configuration, for whoever must make sure that a text has none of it.

internal import SNMP

extension AgentConfiguration {
  /// Communities, passwords of SNMPv3 users, and the proxy's; without those that everybody knows.
  package var secrets: [[UInt8]] {
    var secrets = proxy?.credentials.map { [Array($0.password.utf8)] } ?? []
    for named in credentials.values {
      switch named.credential {
      case .community(_, let community): secrets.append(community)
      case .user(let user): secrets += [user.authentication?.password, user.privacy?.password].compactMap { $0 }
      }
    }
    let known = Set(["", "public", "private"].map { Array($0.utf8) })
    return Array(Set(secrets).subtracting(known))
  }
}
