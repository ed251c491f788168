//! Reports of files that somebody broke on purpose: no panic, and no more memory than a report needs.

use std::alloc::{GlobalAlloc, Layout, System};
use std::io::Cursor;
use std::sync::atomic::{AtomicUsize, Ordering};

use audio_files::FileAnalysis;
use engine_core::analysis::report::{Report, ReportOptions};

const FLAC: &[u8] = include_bytes!("data/tone.flac");
const MP3: &[u8] = include_bytes!("data/tone.mp3");
const OGG: &[u8] = include_bytes!("data/tone.ogg");

/// Bytes that are allocated, and the most that were.
static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

struct Measuring;

// SAFETY: the system's allocator does the work.
unsafe impl GlobalAlloc for Measuring {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let now = NOW.fetch_add(layout.size(), Ordering::Relaxed) + layout.size();
        MOST.fetch_max(now, Ordering::Relaxed);
        // SAFETY: the caller keeps `alloc`'s contract.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, at: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), Ordering::Relaxed);
        // SAFETY: the caller keeps `dealloc`'s contract.
        unsafe { System.dealloc(at, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Measuring = Measuring;

/// Room for the tables of a report, the decoders', and a file of ten minutes that a header promises.
const MAX_BYTES: usize = 64 << 20;

/// Half a second of a square wave in stereo.
fn wav() -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let spec = hound::WavSpec {
        channels: 2,
        sample_rate: 8_000,
        bits_per_sample: 16,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
    (0..8_000).for_each(|i| writer.write_sample(if i / 40 % 2 == 0 { 9_000i16 } else { -9_000 }).unwrap());
    writer.finalize().unwrap();
    file.into_inner()
}

fn report(file: Vec<u8>) -> Option<Report> {
    let options = ReportOptions { partial: Some(true), ..ReportOptions::default() };
    let mut analysis = FileAnalysis::new(file, None, &options).ok()?;
    while analysis.step().ok()? {
        assert!((0.0..=1.0).contains(&analysis.progress()));
    }
    analysis.finish().ok().map(|(report, _)| report)
}

#[test]
fn broken_files_are_survived() {
    let mut state = 11u32;
    let mut next = |limit: usize| {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (u64::from(state >> 4) as usize) % limit
    };
    let (mut n_reports, mut n_files) = (0, 0);
    for (name, whole) in [("wav", &wav()[..]), ("flac", FLAC), ("ogg", OGG), ("mp3", MP3)] {
        for _ in 0..150 {
            let mut file = whole.to_vec();
            for _ in 0..1 + next(6) {
                // Headers are the dangerous part.
                let at = if next(2) == 0 { next(100) } else { next(file.len()) };
                file[at] = [next(256) as u8, 0, 0xff, 0x7f][next(4)];
            }
            if next(3) == 0 {
                file.truncate(next(file.len()));
            }
            n_files += 1;
            let before = NOW.load(Ordering::Relaxed);
            MOST.store(before, Ordering::Relaxed);
            let Some(report) = report(file) else { continue };
            n_reports += 1;
            let taken = MOST.load(Ordering::Relaxed) - before;
            assert!(taken < MAX_BYTES, "{name}: {taken} bytes");
            assert!(is_sane(&report), "{name}: {:?}", report.loudness);
        }
    }
    assert!(n_reports > n_files / 3, "{n_reports} of {n_files}");
}

/// Every level is a number that is not below the floor.
fn is_sane(report: &Report) -> bool {
    let l = &report.loudness;
    let levels = [l.integrated, l.max_momentary, l.max_short_term, l.true_peak];
    let channels = report.channels.iter().flat_map(|ch| [ch.peak, ch.true_peak, ch.rms]);
    let mut all = levels.into_iter().chain(channels).chain(report.spectrum.mean.iter().copied());
    all.all(|db| db.is_finite() && db >= -120.0)
}
