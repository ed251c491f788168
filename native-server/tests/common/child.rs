//! The server as a process of its own, which can be killed.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};

pub struct Server {
    process: Child,
    /// What it says when it is ready.
    pub greeting: String,
    /// `127.0.0.1:port`.
    pub address: String,
}

impl Server {
    /// Starts a server on the null device, and waits until it is ready.
    pub fn start(args: &[&str]) -> Self {
        Self::start_in(args, &[])
    }

    pub fn start_in(args: &[&str], environment: &[(&str, &str)]) -> Self {
        Self::spawn("serve", &[&["--null-device"], args].concat(), environment)
    }

    /// Runs a command that listens, and waits until it is ready. `ANTIPHON_SERVER` names another program than the
    /// one that was built for this test.
    pub fn spawn(command: &str, args: &[&str], environment: &[(&str, &str)]) -> Self {
        let program = std::env::var_os("ANTIPHON_SERVER");
        let mut process = Command::new(program.unwrap_or_else(|| env!("CARGO_BIN_EXE_antiphon").into()));
        process.args([command, "--bind", "127.0.0.1:0"]).args(args);
        for name in ["ANTIPHON_TOKEN", "ANTIPHON_DB", "RUST_LOG"] {
            process.env_remove(name);
        }
        process.envs(environment.iter().copied());
        let mut process = process.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut greeting = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut greeting).unwrap();
        let Some((_, address)) = greeting.trim().rsplit_once("http://") else {
            let mut said = String::new();
            process.stderr.take().unwrap().read_to_string(&mut said).unwrap();
            panic!("no address in {greeting:?}; {said}");
        };
        let address = address.to_string();
        Self { process, greeting, address }
    }

    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// The process.
    pub fn id(&self) -> u32 {
        self.process.id()
    }

    /// Its standard error, once.
    pub fn stderr(&mut self) -> ChildStderr {
        self.process.stderr.take().unwrap()
    }

    pub fn signal(&self, name: &str) {
        let sent = Command::new("kill").args([&format!("-{name}"), &self.process.id().to_string()]).status();
        assert!(sent.unwrap().success());
    }

    pub fn wait(&mut self) -> ExitStatus {
        self.process.wait().unwrap()
    }

    /// SIGKILL: it does not get to know.
    pub fn kill(mut self) {
        self.process.kill().unwrap();
        self.process.wait().unwrap();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
    }
}
