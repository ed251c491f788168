-- Once released, a migration never changes: what comes later goes into a file of its own.
CREATE TABLE compositions (
    position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- order of creation
    id TEXT NOT NULL UNIQUE,
    revision BIGINT NOT NULL,                   -- counts changes: the ETag
    step BIGINT NOT NULL,                       -- the entry of its history that is in force
    name TEXT NOT NULL,                         -- this and the next two for lists
    n_tracks BIGINT NOT NULL,
    seconds DOUBLE PRECISION NOT NULL
);

CREATE TABLE steps (
    composition BIGINT NOT NULL REFERENCES compositions (position) ON DELETE CASCADE,
    step BIGINT NOT NULL,
    label TEXT NOT NULL,
    gesture TEXT NOT NULL,                      -- '' when the step stands for itself
    changed_at BIGINT NOT NULL,                 -- Unix milliseconds
    size BIGINT NOT NULL,                       -- bytes of the document
    document TEXT NOT NULL,                     -- the whole composition, as REST shows it
    PRIMARY KEY (composition, step)
);

-- What plays: no row before the first start, NULL when it was removed.
CREATE TABLE playing (
    only_row BIGINT PRIMARY KEY CHECK (only_row = 1),
    composition BIGINT REFERENCES compositions (position) ON DELETE SET NULL
);
