-- What a person decided on two records that contradict, or nearly repeat, each other.

CREATE TABLE settled_pairs (                                    -- append-only; ids alone, no texts
    record_id VARCHAR NOT NULL,                                 -- the one that was held back or flagged
    other_id VARCHAR NOT NULL,                                  -- '' for a record that is like no other
    kept VARCHAR NOT NULL,                                      -- this, other, both
    decided_at TIMESTAMP NOT NULL,
    decided_by VARCHAR NOT NULL
);
