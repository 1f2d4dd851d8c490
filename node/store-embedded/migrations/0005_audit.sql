-- Who did what: a chain of entries for each tenant, and its end, written in one transaction.
CREATE TABLE audit_entries (
    tenant   TEXT    NOT NULL,
    sequence INTEGER NOT NULL,
    body     BLOB    NOT NULL,
    PRIMARY KEY (tenant, sequence)
) WITHOUT ROWID;
CREATE TABLE audit_heads (
    tenant TEXT NOT NULL PRIMARY KEY,
    body   BLOB NOT NULL
) WITHOUT ROWID;
