-- What owners have used of their plans, and beside it what each operation took, for as long as it is remembered.
CREATE TABLE quotas (
    owner TEXT    NOT NULL PRIMARY KEY,
    rev   INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    body  BLOB    NOT NULL
) WITHOUT ROWID;
CREATE TABLE quota_charges (
    owner      TEXT    NOT NULL,
    operation  BLOB    NOT NULL,
    charged_at INTEGER NOT NULL,
    body       BLOB    NOT NULL,
    PRIMARY KEY (owner, operation)
) WITHOUT ROWID;
CREATE INDEX quota_charges_by_time ON quota_charges (charged_at);
