//! The log, on stderr: lines for people, or JSON objects for machines.

use std::io::{IsTerminal, stderr};

use clap::ValueEnum;
use tracing_subscriber::EnvFilter;

/// How the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum LogFormat {
    /// Lines, for people.
    Text,
    /// One JSON object a line, with time, level, message, and fields of the request.
    Json,
}

/// Starts the log, for the life of the process.
pub(super) fn start(format: LogFormat) {
    let default = match format {
        // The decoders call it an error when a file is none of theirs; the answer says it in a line of our own.
        LogFormat::Text => "warn,symphonia=off",
        LogFormat::Json => "info,symphonia=off",
    };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(default));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_writer(stderr).with_target(false);
    // Fails only when there is a log already, as in a test that runs several commands.
    let _ = match format {
        LogFormat::Text => log.with_ansi(stderr().is_terminal()).without_time().try_init(),
        LogFormat::Json => log.json().flatten_event(true).with_span_list(false).try_init(),
    };
}
