//! Options of everything that listens: who may come in, and how; and where NATS is.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;

use async_nats::ServerAddr;
use clap::Args;

use super::Failure;
use crate::api::AccessRules;
use crate::listener::{self, Limits, tls};
use crate::relay::{NatsOptions, server_name};

/// Who may come in, and how.
#[derive(Debug, Args)]
pub(super) struct Network {
    /// Secret that every API call must carry.
    #[arg(long, env = "ANTIPHON_TOKEN", hide_env_values = true, value_parser = token)]
    token: Option<String>,
    /// Allows pages of another origin, such as https://example.org; may be repeated.
    #[arg(long, value_name = "ORIGIN", value_parser = origin)]
    allow_origin: Vec<String>,
    /// Allows requests under another name of this machine; may be repeated.
    #[arg(long, value_name = "HOST", value_parser = host)]
    allow_host: Vec<String>,
    /// Serves https and wss with this certificate chain (PEM).
    #[arg(long, value_name = "FILE.pem", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's private key (PEM).
    #[arg(long, value_name = "FILE.pem", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// Connections at a time, streams and requests together.
    #[arg(long, value_name = "N", default_value_t = Limits::default().connections, value_parser = connections)]
    max_connections: usize,
    /// Connections at a time from one address; 100 from other machines and any number from this one when absent.
    #[arg(long, value_name = "N", value_parser = connections)]
    max_connections_per_address: Option<usize>,
    /// Serves the page from a directory instead of the built-in one.
    #[arg(long, value_name = "DIR")]
    page: Option<PathBuf>,
}

/// What the server is called on NATS, and how one gets in there.
#[derive(Debug, Args)]
pub(super) struct NatsName {
    /// Name of the server on NATS, when there are several.
    #[arg(long, value_name = "NAME", default_value = "default", value_parser = server_name, requires = "nats")]
    nats_name: String,
    /// Credentials for NATS, a .creds file.
    #[arg(long, value_name = "FILE", requires = "nats")]
    nats_creds: Option<PathBuf>,
}

impl NatsName {
    pub(super) fn options(&self, servers: &[ServerAddr]) -> NatsOptions {
        NatsOptions {
            servers: servers.to_vec(),
            name: self.nats_name.clone(),
            credentials: self.nats_creds.clone(),
        }
    }
}

impl Network {
    /// Whether the options go together.
    pub(super) fn check(&self, bind: SocketAddr) -> Result<(), Failure> {
        if !bind.ip().is_loopback() && self.token.is_none() {
            return Err(Failure(format!(
                "{bind} can be reached from other machines; protect it with --token SECRET, or use --bind 127.0.0.1:{}",
                bind.port()
            )));
        }
        if let Some(page) = self.page.as_ref().filter(|page| !page.join("index.html").is_file()) {
            let page = page.display();
            return Err(Failure(format!(
                "{page} holds no index.html; build the page first, or leave --page out"
            )));
        }
        Ok(())
    }

    pub(super) fn access(&self) -> AccessRules {
        AccessRules {
            token: self.token.clone(),
            origins: self.allow_origin.clone(),
            hosts: self.allow_host.clone(),
        }
    }

    pub(super) fn page(&self) -> Option<PathBuf> {
        self.page.clone()
    }

    /// Reads the certificate, and asks the system for open files.
    pub(super) fn listener(&self) -> Result<listener::Options, Failure> {
        let tls = match self.tls_cert.as_deref().zip(self.tls_key.as_deref()) {
            Some((cert, key)) => Some(tls::load(cert, key).map_err(|error| Failure(error.to_string()))?),
            None => None,
        };
        let limits = Limits {
            connections: self.max_connections.min(raise_open_files()),
            per_address: self.max_connections_per_address,
            ..Limits::default()
        };
        Ok(listener::Options { limits, tls })
    }

    pub(super) fn scheme(&self) -> &'static str {
        if self.tls_cert.is_some() { "https" } else { "http" }
    }
}

pub(super) fn address(text: &str) -> Result<SocketAddr, String> {
    let hint = "use an address and a port, such as 127.0.0.1:8080 or [::1]:8080";
    text.parse().map_err(|_| String::from(hint))
}

/// A token also travels as a subprotocol's name, which may hold only these signs (RFC 9110, section 5.6.2).
fn token(text: &str) -> Result<String, String> {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    if !text.is_empty() && text.chars().all(is_sign) {
        Ok(text.to_string())
    } else {
        Err(String::from("use letters, digits and any of -._~"))
    }
}

fn origin(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match rest {
        Some(host) if !host.is_empty() && !host.contains(['/', ' ', '*']) => Ok(text.to_string()),
        _ => Err(String::from("use the form https://host or http://host:port, without a path")),
    }
}

fn host(text: &str) -> Result<String, String> {
    let is_sign = |c: char| c.is_ascii_alphanumeric() || "-._:".contains(c);
    let is_name = !text.is_empty() && text.chars().all(is_sign);
    let has_port = text.contains(':') && text.parse::<IpAddr>().is_err();
    if is_name && !has_port {
        Ok(text.to_string())
    } else {
        Err(String::from("use a name such as studio.lan, or an address, without scheme and port"))
    }
}

fn connections(text: &str) -> Result<usize, String> {
    let n = text.parse().ok().filter(|n| (1..=1_000_000).contains(n));
    n.ok_or_else(|| String::from("use a whole number from 1 to 1000000"))
}

/// Files kept for what is not a connection: database, sound card, the page.
const OTHER_FILES: u64 = 64;

/// Asks the system for as many open files as it allows, and returns how many connections that makes. A shell's
/// usual 1,024 would refuse streams long before the machine is busy.
fn raise_open_files() -> usize {
    #[cfg(unix)]
    {
        use rustix::process::{Resource, getrlimit, setrlimit};
        let mut limit = getrlimit(Resource::Nofile);
        limit.current = limit.maximum;
        let _ = setrlimit(Resource::Nofile, limit);
        if let Some(n_files) = getrlimit(Resource::Nofile).current {
            return usize::try_from(n_files.saturating_sub(OTHER_FILES).max(1)).unwrap_or(usize::MAX);
        }
    }
    usize::MAX
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hosts_are_names_without_anything_around() {
        for good in ["studio.lan", "192.0.2.1", "2001:db8::1"] {
            assert_eq!(host(good).as_deref(), Ok(good));
        }
        for bad in ["", "http://studio.lan", "studio.lan:8080", "studio.lan/", "*", "[2001:db8::1]"] {
            assert!(host(bad).is_err(), "{bad}");
        }
    }
}
