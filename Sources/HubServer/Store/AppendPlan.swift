// The decision what becomes of each delivered record, apart from any database.
//
//     sequence    1 ................ held | held+1 ............
//     batch             [ overlap         |      fresh      ]
//
//     overlap, leaf as held             duplicate: counted, acknowledged again (if it was rejected: told so again)
//     overlap, another leaf, no fault   conflict: kept beside, told
//     overlap, another leaf, faulty     rejection that stands for nothing: journalled, told
//     fresh, no fault                   stored; its leaf goes into the tree
//     fresh, faulty                     rejection in the record's place: journalled, told; the leaf that the journal claims goes into the tree,
//                                       so that all other records still verify against the journal's checkpoints
//
// A batch that begins beyond held + 1 is a gap: nothing of it is stored.
//
// Records that damage took at the agent are an append without records: what is held of them stays, the rest is noted as lost, with a leaf of
// zeros each in the tree. A record that comes for such a place later is kept as a conflict.

package import OpenSSL

/// What is held under one sequence.
package enum HeldLeaf: Sendable, Equatable {
  case accepted(Digest)
  case rejected(Digest, reason: String)
  case lost

  package var leaf: Digest {
    switch self {
    case .accepted(let leaf), .rejected(let leaf, _): leaf
    case .lost: .zero
    }
  }
}

package enum AppendPlan: Sendable, Equatable {
  case gap
  /// How many records at the batch's beginning are at or below what is held.
  case store(overlap: Int)

  /// - Parameter held: the last sequence of the epoch that is held; 0 for none.
  package static func of(_ append: Append, held: UInt64) -> AppendPlan {
    guard append.firstSequence <= held + 1 else { return .gap }
    let below = held + 1 - append.firstSequence
    return .store(overlap: below >= UInt64(append.records.count) ? append.records.count : Int(below))
  }
}

/// What becomes of a record whose sequence is held already.
package enum OverlapVerdict: Sendable, Equatable {
  case duplicate
  /// The same bytes were rejected before; tell so again.
  case rejectedBefore(reason: String)
  case conflict(heldHash: Digest)
  case rejected(reason: String)

  package static func of(_ record: DeliveredRecord, held: HeldLeaf) -> OverlapVerdict {
    if record.leaf == held.leaf {
      switch held {
      case .accepted, .lost: return .duplicate
      case .rejected(_, let reason): return .rejectedBefore(reason: reason)
      }
    }
    if let fault = record.fault { return .rejected(reason: fault) }
    return .conflict(heldHash: held.leaf)
  }
}
