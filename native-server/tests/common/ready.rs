//! Programs that tests start, and that say when they are ready.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};

/// A program that is killed with its test.
pub struct Program(Child);

impl Program {
    /// Starts it, and waits until what it has said on its standard error is what `probe` looks for. `hint` is what to
    /// do where it cannot be started.
    pub fn start<T>(command: &mut Command, hint: &str, probe: impl Fn(&str) -> Option<T>) -> (Self, T) {
        let name = command.get_program().display().to_string();
        let spawned = command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn();
        let mut child = spawned.unwrap_or_else(|error| panic!("{name} cannot be started ({error}); {hint}"));
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let program = Self(child);
        let mut said = String::new();
        let found = loop {
            assert!(log.read_line(&mut said).unwrap() > 0, "{name} ended:\n{said}");
            if let Some(found) = probe(&said) {
                break found;
            }
        };
        // A full pipe would stop it.
        std::thread::spawn(move || log.read_to_end(&mut Vec::new()));
        (program, found)
    }
}

impl Drop for Program {
    /// SIGKILL: it does not get to know.
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}
