// The name that somebody who mistyped another most likely meant.

/// The candidate with the fewest edits from `name`; nil when none is near enough to be what was meant.
func nearestName(to name: String, among candidates: some Sequence<String>) -> String? {
  let wanted = Array(name.lowercased().utf8)
  var nearest: (name: String, edits: Int)?
  for candidate in candidates {
    let edits = editDistance(wanted, Array(candidate.lowercased().utf8))
    if edits < nearest?.edits ?? .max { nearest = (candidate, edits) }
  }
  guard let nearest else { return nil }
  // More than half of the letters wrong is another word, not a slip.
  return nearest.edits * 2 <= max(wanted.count, nearest.name.utf8.count) ? nearest.name : nil
}

/// Levenshtein's distance: how many insertions, removals and replacements lead from one to the other.
private func editDistance(_ left: [UInt8], _ right: [UInt8]) -> Int {
  var row = Array(0...right.count)
  for (i, a) in left.enumerated() {
    var diagonal = row[0]
    row[0] = i + 1
    for (j, b) in right.enumerated() {
      let above = row[j + 1]
      row[j + 1] = min(above + 1, row[j] + 1, diagonal + (a == b ? 0 : 1))
      diagonal = above
    }
  }
  return row[right.count]
}
