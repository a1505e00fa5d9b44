-- What the nights made: snapshot -> adapter -> verdict, and the questions they are judged by.

CREATE TABLE snapshots (
    id VARCHAR PRIMARY KEY,
    content_hash VARCHAR NOT NULL,
    folder VARCHAR NOT NULL,
    seed BIGINT NOT NULL,
    own_records BIGINT NOT NULL,
    anchors BIGINT NOT NULL,
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE snapshot_records (                                 -- lineage: which own records a snapshot holds
    snapshot_id VARCHAR NOT NULL,
    record_id VARCHAR NOT NULL,
    split VARCHAR NOT NULL                                      -- train, validation
);

CREATE TABLE adapters (
    id VARCHAR PRIMARY KEY,
    base VARCHAR NOT NULL,
    snapshot_id VARCHAR NOT NULL,
    parent VARCHAR NOT NULL,                                    -- adapter that a warm start began from; '' for a cold one
    folder VARCHAR NOT NULL,
    passport JSON NOT NULL,
    needs_retrain BOOLEAN NOT NULL,                             -- it learned from a record that was forgotten since
    created_at TIMESTAMP NOT NULL
);

CREATE TABLE nights (
    key VARCHAR PRIMARY KEY,                                    -- date + data hash: a second start changes nothing
    status VARCHAR NOT NULL,                                    -- running, nothing_to_do, done, failed
    holder VARCHAR NOT NULL,                                    -- host:pid:start of the process that runs it
    attempts INTEGER NOT NULL,
    verdict VARCHAR NOT NULL,
    reasons JSON NOT NULL,
    snapshot_id VARCHAR NOT NULL,
    challenger VARCHAR NOT NULL,
    champion VARCHAR NOT NULL,                                  -- who answered before the night
    report JSON NOT NULL,
    chain_head VARCHAR NOT NULL,                                -- head hash of the promotion log when the night ended
    started_at TIMESTAMP NOT NULL,
    finished_at TIMESTAMP
);

CREATE TABLE suite_items (                                      -- the owner's suite: frozen, never trained
    id VARCHAR PRIMARY KEY,
    cluster VARCHAR NOT NULL,
    item JSON NOT NULL,
    record_ids VARCHAR[] NOT NULL,                              -- records whose wording the item is; they do not train
    frozen_at TIMESTAMP NOT NULL,
    retired_at TIMESTAMP,
    retired_because VARCHAR NOT NULL
);

CREATE TABLE retired_items (                                    -- benchmark items that a person's own record matches
    item_id VARCHAR NOT NULL,
    record_id VARCHAR NOT NULL,
    retired_at TIMESTAMP NOT NULL
);

CREATE TABLE confirmation_openings (                            -- every look into the confirmation pool is counted
    number BIGINT NOT NULL,
    pool VARCHAR NOT NULL,
    night VARCHAR NOT NULL,
    opened_at TIMESTAMP NOT NULL
);
