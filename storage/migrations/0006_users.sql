-- Who may use the dashboard from another machine. On this machine alone nobody logs in.

CREATE TABLE users (
    name VARCHAR PRIMARY KEY,
    role VARCHAR NOT NULL,                                      -- contributor, reviewer, admin
    password_hash VARCHAR NOT NULL,                             -- argon2id, with its own salt and parameters
    created_at TIMESTAMP NOT NULL,
    updated_at TIMESTAMP NOT NULL
);

CREATE TABLE sessions (
    token_hash VARCHAR PRIMARY KEY,                             -- SHA-256 of what the cookie holds
    name VARCHAR NOT NULL,
    created_at TIMESTAMP NOT NULL,
    expires_at TIMESTAMP NOT NULL
);
