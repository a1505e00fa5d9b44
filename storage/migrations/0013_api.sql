-- Programs that speak for a person: their tokens, and the answers that a repeated request is given again.

CREATE TABLE tokens (
    id VARCHAR PRIMARY KEY,                                     -- the part of the token that may be shown
    token_hash VARCHAR NOT NULL,                                -- SHA-256 of the whole token, which is shown once
    name VARCHAR NOT NULL,                                      -- the person it speaks for
    scopes VARCHAR NOT NULL,                                    -- read, append, review, admin; with commas
    note VARCHAR NOT NULL,                                      -- what it is for
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL,
    used_at TIMESTAMP                                           -- to the hour; NULL before the first time
);

CREATE TABLE kept_answers (
    token_id VARCHAR NOT NULL,
    key VARCHAR NOT NULL,                                       -- what the request said in Idempotency-Key
    request_hash VARCHAR NOT NULL,                              -- SHA-256 of method, path and body
    holder VARCHAR NOT NULL,                                    -- process that answers it; empty once it is answered
    status INTEGER NOT NULL,
    headers VARCHAR NOT NULL,
    body VARCHAR NOT NULL,                                      -- ids and counts: no text of a record
    created_at TIMESTAMP NOT NULL
);
