CREATE TABLE samples (
    position INTEGER PRIMARY KEY AUTOINCREMENT, -- order of creation
    id TEXT NOT NULL UNIQUE,
    info TEXT NOT NULL,                         -- JSON, as REST shows it
    size INTEGER NOT NULL,                      -- bytes of the file
    file BLOB NOT NULL                          -- as it came; last, so that reading the others does not load it
) STRICT;
