//! `cargo xtask test`: all checks and tests, each counted, whatever fails before it.
//!
//! Native code is built once, in the dev profile (engine-core is optimised there too), for unit tests,
//! integration tests and the server that the browser talks to.

use std::fs;
use std::process::{ExitCode, Output};
use std::thread::{self, JoinHandle};

use anyhow::{Result, bail};
use xshell::{Cmd, Shell, cmd};

use crate::report::{Counts, Report, read_json};
use crate::{conformance, setup, wasm, web};

/// Packages with TypeScript to check; the first two have unit tests.
const WORKSPACES: [&str; 3] = ["wasm-client", "www", "tests"];

/// Runs the steps whose name contains one of `names`; all of them without names.
pub(crate) fn run(sh: &Shell, names: &[String]) -> Result<ExitCode> {
    setup::run(sh, setup::Purpose::Test)?;
    let rows = conformance::collect(sh, names.is_empty())?;
    let mut run = Run { sh, names, report: Report::default() };
    run.build();
    run.lint();
    run.rust();
    run.typescript()?;
    run.browser()?;
    if run.wants("conformance") {
        run.report.step("conformance", || conformance::check(&sh.current_dir(), &rows));
    }
    Ok(if run.report.finish() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

struct Run<'a> {
    sh: &'a Shell,
    names: &'a [String],
    report: Report,
}

impl Run<'_> {
    fn wants(&self, name: &str) -> bool {
        self.names.is_empty() || self.names.iter().any(|wanted| name.contains(wanted))
    }

    fn check(&mut self, name: &str, command: Cmd<'_>) {
        if self.wants(name) {
            self.report.check(name, || output(command));
        }
    }

    /// What the page and the parity test are made of. Steps that have nothing to do count as passed. Meanwhile clippy reads
    /// the native code: each has a folder of Cargo's to itself, and linking a module takes one processor alone.
    fn build(&mut self) {
        type Build = fn(&Shell) -> Result<()>;
        let clippy = self.wants("clippy").then(|| {
            beside(self.sh, |sh| {
                output(cmd!(sh, "cargo clippy --quiet --workspace --all-targets -- -Dwarnings"))
            })
        });
        // These come over the network; the step that needs them tells if they did not.
        let bundlers = self.wants("packaging").then(|| beside(self.sh, setup::packaging));
        let steps: [(&str, Build); 3] =
            [("build wasm", wasm::build), ("build npm package", web::package), ("build page", web::page)];
        for (name, build) in steps {
            // Not subject to the choice of names: all that follows needs them.
            self.report.step(name, || build(self.sh));
        }
        if let Some(clippy) = clippy {
            self.report.check("clippy", || clippy.join().unwrap_or_else(|_| bail!("it panicked")));
        }
        if let Some(bundlers) = bundlers {
            let _ = bundlers.join();
        }
    }

    fn lint(&mut self) {
        let sh = self.sh;
        let (name, flags) = wasm::RUSTFLAGS;
        self.check("fmt", cmd!(sh, "cargo fmt --all --check"));
        for package in ["antiphon-worklet", "antiphon-listen", "antiphon-offline", "antiphon-wasm"] {
            self.check(
                &format!("clippy wasm32 {package}"),
                cmd!(sh, "cargo clippy --quiet --target wasm32-unknown-unknown -p {package} -- -Dwarnings")
                    .env(name, flags),
            );
        }
        // A microcontroller has no std at all: what compiles for it uses none.
        self.check(
            "no_std",
            cmd!(sh, "cargo check --quiet --target thumbv7em-none-eabihf -p engine-core --features midi"),
        );
        self.check(
            "rustdoc",
            cmd!(sh, "cargo doc --quiet --workspace --no-deps").env("RUSTDOCFLAGS", "-Dwarnings"),
        );
    }

    fn rust(&mut self) {
        let sh = self.sh;
        // Apart, because features are united over what is built together: xtask and its many dependencies,
        // which run this very code, would be built a second time.
        for (name, packages) in [
            ("cargo test", &["--workspace", "--exclude=xtask"][..]),
            ("cargo test xtask", &["--package=xtask"]),
        ] {
            if self.wants(name) {
                let command = cmd!(sh, "cargo test {packages...} --no-fail-fast --color never");
                self.report.tests(name, || output(command), Counts::from_cargo);
            }
        }
        // The same bits with all that this processor has; apart, for flags are part of what Cargo keeps.
        let name = "parity target-cpu=native";
        if self.wants(name) {
            let test = ["--package=antiphon-tests", "--no-default-features", "--test=parity"];
            let command = cmd!(sh, "cargo test {test...} --target-dir=target/native-cpu")
                .env("RUSTFLAGS", "-Ctarget-cpu=native")
                .env("ANTIPHON_TARGET", "native, target-cpu=native");
            self.report.tests(name, || output(command), Counts::from_cargo);
        }
    }

    fn typescript(&mut self) -> Result<()> {
        for workspace in WORKSPACES {
            let sh = self.sh;
            self.check(
                &format!("tsc {workspace}"),
                cmd!(sh, "npm run --silent typecheck --workspace {workspace}"),
            );
        }
        for workspace in &WORKSPACES[..2] {
            let name = format!("vitest {workspace}");
            if !self.wants(&name) {
                continue;
            }
            let sh = self.sh;
            let file = self.report_file(&format!("vitest-{workspace}.json"))?;
            let _dir = sh.push_dir(workspace);
            let command = cmd!(
                sh,
                "npx --no -- vitest run --reporter=default --reporter=json --outputFile.json={file}"
            );
            self.report.tests(&name, || output(command), |_| Counts::from_vitest(&read_json(&file)));
        }
        Ok(())
    }

    fn browser(&mut self) -> Result<()> {
        let (wants_page, wants_packaging) = (self.wants("playwright"), self.wants("packaging"));
        if !wants_page && !wants_packaging {
            return Ok(());
        }
        let sh = self.sh;
        // With all targets, so that features are the same as for `cargo test` and nothing is built twice.
        self.report.check("build server for browsers", || {
            output(cmd!(sh, "cargo build --quiet --workspace --exclude xtask --all-targets"))
        });
        if wants_page {
            self.playwright("playwright", "tests")?;
        }
        if wants_packaging {
            // Bundlers are many and heavy: they are installed apart from what builds this project.
            self.report.step("npm ci packaging", || setup::packaging(sh));
            self.check("tsc packaging", cmd!(sh, "npm run --silent typecheck --prefix tests/packaging"));
            self.playwright("packaging", "tests/packaging")?;
        }
        Ok(())
    }

    fn playwright(&mut self, name: &str, folder: &str) -> Result<()> {
        let sh = self.sh;
        let file = self.report_file(&format!("{name}.json"))?;
        let _dir = sh.push_dir(folder);
        let command = cmd!(sh, "npx --no -- playwright test --reporter=list,json")
            .env("PLAYWRIGHT_JSON_OUTPUT_FILE", &file);
        self.report.tests(name, || output(command), |_| Counts::from_playwright(&read_json(&file)));
        Ok(())
    }

    /// A fresh path in `target/xtask`: the report of an earlier run must not be counted again.
    fn report_file(&self, name: &str) -> Result<std::path::PathBuf> {
        let folder = self.sh.current_dir().join("target/xtask");
        fs::create_dir_all(&folder)?;
        let file = folder.join(name);
        let _ = fs::remove_file(&file);
        Ok(file)
    }
}

/// Does `work` on a thread of its own, in the same folder.
fn beside<T: Send + 'static>(
    sh: &Shell,
    work: impl FnOnce(&Shell) -> Result<T> + Send + 'static,
) -> JoinHandle<Result<T>> {
    let root = sh.current_dir();
    thread::spawn(move || {
        let sh = Shell::new()?;
        sh.change_dir(root);
        work(&sh)
    })
}

fn output(command: Cmd<'_>) -> Result<Output> {
    Ok(command.quiet().ignore_status().output()?)
}
