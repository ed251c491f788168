//! Measurement: each unit is `new` (allocates), `process` (never does), `snapshot` (reads).
