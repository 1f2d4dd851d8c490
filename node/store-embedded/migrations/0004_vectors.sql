-- Vectors of texts that were computed before: each of one owner, found by a digest, of a version of a document, with
-- which it goes, and kept for a time.
CREATE TABLE cached_vectors (
    owner    TEXT    NOT NULL,
    key      BLOB    NOT NULL,
    document BLOB    NOT NULL,
    version  INTEGER NOT NULL,
    ends_at  INTEGER NOT NULL,
    body     BLOB    NOT NULL,
    PRIMARY KEY (owner, key)
);
CREATE INDEX cached_vectors_by_version ON cached_vectors (owner, document, version);
CREATE INDEX cached_vectors_by_time ON cached_vectors (ends_at);
