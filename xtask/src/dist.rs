//! `cargo xtask dist`: what a release consists of, in `target/dist`.
//!
//! | file | what it is |
//! |---|---|
//! | `antiphon-VERSION-TARGET.tar.gz` | the server as one program with the page inside, the systemd unit, the licences |
//! | `antiphon-page-VERSION.tar.gz` | the page as static files, for any web server |
//! | `antiphon-VERSION.tgz` | the npm package |
//! | `SHA256SUMS` | their hashes |

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use sha2::{Digest, Sha256};
use xshell::{Shell, cmd};

use crate::{entries, serve, setup, wasm, web};

const VERSION: &str = env!("CARGO_PKG_VERSION");

/// What goes beside the program: path in the repository, name in the archive.
const BESIDE: [(&str, &str); 3] = [
    ("README.md", "README.md"),
    ("SECURITY.md", "SECURITY.md"),
    ("deploy/antiphon.service", "antiphon.service"),
];

/// They go with everything.
const LICENCES: [&str; 2] = ["LICENSE-MIT", "LICENSE-APACHE"];

/// Builds everything, tries the program in an empty folder, and packs.
pub(crate) fn run(sh: &Shell) -> Result<()> {
    setup::run(sh, setup::Purpose::Serve)?;
    wasm::build(sh)?;
    web::package(sh)?;
    web::page(sh)?;
    let program = serve::build(sh)?;
    starts_alone(&program)?;
    let root = sh.current_dir();
    let dist = root.join("target/dist");
    let _ = fs::remove_dir_all(&dist);
    fs::create_dir_all(&dist)?;

    let name = format!("antiphon-{VERSION}-{}", target(sh)?);
    let mut archive = Archive::new(&dist.join(format!("{name}.tar.gz")), &name)?;
    archive.add(&program, "antiphon")?;
    for (path, name) in BESIDE.into_iter().chain(LICENCES.map(|name| (name, name))) {
        archive.add(&root.join(path), name)?;
    }
    archive.finish()?;

    let name = format!("antiphon-page-{VERSION}");
    let mut archive = Archive::new(&dist.join(format!("{name}.tar.gz")), &name)?;
    archive.0.append_dir_all(&name, root.join("www/dist"))?;
    for name in LICENCES {
        archive.add(&root.join(name), name)?;
    }
    archive.finish()?;

    cmd!(sh, "npm pack --silent --workspace wasm-client --pack-destination {dist}").ignore_stdout().run()?;
    let mut sums = String::new();
    for file in entries(&dist)? {
        let bytes = fs::read(&file)?;
        let hash: String = Sha256::digest(&bytes).iter().map(|byte| format!("{byte:02x}")).collect();
        let name = file.file_name().unwrap_or_default().to_string_lossy().into_owned();
        eprintln!("   {name}: {:.1} MB", bytes.len() as f64 / 1e6);
        sums.push_str(&format!("{hash}  {name}\n"));
    }
    fs::write(dist.join("SHA256SUMS"), sums)?;
    println!("{}", dist.display());
    Ok(())
}

/// What the compiler builds for, such as `x86_64-unknown-linux-gnu`.
fn target(sh: &Shell) -> Result<String> {
    let version = cmd!(sh, "rustc -vV").quiet().read()?;
    let host = version.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned).context("rustc names no host")
}

/// The program needs no file beside it: from a copy in an empty folder it serves the page and answers.
fn starts_alone(program: &Path) -> Result<()> {
    let folder = std::env::temp_dir().join(format!("antiphon-dist-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    let copy = folder.join("antiphon");
    fs::copy(program, &copy)?;
    let tried = serves_page(&copy, &folder);
    fs::remove_dir_all(&folder)?;
    tried.context("the program does not start by itself")
}

fn serves_page(program: &Path, folder: &Path) -> Result<()> {
    let mut server = Command::new(program)
        .args(["serve", "--null-device", "--db", "memory", "--bind", "127.0.0.1:0"])
        .current_dir(folder)
        .stdout(Stdio::piped())
        .spawn()?;
    let stdout = server.stdout.take().context("the program has no output")?;
    let mut first = String::new();
    let answers = BufReader::new(stdout).read_line(&mut first).map_err(Into::into).and_then(|_| {
        let address = first.trim().rsplit_once("://").map(|(_, address)| address);
        let address = address.with_context(|| format!("it says {first:?} instead of its address"))?;
        ["/", "/api/health"].map(|path| get(address, path)).into_iter().collect::<Result<Vec<_>>>()
    });
    server.kill()?;
    server.wait()?;
    for answer in answers? {
        ensure!(answer.starts_with("HTTP/1.1 200"), "it answers {:?}", answer.lines().next());
    }
    Ok(())
}

fn get(address: &str, path: &str) -> Result<String> {
    let mut stream = TcpStream::connect(address)?;
    write!(stream, "GET {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).into_owned())
}

/// A tar.gz whose files lie in one folder.
struct Archive(tar::Builder<GzEncoder<fs::File>>, String);

impl Archive {
    fn new(path: &Path, folder: &str) -> Result<Self> {
        let file = fs::File::create(path)?;
        Ok(Self(tar::Builder::new(GzEncoder::new(file, Compression::best())), folder.to_owned()))
    }

    fn add(&mut self, path: &Path, name: &str) -> Result<()> {
        let name = format!("{}/{name}", self.1);
        self.0.append_path_with_name(path, name).with_context(|| format!("cannot pack {}", path.display()))
    }

    fn finish(self) -> Result<()> {
        self.0.into_inner()?.finish()?;
        Ok(())
    }
}
