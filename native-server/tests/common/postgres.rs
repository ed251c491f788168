//! A PostgreSQL server of our own: a private data directory, reached through a socket in it, gone with the test.
#![allow(dead_code, unreachable_pub, reason = "each test binary uses a part")]

use std::io::{BufRead, BufReader, Read};
use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;

pub struct Postgres {
    home: TempDir,
    programs: PathBuf,
    user: Option<(u32, u32)>,
    /// Of its TLS listener; without, only its socket is open.
    port: Option<u16>,
    server: Option<Child>,
}

impl Postgres {
    /// Makes a database cluster and starts its server.
    pub fn start() -> Self {
        Self::start_with(None)
    }

    /// The same, with a certificate and its key in PEM: over TCP it is reached with TLS alone.
    pub fn start_tls(certificate: &str, key: &str) -> Self {
        Self::start_with(Some((certificate, key)))
    }

    fn start_with(tls: Option<(&str, &str)>) -> Self {
        let home = tempfile::tempdir().unwrap();
        let user = unprivileged_user();
        if let Some((uid, gid)) = user {
            chown(home.path(), Some(uid), Some(gid)).unwrap();
        }
        let mut postgres = Self { home, programs: programs(), user, port: None, server: None };
        let data = postgres.data();
        let mut initdb = postgres.program("initdb");
        initdb.args([
            "--auth=trust",
            "--username=antiphon",
            "--encoding=UTF8",
            "--locale=C",
            "--no-sync",
            "-D",
        ]);
        let made = initdb.arg(&data).output().unwrap();
        assert!(made.status.success(), "initdb: {}", String::from_utf8_lossy(&made.stderr));
        if let Some((certificate, key)) = tls {
            for (name, text) in [("server.crt", certificate), ("server.key", key)] {
                let path = data.join(name);
                std::fs::write(&path, text).unwrap();
                std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
                if let Some((uid, gid)) = user {
                    chown(&path, Some(uid), Some(gid)).unwrap();
                }
            }
            std::fs::write(
                data.join("pg_hba.conf"),
                "local all all trust\nhostssl all all 127.0.0.1/32 trust\n",
            )
            .unwrap();
            // Free just now; the next server is told so at once if somebody else is quicker.
            let free = std::net::TcpListener::bind(("127.0.0.1", 0)).unwrap();
            postgres.port = Some(free.local_addr().unwrap().port());
        }
        postgres.resume();
        postgres
    }

    /// Starts the server again, and waits until it takes connections.
    pub fn resume(&mut self) {
        let mut command = self.program("postgres");
        command.arg("-D").arg(self.data()).arg("-k").arg(self.home.path());
        command.args(["-c", "log_destination=stderr", "-c"]);
        match self.port {
            Some(port) => {
                command.args(["listen_addresses=127.0.0.1", "-c", "ssl=on", "-p", &port.to_string()]);
            }
            None => {
                command.arg("listen_addresses=");
            }
        }
        let mut server = command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        let mut log = BufReader::new(server.stderr.take().unwrap());
        self.server = Some(server);
        let mut said = String::new();
        while !said.contains("ready to accept connections") {
            assert_ne!(log.read_line(&mut said).unwrap(), 0, "PostgreSQL did not start: {said}");
        }
        // What nobody reads would stop it.
        std::thread::spawn(move || log.read_to_end(&mut Vec::new()));
    }

    /// Ends the server, and every connection to it.
    pub fn stop(&mut self) {
        let mut stop = self.program("pg_ctl");
        let stopped = stop.args(["stop", "--mode=fast", "-D"]).arg(self.data()).output().unwrap();
        assert!(stopped.status.success(), "{}", String::from_utf8_lossy(&stopped.stderr));
        self.server.take().unwrap().wait().unwrap();
    }

    /// Makes a database and returns its URL.
    pub fn database(&self, name: &str) -> String {
        let mut createdb = self.program("createdb");
        if let Some(port) = self.port {
            createdb.args(["-p", &port.to_string()]);
        }
        let made = createdb.args(["-U", "antiphon", "-h"]).arg(self.home.path()).arg(name).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
        match self.port {
            Some(port) => format!("postgres://antiphon@localhost:{port}/{name}"),
            None => format!("postgres://antiphon@localhost/{name}?host={}", self.home.path().display()),
        }
    }

    fn data(&self) -> PathBuf {
        self.home.path().join("data")
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir(self.home.path());
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        command
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        if self.server.is_some() {
            let _ = self.program("pg_ctl").args(["stop", "--mode=immediate", "-D"]).arg(self.data()).output();
        }
        if let Some(mut server) = self.server.take() {
            let _ = server.wait();
        }
    }
}

/// Where the server's programs are: Debian does not put them on the path.
fn programs() -> PathBuf {
    if let Some(folder) = std::env::var_os("ANTIPHON_POSTGRES") {
        return folder.into();
    }
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    let version = |path: &Path| path.file_name()?.to_str()?.parse::<u32>().ok();
    let newest =
        versions.map(|entry| entry.path()).max_by_key(|path| version(path)).map(|path| path.join("bin"));
    newest.filter(|folder| folder.join("initdb").exists()).expect(
        "PostgreSQL's server is needed: run `cargo xtask setup --test`, or name the folder of initdb in ANTIPHON_POSTGRES",
    )
}

/// PostgreSQL refuses to run as root; then it runs as the user that its package made.
fn unprivileged_user() -> Option<(u32, u32)> {
    let own = std::fs::metadata("/proc/self").map(|own| std::os::unix::fs::MetadataExt::uid(&own));
    if own.unwrap_or(1) != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let ids = |name: &str| {
        let fields: Vec<&str> =
            users.lines().find(|line| line.split(':').next() == Some(name))?.split(':').collect();
        Some((fields[2].parse().ok()?, fields[3].parse().ok()?))
    };
    Some(
        ids("postgres")
            .or_else(|| ids("nobody"))
            .expect("root needs a user postgres or nobody in /etc/passwd"),
    )
}
