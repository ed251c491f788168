//! A NATS server of our own, on a free port, gone with the test.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub struct Nats {
    args: Vec<String>,
    port: u16,
    server: Option<Child>,
}

impl Nats {
    pub fn start(args: &[&str]) -> Self {
        let args = args.iter().map(ToString::to_string).collect();
        let mut nats = Self { args, port: 0, server: None };
        nats.resume();
        nats
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Starts it again on its port, and waits until it takes connections.
    pub fn resume(&mut self) {
        let port = if self.port == 0 { String::from("-1") } else { self.port.to_string() };
        let mut command = Command::new(program());
        command.args(["-a", "127.0.0.1", "-p", &port]).args(&self.args);
        let mut server = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().expect("nats-server");
        let mut log = BufReader::new(server.stderr.take().unwrap());
        self.server = Some(server);
        let mut said = String::new();
        while !said.contains("Server is ready") {
            assert_ne!(log.read_line(&mut said).unwrap(), 0, "nats-server did not start: {said}");
        }
        let (_, rest) = said.split_once("Listening for client connections on 127.0.0.1:").expect("its port");
        self.port = rest.lines().next().unwrap().trim().parse().unwrap();
        // What nobody reads would stop it.
        std::thread::spawn(move || log.read_to_end(&mut Vec::new()));
    }

    /// SIGKILL, and every connection is cut.
    pub fn stop(&mut self) {
        if let Some(mut server) = self.server.take() {
            server.kill().unwrap();
            server.wait().unwrap();
        }
    }
}

impl Drop for Nats {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Debian keeps it where only root looks for programs.
fn program() -> String {
    const DEBIAN: &str = "/usr/sbin/nats-server";
    let named = std::env::var("ANTIPHON_NATS_SERVER");
    named.unwrap_or_else(|_| if Path::new(DEBIAN).exists() { DEBIAN } else { "nats-server" }.to_string())
}
