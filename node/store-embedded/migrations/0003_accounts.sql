-- Who may ask. The keys of an account are in its row; api_keys leads from the digest of a key to it.
CREATE TABLE accounts (
    owner  TEXT    NOT NULL PRIMARY KEY,
    tenant TEXT    NOT NULL,
    rev    INTEGER NOT NULL,
    body   BLOB    NOT NULL
) WITHOUT ROWID;
CREATE INDEX accounts_by_tenant ON accounts (tenant, owner);
CREATE TABLE api_keys (
    digest BLOB NOT NULL PRIMARY KEY,
    owner  TEXT NOT NULL
) WITHOUT ROWID;
