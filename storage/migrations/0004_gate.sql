-- The gate's memory: which questions confirm, and how the owner's suite came to be what it is.

ALTER TABLE confirmation_openings ADD COLUMN rotation BIGINT DEFAULT 0;   -- the dealing of the pools that was opened

CREATE TABLE pool_rotations (                                   -- each new dealing of selection and confirmation
    number BIGINT PRIMARY KEY,                                  -- 1, 2, 3 ...; 0 is how the version ships
    night VARCHAR NOT NULL,                                     -- whose opening was the last of the dealing before
    openings BIGINT NOT NULL,                                   -- of the dealing before
    rotated_at TIMESTAMP NOT NULL
);

CREATE TABLE suite_changes (                                    -- append-only: every change of the owner's suite
    number BIGINT PRIMARY KEY,
    action VARCHAR NOT NULL,                                    -- frozen, added, retired, forgotten
    item_id VARCHAR NOT NULL,
    who VARCHAR NOT NULL,                                       -- a person, or 'night'
    reason VARCHAR NOT NULL,
    version VARCHAR NOT NULL,                                   -- SHA-256 of the active items after the change
    changed_at TIMESTAMP NOT NULL
);
