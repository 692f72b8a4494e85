// From ptagent.toml to the collector's settings.

package import Collectors
package import Settings

internal import Discovery

extension CollectorSettings {
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
    pollInterval = configuration.poll.interval
    sweepInterval = discovery.sweepInterval
    parallelMax = configuration.poll.concurrency
    retireAfter = configuration.poll.retireAfter
    rules = configuration.rules
    offsets = configuration.meterOffsets
    sweep.packetsPerSecond = discovery.packetsPerSecond
    sweep.burst = max(1, discovery.packetsPerSecond / 10)
  }
}

extension Collectors.NamedCredential {
  package init(_ credential: Settings.NamedCredential) {
    self.init(name: credential.name, credential: credential.credential)
  }
}
