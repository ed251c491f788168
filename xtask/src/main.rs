//! The project's commands. `cargo xtask help` lists them.
//!
//! ```text
//! setup ─▶ wasm ─▶ npm package ─▶ page ─▶ server (embeds the page) ─▶ serve | test
//! ```
//! A step whose inputs have not changed since it last succeeded is skipped (see `stamp`).

mod bench;
mod compose;
mod conformance;
mod dist;
mod parts;
mod report;
mod serve;
mod setup;
mod snip;
mod split;
mod stamp;
mod test;
mod wasm;
mod web;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Result, bail};
use xshell::Shell;

const HELP: &str = "\
Usage: cargo xtask <command>

  serve [-- ARGS]   install what is missing, build everything that changed, run the server with ARGS
  test [NAME…]      install what is missing, run all checks and tests (or those with NAME in their name)
  bench [SECTION…]  measure against the peers; the table is also in target/xtask/bench.md
  dist              pack a release into target/dist: server, page, npm package
  wasm              build the WebAssembly modules into wasm-client/pkg
  setup [--test]    install what serve (or test) needs
  compose           write the bundled composition again
";

/// The repository's root.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).parent().expect("xtask lies in the repository").to_path_buf()
}

/// Where Cargo builds.
pub(crate) fn target_dir(sh: &Shell) -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| sh.current_dir().join("target"), PathBuf::from)
}

/// What a folder holds, in the order of the names.
pub(crate) fn entries(folder: &Path) -> std::io::Result<Vec<PathBuf>> {
    let mut paths: Vec<PathBuf> =
        std::fs::read_dir(folder)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    paths.sort();
    Ok(paths)
}

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<ExitCode> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (command, rest) =
        args.split_first().map_or(("help", &[][..]), |(first, rest)| (first.as_str(), rest));
    let sh = Shell::new()?;
    sh.change_dir(root());
    match command {
        "serve" => return serve::run(&sh, rest.strip_prefix(&["--".to_string()]).unwrap_or(rest)),
        "test" => return test::run(&sh, rest),
        "bench" => return bench::run(&sh, rest),
        "wasm" if rest.is_empty() => {
            setup::run(&sh, setup::Purpose::Serve)?;
            wasm::build(&sh)?;
        }
        "setup" => match rest {
            [] => setup::run(&sh, setup::Purpose::Serve)?,
            [only] if only == "--test" => setup::run(&sh, setup::Purpose::Test)?,
            _ => bail!("setup takes no argument but --test"),
        },
        "dist" if rest.is_empty() => dist::run(&sh)?,
        "compose" if rest.is_empty() => compose::run(&root())?,
        "help" | "--help" | "-h" => print!("{HELP}"),
        "wasm" | "dist" | "compose" => bail!("{command} takes no arguments"),
        other => bail!("unknown command {other:?}; `cargo xtask help` lists the commands"),
    }
    Ok(ExitCode::SUCCESS)
}
