-- One number instead of a row for each: what is created begins above it, so an ETag never means two things.
CREATE TABLE highest_removed (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    revision INTEGER NOT NULL        -- of all that were removed; 0 when none was
) STRICT;
INSERT INTO highest_removed SELECT 1, COALESCE(MAX(revision), 0) FROM removed;
DROP TABLE removed;
