-- Who answers, and how that came about (rules: bonsai/promotion.py).

CREATE TABLE promotions (                                       -- one row a candidate
    adapter VARCHAR PRIMARY KEY,
    night VARCHAR NOT NULL,
    state VARCHAR NOT NULL,                                     -- bonsai.promotion.State
    judged_against VARCHAR NOT NULL,                            -- adapter id, or 'base'
    decision JSON NOT NULL,                                     -- the gate's verdict, reasons and figures
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

CREATE TABLE champion (                                         -- exactly one row
    adapter VARCHAR NOT NULL,                                   -- adapter id, or 'base'
    version BIGINT NOT NULL,                                    -- counts every change of champion
    updated_at TIMESTAMP NOT NULL
);

INSERT INTO champion VALUES ('base', 0, TIMESTAMP '1970-01-01');

CREATE TABLE promotion_log (                                    -- append-only; each hash covers the one before
    number BIGINT PRIMARY KEY,
    decided_at TIMESTAMP NOT NULL,
    who VARCHAR NOT NULL,
    action VARCHAR NOT NULL,
    adapter VARCHAR NOT NULL,
    champion_before VARCHAR NOT NULL,
    champion_after VARCHAR NOT NULL,
    version BIGINT NOT NULL,
    reason VARCHAR NOT NULL,
    hash VARCHAR NOT NULL
);
