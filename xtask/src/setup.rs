//! Installs what a build or a test run needs and the machine does not have.
//!
//! Rust parts come through rustup, system parts through apt-get where we may use it, the rest is npm's.
//! What cannot be installed is named in one line, with the command that would do it.

use std::path::Path;

use anyhow::{Context, Result, bail};
use xshell::{Shell, cmd};

use crate::stamp::Step;

/// Oldest Node.js that the page's build tools run on.
const MIN_NODE: (u32, u32) = (20, 19);
/// Where Debian puts Chromium; the tests look here unless `ANTIPHON_CHROMIUM` names another.
const CHROMIUM: &str = "/usr/bin/chromium";

/// What is going to be done.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Purpose {
    /// Build and run.
    Serve,
    /// Build and measure, also in a browser.
    Bench,
    /// Build, check and test: also needs a browser, servers for sound, databases and messages, and a
    /// bare-metal target.
    Test,
}

/// Checks everything and installs what is missing; asks nothing.
pub(crate) fn run(sh: &Shell, purpose: Purpose) -> Result<()> {
    node(sh)?;
    rust(sh, purpose)?;
    system(sh, purpose)?;
    npm(sh)
}

fn node(sh: &Shell) -> Result<()> {
    let hint = "install Node.js 20.19 or newer with npm (https://nodejs.org, or apt-get install nodejs npm)";
    let Ok(version) = cmd!(sh, "node --version").quiet().ignore_stderr().read() else {
        bail!("Node.js was not found: {hint}");
    };
    if node_version(&version).is_none_or(|found| found < MIN_NODE) {
        bail!("Node.js {} is too old: {hint}", version.trim());
    }
    if cmd!(sh, "npm --version").quiet().ignore_stderr().read().is_err() {
        bail!("npm was not found: {hint}");
    }
    Ok(())
}

/// Major and minor of `v20.19.1`.
fn node_version(text: &str) -> Option<(u32, u32)> {
    let mut parts = text.trim().strip_prefix('v')?.split('.').map(str::parse);
    Some((parts.next()?.ok()?, parts.next()?.ok()?))
}

fn rust(sh: &Shell, purpose: Purpose) -> Result<()> {
    let sysroot = cmd!(sh, "rustc --print sysroot").quiet().read()?;
    let mut targets = vec!["wasm32-unknown-unknown"];
    let mut components = Vec::new();
    if purpose == Purpose::Test {
        targets.push("thumbv7em-none-eabihf");
        for (component, program) in [("rustfmt", "cargo-fmt"), ("clippy", "cargo-clippy")] {
            if cmd!(sh, "{program} --version").quiet().ignore_stdout().ignore_stderr().run().is_err() {
                components.push(component);
            }
        }
    }
    targets.retain(|target| !Path::new(sysroot.trim()).join("lib/rustlib").join(target).join("lib").exists());
    for (kind, names) in [("target", targets), ("component", components)] {
        if !names.is_empty() {
            eprintln!("── rustup {kind} add {}", names.join(" "));
            let missing = &names;
            cmd!(sh, "rustup {kind} add {missing...}").quiet().run().with_context(|| {
                format!(
                    "this Rust lacks {}; run `rustup {kind} add {}`",
                    names.join(" and "),
                    names.join(" ")
                )
            })?;
        }
    }
    Ok(())
}

fn system(sh: &Shell, purpose: Purpose) -> Result<()> {
    if !cfg!(target_os = "linux") {
        return Ok(());
    }
    let mut packages = Vec::new();
    if !has(sh, "pkg-config") {
        packages.extend(["pkg-config", "libasound2-dev"]);
    } else if cmd!(sh, "pkg-config --exists alsa").quiet().ignore_stderr().run().is_err() {
        packages.push("libasound2-dev");
    }
    let needs_browser = matches!(purpose, Purpose::Bench | Purpose::Test);
    if needs_browser && std::env::var_os("ANTIPHON_CHROMIUM").is_none() && !Path::new(CHROMIUM).exists() {
        packages.push("chromium");
    }
    if purpose == Purpose::Test {
        if !has(sh, "pulseaudio") {
            packages.push("pulseaudio");
        }
        if !has_alsa_pulse_plugin() {
            packages.push("libasound2-plugins");
        }
        if std::env::var_os("ANTIPHON_POSTGRES").is_none() && !has_postgres_server() {
            packages.push("postgresql");
        }
        if std::env::var_os("ANTIPHON_NATS_SERVER").is_none() && !has_nats_server(sh) {
            packages.push("nats-server");
        }
    }
    if packages.is_empty() { Ok(()) } else { apt_install(sh, &packages) }
}

fn has(sh: &Shell, program: &str) -> bool {
    cmd!(sh, "{program} --version").quiet().ignore_stdout().ignore_stderr().run().is_ok()
}

/// ALSA loads it by name from its library folder, which carries the machine's triplet.
fn has_alsa_pulse_plugin() -> bool {
    const PLUGIN: &str = "alsa-lib/libasound_module_pcm_pulse.so";
    let folders = [Path::new("/usr/lib"), Path::new("/usr/lib64")];
    let below = folders.iter().filter_map(|folder| std::fs::read_dir(folder).ok()).flatten().flatten();
    folders.iter().any(|folder| folder.join(PLUGIN).exists())
        || below.into_iter().any(|f| f.path().join(PLUGIN).exists())
}

/// Debian keeps a server of each version apart, off the path.
fn has_postgres_server() -> bool {
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    versions.into_iter().any(|version| version.path().join("bin/initdb").exists())
}

/// Debian keeps it where only root looks for programs.
fn has_nats_server(sh: &Shell) -> bool {
    Path::new("/usr/sbin/nats-server").exists() || has(sh, "nats-server")
}

fn apt_install(sh: &Shell, packages: &[&str]) -> Result<()> {
    let names = packages.join(" ");
    let missing = |why: &str| {
        format!(
            "{why}; run `sudo apt-get update && sudo apt-get install -y {names}` (or install what these packages hold) and try again"
        )
    };
    if !has(sh, "apt-get") {
        bail!(missing(&format!("{names} are missing and there is no apt-get")));
    }
    let is_root = cmd!(sh, "id -u").quiet().read().is_ok_and(|id| id.trim() == "0");
    let sudo: &[&str] = if is_root {
        &[]
    } else if cmd!(sh, "sudo -n true").quiet().ignore_stderr().run().is_ok() {
        &["sudo", "-n"]
    } else {
        bail!(missing(&format!("{names} are missing and only root can install them")));
    };
    let apt = |args: &[&str]| {
        // Through env, since sudo does not pass variables on.
        let words: Vec<&str> = sudo
            .iter()
            .chain(&["env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-q"])
            .chain(args)
            .copied()
            .collect();
        let (program, rest) = words.split_first().expect("not empty");
        cmd!(sh, "{program} {rest...}").quiet()
    };
    eprintln!("── apt-get install {names}");
    let mut install = vec!["install", "-y", "--no-install-recommends"];
    install.extend(packages);
    // The package lists of a fresh container are empty or old: only then is an update worth its time.
    if apt(&install).ignore_stderr().run().is_err() {
        apt(&["update"]).run().with_context(|| missing("apt-get update failed"))?;
        apt(&install).run().with_context(|| missing(&format!("{names} could not be installed")))?;
    }
    Ok(())
}

fn npm(sh: &Shell) -> Result<()> {
    let step = Step {
        name: "npm packages",
        inputs: &[
            "package.json",
            "package-lock.json",
            "wasm-client/package.json",
            "www/package.json",
            "tests/package.json",
        ],
        outputs: &["node_modules/.package-lock.json"],
    };
    step.run(&sh.current_dir(), || {
        cmd!(sh, "npm ci --no-audit --no-fund --loglevel=error").quiet().run()?;
        Ok(())
    })
}

/// Bundlers and other tools of the package's tests.
pub(crate) fn packaging(sh: &Shell) -> Result<()> {
    let step = Step {
        name: "npm packages of packaging",
        inputs: &["tests/packaging/package.json", "tests/packaging/package-lock.json"],
        outputs: &["tests/packaging/node_modules/.package-lock.json"],
    };
    step.run(&sh.current_dir(), || {
        cmd!(sh, "npm ci --prefix tests/packaging --no-audit --no-fund --loglevel=error").quiet().run()?;
        Ok(())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn node_versions_compare() {
        assert_eq!(node_version("v20.19.1\n"), Some((20, 19)));
        assert!(node_version("v18.20.0").unwrap() < MIN_NODE);
        assert!(node_version("v22.1.0").unwrap() > MIN_NODE);
        assert_eq!(node_version("nonsense"), None);
    }
}
