// From ptagent.toml to the collector's settings.

package import Collectors
package import Settings

internal import Discovery
internal import PrinterModel

extension CollectorSettings {
  /// As configured; without ranges, those networks that this machine is in now, and that its routes lead to.
  package func inNetworks(of configuration: AgentConfiguration) -> CollectorSettings {
    var settings = self
    guard settings.ranges.isEmpty else { return settings }
    // The default last: it is the least of what was thought of.
    let credentials = configuration.credentials.values.sorted {
      ($0.name == "public" ? 1 : 0, $0.name) < ($1.name == "public" ? 1 : 0, $1.name)
    }
    settings.ranges = HostNetworks.toSweep(hops: configuration.discovery.hopsMax).compactMap { network in
      let range = try? AddressRange(network.description)
      return range.map {
        CollectorRange(
          name: network.description, addresses: AddressSet([$0]),
          credentials: credentials.map { Collectors.NamedCredential($0) })
      }
    }
    return settings
  }

  /// With the profiles of the release.
  package init(_ configuration: AgentConfiguration) {
    let discovery = configuration.discovery
    self.init(
      ranges: discovery.ranges.map { element in
        CollectorRange(
          name: element.range.description, addresses: AddressSet([element.range]),
          credentials: element.credentials.map { Collectors.NamedCredential($0) })
      })
    exclusions = AddressSet(discovery.exclusions)
    doNotTouch = AddressSet(discovery.doNotTouch)
    port = discovery.port
    usesIPP = discovery.ipp
    pollInterval = configuration.poll.interval
    sweepInterval = discovery.sweepInterval
    sweepTimetable = discovery.sweepTimetable
    browsesAnnouncements = discovery.browsesAnnouncements
    trapPort = discovery.trapPort
    parallelMax = configuration.poll.concurrency
    retireAfter = configuration.poll.retireAfter
    rules = configuration.rules
    offsets = configuration.meterOffsets
    sweep.packetsPerSecond = discovery.packetsPerSecond
    sweep.burst = max(1, discovery.packetsPerSecond / 10)
  }
}

extension CollectorSettings {
  /// With the site's own profiles too.
  /// - Throws: `AgentFailure` if one of them is none.
  package init(loadingProfilesFor configuration: AgentConfiguration) throws(AgentFailure) {
    self.init(configuration)
    profiles = try LocalProfiles(configuration.profiles).set
  }
}

extension CollectorSettings {
  /// With profiles that were loaded before.
  init(_ configuration: AgentConfiguration, profiles: ProfileSet) {
    self.init(configuration)
    self.profiles = profiles
  }
}

extension Collectors.NamedCredential {
  package init(_ credential: Settings.NamedCredential) {
    self.init(name: credential.name, credential: credential.credential)
  }
}
