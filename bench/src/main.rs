//! Antiphon against its peers. Prints a JSON object a line, one for each comparison; `cargo xtask bench` makes the
//! table of them.
//!
//! ```text
//! section ─▶ compare(case, ours, peer): runs in turn, A B A B … ─▶ median of the ratios ─▶ one row
//! ```
//! A section is a file and a line in [`SECTIONS`].

mod compare;
mod engine;
mod growth;
mod loudness;
mod server;
mod spectrum;

/// Sections by name, in the order of the table.
const SECTIONS: &[(&str, fn(&mut compare::Table))] = &[
    ("engine", engine::run),
    ("spectrum", spectrum::run),
    ("loudness", loudness::run),
    ("server", server::run),
    ("growth", growth::run),
];

fn main() {
    let wanted: Vec<String> = std::env::args().skip(1).collect();
    // The section `server` runs this program again, as the peer.
    if let [flag, kind] = &wanted[..]
        && flag == "--peer"
    {
        return server::peer::run(kind == "tuned");
    }
    for (name, run) in SECTIONS {
        if wanted.is_empty() || wanted.iter().any(|w| w == name) {
            run(&mut compare::Table::new(name));
        }
    }
}
