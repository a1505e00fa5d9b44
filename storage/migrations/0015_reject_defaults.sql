-- A rejected line keeps what its whole file was said to be, so that it is still that when it is mended.

ALTER TABLE rejects ADD COLUMN told_as JSON DEFAULT '{}';         -- source, source_name, author; {} from an older Bonsai
