-- What people told Bonsai, and what became of it.
-- No foreign keys and no index but the primary keys: DuckDB's foreign keys report violations that are none,
-- and an index stands in the way of ALTER TABLE. Times are UTC without a zone.

CREATE SEQUENCE record_sequence;

CREATE TABLE records (
    id VARCHAR PRIMARY KEY,                                     -- SHA-256 of the normalised texts
    sequence BIGINT DEFAULT nextval('record_sequence'),         -- order of arrival
    batch VARCHAR NOT NULL,                                     -- the import that brought it; '' for none
    instruction VARCHAR NOT NULL,
    input VARCHAR NOT NULL,
    output VARCHAR NOT NULL,
    language VARCHAR NOT NULL,
    language_source VARCHAR NOT NULL,                           -- rule < learned < import < person
    language_confidence DOUBLE NOT NULL,
    language_version VARCHAR NOT NULL,
    category VARCHAR NOT NULL,
    category_source VARCHAR NOT NULL,
    category_confidence DOUBLE NOT NULL,
    category_version VARCHAR NOT NULL,
    reasoning VARCHAR NOT NULL,
    reasoning_source VARCHAR NOT NULL,
    reasoning_confidence DOUBLE NOT NULL,
    reasoning_version VARCHAR NOT NULL,
    question_language VARCHAR NOT NULL,
    subject VARCHAR NOT NULL,
    happened_on DATE,
    feeling VARCHAR NOT NULL,
    source VARCHAR NOT NULL,
    source_name VARCHAR NOT NULL,
    author VARCHAR NOT NULL,
    fact VARCHAR NOT NULL,
    origin_name VARCHAR NOT NULL,
    origin_line BIGINT NOT NULL,
    status VARCHAR NOT NULL,                                    -- bonsai.records.Status
    reason_key VARCHAR NOT NULL,                                -- why it has this status; '' for none
    reason_values JSON NOT NULL,
    near_of VARCHAR NOT NULL,                                   -- id of the record that it nearly repeats; '' for none
    question_key VARCHAR NOT NULL,                              -- equal keys with different answers contradict each other
    retires_item VARCHAR NOT NULL,                              -- benchmark item that this record matches; '' for none
    replaced_by VARCHAR NOT NULL,                               -- id after an edit; '' while this is the newest version
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

CREATE TABLE record_versions (                                  -- what a record was before each edit
    record_id VARCHAR NOT NULL,
    number INTEGER NOT NULL,                                    -- 1, 2, 3 ... for each record_id
    content JSON NOT NULL,                                      -- the row of `records` before the edit
    replaced_by VARCHAR NOT NULL,                               -- id after the edit; equal when the texts stayed
    edited_at TIMESTAMP NOT NULL,
    edited_by VARCHAR NOT NULL
);

CREATE TABLE tombstones (                                       -- forgotten for good: a re-import brings nothing back
    id VARCHAR PRIMARY KEY,
    forgotten_at TIMESTAMP NOT NULL,
    forgotten_by VARCHAR NOT NULL
);

CREATE TABLE rejects (                                          -- what could not become a record
    id VARCHAR PRIMARY KEY,                                     -- SHA-256 of file, line, raw text and reason
    batch VARCHAR NOT NULL,
    file VARCHAR NOT NULL,
    line BIGINT NOT NULL,
    raw VARCHAR NOT NULL,
    reason_key VARCHAR NOT NULL,
    reason_values JSON NOT NULL,
    state VARCHAR NOT NULL,                                     -- open, mended
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

CREATE TABLE imports (                                          -- one finished file
    batch VARCHAR PRIMARY KEY,
    file VARCHAR NOT NULL,
    sha256 VARCHAR NOT NULL,
    read BIGINT NOT NULL,                                       -- = new + duplicate + held_back + rejected
    new BIGINT NOT NULL,
    duplicate BIGINT NOT NULL,
    held_back BIGINT NOT NULL,
    rejected BIGINT NOT NULL,
    finished_at TIMESTAMP NOT NULL
);

CREATE TABLE settings (                                         -- what the home itself remembers, e.g. cold_night_due
    name VARCHAR PRIMARY KEY,
    value JSON NOT NULL,
    updated_at TIMESTAMP NOT NULL
);
