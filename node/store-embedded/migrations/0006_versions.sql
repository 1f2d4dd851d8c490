-- The content of versions after the first, which is in the row of its document.
CREATE TABLE version_digests (
    owner    TEXT    NOT NULL,
    kind     INTEGER NOT NULL,
    digest   BLOB    NOT NULL,
    document BLOB    NOT NULL,
    PRIMARY KEY (owner, kind, digest)
) WITHOUT ROWID;
CREATE INDEX version_digests_by_document ON version_digests (owner, document);

-- What submitters meant to do, under names of their own, until they are forgotten.
CREATE TABLE intents (
    owner     TEXT    NOT NULL,
    operation BLOB    NOT NULL,
    ends_at   INTEGER NOT NULL,
    ended     INTEGER NOT NULL,
    body      BLOB    NOT NULL,
    PRIMARY KEY (owner, operation)
) WITHOUT ROWID;
CREATE INDEX intents_by_time ON intents (ends_at);
CREATE INDEX intents_at_work ON intents (owner) WHERE ended = 0;
