//! The TypeScript types of everything that crosses the wire, from the Rust types themselves.

use std::any::TypeId;
use std::collections::{BTreeMap, HashSet};
use std::{env, fs};

use engine_core::analysis::report::{Report, ReportOptions};
use engine_core::composition::CompositionSpec;
use engine_core::protocol::{ClientMessage, StreamOptions, json, rest};
use serde_json::Value;
use ts_rs::{Config, TS, TypeVisitor};

const FILE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../src/types.gen.ts");

/// Declarations by name, of the visited types and all that they use.
struct Declarations {
    config: Config,
    seen: HashSet<TypeId>,
    by_name: BTreeMap<String, String>,
}

impl TypeVisitor for Declarations {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if !self.seen.insert(TypeId::of::<T>()) {
            return;
        }
        T::visit_dependencies(self);
        T::visit_generics(self);
        // Types without a path are those that TypeScript has itself.
        if T::output_path().is_some() {
            let file = T::export_to_string(&self.config).expect("our types can be exported");
            let is_ours = |line: &&str| !line.starts_with("import ") && !line.starts_with("// This file was");
            let declaration: Vec<_> = file.lines().filter(is_ours).collect();
            self.by_name.insert(T::name(&self.config), declaration.join("\n").trim().replace(" \n", "\n"));
        }
    }
}

fn rendered() -> String {
    let mut all = Declarations { config: Config::default(), seen: HashSet::new(), by_name: BTreeMap::new() };
    all.visit::<json::ServerMessage>();
    all.visit::<json::TransportFrame>();
    all.visit::<json::MetersFrame>();
    all.visit::<json::MeterLevels>();
    all.visit::<json::SpectrumFrame>();
    all.visit::<json::WaveformFrame>();
    all.visit::<json::AnalyticsFrame>();
    all.visit::<json::StereoFrame>();
    all.visit::<json::MusicFrame>();
    all.visit::<json::TriggerFrame>();
    all.visit::<json::AudioFrame>();
    all.visit::<ClientMessage>();
    all.visit::<StreamOptions>();
    all.visit::<CompositionSpec>();
    all.visit::<rest::SeekRequest>();
    all.visit::<rest::TempoRequest>();
    all.visit::<rest::LoopRequest>();
    all.visit::<rest::MetronomeRequest>();
    all.visit::<rest::ArmRequest>();
    all.visit::<rest::RecordRequest>();
    all.visit::<rest::TakeReport>();
    all.visit::<rest::LiveNote>();
    all.visit::<rest::MixerState>();
    all.visit::<rest::ChannelPatch>();
    all.visit::<rest::MasterPatch>();
    all.visit::<rest::CompositionPage>();
    all.visit::<rest::TrackPage>();
    all.visit::<rest::ClipPage>();
    all.visit::<rest::HistoryPage>();
    all.visit::<rest::SamplePage>();
    all.visit::<rest::Problem>();
    all.visit::<Report>();
    all.visit::<ReportOptions>();
    let inputs: Vec<String> = INPUTS.map(|name| input(name, &all.by_name[name])).into();
    let head = "// Generated from engine-core's types; do not edit.\n\
                // Regenerate: UPDATE=1 cargo test -p antiphon-wasm --test types";
    let declarations = all.by_name.into_values().chain(inputs).collect::<Vec<_>>().join("\n\n");
    format!("{head}\n\n{declarations}\n")
}

/// A composition and what it is made of.
const INPUTS: [&str; 13] = [
    "AudioClip",
    "Bus",
    "Clip",
    "CompositionSpec",
    "Compressor",
    "Delay",
    "Effect",
    "Instrument",
    "Master",
    "Reverb",
    "Send",
    "Track",
    "Zone",
];

/// The type of a request's body, `…Input`: what has a default may be left out. Answers have every field.
fn input(name: &str, declaration: &str) -> String {
    let document: Value =
        serde_json::from_str(include_str!("../../../native-server/openapi.json")).expect("JSON");
    let required = &document["components"]["schemas"][name]["required"];
    let is_required = |field: &str| required.as_array().is_some_and(|all| all.iter().any(|one| one == field));
    let mut body = String::new();
    let mut is_comment = false;
    for line in declaration.lines().skip_while(|line| !line.starts_with("export type")) {
        is_comment |= line.starts_with("/**");
        if !is_comment {
            let field = line.split_once(": ").map(|(field, _)| field).filter(|f| f.chars().all(is_word));
            let optional = field.filter(|field| name != "Effect" && !is_required(field));
            body += &if optional.is_some() { line.replacen(':', "?:", 1) } else { line.to_string() };
            body.push('\n');
        }
        is_comment &= !line.ends_with("*/");
    }
    // Whole words only: `Send` is no part of `Sends`.
    let mut renamed = String::new();
    for word in body.trim_end().split_inclusive(|c| !is_word(c)) {
        let (bare, rest) = word.split_at(word.find(|c| !is_word(c)).unwrap_or(word.len()));
        let suffix = if INPUTS.contains(&bare) { "Input" } else { "" };
        renamed += &format!("{bare}{suffix}{rest}");
    }
    format!("/** A {name} in a request's body: what has a default may be left out. */\n{renamed}")
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

#[test]
fn the_typescript_types_are_those_of_the_rust_types() {
    let rendered = rendered();
    if env::var_os("UPDATE").is_some() {
        fs::write(FILE, &rendered).expect("the file can be written");
    }
    let committed = fs::read_to_string(FILE).unwrap_or_default();
    assert!(
        rendered == committed,
        "src/types.gen.ts is out of date; run UPDATE=1 cargo test -p antiphon-wasm --test types"
    );
}
