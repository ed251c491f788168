//! The command line: options, and failures in one line.

mod analyze;
mod log;
mod network;
mod relay;
mod render;
mod say;
mod whole_file;

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use async_nats::ServerAddr;
use bytes::Bytes;
use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Args, CommandFactory, Parser, Subcommand};
use engine_core::composition::{Composition, CompositionSpec};
use engine_core::units::SampleRate;
use uuid::Uuid;

use self::log::LogFormat;
use self::network::{NatsName, Network};
use self::say::say;
use crate::audio::{self, DeviceChoice, InputChoice};
use crate::midi_input::{self, MidiChoice};
use crate::priority::Priority;
use crate::relay::Bus;
use crate::server::{Config, Server, StartError};
use crate::services::{Opened, open_file};
use crate::store::Database;
use crate::ws::Timing;

/// What plays when nothing else is asked for.
const BUNDLED: &[u8] = include_bytes!("../../../www/public/antiphon.mid");
const BUNDLED_NAME: &str = "Antiphon";
/// Namespace of the ids of files (RFC 9562, section 6.6); drawn at random.
const FILES: Uuid = Uuid::from_u128(0x6d0c_5f0e_9a41_4b7c_8f0d_2b7e_51a9_c3d4);

/// Plays a composition and streams what it measures.
#[derive(Debug, Parser)]
#[command(name = "antiphon", version)]
struct Cli {
    #[command(subcommand)]
    command: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Plays, and serves page, REST and streams.
    Serve(Serve),
    /// Serves page, REST and streams of a server that is reached through NATS; holds nothing itself.
    Relay(relay::RelayArgs),
    /// Renders a Standard MIDI File, or a recording, to a WAV file.
    Render(render::RenderArgs),
    /// Measures audio files: loudness, peaks, spectrum, overview, key, tempo.
    Analyze(analyze::AnalyzeArgs),
    /// Lists what --device, --input-device and --midi-input take.
    Devices,
}

#[derive(Debug, Args)]
struct Serve {
    /// Address and port to listen on; beyond this machine only with --token.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8080", value_parser = network::address)]
    bind: SocketAddr,
    /// Output device, by a name that `antiphon devices` lists.
    #[arg(long, value_name = "NAME", conflicts_with = "null_device")]
    device: Option<String>,
    /// Input device, by a name that `antiphon devices` lists; default for the system's own, off for none.
    #[arg(long, value_name = "NAME|default|off", default_value = "off")]
    input_device: String,
    /// From what is played to what is recorded of it, through loudspeaker and microphone, 0 to 2000: recordings are moved
    /// back by it. What the devices say when absent.
    #[arg(long, value_name = "MS", value_parser = clap::value_parser!(u16).range(..=2000))]
    input_latency_ms: Option<u16>,
    /// MIDI inputs whose keys play the armed track: all, off, or those with this in their name.
    #[arg(long, value_name = "NAME|all|off", default_value = "all")]
    midi_input: String,
    /// No sound card: a device that only keeps time.
    #[arg(long)]
    null_device: bool,
    /// Frames per second, 8000 to 192000: the nearest that the device has; the device's own when absent.
    #[arg(long, value_name = "HZ", value_parser = sample_rate)]
    sample_rate: Option<SampleRate>,
    /// Where compositions and samples are kept: a file's path, postgres://user@host/database, or memory for nowhere; a
    /// file in your data directory when absent.
    #[arg(long, env = "ANTIPHON_DB", hide_env_values = true, value_name = "DATABASE")]
    db: Option<Database>,
    /// A Standard MIDI File or a recording (WAV, AIFF, FLAC, MP3, OGG) to play, instead of what was loaded the last
    /// time or the bundled composition.
    #[arg(long, value_name = "FILE")]
    composition: Option<PathBuf>,
    #[command(flatten)]
    network: Network,
    /// Publishes to relays through this NATS, nats://host:4222; several of one cluster with commas between.
    #[arg(long, env = "ANTIPHON_NATS", hide_env_values = true, value_name = "URL", value_delimiter = ',',
        value_parser = Bus::server)]
    nats: Vec<ServerAddr>,
    #[command(flatten)]
    nats_name: NatsName,
    /// Mounts /api/ws/echo, which sends messages back, for WebSocket conformance suites.
    #[arg(long)]
    dev_echo: bool,
    /// Keeps meters, loudness and spectra of the last ten minutes, for /api/recorder.
    #[arg(long, value_name = "on|off", default_value = "on", action = clap::ArgAction::Set, value_parser = switch)]
    recorder: bool,
    /// Loads the composition, but waits for play.
    #[arg(long)]
    no_play: bool,
    /// Leaves sound and streams at normal priority, where the system would give them real-time priority.
    #[arg(long)]
    no_realtime: bool,
    /// How the log looks, on stderr: text with warnings, or json with every request. RUST_LOG chooses otherwise.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t = LogFormat::Text)]
    log_format: LogFormat,
}

fn sample_rate(text: &str) -> Result<SampleRate, String> {
    let rate = text.parse().ok().and_then(SampleRate::new);
    rate.ok_or_else(|| String::from("use a whole number from 8000 to 192000"))
}

fn switch(text: &str) -> Result<bool, String> {
    match text.to_ascii_lowercase().as_str() {
        "on" | "true" | "yes" | "1" => Ok(true),
        "off" | "false" | "no" | "0" => Ok(false),
        _ => Err(String::from("use on or off")),
    }
}

/// Why the program ends without having run. One line, which says what to do.
#[derive(Debug)]
pub struct Failure(String);

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut lines = self.0.lines().map(str::trim).filter(|line| !line.is_empty());
        f.write_str(lines.next().unwrap_or("unknown failure"))?;
        lines.try_for_each(|line| write!(f, " {line}"))
    }
}

impl From<StartError> for Failure {
    fn from(error: StartError) -> Self {
        Self(error.to_string())
    }
}

/// Runs the program.
///
/// # Errors
/// Bad options, or a server that cannot start.
pub fn run(args: impl IntoIterator<Item = std::ffi::OsString>) -> Result<(), Failure> {
    let args: Vec<std::ffi::OsString> = args.into_iter().collect();
    let cli = match Cli::try_parse_from(&args) {
        Ok(cli) => cli,
        Err(error) if matches!(error.kind(), ErrorKind::DisplayHelp | ErrorKind::DisplayVersion) => {
            let _ = error.print();
            return Ok(());
        }
        Err(error) if error.kind() == ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand => {
            return Err(Failure(String::from(
                "say what to do: `antiphon serve`, `antiphon relay`, `antiphon render`, `antiphon analyze` or `antiphon devices`",
            )));
        }
        Err(error) => return Err(Failure(one_line(&error, &args))),
    };
    log::start(match &cli.command {
        What::Serve(options) => options.log_format,
        What::Relay(options) => options.log_format,
        _ => LogFormat::Text,
    });
    match cli.command {
        What::Serve(options) => serve(&options),
        What::Relay(options) => relay::run(&options),
        What::Render(args) => render::run(&args),
        What::Analyze(args) => analyze::run(&args),
        What::Devices => {
            say(device_table(&audio::list(), &audio::list_inputs(), &midi_input::list())).map(drop)
        }
    }
}

/// Options whose values hold secrets, also when they are mistyped: they come from the environment into logs.
const SECRET: [&str; 3] = ["--token ", "--nats ", "--db "];

/// clap explains in paragraphs; its first one says what is wrong.
fn one_line(error: &clap::Error, args: &[std::ffi::OsString]) -> String {
    let text = error.render().to_string();
    let first: Vec<&str> = text.lines().take_while(|line| !line.trim().is_empty()).map(str::trim).collect();
    let what = first.join(" ");
    let mut what = what.strip_prefix("error: ").unwrap_or(&what).to_string();
    if let (Some(ContextValue::String(option)), Some(ContextValue::String(value))) =
        (error.get(ContextKind::InvalidArg), error.get(ContextKind::InvalidValue))
        && SECRET.iter().any(|secret| option.starts_with(secret))
    {
        what = what.replacen(&format!("'{value}' "), "", 1);
    }
    let program = Cli::command();
    let command = args.get(1).and_then(|name| program.find_subcommand(name));
    let help = command.map_or(String::from("help"), |command| format!("{} --help", command.get_name()));
    format!("{what}; `antiphon {help}` lists what there is")
}

fn device_table(
    outputs: &[audio::DeviceListing],
    inputs: &[audio::DeviceListing],
    midi_inputs: &[String],
) -> String {
    let devices = |devices: &[audio::DeviceListing], mark: &str| -> Vec<String> {
        let width = devices.iter().map(|device| device.name.chars().count()).max().unwrap_or(0);
        let line = |device: &audio::DeviceListing| {
            let mark = if device.is_default { mark } else { "" };
            format!("{:width$}  {}{mark}", device.name, device.description)
        };
        devices.iter().map(line).collect()
    };
    let part = |title: &str, lines: &[String], none: &str| {
        let lines = if lines.is_empty() { String::from(none) } else { lines.join("\n  ") };
        format!("{title}:\n  {lines}\n")
    };
    let outputs = devices(outputs, " (plays without --device)");
    let inputs = devices(inputs, " (--input-device default)");
    let none = "none; `antiphon serve` plays into the null device";
    part("Outputs (--device)", &outputs, none)
        + &part("Inputs (--input-device)", &inputs, "none")
        + &part("MIDI inputs (--midi-input)", midi_inputs, "none")
}

fn serve(options: &Serve) -> Result<(), Failure> {
    options.network.check(options.bind)?;
    let listener = options.network.listener()?;
    let opened = match &options.composition {
        Some(path) => open(path, "to --composition")?,
        None => {
            let bundled = Bytes::from_static(BUNDLED);
            let opened = open_file(bundled.clone(), BUNDLED_NAME, None).map_err(|error| {
                Failure(format!("the bundled composition is broken ({error}); use --composition FILE"))
            })?;
            identified(opened, &bundled)
        }
    };
    let database = match &options.db {
        Some(database) => database.clone(),
        None => Database::default_file().ok_or_else(|| {
            Failure(String::from(
                "there is no home directory to keep compositions in; choose a place with --db",
            ))
        })?,
    };
    let config = Config {
        bind: options.bind,
        database,
        resume: options.composition.is_none(),
        device: match &options.device {
            _ if options.null_device => DeviceChoice::Null,
            Some(name) => DeviceChoice::Named(name.clone()),
            None => DeviceChoice::Default,
        },
        rate: options.sample_rate,
        input: match options.input_device.as_str() {
            "off" => InputChoice::Off,
            "default" => InputChoice::Default,
            name => InputChoice::Named(name.to_string()),
        },
        input_latency: options.input_latency_ms.map(|ms| Duration::from_millis(ms.into())),
        midi: match options.midi_input.as_str() {
            "off" => MidiChoice::Off,
            "all" => MidiChoice::All,
            name => MidiChoice::Named(name.to_string()),
        },
        opened,
        play: !options.no_play,
        access: options.network.access(),
        page: options.network.page(),
        recorder: options.recorder,
        priority: if options.no_realtime { Priority::Normal } else { Priority::RealTime },
        timing: Timing::default(),
        listener,
        nats: (!options.nats.is_empty()).then(|| options.nats_name.options(&options.nats)),
        has_echo: options.dev_echo,
    };
    let scheme = options.network.scheme();
    // A path that was mistyped begins with nothing: it has to be seen.
    let new_file = match &config.database {
        Database::File(path) if !path.exists() => Some(std::path::absolute(path).unwrap_or(path.clone())),
        _ => None,
    };
    runtime()?.block_on(async {
        let mut signals = Signals::new();
        let server = Server::start(config).await?;
        let device = server.device();
        let what = match server.loaded() {
            Some(name) if server.is_playing() => format!("plays \"{name}\""),
            Some(name) => format!("has loaded \"{name}\""),
            None => String::from("has loaded nothing"),
        };
        let (name, hz, address) = (device.name, device.rate.hz(), server.address());
        say(format_args!("Antiphon {what} on {name} at {hz} Hz — {scheme}://{address}\n"))?;
        if let Some(path) = new_file {
            say(format_args!("A new database was made: {}\n", path.display()))?;
        }
        signals.next().await;
        tokio::select! {
            () = server.shutdown() => Ok(()),
            // Who asks twice does not want to wait for requests. What was acknowledged is safe anyway.
            () = signals.next() => Err(Failure(String::from("ended before all requests were answered"))),
        }
    })
}

fn runtime() -> Result<tokio::runtime::Runtime, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build();
    runtime.map_err(|error| Failure(format!("the system refuses threads ({error}); free some memory")))
}

/// Gives a file's composition an id of its content: the same file is the same composition at every start.
fn identified(Opened { composition, samples }: Opened, file: &[u8]) -> Opened {
    let spec = CompositionSpec { id: Uuid::new_v5(&FILES, file), ..composition.clone().into_spec() };
    Opened { composition: Composition::new(spec).unwrap_or(composition), samples }
}

/// Reads a MIDI file or a recording; `place` says in errors where another one would go.
fn open(path: &Path, place: &str) -> Result<Opened, Failure> {
    let shown = path.display();
    let bytes = std::fs::read(path).map_err(|error| {
        Failure(format!("cannot read {shown} ({error}); give the path of a MIDI or audio file {place}"))
    })?;
    let name: String =
        path.file_stem().map(|stem| stem.to_string_lossy()).unwrap_or_default().chars().take(200).collect();
    let file = Bytes::from(bytes);
    let opened = open_file(file.clone(), if name.is_empty() { "Untitled" } else { &name }, None);
    let opened = opened
        .map_err(|error| Failure(format!("{shown} cannot be played: {error}; give another file {place}")))?;
    if opened.samples.iter().any(|sample| sample.info.is_damaged) {
        tracing::warn!("{shown} is damaged, or shorter than it says; what there is of it plays");
    }
    Ok(identified(opened, &file))
}

/// Ctrl-C and SIGTERM. Both are caught from the start on, not from the first wait.
struct Signals {
    #[cfg(unix)]
    both: [std::io::Result<tokio::signal::unix::Signal>; 2],
}

impl Signals {
    fn new() -> Self {
        #[cfg(unix)]
        use tokio::signal::unix::{SignalKind, signal};
        Self {
            #[cfg(unix)]
            both: [signal(SignalKind::terminate()), signal(SignalKind::interrupt())],
        }
    }

    async fn next(&mut self) {
        #[cfg(unix)]
        if let [Ok(terminate), Ok(interrupt)] = &mut self.both {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = interrupt.recv() => {}
            }
            return;
        }
        let _ = tokio::signal::ctrl_c().await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_options_are_consistent() {
        Cli::command().debug_assert();
        assert!(open_file(Bytes::from_static(BUNDLED), BUNDLED_NAME, None).is_ok());
    }

    #[test]
    fn only_this_machine_is_served_by_default() {
        let Ok(Cli { command: What::Serve(options) }) = Cli::try_parse_from(["antiphon", "serve"]) else {
            panic!("no option is needed")
        };
        assert!(options.bind.ip().is_loopback() && !options.dev_echo);
        assert!(options.network.access().origins.is_empty());
    }

    #[test]
    fn the_service_takes_the_options_that_its_document_gives() {
        let service = include_str!("../../../deploy/antiphon.service");
        let document = include_str!("../../../docs/deploy.md");
        let start = service.lines().find_map(|line| line.strip_prefix("ExecStart=")).unwrap();
        let given: Vec<&str> =
            document.lines().filter_map(|line| line.strip_prefix("ANTIPHON_ARGS=")).collect();
        assert!(!given.is_empty());
        for options in given {
            let line = start.replace("$ANTIPHON_ARGS", options);
            assert!(Cli::try_parse_from(line.split_whitespace()).is_ok(), "{line}");
        }
    }

    #[test]
    fn refusals_name_the_command_and_no_secret() {
        let refusal = |args: &[&str]| run(args.iter().map(Into::into)).expect_err("refused").to_string();
        for command in ["serve", "relay", "render", "analyze", "devices"] {
            let said = refusal(&["antiphon", command, "--colour"]);
            assert!(said.ends_with(&format!("`antiphon {command} --help` lists what there is")), "{said}");
        }
        assert!(refusal(&["antiphon", "sing"]).ends_with("`antiphon help` lists what there is"));
        for (option, value) in [
            ("--token", "hunter2/=="),
            ("--nats", "http://me:hunter2@host"),
            ("--db", "mysql://me:hunter2@host/songs"),
        ] {
            let said = refusal(&["antiphon", "serve", option, value]);
            assert!(!said.contains("hunter2") && said.contains(option), "{said}");
        }
    }

    #[test]
    fn every_bad_option_is_one_line() {
        for args in [
            &["antiphon"][..],
            &["antiphon", "sing"],
            &["antiphon", "serve", "--colour", "red"],
            &["antiphon", "serve", "--bind", "nowhere"],
            &["antiphon", "serve", "--bind"],
            &["antiphon", "serve", "--sample-rate", "12"],
            &["antiphon", "serve", "--device", "x", "--null-device"],
            &["antiphon", "serve", "--recorder", "perhaps"],
            &["antiphon", "serve", "--bind", "localhost:8080"],
            &["antiphon", "serve", "--allow-origin", "example.org"],
            &["antiphon", "serve", "--bind", "0.0.0.0:0"],
            &["antiphon", "serve", "--composition", "/no/such/file.mid"],
            &["antiphon", "serve", "--page", "/no/such/dir"],
            &["antiphon", "serve", "--db", "mysql://host/songs"],
            &["antiphon", "serve", "--nats", "http://127.0.0.1:4222"],
            &["antiphon", "serve", "--nats", "nats://"],
            &["antiphon", "serve", "--nats", "nats://127.0.0.1", "--nats-name", "a.b"],
            &["antiphon", "relay"],
            &["antiphon", "relay", "--nats", "nats://host:port"],
            &["antiphon", "relay", "--nats", "nats://127.0.0.1", "--bind", "0.0.0.0:0"],
            &["antiphon", "relay", "--nats", "nats://127.0.0.1", "--nats-creds", "/no/such/file"],
        ] {
            let failure = run(args.iter().map(Into::into)).expect_err("refused").to_string();
            assert!(!failure.contains('\n') && failure.len() > 20, "{args:?}: {failure}");
        }
    }
}
