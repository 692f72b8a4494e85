// The tables of the embedded store. A migration that was released never changes; later ones are added below it.
//
//     entity ─< datalink_code ─< install ─< certificate
//                                   │ ─< journal     (epoch): held sequence and Merkle frontier over 1 ... held
//                                   │ ─< record      (epoch, sequence): what was accepted
//                                   │ ─< rejection   what never will be; `stands` = 1 in the place of the record
//                                   │ ─< loss        (epoch, first): what damage took at the agent before it was delivered
//                                   │ ─< conflict    another record under an identity that is held
//                                   │ ─< express     (epoch, sequence): what came ahead of its turn, until that comes (Express.swift)
//                                   │ ─< checkpoint  as sealed by the agent, with the result of verifying it
//                                   └ ── health      the latest report
//     audit           what operators and strangers did
//
// For each (install, epoch) the sequences of `record`, of standing `rejection` rows and of the ranges in `loss` together are exactly 1 ...
// `journal.held`, and `journal.frontier` is the frontier over their leaves (zeros for what is lost). All change in one transaction.

internal import GRDB

enum SQLiteSchema {
  static var migrator: DatabaseMigrator {
    var migrator = DatabaseMigrator()
    migrator.registerMigration("v1") { db in try db.execute(sql: version1) }
    migrator.registerMigration("v2") { db in try db.execute(sql: version2) }
    migrator.registerMigration("v3e") { db in try db.execute(sql: version3e) }
    return migrator
  }

  private static let version3e = """
    CREATE TABLE express (
      install INTEGER NOT NULL,
      epoch INTEGER NOT NULL,
      sequence INTEGER NOT NULL CHECK (sequence >= 1),
      time INTEGER NOT NULL,
      hash BLOB NOT NULL,
      payload BLOB NOT NULL,
      received_at INTEGER NOT NULL,
      PRIMARY KEY (install, epoch, sequence)
    ) STRICT, WITHOUT ROWID;
    """

  private static let version2 = """
    CREATE TABLE loss (
      install INTEGER NOT NULL,
      epoch INTEGER NOT NULL,
      first INTEGER NOT NULL CHECK (first >= 1),
      last INTEGER NOT NULL CHECK (last >= first),
      received_at INTEGER NOT NULL,
      PRIMARY KEY (install, epoch, first)
    ) STRICT, WITHOUT ROWID;
    """

  private static let version1 = """
    CREATE TABLE entity (
      number INTEGER PRIMARY KEY,
      name TEXT NOT NULL UNIQUE COLLATE NOCASE,
      created_at INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE datalink_code (
      number INTEGER PRIMARY KEY,
      hash BLOB NOT NULL UNIQUE,
      entity INTEGER NOT NULL REFERENCES entity (number),
      uses_max INTEGER NOT NULL CHECK (uses_max >= 1),
      uses INTEGER NOT NULL DEFAULT 0 CHECK (uses BETWEEN 0 AND uses_max),
      created_at INTEGER NOT NULL,
      expires_at INTEGER NOT NULL,
      revoked_at INTEGER
    ) STRICT;

    CREATE TABLE install (
      number INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      entity INTEGER NOT NULL REFERENCES entity (number),
      code INTEGER NOT NULL REFERENCES datalink_code (number),
      enrolment_id BLOB NOT NULL UNIQUE,
      public_key_hash BLOB NOT NULL,
      journal_id BLOB NOT NULL CHECK (length(journal_id) = 16),
      journal_key BLOB NOT NULL CHECK (length(journal_key) = 32),
      host_name TEXT NOT NULL,
      operating_system TEXT NOT NULL,
      agent_version TEXT NOT NULL,
      enrolled_at INTEGER NOT NULL,
      seen_at INTEGER,
      revoked_at INTEGER
    ) STRICT;

    CREATE TABLE certificate (
      number INTEGER PRIMARY KEY,
      serial TEXT NOT NULL UNIQUE,
      install INTEGER NOT NULL REFERENCES install (number),
      der BLOB NOT NULL,
      not_before INTEGER NOT NULL,
      not_after INTEGER NOT NULL,
      issued_at INTEGER NOT NULL,
      first_used_at INTEGER,
      superseded_at INTEGER
    ) STRICT;
    CREATE INDEX certificate_install ON certificate (install);

    CREATE TABLE journal (
      install INTEGER NOT NULL REFERENCES install (number),
      epoch INTEGER NOT NULL,
      journal_id BLOB NOT NULL,
      held INTEGER NOT NULL CHECK (held >= 0),
      frontier BLOB NOT NULL,
      PRIMARY KEY (install, epoch)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE record (
      install INTEGER NOT NULL,
      epoch INTEGER NOT NULL,
      sequence INTEGER NOT NULL CHECK (sequence >= 1),
      time INTEGER NOT NULL,
      hash BLOB NOT NULL,
      payload BLOB NOT NULL,
      PRIMARY KEY (install, epoch, sequence)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE rejection (
      number INTEGER PRIMARY KEY,
      install INTEGER NOT NULL,
      epoch INTEGER NOT NULL,
      sequence INTEGER NOT NULL,
      stands INTEGER NOT NULL CHECK (stands IN (0, 1)),
      leaf BLOB NOT NULL,
      reason TEXT NOT NULL,
      time INTEGER NOT NULL,
      payload BLOB NOT NULL,
      received_at INTEGER NOT NULL,
      UNIQUE (install, epoch, sequence, leaf)
    ) STRICT;
    CREATE UNIQUE INDEX rejection_standing ON rejection (install, epoch, sequence) WHERE stands = 1;

    CREATE TABLE conflict (
      number INTEGER PRIMARY KEY,
      install INTEGER NOT NULL,
      epoch INTEGER NOT NULL,
      sequence INTEGER NOT NULL,
      held_hash BLOB NOT NULL,
      hash BLOB NOT NULL,
      time INTEGER NOT NULL,
      payload BLOB NOT NULL,
      received_at INTEGER NOT NULL,
      UNIQUE (install, epoch, sequence, hash)
    ) STRICT;

    CREATE TABLE checkpoint (
      number INTEGER PRIMARY KEY,
      install INTEGER NOT NULL,
      epoch INTEGER NOT NULL,
      sequence INTEGER NOT NULL,
      note TEXT NOT NULL,
      verified INTEGER NOT NULL CHECK (verified IN (0, 1)),
      reason TEXT NOT NULL,
      frontier BLOB,
      received_at INTEGER NOT NULL,
      UNIQUE (install, epoch, sequence, note)
    ) STRICT;

    CREATE TABLE audit (
      number INTEGER PRIMARY KEY AUTOINCREMENT,
      at INTEGER NOT NULL,
      action TEXT NOT NULL,
      subject TEXT NOT NULL,
      peer TEXT NOT NULL,
      detail TEXT NOT NULL
    ) STRICT;

    CREATE TABLE health (
      install INTEGER PRIMARY KEY REFERENCES install (number),
      json TEXT NOT NULL,
      received_at INTEGER NOT NULL
    ) STRICT;
    """
}
