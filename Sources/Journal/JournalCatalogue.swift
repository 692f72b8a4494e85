// A journal's databases in a file that may be damaged: where their trees begin, and what the rows of `meta` say.

internal import Evidence
internal import LMDB

struct JournalCatalogue {
  let trees: [String: DataTree]
  /// What stands in the main database itself.
  let rows: MetaRows
  /// Whether these are certainly the last commit's, and not those of one before it.
  private(set) var isOfLastCommit = false

  subscript(name: String) -> DataTree? { trees[name] }

  /// The databases that a commit left.
  init(_ file: DataFile, _ meta: DataMeta, _ walk: inout DataWalk) {
    var (trees, rows) = ([String: DataTree](), MetaRows())
    walk.entries(of: meta.main) { key, value in
      rows.take(key, value)
      if case .tree(let tree) = value { trees[String(decoding: key, as: UTF8.self)] = tree }
    }
    (self.trees, self.rows) = (trees, rows)
  }

  /// The newest databases that can still be found: by a meta page, else on any page that once held them. Records only become
  /// more, so that among pages of unknown age the one that knows of the most is the newest.
  static func newest(in file: DataFile) -> JournalCatalogue {
    let metas = file.metas.compactMap { $0 }.filter { $0.pageBytes == file.pageBytes }
    for meta in metas.sorted(by: { $0.transaction > $1.transaction }) {
      var walk = DataWalk(file)
      var catalogue = JournalCatalogue(file, meta, &walk)
      catalogue.isOfLastCommit = file.metasFollow && meta == file.meta
      if catalogue["records"] != nil, catalogue["meta"] != nil { return catalogue }
    }
    var (best, rows) = ([String: DataTree](), MetaRows())
    file.forEachPage(outside: PageSet(pages: 0)) { page in
      var (found, foundRows) = ([String: DataTree](), MetaRows())
      file.forEachEntry(of: page) { key, value in
        foundRows.take(key, value)
        if case .tree(let tree) = value { found[String(decoding: key, as: UTF8.self)] = tree }
      }
      if let records = found["records"], found["meta"] != nil, records.entries >= best["records"]?.entries ?? 0 {
        (best, rows) = (found, foundRows)
      }
    }
    return JournalCatalogue(trees: best, rows: rows)
  }

  private init(trees: [String: DataTree], rows: MetaRows) { (self.trees, self.rows) = (trees, rows) }
}

/// The rows of `meta` and those of the main database, as far as they can be read.
struct MetaRows {
  var format: UInt32?
  var journal: [UInt8]?
  var publicKey: [UInt8]?
  var epoch: UInt32?
  var frontiers: [UInt32: MerkleFrontier] = [:]
  var lost: [UInt32: [LostRecords]] = [:]
  /// The trees over what retention removed.
  var bases: [UInt32: MerkleFrontier] = [:]
  var snapshot: FoldMark?

  mutating func take(_ key: UnsafeRawBufferPointer, _ value: DataValue) {
    guard case .bytes(let bytes) = value else { return }
    let (key, value) = (Array(key), Array(bytes))
    switch key {
    case Layout.Meta.format: format = UInt32(bigEndianBytes: value)
    case Layout.Meta.journal: journal = value.count == JournalIdentity.idByteCount ? value : nil
    case Layout.Meta.publicKey: publicKey = value.count == 32 ? value : nil
    case Layout.Meta.epoch: epoch = UInt32(bigEndianBytes: value)
    case Layout.Meta.baseFold: snapshot = FoldMark(rowValue: value)
    default:
      if Self.epoch(of: key, Layout.Meta.frontierPrefix) != nil {
        takeTree(key, value)
      } else if let epoch = Self.epoch(of: key, Layout.Meta.lostPrefix) {
        lost[epoch] = LostRecords.ranges(epoch: epoch, rowValue: value)
      } else if let epoch = Self.epoch(of: key, Layout.Meta.basePrefix) {
        bases[epoch] = MerkleFrontier(encoded: value)
      }
    }
  }

  /// Takes the row of an epoch's tree, if it is one and larger than what is known of it: of rows of unknown age the newest.
  mutating func takeTree(_ key: [UInt8], _ value: [UInt8]) {
    guard let epoch = Self.epoch(of: key, Layout.Meta.frontierPrefix), let tree = MerkleFrontier(encoded: value),
      tree.size > frontiers[epoch]?.size ?? 0 || frontiers[epoch] == nil
    else { return }
    frontiers[epoch] = tree
  }

  private static func epoch(of key: [UInt8], _ prefix: [UInt8]) -> UInt32? {
    guard key.starts(with: prefix) else { return nil }
    return UInt32(bigEndianBytes: key[prefix.count...])
  }
}
