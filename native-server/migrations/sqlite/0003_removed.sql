-- What was removed, so that a composition which takes its id goes on counting: an ETag never means two things.
CREATE TABLE removed (
    id TEXT PRIMARY KEY,
    revision INTEGER NOT NULL                   -- the last one
) STRICT;
