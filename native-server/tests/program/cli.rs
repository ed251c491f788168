//! The program itself: what it prints, and how it refuses.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::{Command, Output, Stdio};

fn antiphon(args: &[&str]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon"));
    command
        .args(args)
        .env_remove("ANTIPHON_TOKEN")
        .env_remove("RUST_LOG")
        .env("ANTIPHON_DB", "memory")
        .output()
        .expect("the program runs")
}

/// One line on stderr that says what to do, nothing on stdout, exit code 2.
fn assert_refused(args: &[&str], hint: &str) {
    let Output { status, stdout, stderr } = antiphon(args);
    let stderr = String::from_utf8(stderr).unwrap();
    assert_eq!(status.code(), Some(2), "{args:?}: {stderr}");
    assert!(stdout.is_empty(), "{args:?}");
    assert_eq!(stderr.lines().count(), 1, "{args:?}: {stderr}");
    assert!(stderr.starts_with("antiphon: ") && stderr.contains(hint), "{args:?}: {stderr}");
}

#[test]
fn bad_input_is_refused_in_one_line() {
    assert_refused(&[], "antiphon serve");
    assert_refused(&["sing"], "sing");
    assert_refused(&["serve", "--colour", "red"], "--colour");
    assert_refused(&["serve", "--bind", "nowhere"], "--bind");
    assert_refused(&["serve", "--bind", "127.0.0.1:99999"], "--bind");
    assert_refused(&["serve", "--sample-rate", "fast"], "8000 to 192000");
    assert_refused(&["serve", "--sample-rate", "7999"], "8000 to 192000");
    assert_refused(&["serve", "--token", "two words"], "letters");
    assert_refused(&["serve", "--allow-origin", "example.org"], "https://host");
    assert_refused(&["serve", "--db", "mysql://host/songs"], "postgres://");
    assert_refused(&["serve", "--log-format", "xml"], "json");
    assert_refused(&["serve", "--device", "no such card"], "no such card");
    assert_refused(&["serve", "--null-device", "--page", "/no/such/directory"], "index.html");
    assert_refused(&["serve", "--null-device", "--bind", "0.0.0.0:0"], "--token");
    assert_refused(&["serve", "--null-device", "--bind", "203.0.113.1:8080", "--token", "x"], "--bind");
}

#[test]
fn limits_and_names_are_checked() {
    assert_refused(&["serve", "--max-connections", "0"], "1 to 1000000");
    assert_refused(&["serve", "--max-connections-per-address", "many"], "1 to 1000000");
    assert_refused(&["serve", "--allow-host", "http://studio.lan:8080"], "without scheme and port");
}

#[test]
fn wrong_certificates_and_keys_are_refused() {
    let directory = tempfile::tempdir().unwrap();
    let file = |name: &str, content: &str| {
        let path = directory.path().join(name);
        std::fs::write(&path, content).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let signed = rcgen::generate_simple_self_signed([String::from("localhost")]).unwrap();
    let cert = file("cert.pem", &signed.cert.pem());
    let key = file("key.pem", &signed.signing_key.serialize_pem());
    let other = file("other.pem", &rcgen::KeyPair::generate().unwrap().serialize_pem());
    let text = file("text.pem", "not PEM at all");
    let broken = file("broken.pem", "-----BEGIN CERTIFICATE-----\n!!!\n-----END CERTIFICATE-----\n");
    let refused = |cert: &str, key: &str, hint: &str| {
        assert_refused(&["serve", "--null-device", "--tls-cert", cert, "--tls-key", key], hint);
    };
    assert_refused(&["serve", "--tls-cert", &cert], "--tls-key");
    assert_refused(&["serve", "--tls-key", &key], "--tls-cert");
    refused("/no/such/cert.pem", &key, "/no/such/cert.pem");
    refused(&cert, "/no/such/key.pem", "/no/such/key.pem");
    refused(&text, &key, "holds no certificate");
    refused(&broken, &key, "is not PEM");
    refused(&cert, &cert, "holds no private key");
    refused(&cert, &other, "do not work together");
}

#[test]
fn missing_and_broken_midi_files_are_refused() {
    assert_refused(&["serve", "--composition", "/no/such/file.mid"], "/no/such/file.mid");
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("broken.mid");
    for (content, hint) in
        [(&b"RIFF"[..], "MThd"), (b"", "MThd"), (b"MThd\0\0\0\x06\0\x01\0\x02\x03\xc0MTrk", "broken.mid")]
    {
        std::fs::write(&path, content).unwrap();
        assert_refused(&["serve", "--null-device", "--composition", path.to_str().unwrap()], hint);
    }
    assert_refused(&["serve", "--composition", directory.path().to_str().unwrap()], "--composition");
}

#[test]
fn a_composition_is_rendered_to_wav_or_nothing_is_written() {
    let midi = concat!(env!("CARGO_MANIFEST_DIR"), "/../www/public/antiphon.mid");
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out.wav");
    let out_name = out.to_str().unwrap();
    for (bits, bytes_per_frame) in [("16", 4), ("24", 6), ("32", 8)] {
        let Output { status, stdout, .. } = antiphon(&[
            "render",
            midi,
            "-o",
            out_name,
            "--bits",
            bits,
            "--sample-rate",
            "8000",
            "--tail",
            "1",
        ]);
        assert!(status.success() && String::from_utf8_lossy(&stdout).contains("at 8000 Hz"), "{bits}");
        let wav = std::fs::read(&out).unwrap();
        assert_eq!((&wav[..4], &wav[8..12]), (&b"RIFF"[..], &b"WAVE"[..]));
        // The piece lasts a little more than 90 s.
        let seconds = wav.len() / bytes_per_frame / 8000;
        assert!((90..=92).contains(&seconds), "{seconds} s at {bits} bits");
        let loud = wav[wav.len() / 2..]
            .chunks(bytes_per_frame)
            .filter(|frame| frame.iter().any(|b| *b != 0))
            .count();
        assert!(loud > 100_000, "there is sound");
    }
    assert_refused(&["render", "/no/such/file.mid", "-o", out_name], "/no/such/file.mid");
    assert_refused(&["render", midi, "-o", "/no/such/folder/out.wav"], "/no/such/folder/out.wav");
    assert_refused(&["render", midi, "-o", out_name, "--bits", "20"], "16, 24 or 32");
    assert_refused(&["render", midi, "-o", out_name, "--tail=-1"], "0 to 600");
    assert_refused(&["render", midi, "-o", out_name, "--tail", "-1"], "0 to 600");
    assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 1, "nothing but the file is left");
}

#[test]
fn a_recording_is_rendered_through_the_engine() {
    let tone = concat!(env!("CARGO_MANIFEST_DIR"), "/../audio-files/tests/data/tone.flac");
    let directory = tempfile::tempdir().unwrap();
    let out = directory.path().join("out.wav");
    let rendered = antiphon(&["render", tone, "-o", out.to_str().unwrap(), "--bits", "32"]);
    assert!(rendered.status.success(), "{}", String::from_utf8_lossy(&rendered.stderr));
    let sound = audio_files::decode_bytes(std::fs::read(&out).unwrap(), None).unwrap();
    // 0.4 s at 44.1 kHz, as 48 kHz.
    assert!((19_200..19_800).contains(&sound.len()), "{} frames", sound.len());
    let peak = |side: usize| sound.channels[side].iter().fold(0f32, |peak, x| peak.max(x.abs()));
    assert!((peak(0) / peak(1) - 2.0).abs() < 0.05, "{} {}", peak(0), peak(1));
}

#[test]
fn a_port_in_use_is_refused() {
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    assert_refused(&["serve", "--null-device", "--bind", &address], "in use");
}

#[test]
fn help_and_version_are_no_failures() {
    for args in [&["--help"][..], &["serve", "--help"], &["--version"], &["devices"]] {
        let Output { status, stdout, .. } = antiphon(args);
        assert!(status.success() && !stdout.is_empty(), "{args:?}");
    }
}

#[test]
fn a_reader_that_goes_is_no_failure() {
    let tone = concat!(env!("CARGO_MANIFEST_DIR"), "/../audio-files/tests/data/tone.flac");
    for args in [&["devices"][..], &["analyze", tone, tone], &["analyze", "--json", tone]] {
        let (reader, writer) = std::io::pipe().unwrap();
        drop(reader);
        let ended = Command::new(env!("CARGO_BIN_EXE_antiphon")).args(args).stdout(writer).output().unwrap();
        let stderr = String::from_utf8_lossy(&ended.stderr);
        assert!(ended.status.success() && stderr.is_empty(), "{args:?}: {}: {stderr}", ended.status);
    }
}

#[cfg(unix)]
#[test]
fn a_new_database_is_told() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("songs/new.db");
    for is_new in [true, false] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon"));
        command.args(["serve", "--null-device", "--bind", "127.0.0.1:0", "--db", path.to_str().unwrap()]);
        let mut child = command.stdout(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut said = String::new();
        stdout.read_line(&mut said).unwrap();
        let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(killed.success() && child.wait().unwrap().success());
        stdout.read_to_string(&mut said).unwrap();
        let told = said.contains(&format!("A new database was made: {}", path.display()));
        assert_eq!(told, is_new, "{said}");
    }
}

#[cfg(unix)]
#[test]
fn it_says_when_it_is_ready_and_ends_when_it_is_told() {
    let midi = concat!(env!("CARGO_MANIFEST_DIR"), "/../www/public/antiphon.mid");
    let tone = concat!(env!("CARGO_MANIFEST_DIR"), "/../audio-files/tests/data/tone.ogg");
    for (args, expected) in [
        (
            &["--sample-rate", "44100"][..],
            "Antiphon plays \"Antiphon\" on the null device at 44100 Hz — http://127.0.0.1:",
        ),
        (
            &["--composition", midi, "--no-play"][..],
            "Antiphon has loaded \"antiphon\" on the null device at 48000 Hz — http://127.0.0.1:",
        ),
        (
            &["--composition", tone, "--no-play"][..],
            "Antiphon has loaded \"tone\" on the null device at 48000 Hz — http://127.0.0.1:",
        ),
    ] {
        let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon"));
        command.args(["serve", "--null-device", "--bind", "127.0.0.1:0", "--db", "memory"]).args(args);
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        stdout.read_line(&mut line).unwrap();
        assert!(line.starts_with(expected), "{line}");

        let address = line.trim().rsplit("http://").next().unwrap();
        let mut connection = TcpStream::connect(address).unwrap();
        write!(connection, "GET /api/playback HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n")
            .unwrap();
        let mut answer = String::new();
        connection.read_to_string(&mut answer).unwrap();
        let playing = format!("\"is_playing\":{}", !args.contains(&"--no-play"));
        assert!(answer.starts_with("HTTP/1.1 200") && answer.contains(&playing), "{answer}");

        let killed = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
        assert!(killed.success());
        assert!(child.wait().unwrap().success(), "SIGTERM ends it in peace");
        let mut stderr = String::new();
        child.stderr.take().unwrap().read_to_string(&mut stderr).unwrap();
        assert_eq!(stderr, "");
    }
}
