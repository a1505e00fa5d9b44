-- Counters, kept by whoever writes records in the very same transaction: no page counts a million rows.

CREATE TABLE record_counts (
    status VARCHAR NOT NULL,
    reason_key VARCHAR NOT NULL,
    language VARCHAR NOT NULL,
    category VARCHAR NOT NULL,
    uncertain BOOLEAN NOT NULL,                                 -- storage.counts_table.UNCERTAIN
    number BIGINT NOT NULL,
    PRIMARY KEY (status, reason_key, language, category, uncertain)
);

CREATE TABLE subject_counts (                                   -- records that are neither forgotten nor replaced
    subject VARCHAR PRIMARY KEY,
    number BIGINT NOT NULL
);

CREATE TABLE reject_counts (
    state VARCHAR PRIMARY KEY,
    number BIGINT NOT NULL
);

INSERT INTO record_counts
SELECT status, reason_key, language, category,
    status = 'active' AND replaced_by = '' AND (
        category = 'uncategorised' AND category_source IN ('rule', 'learned')
        OR language_confidence < 0.6 AND language_source IN ('rule', 'learned')
    ) AS uncertain,
    count(*)
FROM records GROUP BY ALL;

INSERT INTO subject_counts
SELECT subject, count(*) FROM records WHERE subject <> '' AND status <> 'forgotten' AND replaced_by = '' GROUP BY ALL;

INSERT INTO reject_counts SELECT state, count(*) FROM rejects GROUP BY ALL;
