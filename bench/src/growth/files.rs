//! Long files through the program itself: a composition is rendered, and the recording analysed.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use engine_core::composition::midi::{FileType, export};
use engine_core::composition::{Clip, Instrument, Note, Track};
use engine_core::units::PPQ;

use crate::compare::{Line, Order, Table};
use crate::engine::composition;
use crate::server::process::{Usage, program};

/// Of sound. A file of two hours has 1.4 GB.
const MINUTES: [usize; 4] = [15, 30, 60, 120];
/// The kernel keeps the peak, so only what a process takes in its last moment is not seen.
const LOOK: Duration = Duration::from_millis(10);

pub fn run(table: &mut Table) {
    let folder = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/target/growth"));
    fs::create_dir_all(folder).expect("the target folder can be written");
    let (midi, wav) = (folder.join("long.mid"), folder.join("long.wav"));
    let mut used = Vec::new();
    for minutes in MINUTES {
        fs::write(&midi, pad(minutes as u32)).expect("the target folder can be written");
        let render =
            run_to_end(Command::new(program()).args(["render", "--bits", "16", "-o"]).args([&wav, &midi]));
        let analysis = run_to_end(Command::new(program()).arg("analyze").arg(&wav));
        used.push((minutes, [render, analysis]));
    }
    let _ = fs::remove_dir_all(folder);
    for (at, what) in ["render of a track into WAV", "analysis of a WAV file"].into_iter().enumerate() {
        let name = format!("{what}, processor time");
        let time = Line { name: &name, size: "minutes", unit: "s", order: Order::Linear };
        used.iter().for_each(|(minutes, usage)| table.point(&time, *minutes, vec![usage[at].cpu_seconds]));
        let name = format!("{what}, peak memory");
        let memory = Line { name: &name, size: "minutes", unit: "MB", order: Order::Constant };
        used.iter().for_each(|(minutes, usage)| table.point(&memory, *minutes, vec![usage[at].peak / 1e6]));
    }
}

/// Chords of two beats on a pad, for so many minutes at 120 bpm.
fn pad(minutes: u32) -> Vec<u8> {
    let n_beats = minutes * 120;
    let note = |beat: u32| Note {
        pitch: 45 + (beat / 2 % 24) as u8,
        velocity: 90,
        start: beat * PPQ,
        length: 2 * PPQ,
    };
    let clip = Clip::new(0, n_beats * PPQ, (0..n_beats - 2).step_by(2).map(note).collect());
    let track = Track { clips: vec![clip], ..Track::new("pad", Instrument::program(88)) };
    export(&composition(n_beats * PPQ, vec![track]), FileType::MultiTrack).expect("a short file")
}

/// What a process used by the time it has ended well.
fn run_to_end(command: &mut Command) -> Usage {
    let mut child = command.stdout(Stdio::null()).spawn().expect("the program runs");
    let mut peak = 0.0;
    let cpu_seconds = loop {
        // It cannot vanish: until it is waited for, an ended process keeps its times, but no memory.
        let usage = Usage::of(child.id());
        if usage.peak == 0.0 {
            break usage.cpu_seconds;
        }
        peak = usage.peak;
        thread::sleep(LOOK);
    };
    assert!(child.wait().expect("it ran").success(), "{command:?}");
    Usage { cpu_seconds, peak }
}
