// The sources and findings of an interpretation of translated objects, named by the attributes that these were made of.

internal import MIB

extension AttributeTranslation {
  /// Findings about an object name its attribute.
  func named(_ findings: [Finding]) -> [Finding] {
    findings.map { finding in
      guard let name = finding.name, AttributeName(name) == nil, !name.isWithin(AttributeName.root) else {
        return finding
      }
      return Finding(origins[name]?.first?.source.name, finding.message)
    }
  }

  /// Sources with the attributes' names; those of objects that nothing was told for (a row's own number) fall away.
  func named(_ sources: ReadingSources) -> ReadingSources {
    var result = ReadingSources()
    result.identity = named(sources.identity)
    result.status = named(sources.status)
    result.detectors = named(sources.detectors) + (uptime.map { [$0] } ?? [])
    result.supplies = sources.supplies.mapValues(named)
    for (row, colorant) in colorants {
      result.supplies[row]?.append(
        ValueSource("colorant", colorant.origin.source, rule: colorant.origin.rule))
    }
    result.inputs = sources.inputs.mapValues(named)
    result.outputs = sources.outputs.mapValues(named)
    result.alerts = sources.alerts.mapValues(named)
    return result
  }

  private func named(_ sources: [ValueSource]) -> [ValueSource] {
    sources.flatMap { source -> [ValueSource] in
      if AttributeName(source.source.name) != nil { return [source] }
      return (origins[source.source.name] ?? []).map { origin in
        var named = source
        named.source = origin.source
        if source.rule.isOfObject { named.rule = origin.rule }
        return named
      }
    }
  }
}

extension Rule {
  /// Whether the rule only says that an object of the MIBs has the value: `rfc3805/prtInputName@1`.
  fileprivate var isOfObject: Bool {
    ["/prt", "/hr", "/sys", "/ppm"].contains { description.contains($0) }
  }
}
