//! Builds the npm package, then the page that uses it.

use anyhow::Result;
use xshell::{Shell, cmd};

use crate::stamp::Step;

/// `wasm-client/dist`, from the modules in `wasm-client/pkg` and the TypeScript around them.
pub(crate) fn package(sh: &Shell) -> Result<()> {
    let step = Step {
        name: "npm package",
        inputs: &["wasm-client", "wasm-client/pkg", "package-lock.json"],
        outputs: &["wasm-client/dist/index.js", "wasm-client/dist/index.d.ts"],
    };
    step.run(&sh.current_dir(), || npm_build(sh, "wasm-client"))
}

/// `www/dist`, which the server embeds.
pub(crate) fn page(sh: &Shell) -> Result<()> {
    let step = Step {
        name: "page",
        inputs: &["www", "wasm-client/dist", "package-lock.json"],
        outputs: &["www/dist/index.html"],
    };
    step.run(&sh.current_dir(), || npm_build(sh, "www"))
}

fn npm_build(sh: &Shell, workspace: &str) -> Result<()> {
    cmd!(sh, "npm run --silent build --workspace {workspace}").quiet().run()?;
    Ok(())
}
