//! Reports of files: over REST, from the command line, and from the core, with the same numbers.

use std::io::Cursor;
use std::path::Path;
use std::process::{Command, Output};

use audio_files::{PcmAnalysis, decode_bytes};
use engine_core::analysis::report::{Report, ReportOptions};
use reqwest::Method;
use serde_json::Value;

use crate::common::{self, start};

const FLAC: &[u8] = include_bytes!("../../../audio-files/tests/data/tone.flac");
const OGG: &[u8] = include_bytes!("../../../audio-files/tests/data/tone.ogg");

/// A WAV file of floats, channels interleaved.
fn wav(n_channels: u16, samples: impl IntoIterator<Item = f32>) -> Vec<u8> {
    let mut file = Cursor::new(Vec::new());
    let spec = hound::WavSpec {
        channels: n_channels,
        sample_rate: 48_000,
        bits_per_sample: 32,
        sample_format: hound::SampleFormat::Float,
    };
    let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
    samples.into_iter().for_each(|x| writer.write_sample(x).unwrap());
    writer.finalize().unwrap();
    file.into_inner()
}

/// Noise from a fixed seed, in −1..1.
fn noise(n: usize) -> impl Iterator<Item = f32> {
    let mut x = 1u32;
    (0..n).map(move |_| {
        x ^= x << 13;
        x ^= x >> 17;
        x ^= x << 5;
        x.cast_signed() as f32 / 2_147_483_648.0
    })
}

fn analyze(folder: &Path, args: &[&str]) -> (Option<i32>, String, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon"));
    let output = command.arg("analyze").args(args).current_dir(folder).env_remove("RUST_LOG").output();
    let Output { status, stdout, stderr } = output.expect("the program runs");
    (status.code(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

#[tokio::test]
async fn program_server_and_core_give_the_same_numbers() {
    let server = start().await;
    let folder = tempfile::tempdir().unwrap();
    let surround = wav(6, noise(6 * 150_000));
    let options =
        "fft_size=1024&scale=octave&fraction=6&weighting=a&min_hz=50&max_hz=10000&window=blackman_harris";
    let parsed = ReportOptions {
        partial: Some(false),
        ..serde_json::from_value(serde_json::json!({
            "fft_size": 1024, "scale": "octave", "fraction": 6, "weighting": "a", "min_hz": 50.0, "max_hz": 10_000.0,
            "window": "blackman_harris",
        }))
        .unwrap()
    };
    for (name, file, query, options) in [
        ("tone.flac", FLAC.to_vec(), "", ReportOptions::default()),
        ("tone.ogg", OGG.to_vec(), options, parsed.clone()),
        ("surround.wav", surround.clone(), options, parsed),
    ] {
        std::fs::write(folder.path().join(name), &file).unwrap();
        let path = format!("/api/analysis?{query}");
        let response = server.request(Method::POST, &path).body(file.clone()).send().await.unwrap();
        let served = response.text().await.unwrap();

        let flags: Vec<String> = query
            .split_terminator('&')
            .map(|pair| format!("--{}", pair.replace('_', "-").replace("blackman-harris", "blackman_harris")))
            .collect();
        let args: Vec<&str> = [name, "--json"].into_iter().chain(flags.iter().map(String::as_str)).collect();
        let (code, printed, stderr) = analyze(folder.path(), &args);
        assert_eq!((code, stderr.as_str()), (Some(0), ""));

        // Samples of more than two channels are not what players hear, so the core gets them from the WAV file itself.
        let (rate, channels) = if name == "surround.wav" {
            let all: Vec<f32> = noise(6 * 150_000).collect();
            (48_000, (0..6).map(|ch| all.iter().skip(ch).step_by(6).copied().collect()).collect())
        } else {
            let audio = decode_bytes(file, None).unwrap();
            (audio.rate, audio.channels)
        };
        let mut core = PcmAnalysis::new(rate, channels.len(), 0, &options).unwrap();
        core.push(&channels);
        let report = core.finish().unwrap();
        assert!(report.loudness.integrated > -20.0, "{name}: {}", report.loudness.integrated);

        // The very text: every number to its last bit.
        assert!(served == serde_json::to_string(&report).unwrap(), "{name}: the server's");
        let mut printed: Value = serde_json::from_str(&printed).unwrap();
        assert_eq!(printed.as_object_mut().unwrap().remove("file").unwrap(), *name);
        assert!(printed == serde_json::from_str::<Value>(&served).unwrap(), "{name}: the program's");
        assert!(serde_json::from_str::<Report>(&served).unwrap() == report);
    }
}

#[tokio::test]
async fn what_cannot_be_measured_is_refused() {
    let server = start().await;
    let whole = wav(2, noise(96_000));
    let with = |at: usize, bytes: &[u8]| {
        let mut file = wav(2, noise(2_000));
        file[at..at + bytes.len()].copy_from_slice(bytes);
        file
    };
    for (query, file, word) in [
        ("", &b"this is no sound"[..], "known format"),
        ("", b"", "known format"),
        ("", &wav(2, []), "no sound"),
        ("", &whole[..whole.len() / 2], "partial=true"),
        ("", &FLAC[..FLAC.len() * 3 / 4], "partial=true"),
        // The size of the whole was never brought up to date.
        ("", &with(4, &[36, 0, 0, 0]), "partial=true"),
        // No channels, no rate, a rate beyond the analysis.
        ("", &with(22, &[0, 0]), ""),
        ("", &with(24, &[0; 4]), ""),
        ("", &with(24, &400_000u32.to_le_bytes()), "8000 to 192000"),
        ("", &wav(8, noise(800)), "1 to 6"),
        ("fft_size=1000", &whole, "power of two"),
        ("fft_size=x", &whole, "fft_size"),
        ("scale=cubic", &whole, "scale"),
        ("bands=0", &whole, "bands"),
        ("min_hz=30000", &whole, "min_hz"),
        ("size=4096", &whole, "size"),
    ] {
        let path = format!("/api/analysis?{query}");
        let problem = server.problem(server.request(Method::POST, &path).body(file.to_vec()), 422).await;
        let detail = problem["detail"].as_str().unwrap();
        assert!(detail.contains(word) && detail.len() > 10, "{query} {word}: {detail}");
    }
    let too_long = vec![0; (128 << 20) + 1];
    server.problem(server.request(Method::POST, "/api/analysis").body(too_long), 413).await;
    let half = whole[..whole.len() / 2].to_vec();
    let report = common::ok(server.request(Method::POST, "/api/analysis?partial=true").body(half)).await;
    assert_eq!(report["is_cut_short"], true);
    assert!(report["frames"].as_u64().unwrap() > 20_000, "{}", report["frames"]);
    assert_eq!(common::ok(server.request(Method::POST, "/api/analysis").body(whole)).await["frames"], 48_000);
}

/// Four hours of noise in 8 bits at 8 kHz, which takes longer to measure than any test waits.
fn hours() -> Vec<u8> {
    let n = 120 << 20;
    let mut file = Cursor::new(Vec::with_capacity(n + 44));
    let spec = hound::WavSpec {
        channels: 1,
        sample_rate: 8_000,
        bits_per_sample: 8,
        sample_format: hound::SampleFormat::Int,
    };
    let mut writer = hound::WavWriter::new(&mut file, spec).unwrap();
    noise(n).for_each(|x| writer.write_sample((x * 127.0) as i8).unwrap());
    writer.finalize().unwrap();
    file.into_inner()
}

#[tokio::test]
async fn when_all_places_are_taken_others_are_told_to_wait_and_who_goes_away_gives_his_back() {
    let server = start().await;
    let (long, short) = (bytes::Bytes::from(hours()), wav(2, noise(4_800)));
    // A core is left for the sound card.
    let n_places = std::thread::available_parallelism().map_or(1, |n| n.get()).saturating_sub(1).max(1);
    let analyses: Vec<_> = (0..n_places)
        .map(|_| {
            // Without the time limit of other requests: they are not to end by themselves.
            let request = server.http.post(server.url("/api/analysis")).body(long.clone());
            // The short ones below may be in the place when this one comes.
            tokio::spawn(async move {
                while request.try_clone().unwrap().send().await.unwrap().status() == 503 {}
            })
        })
        .collect();
    // Each attempt is an analysis of its own, of a tenth of a second.
    let attempt = || server.request(Method::POST, "/api/analysis").body(short.clone()).send();
    let busy = async {
        loop {
            let response = attempt().await.unwrap();
            match response.status().as_u16() {
                // The long files are still on their way.
                200 => {}
                _ => break response,
            }
        }
    };
    let busy = tokio::time::timeout(3 * common::LIMIT, busy).await.expect("all places are taken in time");
    assert_eq!(busy.headers()["retry-after"], "1");
    let problem = common::problem(busy, 503).await;
    assert_eq!(problem["type"], "/problems/busy");
    assert!(problem["detail"].as_str().unwrap().contains("other analyses"), "{problem}");

    assert!(analyses.iter().all(|analysis| !analysis.is_finished()), "they run");
    for analysis in &analyses {
        analysis.abort();
    }
    let free = async { while attempt().await.unwrap().status() != 200 {} };
    tokio::time::timeout(common::LIMIT, free).await.expect("nobody waits for them, so they end");
    for analysis in analyses {
        assert!(analysis.await.unwrap_err().is_cancelled());
    }
}

#[test]
fn good_files_are_reported_and_bad_ones_named() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("a.flac"), FLAC).unwrap();
    std::fs::write(at("bad.wav"), b"no sound at all").unwrap();
    std::fs::write(at("nan.wav"), wav(1, noise(48_000).map(|x| if x > 0.9 { f32::NAN } else { x }))).unwrap();
    let files = ["a.flac", "bad.wav", "nan.wav", "missing.ogg"];

    let (code, table, errors) = analyze(folder.path(), &files);
    assert_eq!(code, Some(2));
    let (good, bad) = (["a.flac", "nan.wav"], ["bad.wav", "missing.ogg"]);
    assert!(good.iter().all(|name| table.lines().any(|line| line == *name)), "{table}");
    assert!(
        table.contains("LUFS") && table.contains("dBTP") && table.contains("beyond +240 dBFS"),
        "{table}"
    );
    let lines: Vec<&str> = errors.lines().collect();
    assert_eq!(lines.len(), 2, "{errors}");
    assert!(bad.iter().all(|name| lines.iter().any(|line| line.starts_with(&format!("antiphon: {name}: ")))));

    let (code, json, _) = analyze(folder.path(), &[&files[..], &["--json"]].concat());
    assert_eq!(code, Some(2));
    let entries: Vec<Value> = serde_json::from_str(&json).unwrap();
    assert!(entries.iter().zip(files).all(|(entry, name)| entry["file"] == name));
    assert_eq!(entries.iter().filter(|entry| entry["error"].is_string()).count(), 2);
    assert!(entries[2]["bad_samples"].as_u64().unwrap() > 1_000);
    assert!(entries[2]["loudness"]["integrated"].as_f64().unwrap() > -20.0);

    let (code, json, errors) = analyze(folder.path(), &["bad.wav", "--json"]);
    assert_eq!((code, errors.lines().count()), (Some(2), 1));
    let entry: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(entry["file"], "bad.wav");
    assert!(entry["error"].as_str().is_some_and(|why| errors.contains(why)), "{entry}");
}

#[test]
fn pictures_and_waveform_data_are_written_whole_or_not_at_all() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    std::fs::write(at("a.flac"), FLAC).unwrap();
    std::fs::write(at("b.wav"), wav(2, noise(96_000))).unwrap();
    let names = || {
        let mut names: Vec<String> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    };
    for (args, hint) in [
        (&["a.flac", "b.wav", "--spectrum", "one.png"][..], "{name}"),
        (&["a.flac", "--spectrum", "x.svg", "--overview", "x.svg"], "another"),
        (&["b.wav", "--spectrum", "b.jpeg"], ".svg"),
        (&["b.wav", "--spectrum", "b.dat"], ".svg"),
        (&["b.wav", "--overview", "none/b.svg"], "none/b.svg"),
        (&["b.wav", "--fft-size", "100"], "power of two"),
        (&["b.wav", "--scale", "cubic"], "octave"),
    ] {
        let (code, _, errors) = analyze(folder.path(), args);
        assert!(
            code == Some(2) && errors.lines().count() == 1 && errors.contains(hint),
            "{args:?}: {errors}"
        );
    }
    assert_eq!(names(), ["a.flac", "b.wav"]);

    for (spectrum, overview) in [("{name}-s.png", "{name}-o.svg"), ("{name}-s.svg", "{name}-o.png")] {
        let args = ["a.flac", "b.wav", "--spectrum", spectrum, "--overview", overview];
        assert_eq!(analyze(folder.path(), &args).0, Some(0));
    }
    for name in ["a-s", "a-o", "b-s", "b-o"] {
        let file = std::fs::File::open(at(&format!("{name}.png"))).unwrap();
        let mut png = png::Decoder::new(std::io::BufReader::new(file)).read_info().unwrap();
        let mut pixels = vec![0; png.output_buffer_size().unwrap()];
        png.next_frame(&mut pixels).unwrap();
        // Axes and letters are black, the curve is blue.
        let (colours, _) = pixels.as_chunks::<3>();
        assert!(colours.iter().filter(|[r, g, b]| r < &60 && g < &60 && b < &60).count() > 300, "{name}");
        assert!(colours.iter().filter(|[r, _, b]| b.saturating_sub(*r) > 60).count() > 1_000, "{name}");
        let svg = std::fs::read_to_string(at(&format!("{name}.svg"))).unwrap();
        let axes =
            if name.ends_with('s') { ["Frequency, Hz", "Level, dBFS"] } else { ["Time, s", "Amplitude"] };
        assert!(svg.starts_with("<svg") && axes.iter().all(|axis| svg.contains(axis)), "{name}: {svg:.200}");
        assert!(svg.trim_end().ends_with("</svg>"));
    }

    assert_eq!(analyze(folder.path(), &["b.wav", "--overview", "b.dat"]).0, Some(0));
    assert_eq!(analyze(folder.path(), &["b.wav", "--overview", "b.json"]).0, Some(0));
    let dat = std::fs::read(at("b.dat")).unwrap();
    // Version 1, 16 bits, 48 kHz, 256 frames for a pair, 188 pairs.
    let words: Vec<u32> = dat[..20].as_chunks::<4>().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
    assert_eq!((words.as_slice(), dat.len()), (&[1, 0, 48_000, 256, 188][..], 20 + 4 * 188));
    let json: Value = serde_json::from_slice(&std::fs::read(at("b.json")).unwrap()).unwrap();
    assert_eq!((&json["length"], json["data"].as_array().unwrap().len()), (&188.into(), 376));
}
