// Every limit of the journal, with its reason.

package enum JournalLimits {
  /// The largest payload, in bytes. Events have about 300; past 1,976 LMDB gives a record whole pages; a quarter MiB is a bug
  /// upstream, and still fits a gRPC message.
  package static let payloadBytesMax = 262_144
  /// Payloads one `append` may carry. They are committed together, so this bounds a transaction from below.
  package static let appendRecordsMax = 4_096
  /// Payload bytes one `append` may carry.
  package static let appendBytesMax = 8_388_608
  /// Requests of several callers join one commit up to this many records: about 2 ms of hashing and 1.5 MB to sync.
  package static let batchRecordsMax = 4_096
  /// Requests of several callers join one commit up to this many payload bytes.
  package static let batchBytesMax = 8_388_608
  /// Requests in one commit, whatever they are: cursors are cheap, but a commit must end.
  package static let batchRequestsMax = 4_096
  /// Records waiting for the writer before further callers are held back: some 0.2 s of work.
  package static let queueRecordsMax = 65_536
  /// Payload bytes waiting for the writer before further callers are held back.
  package static let queueBytesMax = 33_554_432
  /// Requests waiting for the writer before further callers are held back.
  package static let queueRequestsMax = 65_536
  /// Records of one append from which a second thread helps to hash: waking it takes as long as hashing about 100.
  package static let sharedHashingRecordsMin = 128
  /// Records of one append from which their hashes are made where they are foreseen to stand, while another commit is under way: with fewer,
  /// another caller is often quicker.
  package static let foreseenRecordsMin = 16
  /// Records that one commit removes: a few milliseconds, between which appends have their turn.
  package static let prunedRecordsPerCommit = 2_000
  /// How long a checkpoint signed during a large commit waits for another commit to go with, before it gets one of its own.
  package static let sealingWait: Duration = .milliseconds(50)
  /// LMDB takes keys of 511 bytes; names are for people.
  package static let cursorNameBytesMax = 200
  /// Why an epoch was opened: a sentence or two.
  package static let reasonBytesMax = 1_024
  /// Records folded again in one transaction: bounds what a crash repeats and what a commit has to write.
  package static let foldRecordsPerTransaction = 10_000
  /// Records copied out of a scan's first transaction: most looks want few.
  package static let portionRecordsFirst = 32
  /// Records copied out of one reading transaction, once as many were wanted: 0.1 ms, in which the writer commits once at most.
  package static let portionRecordsMax = 1_000
  /// Bytes copied out of one reading transaction; exceeded by at most one record.
  package static let portionBytes = 1_048_576
  /// Commits between two looks for readers whose process has died. Until then what they saw is held back from use, some 16 KB
  /// a commit: a quarter of a MB. A look costs 0.01 us, and 0.9 us for each other process that has the journal open.
  package static let readerCheckCommits = 16
  /// Time between two such looks while nothing is committed: dead readers take slots, of which there are 126.
  package static let readerCheckInterval: Duration = .seconds(60)
  /// Pages of the file that were read are kept mapped for at most so long. Giving them back takes some 100 us, and reading them again a minor
  /// fault for each sixteen.
  package static let pagesKept: Duration = .seconds(60)
  /// How often a waiting reader looks: a person at `tail -f` sees no delay, and ten looks a second cost nothing.
  package static let tailPollInterval: Duration = .milliseconds(100)
  /// Findings a verification lists before it only counts.
  package static let findingsMax = 100
  /// Disk space the journal may use unless configured: years of a small fleet.
  package static let sizeBytesDefault = 8_589_934_592
  /// Address space mapped unless configured. Costs nothing, so that the map need not grow while readers hold pointers into it.
  package static let mapBytesDefault = 68_719_476_736
  /// Records between two checkpoints.
  package static let checkpointRecords: UInt64 = 1_000
  /// Time between two checkpoints when there are new records.
  package static let checkpointInterval: Duration = .seconds(900)
}
