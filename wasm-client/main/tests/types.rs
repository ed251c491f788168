//! The TypeScript types of everything that crosses the wire, from the Rust types themselves.

use std::any::TypeId;
use std::collections::{BTreeMap, HashSet};
use std::{env, fs};

use engine_core::composition::CompositionSpec;
use engine_core::protocol::{ClientMessage, StreamOptions, json, rest};
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
    all.visit::<ClientMessage>();
    all.visit::<StreamOptions>();
    all.visit::<CompositionSpec>();
    all.visit::<rest::SeekRequest>();
    all.visit::<rest::TempoRequest>();
    all.visit::<rest::LoopRequest>();
    all.visit::<rest::MetronomeRequest>();
    all.visit::<rest::MixerState>();
    all.visit::<rest::ChannelPatch>();
    all.visit::<rest::MasterPatch>();
    all.visit::<rest::CompositionPage>();
    all.visit::<rest::SamplePage>();
    all.visit::<rest::Problem>();
    let head = "// Generated from engine-core's types; do not edit.\n\
                // Regenerate: UPDATE=1 cargo test -p antiphon-wasm --test types";
    let declarations = all.by_name.into_values().collect::<Vec<_>>().join("\n\n");
    format!("{head}\n\n{declarations}\n")
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
