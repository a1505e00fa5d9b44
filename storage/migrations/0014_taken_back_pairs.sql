-- A decision on two records can be taken back: how each record stood before and after it, and who took it back.

ALTER TABLE settled_pairs ADD COLUMN changed JSON;              -- [{id, before, after}]: status and reason; NULL: not known
ALTER TABLE settled_pairs ADD COLUMN taken_back_at TIMESTAMP;   -- NULL while the decision stands
ALTER TABLE settled_pairs ADD COLUMN taken_back_by VARCHAR DEFAULT '';
