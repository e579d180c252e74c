-- The case: small things as JSON bodies, read whole; bulk lies in Parquet beside this file.
CREATE TABLE meta (
    key   TEXT PRIMARY KEY,          -- schema of the case's head: id, title, unit, opened_at, ...
    value TEXT NOT NULL              -- JSON
) STRICT;

CREATE TABLE item (
    kind     TEXT NOT NULL,          -- finding, verdict, trace, funnel, ledger, list, task, statement
    position INTEGER NOT NULL,       -- order on paper
    id       TEXT NOT NULL,          -- derived from content where the thing has no number
    body     TEXT NOT NULL,          -- JSON of the frozen dataclass
    PRIMARY KEY (kind, id)
) STRICT;

CREATE TABLE identity (
    pseudonym TEXT PRIMARY KEY,
    value     TEXT NOT NULL          -- read by workflow.reveal only, and every look is in audit
) STRICT;

CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY,     -- from 1, without gaps
    at      TEXT NOT NULL,           -- RFC 3339 UTC
    actor   TEXT NOT NULL,
    action  TEXT NOT NULL,
    subject TEXT NOT NULL,
    reason  TEXT NOT NULL,
    digest  TEXT NOT NULL,           -- SHA-256 over meta and item as this entry leaves them
    prev    TEXT NOT NULL,           -- hash of the entry before; 64 zeros for the first
    hash    TEXT NOT NULL            -- SHA-256 over the other columns, joined by U+001F
) STRICT;
