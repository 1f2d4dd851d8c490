-- The vectors of a version are kept for each model. Of rows from before, only their body says which it is: an empty key.
CREATE TABLE vectors_of_versions (
    owner    TEXT    NOT NULL,
    document BLOB    NOT NULL,
    version  INTEGER NOT NULL,
    model    BLOB    NOT NULL,
    body     BLOB    NOT NULL,
    PRIMARY KEY (owner, document, version, model)
);
INSERT INTO vectors_of_versions (owner, document, version, model, body)
    SELECT owner, document, version, x'', body FROM embedded_versions;
DROP TABLE embedded_versions;
ALTER TABLE vectors_of_versions RENAME TO embedded_versions;

-- Which models the corpus has: one row.
CREATE TABLE models (
    one  INTEGER NOT NULL PRIMARY KEY CHECK (one = 1),
    rev  INTEGER NOT NULL,
    body BLOB    NOT NULL
);
