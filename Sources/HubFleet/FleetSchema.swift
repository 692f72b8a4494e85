// The hub's read models: what devices are, count and need, made of the records by a fold. Deleting all of them loses nothing.
//
//     projection ─< projected      how far each epoch of an install's journal is folded, and by which version of the fold
//          │     ─< fleet_row      the install's fleet as its agent knows it (Projections.StateRow)
//          │     ─< sighting       an agent's device ──> device
//     device                       one printer of an entity, whoever sees it; `leader` is the install whose readings count
//          │ ─< meter              the current counters
//          │ ─< meter_day          each counter's first and last value of each day, for volumes per period
//          │ ─< supply             the current supplies
//          │ ─< alert              raised and, once `cleared_at` is there, cleared
//
// Times are milliseconds since 1970 UTC by the agent's clock, days are days since 1970 UTC. The views are what reports are made of
// (docs/hub.md).

package enum FleetSchema {
  /// In SQLite's words.
  package static let tables = """
    CREATE TABLE projection (
      install INTEGER PRIMARY KEY REFERENCES install (number),
      fold INTEGER NOT NULL
    ) STRICT;

    CREATE TABLE projected (
      install INTEGER NOT NULL REFERENCES projection (install),
      epoch INTEGER NOT NULL,
      sequence INTEGER NOT NULL,
      PRIMARY KEY (install, epoch)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE fleet_row (
      install INTEGER NOT NULL REFERENCES projection (install),
      key BLOB NOT NULL,
      event BLOB NOT NULL,
      PRIMARY KEY (install, key)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE device (
      number INTEGER PRIMARY KEY,
      id TEXT NOT NULL UNIQUE,
      entity INTEGER NOT NULL REFERENCES entity (number),
      leader INTEGER NOT NULL REFERENCES install (number),
      serial_key TEXT,
      mac TEXT,
      make TEXT,
      model TEXT,
      serial TEXT,
      firmware TEXT,
      host_name TEXT,
      name TEXT,
      location TEXT,
      asset_number TEXT,
      address TEXT,
      state TEXT NOT NULL,
      first_seen_at INTEGER NOT NULL,
      last_read_at INTEGER
    ) STRICT;
    CREATE INDEX device_serial ON device (entity, serial_key);
    CREATE INDEX device_mac ON device (entity, mac);

    CREATE TABLE sighting (
      install INTEGER NOT NULL REFERENCES projection (install),
      agent_device BLOB NOT NULL,
      device INTEGER NOT NULL REFERENCES device (number),
      state TEXT NOT NULL,
      last_read_at INTEGER,
      PRIMARY KEY (install, agent_device)
    ) STRICT, WITHOUT ROWID;
    CREATE INDEX sighting_device ON sighting (device);

    CREATE TABLE meter (
      device INTEGER NOT NULL REFERENCES device (number),
      name TEXT NOT NULL,
      value INTEGER,
      adjusted INTEGER,
      unit TEXT NOT NULL,
      quality TEXT NOT NULL,
      epoch INTEGER NOT NULL,
      install INTEGER NOT NULL,
      agent_epoch INTEGER NOT NULL,
      read_at INTEGER NOT NULL,
      PRIMARY KEY (device, name)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE meter_day (
      device INTEGER NOT NULL REFERENCES device (number),
      name TEXT NOT NULL,
      epoch INTEGER NOT NULL,
      day INTEGER NOT NULL,
      first INTEGER NOT NULL,
      last INTEGER NOT NULL,
      last_at INTEGER NOT NULL,
      PRIMARY KEY (device, name, epoch, day)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE supply (
      device INTEGER NOT NULL REFERENCES device (number),
      row TEXT NOT NULL,
      colorant TEXT,
      description TEXT,
      is_receptacle INTEGER NOT NULL CHECK (is_receptacle IN (0, 1)),
      level INTEGER,
      capacity INTEGER,
      remaining_permille INTEGER,
      remaining TEXT NOT NULL,
      quality TEXT NOT NULL,
      part_number TEXT,
      serial_number TEXT,
      read_at INTEGER NOT NULL,
      PRIMARY KEY (device, row)
    ) STRICT, WITHOUT ROWID;

    CREATE TABLE alert (
      number INTEGER PRIMARY KEY,
      device INTEGER NOT NULL REFERENCES device (number),
      key TEXT NOT NULL,
      severity TEXT,
      description TEXT NOT NULL,
      raised_at INTEGER NOT NULL,
      updated_at INTEGER NOT NULL,
      cleared_at INTEGER
    ) STRICT;
    CREATE UNIQUE INDEX alert_open ON alert (device, key) WHERE cleared_at IS NULL;
    CREATE INDEX alert_raised ON alert (raised_at);

    CREATE VIEW device_list AS
      SELECT e.name AS entity, d.id, d.make, d.model, d.serial, d.asset_number, d.name, d.location, d.address, d.mac, d.firmware,
        d.host_name, m.value AS total, d.state, i.id AS leader, d.first_seen_at, d.last_read_at,
        (SELECT count(*) FROM alert a WHERE a.device = d.number AND a.cleared_at IS NULL) AS alerts,
        (SELECT count(*) FROM sighting s WHERE s.device = d.number) AS installs
      FROM device d JOIN entity e ON e.number = d.entity JOIN install i ON i.number = d.leader
      LEFT JOIN meter m ON m.device = d.number AND m.name = 'total';

    CREATE VIEW current_meter AS
      SELECT e.name AS entity, d.id AS device, d.make, d.model, d.serial, d.asset_number, d.location, m.name AS meter, m.value,
        m.adjusted, m.unit, m.quality, m.epoch, m.read_at
      FROM meter m JOIN device d ON d.number = m.device JOIN entity e ON e.number = d.entity;

    CREATE VIEW meter_volume AS
      SELECT e.name AS entity, d.id AS device, d.make, d.model, d.serial, m.name AS meter, m.epoch, m.day,
        m.last - lag(m.last, 1, m.first) OVER (PARTITION BY m.device, m.name, m.epoch ORDER BY m.day) AS volume, m.last, m.last_at
      FROM meter_day m JOIN device d ON d.number = m.device JOIN entity e ON e.number = d.entity;

    CREATE VIEW supply_due AS
      SELECT e.name AS entity, d.id AS device, d.make, d.model, d.serial, d.location, s.row, s.colorant, s.description,
        s.remaining_permille, s.remaining, s.quality, s.part_number, s.read_at
      FROM supply s JOIN device d ON d.number = s.device JOIN entity e ON e.number = d.entity
      WHERE s.remaining_permille <= 200 AND d.state = 'read';

    CREATE VIEW open_alert AS
      SELECT e.name AS entity, d.id AS device, d.make, d.model, d.serial, d.location, a.key, a.severity, a.description, a.raised_at,
        a.updated_at
      FROM alert a JOIN device d ON d.number = a.device JOIN entity e ON e.number = d.entity
      WHERE a.cleared_at IS NULL;

    CREATE VIEW late_install AS
      SELECT e.name AS entity, i.id AS install, i.host_name, i.agent_version, i.seen_at, NOW_MILLISECONDS - i.seen_at AS silent_milliseconds
      FROM install i JOIN entity e ON e.number = i.entity
      WHERE i.revoked_at IS NULL AND NOW_MILLISECONDS - COALESCE(i.seen_at, i.enrolled_at) > 3600000;
    """

  /// Alerts that came ahead of their turn (EarlyAlerts.swift), and the view of open alerts with them. Of a device that several installs see
  /// the leader's are shown; one that is not known yet, because it was found in what still waits, is shown by its alert alone.
  package static let early = """
    CREATE TABLE early_alert (
      install INTEGER NOT NULL REFERENCES install (number),
      agent_device BLOB NOT NULL,
      key TEXT NOT NULL,
      epoch INTEGER NOT NULL,
      sequence INTEGER NOT NULL,
      severity TEXT,
      description TEXT NOT NULL,
      is_open INTEGER NOT NULL,
      told_at INTEGER NOT NULL,
      PRIMARY KEY (install, agent_device, key)
    ) STRICT, WITHOUT ROWID;

    DROP VIEW open_alert;
    CREATE VIEW open_alert AS
      WITH early AS (
        SELECT a.*, s.device, i.entity FROM early_alert a JOIN install i ON i.number = a.install
        LEFT JOIN sighting s ON s.install = a.install AND s.agent_device = a.agent_device
        LEFT JOIN device d ON d.number = s.device WHERE d.leader IS NULL OR d.leader = a.install
      )
      SELECT e.name AS entity, d.id AS device, d.make, d.model, d.serial, d.location, a.key, a.severity, a.description, a.raised_at,
        a.updated_at
      FROM alert a JOIN device d ON d.number = a.device JOIN entity e ON e.number = d.entity
      WHERE a.cleared_at IS NULL AND NOT EXISTS (SELECT 1 FROM early x WHERE x.device = a.device AND x.key = a.key)
      UNION ALL
      SELECT e.name, d.id, d.make, d.model, d.serial, d.location, x.key, x.severity, x.description,
        COALESCE((SELECT max(a.raised_at) FROM alert a WHERE a.device = x.device AND a.key = x.key AND a.cleared_at IS NULL), x.told_at),
        x.told_at
      FROM early x JOIN entity e ON e.number = x.entity LEFT JOIN device d ON d.number = x.device
      WHERE x.is_open = 1;
    """

  /// The views of what is so now, again. A device whose leader was revoked is watched by nobody: none of its alerts is open, none of its supplies
  /// due. What was read without having changed was read: `read_at` is the last reading that told it, `changed_at` the one that told it
  /// otherwise than the one before.
  package static let watched = """
    DROP VIEW device_list;
    CREATE VIEW device_list AS
      SELECT e.name AS entity, d.id, d.make, d.model, d.serial, d.asset_number, d.name, d.location, d.address, d.mac, d.firmware,
        d.host_name, m.value AS total, CASE WHEN i.revoked_at IS NULL THEN d.state ELSE 'unwatched' END AS state, i.id AS leader,
        d.first_seen_at, d.last_read_at,
        (SELECT count(*) FROM alert a WHERE a.device = d.number AND a.cleared_at IS NULL AND i.revoked_at IS NULL) AS alerts,
        (SELECT count(*) FROM sighting s WHERE s.device = d.number) AS installs
      FROM device d JOIN entity e ON e.number = d.entity JOIN install i ON i.number = d.leader
      LEFT JOIN meter m ON m.device = d.number AND m.name = 'total';

    DROP VIEW current_meter;
    CREATE VIEW current_meter AS
      SELECT e.name AS entity, d.id AS device, d.make, d.model, d.serial, d.asset_number, d.location, m.name AS meter, m.value,
        m.adjusted, m.unit, m.quality, m.epoch,
        CASE WHEN d.last_read_at > m.read_at THEN d.last_read_at ELSE m.read_at END AS read_at, m.read_at AS changed_at
      FROM meter m JOIN device d ON d.number = m.device JOIN entity e ON e.number = d.entity;

    DROP VIEW supply_due;
    CREATE VIEW supply_due AS
      SELECT e.name AS entity, d.id AS device, d.make, d.model, d.serial, d.location, s.row, s.colorant, s.description,
        s.remaining_permille, s.remaining, s.quality, s.part_number,
        CASE WHEN d.last_read_at > s.read_at THEN d.last_read_at ELSE s.read_at END AS read_at, s.read_at AS changed_at
      FROM supply s JOIN device d ON d.number = s.device JOIN entity e ON e.number = d.entity JOIN install i ON i.number = d.leader
      WHERE s.remaining_permille <= 200 AND d.state = 'read' AND i.revoked_at IS NULL;

    DROP VIEW open_alert;
    CREATE VIEW open_alert AS
      WITH early AS (
        SELECT a.*, s.device, i.entity FROM early_alert a JOIN install i ON i.number = a.install
        LEFT JOIN sighting s ON s.install = a.install AND s.agent_device = a.agent_device
        LEFT JOIN device d ON d.number = s.device WHERE i.revoked_at IS NULL AND (d.leader IS NULL OR d.leader = a.install)
      )
      SELECT e.name AS entity, d.id AS device, d.make, d.model, d.serial, d.location, a.key, a.severity, a.description, a.raised_at,
        a.updated_at, i.id AS install, i.host_name
      FROM alert a JOIN device d ON d.number = a.device JOIN entity e ON e.number = d.entity JOIN install i ON i.number = d.leader
      WHERE a.cleared_at IS NULL AND i.revoked_at IS NULL
        AND NOT EXISTS (SELECT 1 FROM early x WHERE x.device = a.device AND x.key = a.key)
      UNION ALL
      SELECT e.name, d.id, d.make, d.model, d.serial, d.location, x.key, x.severity, x.description,
        COALESCE((SELECT max(a.raised_at) FROM alert a WHERE a.device = x.device AND a.key = x.key AND a.cleared_at IS NULL), x.told_at),
        x.told_at, i.id, i.host_name
      FROM early x JOIN entity e ON e.number = x.entity JOIN install i ON i.number = x.install LEFT JOIN device d ON d.number = x.device
      WHERE x.is_open = 1
      UNION ALL
      SELECT e.name, NULL, NULL, NULL, NULL, NULL, a.key, a.severity, a.description, a.raised_at, a.updated_at, i.id, i.host_name
      FROM install_alert a LEFT JOIN install i ON i.number = a.install LEFT JOIN entity e ON e.number = i.entity
      WHERE a.cleared_at IS NULL;
    """

  /// An install's fleet as each epoch of its journal tells it; a counter that a reading does not have keeps its place, and so its epoch. Supplies of
  /// a device that is switched off are due all the same.
  package static let epochs = """
    DROP TABLE fleet_row;
    CREATE TABLE fleet_row (
      install INTEGER NOT NULL REFERENCES projection (install),
      epoch INTEGER NOT NULL,
      key BLOB NOT NULL,
      event BLOB NOT NULL,
      PRIMARY KEY (install, epoch, key)
    ) STRICT, WITHOUT ROWID;

    ALTER TABLE meter ADD COLUMN journal_epoch INTEGER NOT NULL DEFAULT 1;
    ALTER TABLE meter ADD COLUMN is_present INTEGER NOT NULL DEFAULT 1;

    DROP VIEW device_list;
    CREATE VIEW device_list AS
      SELECT e.name AS entity, d.id, d.make, d.model, d.serial, d.asset_number, d.name, d.location, d.address, d.mac, d.firmware,
        d.host_name, m.value AS total, w.state, i.id AS leader, d.first_seen_at, d.last_read_at,
        (SELECT count(*) FROM alert a WHERE a.device = d.number AND a.cleared_at IS NULL AND w.is_watched = 1) AS alerts,
        (SELECT count(*) FROM sighting s WHERE s.device = d.number) AS installs
      FROM device d JOIN device_standing w ON w.device = d.number JOIN entity e ON e.number = d.entity JOIN install i ON i.number = d.leader
      LEFT JOIN meter m ON m.device = d.number AND m.name = 'total' AND m.is_present = 1;

    DROP VIEW current_meter;
    CREATE VIEW current_meter AS
      SELECT e.name AS entity, d.id AS device, d.make, d.model, d.serial, d.asset_number, d.location, m.name AS meter, m.value,
        m.adjusted, m.unit, m.quality, m.epoch,
        CASE WHEN d.last_read_at > m.read_at THEN d.last_read_at ELSE m.read_at END AS read_at, m.read_at AS changed_at
      FROM meter m JOIN device d ON d.number = m.device JOIN entity e ON e.number = d.entity WHERE m.is_present = 1;

    DROP VIEW supply_due;
    CREATE VIEW supply_due AS
      SELECT e.name AS entity, d.id AS device, d.make, d.model, d.serial, d.location, s.row, s.colorant, s.description,
        s.remaining_permille, s.remaining, s.quality, s.part_number,
        CASE WHEN d.last_read_at > s.read_at THEN d.last_read_at ELSE s.read_at END AS read_at, s.read_at AS changed_at
      FROM supply s JOIN device d ON d.number = s.device JOIN device_standing w ON w.device = d.number JOIN entity e ON e.number = d.entity
      WHERE s.remaining_permille <= 200 AND w.state IN ('read', 'unreachable');
    """
}
