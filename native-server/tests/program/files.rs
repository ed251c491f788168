//! Files that the program writes: whole or not at all, and readable as others are.

use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Command, Output, Stdio};

const MIDI: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../www/public/antiphon.mid");
const TONE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../audio-files/tests/data/tone.flac");

fn command(folder: &Path, args: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_antiphon"));
    command.args(args).current_dir(folder).env_remove("RUST_LOG").env_remove("ANTIPHON_DB");
    command
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn names(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name());
    names.map(|name| name.into_string().unwrap()).collect()
}

#[test]
fn files_have_the_permissions_that_others_have_and_keep_their_own() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    File::create(path("usual")).unwrap();
    File::create(path("kept.wav")).unwrap();
    fs::set_permissions(path("kept.wav"), PermissionsExt::from_mode(0o640)).unwrap();
    symlink("kept.wav", path("link.wav")).unwrap();
    for args in [
        &["render", TONE, "-o", "new.wav"][..],
        &["render", TONE, "-o", "link.wav"],
        &["analyze", TONE, "--spectrum", "new.png", "--overview", "new.dat"],
    ] {
        let ended = command(folder.path(), args).output().unwrap();
        assert!(ended.status.success(), "{args:?}: {}", String::from_utf8_lossy(&ended.stderr));
    }
    for name in ["new.wav", "new.png", "new.dat"] {
        assert_eq!(mode(&path(name)), mode(&path("usual")), "{name}");
    }
    assert_eq!(mode(&path("kept.wav")), 0o640);
    assert!(path("link.wav").is_symlink());
    assert_eq!(fs::read(path("kept.wav")).unwrap(), fs::read(path("new.wav")).unwrap());
}

#[test]
fn what_is_no_file_is_not_replaced() {
    let folder = tempfile::tempdir().unwrap();
    // Like a device: there, and neither a file nor a folder.
    let _socket = UnixListener::bind(folder.path().join("device.wav")).unwrap();
    for (out, hint) in [("device.wav", "no file"), (".", "no file"), ("none/out.wav", "No such file")] {
        let Output { status, stderr, .. } =
            command(folder.path(), &["render", TONE, "-o", out]).output().unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert_eq!(status.code(), Some(2), "{out}: {stderr}");
        assert!(stderr.contains(hint) && stderr.contains(out) && !stderr.contains(".tmp"), "{stderr}");
    }
    assert_eq!(names(folder.path()), ["device.wav"]);
}

#[test]
fn a_render_that_is_told_to_end_leaves_nothing() {
    for (name, number) in [("-INT", 2), ("-TERM", 15)] {
        let folder = tempfile::tempdir().unwrap();
        let mut child = command(folder.path(), &["render", MIDI, "-o", "out.wav", "--sample-rate", "192000"])
            .spawn()
            .unwrap();
        while names(folder.path()).is_empty() {
            assert!(child.try_wait().unwrap().is_none(), "it renders");
            std::thread::yield_now();
        }
        assert!(Command::new("kill").args([name, &child.id().to_string()]).status().unwrap().success());
        // Of the signal, so that a shell's loop ends too.
        assert_eq!(child.wait().unwrap().signal(), Some(number));
        assert!(names(folder.path()).is_empty(), "{:?}", names(folder.path()));
    }
}

#[test]
fn a_recording_that_is_cut_short_is_rendered_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let whole = folder.path().join("whole.wav");
    let rendered = command(folder.path(), &["render", TONE, "-o", "whole.wav"]).output().unwrap();
    assert!(rendered.status.success() && rendered.stderr.is_empty());
    let bytes = fs::read(whole).unwrap();
    fs::write(folder.path().join("half.wav"), &bytes[..bytes.len() / 2]).unwrap();
    let rendered = command(folder.path(), &["render", "half.wav", "-o", "out.wav"]).output().unwrap();
    let said = String::from_utf8(rendered.stderr).unwrap();
    assert!(rendered.status.success() && said.contains("half.wav") && said.contains("shorter"), "{said}");
}

#[test]
fn databases_may_have_any_name() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["my songs.db", "a[1]^b|c.db", "100 % ?#.db", "sub folder/Ünï.db"] {
        let args = ["serve", "--null-device", "--no-play", "--bind", "127.0.0.1:0", "--db", name];
        let mut child = command(folder.path(), &args).stdout(Stdio::piped()).spawn().unwrap();
        let mut said = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut said).unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
        assert!(said.starts_with("Antiphon has loaded"), "{name}: {said}");
        let head = fs::read(folder.path().join(name)).unwrap();
        assert!(head.starts_with(b"SQLite format 3"), "{name}");
    }
}
