-- Blind reviews: which of two answers a person preferred without knowing whose they were. No texts: they lie in reports.

CREATE TABLE review_verdicts (
    adapter VARCHAR NOT NULL,                                   -- the challenger; whom it was judged against is in promotions
    person VARCHAR NOT NULL,
    item VARCHAR NOT NULL,                                      -- the question's id
    number INTEGER NOT NULL,                                    -- 1, 2, 3 ... in the order in which the person answered
    preferred VARCHAR NOT NULL,                                 -- challenger, champion, same
    asked INTEGER NOT NULL,                                     -- questions of the person's round
    given_at TIMESTAMP NOT NULL,
    PRIMARY KEY (adapter, person, item)
);
