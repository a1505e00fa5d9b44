-- What people asked, what was answered, and what they thought of it.

CREATE SEQUENCE asked_sequence;

CREATE TABLE asked (
    id VARCHAR NOT NULL,
    sequence BIGINT DEFAULT nextval('asked_sequence'),
    question VARCHAR NOT NULL,                                  -- '' after a forgetting
    context VARCHAR NOT NULL,
    who VARCHAR NOT NULL,
    record_ids VARCHAR[] NOT NULL,                              -- most like the question when it was asked, the likest first
    asked_at TIMESTAMP NOT NULL
);

CREATE TABLE asked_answers (                                    -- one a voice that was asked
    asked_id VARCHAR NOT NULL,
    number INTEGER NOT NULL,                                    -- 1, 2 ... for each asked_id
    adapter VARCHAR NOT NULL,                                   -- adapter id, or 'base'
    answer VARCHAR NOT NULL,
    language VARCHAR NOT NULL,                                  -- as the model declared it, or as it was given
    category VARCHAR NOT NULL,
    reasoning VARCHAR NOT NULL,
    given BOOLEAN NOT NULL,                                     -- the tags were given, not declared
    ended BOOLEAN NOT NULL,                                     -- it stopped by itself
    thumb VARCHAR NOT NULL,                                     -- up, down; '' for none
    thumb_by VARCHAR NOT NULL,
    correction VARCHAR NOT NULL                                 -- submission that says it better; '' for none
);
