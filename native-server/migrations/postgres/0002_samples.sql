CREATE TABLE samples (
    position BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY, -- order of creation
    id TEXT NOT NULL UNIQUE,
    info TEXT NOT NULL,                         -- JSON, as REST shows it
    size BIGINT NOT NULL,                       -- bytes of the file
    file BYTEA NOT NULL                         -- as it came
);
