-- Values that are only read whole are blobs: a format byte, then postcard. Columns are what is searched by.
-- Times are milliseconds since the epoch. Ids are the 16 bytes of their UUID. Codes of kinds and states: src/codes.rs.

CREATE TABLE documents (
    owner  TEXT    NOT NULL,
    id     BLOB    NOT NULL,
    kind   INTEGER NOT NULL,
    digest BLOB    NOT NULL,
    state  INTEGER NOT NULL,
    body   BLOB    NOT NULL,
    PRIMARY KEY (owner, id)
) WITHOUT ROWID;
CREATE UNIQUE INDEX documents_by_digest ON documents (owner, kind, digest);
CREATE INDEX documents_by_kind ON documents (owner, kind, id);

-- Megabytes each, so kept apart from their keys.
CREATE TABLE parsed_versions (
    owner    TEXT    NOT NULL,
    document BLOB    NOT NULL,
    version  INTEGER NOT NULL,
    body     BLOB    NOT NULL,
    PRIMARY KEY (owner, document, version)
);
CREATE TABLE embedded_versions (
    owner    TEXT    NOT NULL,
    document BLOB    NOT NULL,
    version  INTEGER NOT NULL,
    body     BLOB    NOT NULL,
    PRIMARY KEY (owner, document, version)
);

-- AUTOINCREMENT: a position is never given twice, not even after the newest row is gone.
CREATE TABLE change_log (
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    bucket   INTEGER NOT NULL,
    owner    TEXT    NOT NULL,
    document BLOB    NOT NULL,
    version  INTEGER NOT NULL,
    action   INTEGER NOT NULL
);
CREATE UNIQUE INDEX change_log_once ON change_log (owner, document, version, action);

CREATE TABLE tasks (
    owner TEXT    NOT NULL,
    id    BLOB    NOT NULL,
    state INTEGER NOT NULL,
    rev   INTEGER NOT NULL,
    body  BLOB    NOT NULL,
    PRIMARY KEY (owner, id)
) WITHOUT ROWID;
CREATE INDEX tasks_unsettled ON tasks (owner, id) WHERE state < 3;

CREATE TABLE runs (
    owner     TEXT    NOT NULL,
    id        BLOB    NOT NULL,
    operation BLOB    NOT NULL,
    items     INTEGER NOT NULL,
    body      BLOB    NOT NULL,
    PRIMARY KEY (owner, id)
);
CREATE UNIQUE INDEX runs_by_operation ON runs (owner, operation);

-- A row for every item that has ended; `failure` is null where it was ranked.
CREATE TABLE run_items (
    owner   TEXT    NOT NULL,
    run     BLOB    NOT NULL,
    item    INTEGER NOT NULL,
    failure BLOB,
    PRIMARY KEY (owner, run, item)
) WITHOUT ROWID;
CREATE TABLE run_rows (
    owner TEXT    NOT NULL,
    run   BLOB    NOT NULL,
    item  INTEGER NOT NULL,
    rank  INTEGER NOT NULL,
    body  BLOB    NOT NULL,
    PRIMARY KEY (owner, run, item, rank)
) WITHOUT ROWID;

CREATE TABLE matches (
    owner     TEXT NOT NULL,
    id        BLOB NOT NULL,
    operation BLOB NOT NULL,
    body      BLOB NOT NULL,
    outcome   BLOB,
    PRIMARY KEY (owner, id)
);
CREATE UNIQUE INDEX matches_by_operation ON matches (owner, operation);

-- A message is in flight while it has a token and `visible_at` lies ahead: then it is delivered again.
CREATE TABLE queue (
    owner      TEXT    NOT NULL,
    task       BLOB    NOT NULL,
    kind       INTEGER NOT NULL,
    visible_at INTEGER NOT NULL,
    delivered  INTEGER NOT NULL,
    token      INTEGER,
    PRIMARY KEY (owner, task, kind)
) WITHOUT ROWID;
CREATE INDEX queue_by_time ON queue (kind, visible_at);

CREATE TABLE dead_letters (
    owner     TEXT    NOT NULL,
    task      BLOB    NOT NULL,
    kind      INTEGER NOT NULL,
    delivered INTEGER NOT NULL,
    died_at   INTEGER NOT NULL,
    reason    TEXT    NOT NULL,
    PRIMARY KEY (owner, task, kind)
) WITHOUT ROWID;
