//! A NATS server of our own, on a free port, gone with the test.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::path::{Path, PathBuf};
use std::process::Command;

use data_encoding::BASE64URL_NOPAD;
use nkeys::KeyPair;
use serde_json::{Value, json};

use super::ready::Program;

pub struct Nats {
    args: Vec<String>,
    port: u16,
    server: Option<Program>,
}

impl Nats {
    pub fn start(args: &[&str]) -> Self {
        let args = args.iter().map(ToString::to_string).collect();
        let mut nats = Self { args, port: 0, server: None };
        nats.resume();
        nats
    }

    /// One that asks for credentials, which are written into `folder`: its arguments, and the file for clients.
    pub fn with_credentials(folder: &Path) -> (Self, PathBuf) {
        let [operator, account, user] =
            [KeyPair::new_operator(), KeyPair::new_account(), KeyPair::new_user()];
        let own = |kind: &str, more: Value| {
            let mut claims = json!({"type": kind, "version": 2});
            claims.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            claims
        };
        let limits = json!({"subs": -1, "data": -1, "payload": -1, "imports": -1, "exports": -1, "wildcards": true,
            "conn": -1, "leaf": -1});
        let of_operator = jwt(&operator, &operator, &own("operator", json!({})));
        let of_account = jwt(&operator, &account, &own("account", json!({"limits": limits})));
        let of_user = jwt(&account, &user, &own("user", json!({"subs": -1, "data": -1, "payload": -1})));
        let settings = format!(
            "operator: {of_operator}\nresolver: MEMORY\nresolver_preload: {{ {}: {of_account} }}\n",
            account.public_key()
        );
        let (config, credentials) = (folder.join("nats.conf"), folder.join("user.creds"));
        std::fs::write(&config, settings).unwrap();
        let seed = user.seed().unwrap();
        std::fs::write(
            &credentials,
            format!(
                "-----BEGIN NATS USER JWT-----\n{of_user}\n------END NATS USER JWT------\n\n\
                 -----BEGIN USER NKEY SEED-----\n{seed}\n------END USER NKEY SEED------\n"
            ),
        )
        .unwrap();
        (Self::start(&["-c", config.to_str().unwrap()]), credentials)
    }

    pub fn port(&self) -> u16 {
        self.port
    }

    pub fn url(&self) -> String {
        format!("nats://127.0.0.1:{}", self.port)
    }

    /// Starts it again on its port, and waits until it takes connections.
    pub fn resume(&mut self) {
        self.stop();
        let port = if self.port == 0 { String::from("-1") } else { self.port.to_string() };
        let mut command = Command::new(program());
        command.args(["-a", "127.0.0.1", "-p", &port]).args(&self.args);
        let port_of = |said: &str| {
            said.contains("Server is ready").then_some(())?;
            let (_, rest) =
                said.split_once("Listening for client connections on 127.0.0.1:").expect("its port");
            Some(rest.lines().next()?.trim().parse().expect("a port"))
        };
        let (server, port) = Program::start(&mut command, "install it: apt-get install nats-server", port_of);
        (self.server, self.port) = (Some(server), port);
    }

    /// SIGKILL, and every connection is cut.
    pub fn stop(&mut self) {
        self.server = None;
    }
}

/// What `issuer` says of `subject`, signed.
fn jwt(issuer: &KeyPair, subject: &KeyPair, claims: &Value) -> String {
    let (iss, sub) = (issuer.public_key(), subject.public_key());
    let body = json!({"jti": sub, "iat": 1_700_000_000, "iss": iss, "name": sub, "sub": sub, "nats": claims});
    let parts = [json!({"typ": "JWT", "alg": "ed25519-nkey"}), body];
    let text = parts.map(|part| BASE64URL_NOPAD.encode(part.to_string().as_bytes())).join(".");
    let signature = issuer.sign(text.as_bytes()).unwrap();
    format!("{text}.{}", BASE64URL_NOPAD.encode(&signature))
}

/// Debian keeps it where only root looks for programs.
fn program() -> String {
    const DEBIAN: &str = "/usr/sbin/nats-server";
    let named = std::env::var("ANTIPHON_NATS_SERVER");
    named.unwrap_or_else(|_| if Path::new(DEBIAN).exists() { DEBIAN } else { "nats-server" }.to_string())
}
