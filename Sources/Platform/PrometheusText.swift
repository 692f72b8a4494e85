// What Prometheus reads: its text format, version 0.0.4
// (prometheus.io/docs/instrumenting/exposition_formats/#text-based-format). Pure.
//
//     # HELP pthub_streams_open Delivery streams that are open.
//     # TYPE pthub_streams_open gauge
//     pthub_streams_open 12

/// All samples of one name.
package struct MetricFamily: Sendable, Equatable {
  package enum Kind: String, Sendable {
    case counter, gauge, histogram
  }

  package struct Sample: Sendable, Equatable {
    /// Behind the family's name, as histograms need it.
    package var suffix = ""
    package var labels: [(name: String, value: String)] = []
    package var value: Double

    package init(suffix: String = "", labels: [(name: String, value: String)] = [], value: Double) {
      (self.suffix, self.labels, self.value) = (suffix, labels, value)
    }

    package static func == (one: Sample, other: Sample) -> Bool {
      one.suffix == other.suffix && one.value == other.value
        && one.labels.elementsEqual(other.labels) { $0.name == $1.name && $0.value == $1.value }
    }
  }

  package var name: String
  package var kind: Kind
  package var help: String
  package var samples: [Sample]

  package init(name: String, kind: Kind, help: String, samples: [Sample]) {
    (self.name, self.kind, self.help, self.samples) = (name, kind, help, samples)
  }

  package static func gauge(_ name: String, _ help: String, _ value: Double) -> MetricFamily {
    MetricFamily(name: name, kind: .gauge, help: help, samples: [Sample(value: value)])
  }

  package static func counter(_ name: String, _ help: String, _ value: Double) -> MetricFamily {
    MetricFamily(name: name, kind: .counter, help: help, samples: [Sample(value: value)])
  }
}

/// How often something took how long.
package struct DurationHistogram: Sendable {
  /// Upper bounds in seconds. A commit takes a flush of the disk: a millisecond on a good one, seconds on one that is overrun.
  package static let bounds = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10]

  private var counts = Array(repeating: UInt64(0), count: bounds.count + 1)
  private var sum = 0.0

  package init() {}

  package mutating func add(_ duration: Duration) {
    let seconds = Double(duration.components.seconds) + Double(duration.components.attoseconds) / 1e18
    counts[Self.bounds.firstIndex { seconds <= $0 } ?? Self.bounds.count] += 1
    sum += seconds
  }

  package func family(_ name: String, _ help: String) -> MetricFamily {
    var samples: [MetricFamily.Sample] = []
    var total: UInt64 = 0
    for (bound, count) in zip(Self.bounds + [.infinity], counts) {
      total += count
      samples.append(.init(suffix: "_bucket", labels: [("le", PrometheusText.number(bound))], value: Double(total)))
    }
    samples.append(.init(suffix: "_sum", value: sum))
    samples.append(.init(suffix: "_count", value: Double(total)))
    return MetricFamily(name: name, kind: .histogram, help: help, samples: samples)
  }
}

package enum PrometheusText {
  package static let contentType = "text/plain; version=0.0.4; charset=utf-8"

  package static func text(_ families: [MetricFamily]) -> String {
    var text = ""
    for family in families where !family.samples.isEmpty {
      text +=
        "# HELP \(family.name) \(escaped(family.help, quotes: false))\n# TYPE \(family.name) \(family.kind.rawValue)\n"
      for sample in family.samples {
        let labels = sample.labels.map { "\($0.name)=\"\(escaped($0.value, quotes: true))\"" }
        let braces = labels.isEmpty ? "" : "{\(labels.joined(separator: ","))}"
        text += "\(family.name)\(sample.suffix)\(braces) \(number(sample.value))\n"
      }
    }
    return text
  }

  /// As Go's ParseFloat takes it; whole numbers without a fraction.
  package static func number(_ value: Double) -> String {
    if value == .infinity { return "+Inf" }
    if let whole = Int64(exactly: value) { return "\(whole)" }
    return "\(value)"
  }

  private static func escaped(_ text: String, quotes: Bool) -> String {
    var result = ""
    for scalar in text.unicodeScalars {
      switch scalar {
      case "\\": result += "\\\\"
      case "\n": result += "\\n"
      case "\"" where quotes: result += "\\\""
      default: result.unicodeScalars.append(scalar)
      }
    }
    return result
  }
}
