-- Once released, a migration never changes: what comes later goes into a file of its own.
CREATE TABLE compositions (
    position INTEGER PRIMARY KEY AUTOINCREMENT, -- order of creation
    id TEXT NOT NULL UNIQUE,
    revision INTEGER NOT NULL,                  -- counts changes: the ETag
    step INTEGER NOT NULL,                      -- the entry of its history that is in force
    name TEXT NOT NULL,                         -- this and the next two for lists
    n_tracks INTEGER NOT NULL,
    seconds REAL NOT NULL
) STRICT;

CREATE TABLE steps (
    composition INTEGER NOT NULL REFERENCES compositions (position) ON DELETE CASCADE,
    step INTEGER NOT NULL,
    label TEXT NOT NULL,
    gesture TEXT NOT NULL,                      -- '' when the step stands for itself
    changed_at INTEGER NOT NULL,                -- Unix milliseconds
    size INTEGER NOT NULL,                      -- bytes of the document
    document TEXT NOT NULL,                     -- the whole composition, as REST shows it
    PRIMARY KEY (composition, step)
) STRICT;

-- What plays: no row before the first start, NULL when it was removed.
CREATE TABLE playing (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    composition INTEGER REFERENCES compositions (position) ON DELETE SET NULL
) STRICT;
