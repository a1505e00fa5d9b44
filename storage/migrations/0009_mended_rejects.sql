-- A rejected line can be mended where it is shown: how it is to be read again, and who settled it with which words.

ALTER TABLE rejects ADD COLUMN read_as JSON DEFAULT '{}';         -- delimiter and columns of a table's row; {} for JSON
ALTER TABLE rejects ADD COLUMN settled_by VARCHAR DEFAULT '';
ALTER TABLE rejects ADD COLUMN settled_why VARCHAR DEFAULT '';    -- why it was dismissed
