//! Builds the nine WebAssembly modules into `wasm-client/pkg`.
//!
//! What measures and plays in an AudioWorklet is in [`PARTS`]: `antiphon_analysis.wasm`, which imports nothing, since an
//! AudioWorkletGlobalScope has next to nothing to import, and those above it. `antiphon_listen.wasm`, which runs there
//! too, and `antiphon_offline.wasm`, which workers run, import nothing as well. `antiphon_wasm` and `antiphon_local` are
//! the main thread's, with JavaScript and types by wasm-bindgen.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use flate2::Compression;
use flate2::write::GzEncoder;
use walrus::Module;
use wasm_bindgen_cli_support::Bindgen;
use xshell::{Shell, cmd};

use crate::parts::PARTS;
use crate::stamp::Step;
use crate::{snip, split};

/// Where the modules go, from the root.
pub(crate) const PKG: &str = "wasm-client/pkg";
/// wasm has had 128-bit vectors in every browser since 2023. Set for this target only, so that build
/// scripts and native builds keep their flags (and their artifacts).
///
/// Loops are vectorised but unrolled only where they are short, and little is inlined that does not ask for it: modules
/// are an eighth smaller for it and as fast.
pub(crate) const RUSTFLAGS: (&str, &str) = (
    "CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS",
    "-Ctarget-feature=+simd128 -Cllvm-args=-inline-threshold=25 -Cllvm-args=-unroll-threshold=150 \
     -Cllvm-args=-unroll-partial-threshold=20",
);
/// The same for what runs in an AudioWorklet, where size counts for more: vectors hold no more than one step of a loop,
/// a loop that would need a check at run time to have vectors has none, and less is unrolled. 16 KB less than with the
/// flags above, for a quantum that takes a quarter longer. `opt-level = "s"` has no vectors at all, and takes eight
/// times as long for not a byte less.
pub(crate) const WORKLET_RUSTFLAGS: &str = "-Ctarget-feature=+simd128 -Cllvm-args=-inline-threshold=25 \
     -Cllvm-args=-unroll-threshold=40 -Cllvm-args=-unroll-partial-threshold=0 \
     -Cllvm-args=-force-vector-interleave=1 -Cllvm-args=-runtime-memory-check-threshold=0 \
     -Cllvm-args=-vectorize-memory-check-threshold=0";
/// What each module may weigh gzipped, and what it is meant to weigh, in KB of 1,000 bytes. A module that grows beyond
/// its limit fails the build.
const LIMITS: [(&str, f64, f64); 9] = [
    ("antiphon_wasm_bg.wasm", 60.0, 60.0),
    ("antiphon_local_bg.wasm", 150.0, 150.0),
    ("antiphon_analysis.wasm", 20.0, 20.0),
    ("antiphon_spectrum.wasm", 13.2, 13.2),
    ("antiphon_music.wasm", 14.2, 14.2),
    ("antiphon_scope.wasm", 8.0, 8.0),
    ("antiphon_worklet.wasm", 53.5, 53.5),
    ("antiphon_listen.wasm", 10.0, 10.0),
    ("antiphon_offline.wasm", 530.0, 510.0),
];
/// What rustc's modules may use; wasm-opt would refuse them otherwise.
const FEATURES: [&str; 6] = [
    "--enable-simd",
    "--enable-bulk-memory",
    "--enable-nontrapping-float-to-int",
    "--enable-sign-ext",
    "--enable-mutable-globals",
    "--enable-reference-types",
];

/// Builds what changed.
pub(crate) fn build(sh: &Shell) -> Result<()> {
    let step = Step {
        name: "wasm",
        inputs: &[
            "Cargo.toml",
            "Cargo.lock",
            "engine-core",
            "audio-files",
            "wasm-client/offline",
            "wasm-client/listen",
            "wasm-client/worklet",
            "wasm-client/main",
            "xtask/src/parts.rs",
            "xtask/src/snip",
            "xtask/src/snip.rs",
            "xtask/src/split",
            "xtask/src/split.rs",
            "xtask/src/wasm.rs",
            "node_modules/binaryen/package.json",
        ],
        outputs: &[
            "wasm-client/pkg/antiphon_analysis.wasm",
            "wasm-client/pkg/antiphon_spectrum.wasm",
            "wasm-client/pkg/antiphon_music.wasm",
            "wasm-client/pkg/antiphon_scope.wasm",
            "wasm-client/pkg/antiphon_worklet.wasm",
            "wasm-client/pkg/antiphon_offline.wasm",
            "wasm-client/pkg/antiphon_listen.wasm",
            "wasm-client/pkg/antiphon_local.js",
            "wasm-client/pkg/antiphon_local.d.ts",
            "wasm-client/pkg/antiphon_local_bg.wasm",
            "wasm-client/pkg/antiphon_wasm.js",
            "wasm-client/pkg/antiphon_wasm.d.ts",
            "wasm-client/pkg/antiphon_wasm_bg.wasm",
        ],
    };
    step.run(&sh.current_dir(), || {
        fs::create_dir_all(sh.current_dir().join(PKG))?;
        worklet_in_parts(sh)?;
        raw(sh, &snipped(sh, "antiphon-listen")?, "antiphon_listen.wasm", &[])?;
        offline(sh)?;
        main_thread(sh, "connection", "antiphon_wasm")?;
        main_thread(sh, "local", "antiphon_local")
    })
}

/// A module that runs in an AudioWorklet, without JavaScript around it and words of panics.
fn snipped(sh: &Shell, package: &str) -> Result<PathBuf> {
    let built = cargo(sh, package, "wasm-worklet", WORKLET_RUSTFLAGS, &[])?;
    let snipped = snip::snip(&fs::read(&built)?).with_context(|| format!("{package} cannot be snipped"))?;
    let out = built.with_extension("snipped.wasm");
    fs::write(&out, snipped)?;
    Ok(out)
}

/// What measures and plays, in [`PARTS`]. Optimised as a whole before, which sees more, and each part after.
fn worklet_in_parts(sh: &Shell) -> Result<()> {
    let snipped = snipped(sh, "antiphon-worklet")?;
    let whole = snipped.with_extension("whole.wasm");
    optimise(sh, "-O3 -g", &snipped, &whole)?;
    let split = split::split(&fs::read(&whole)?, &PARTS).context("the worklet cannot be split")?;
    for (part, module) in PARTS.iter().zip(split) {
        let built = whole.with_extension(format!("{}.wasm", part.name));
        fs::write(&built, module)?;
        let below: Vec<_> = split::below(&PARTS, part).map(|below| PARTS[below].name).collect();
        raw(sh, &built, &format!("antiphon_{}.wasm", part.name), &below)?;
    }
    Ok(())
}

/// The module of workers, without JavaScript around it. Its panics have messages.
fn offline(sh: &Shell) -> Result<()> {
    let built = cargo(sh, "antiphon-offline", "wasm", RUSTFLAGS.1, &[])?;
    raw(sh, &built, "antiphon_offline.wasm", &[])
}

/// Optimises a module that may import from no others than the parts below it.
fn raw(sh: &Shell, built: &Path, name: &str, below: &[&str]) -> Result<()> {
    let out = sh.current_dir().join(PKG).join(name);
    optimise(sh, "-O3", built, &out)?;
    let module = Module::from_file(&out).with_context(|| format!("{name} cannot be read"))?;
    if let Some(import) = module.imports.iter().find(|import| !below.contains(&import.module.as_str())) {
        bail!("{name} imports {} from {}; it may import from {below:?} only", import.name, import.module);
    }
    weigh(&out)
}

/// A module with JavaScript around it, from one feature of the main thread's package.
fn main_thread(sh: &Shell, feature: &str, name: &str) -> Result<()> {
    let built = cargo(
        sh,
        "antiphon-wasm",
        "wasm-small",
        RUSTFLAGS.1,
        &["--no-default-features", "--features", feature],
    )?;
    let pkg = sh.current_dir().join(PKG);
    Bindgen::new()
        .input_path(&built)
        .web(true)?
        .typescript(true)
        .out_name(name)
        .generate(&pkg)
        .context("wasm-bindgen could not make the JavaScript")?;
    let module = pkg.join(format!("{name}_bg.wasm"));
    optimise(sh, "-Oz --converge", &module, &module)?;
    weigh(&module)
}

/// Builds one package and returns its module. One at a time, because Cargo would give packages that are
/// built together the union of their features, and the worklet must not get serde's `std`.
fn cargo(sh: &Shell, package: &str, profile: &str, flags: &str, features: &[&str]) -> Result<PathBuf> {
    let (name, _) = RUSTFLAGS;
    cmd!(
        sh,
        "cargo build --quiet --profile {profile} --target wasm32-unknown-unknown -p {package} {features...}"
    )
    .env(name, flags)
    .quiet()
    .run()?;
    let target = crate::target_dir(sh);
    let folder = target.join("wasm32-unknown-unknown").join(profile);
    Ok(folder.join(package.replace('-', "_")).with_extension("wasm"))
}

fn optimise(sh: &Shell, level: &str, module: &Path, out: &Path) -> Result<()> {
    // A function that is inlined where it is called once saves a call, but compresses worse.
    let inline = ["--one-caller-inline-max-function-size=1", "--flexible-inline-max-function-size=1"];
    let wasm_opt = sh.current_dir().join("node_modules/binaryen/bin/wasm-opt");
    if !wasm_opt.exists() {
        bail!("wasm-opt is missing; run `npm ci`");
    }
    let level = level.split(' ');
    cmd!(sh, "node {wasm_opt} {level...} {inline...} {FEATURES...} {module} -o {out}").quiet().run()?;
    Ok(())
}

/// Says what a module weighs, and refuses one that is too heavy.
fn weigh(module: &Path) -> Result<()> {
    let bytes = fs::read(module)?;
    let mut gz = GzEncoder::new(Vec::new(), Compression::best());
    gz.write_all(&bytes)?;
    let n_gz = gz.finish()?.len();
    let name = module.file_name().unwrap_or_default().to_string_lossy();
    eprintln!("   {name}: {:.1} KB, {:.1} KB gzipped", bytes.len() as f64 / 1e3, n_gz as f64 / 1e3);
    within_limit(&name, n_gz)
}

fn within_limit(name: &str, n_gz: usize) -> Result<()> {
    let limit = LIMITS.iter().find(|(file, ..)| *file == name);
    let &(_, limit, goal) = limit.with_context(|| format!("{name} has no limit in xtask/src/wasm.rs"))?;
    let weight = n_gz as f64 / 1e3;
    ensure!(
        weight <= limit,
        "{name} is {weight:.1} KB gzipped, more than its limit of {limit} KB (the goal is {goal} KB); \
         undo what made it grow, or raise the limit in xtask/src/wasm.rs"
    );
    Ok(())
}

/// An unsigned LEB128 number, and what follows it.
pub(crate) fn leb128(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let mut value = 0;
    for (idx, byte) in bytes.iter().take(5).enumerate() {
        value |= u32::from(byte & 0x7f) << (7 * idx);
        if byte & 0x80 == 0 {
            return Some((value, &bytes[idx + 1..]));
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_module_over_its_limit_is_refused() {
        let (name, limit, _) = LIMITS[0];
        assert!(within_limit(name, (limit * 1e3) as usize).is_ok());
        let error = within_limit(name, (limit * 1e3) as usize + 1).unwrap_err().to_string();
        assert!(error.contains(name) && error.contains("the goal is 60 KB"), "{error}");
        assert!(within_limit("unknown.wasm", 1).is_err());
        assert!(LIMITS.iter().all(|(_, limit, goal)| goal <= limit));
    }
}
