-- A night with a token budget trains on a part of the records: which of the others had their turn all the same.

CREATE TABLE passed_over (
    snapshot_id VARCHAR NOT NULL,
    record_id VARCHAR NOT NULL                                  -- might train, was not due, and was not drawn or is too long
);
