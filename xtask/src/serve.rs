//! `cargo xtask serve`: everything that changed is built, then the server takes over this process.

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use anyhow::{Context, Result};
use xshell::{Shell, cmd};

use crate::{setup, target_dir, wasm, web};

/// Runs the server with `args`; does not return where a process can be replaced.
pub(crate) fn run(sh: &Shell, args: &[String]) -> Result<ExitCode> {
    setup::run(sh, setup::Purpose::Serve)?;
    wasm::build(sh)?;
    web::package(sh)?;
    web::page(sh)?;
    let mut server = Command::new(build(sh)?);
    server.arg("serve").args(args);
    start(server)
}

/// Builds the server with the page that is there, and says where it is.
pub(crate) fn build(sh: &Shell) -> Result<PathBuf> {
    // Cargo knows by itself whether there is anything to do, and shows its progress.
    cmd!(sh, "cargo build --release -p native-server")
        .quiet()
        .run()
        .context("the server could not be built")?;
    Ok(target_dir(sh).join("release").join(format!("antiphon{}", std::env::consts::EXE_SUFFIX)))
}

/// The server becomes this process: Ctrl-C and signals reach it, and its exit code is ours.
#[cfg(unix)]
fn start(mut server: Command) -> Result<ExitCode> {
    use std::os::unix::process::CommandExt;
    Err(server.exec()).with_context(|| format!("cannot start {}", server.get_program().display()))
}

#[cfg(not(unix))]
fn start(mut server: Command) -> Result<ExitCode> {
    let status =
        server.status().with_context(|| format!("cannot start {}", server.get_program().display()))?;
    Ok(ExitCode::from(status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)))
}
