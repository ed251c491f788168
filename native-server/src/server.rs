//! A server, put together: audio, publisher, services, network.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use engine_core::control::{Command, PlayState};
use engine_core::units::{QUANTUM, SampleRate};
use prometheus_client::collector::Collector;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api::{self, AccessRules, App, Metrics, Page, Parts, Places};
use crate::audio::{
    self, AudioError, AudioStats, DeviceChoice, DeviceInfo, Input, InputChoice, Keeper, Renderer,
};
use crate::listener;
use crate::midi_input::{Keyboard, MidiChoice, MidiInputs};
use crate::priority::Priority;
use crate::publisher::{FlightRecorder, Publisher, StreamStats, unix_ms};
use crate::relay::{self, Bus, NatsError, NatsOptions};
use crate::services::{
    CompositionStateService, Label, LivePlayer, MixerService, Opened, PlaybackEngineService, Precondition,
    RecordingService, SampleService, ServiceError,
};
use crate::store::{self, Database, Loaded, OpenError};
use crate::ws::{Local, Timing, WebSocketManager};

/// Quanta that may wait for the publisher, besides two callbacks' worth: a quarter of a second.
const POOL_PER_SECOND: u32 = 4;

/// What a server is made of.
#[derive(Clone, Debug)]
pub struct Config {
    /// Where it listens; port 0 takes any.
    pub bind: SocketAddr,
    /// What plays.
    pub device: DeviceChoice,
    /// Frames per second; the device's own when absent.
    pub rate: Option<SampleRate>,
    /// What is recorded, at the same rate.
    pub input: InputChoice,
    /// How late the input is against what is played; `None` for what the devices say.
    pub input_latency: Option<Duration>,
    /// MIDI inputs that play the armed track.
    pub midi: MidiChoice,
    /// Where the state is kept.
    pub database: Database,
    /// Goes on with what was loaded when the server ended the last time, from its start, and not with `opened`.
    pub resume: bool,
    /// What is loaded and looped, with the samples that it needs. When the database has it already, it is taken from
    /// there, with its changes.
    pub opened: Opened,
    /// Whether it plays at once.
    pub play: bool,
    /// Who may use it.
    pub access: AccessRules,
    /// Files of the page, instead of the embedded ones.
    pub page: Option<PathBuf>,
    /// How the threads of sound and streams are scheduled.
    pub priority: Priority,
    /// Whether the last ten minutes are kept.
    pub recorder: bool,
    /// How long a stream may be silent or stuck.
    pub timing: Timing,
    /// How connections are taken.
    pub listener: listener::Options,
    /// Where relays get frames and send requests.
    pub nats: Option<NatsOptions>,
    /// Whether to mount the echo that conformance suites drive.
    pub has_echo: bool,
}

/// Why a server did not start. The text says what to do.
#[derive(Debug)]
pub enum StartError {
    /// The address cannot be bound.
    Bind(SocketAddr, std::io::Error),
    /// The database cannot be opened.
    Database(OpenError),
    /// There is no sound.
    Audio(AudioError),
    /// The composition cannot be loaded.
    Composition(ServiceError),
    /// NATS refuses us.
    Nats(NatsError),
    /// The system refuses a thread.
    System(std::io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bind(address, error) if error.kind() == std::io::ErrorKind::AddrInUse => write!(
                f,
                "{address} is in use by another program; stop it, or choose another port with --bind {}:{}",
                address.ip(),
                address.port().wrapping_add(1).max(1024)
            ),
            Self::Bind(address, error) => {
                write!(
                    f,
                    "cannot listen on {address} ({error}); choose an address of this machine with --bind"
                )
            }
            Self::Database(error) => error.fmt(f),
            Self::Audio(error) => error.fmt(f),
            Self::Composition(error) => {
                write!(f, "{error}; load another with --composition, or use another --db")
            }
            Self::Nats(error) => error.fmt(f),
            Self::System(error) => {
                write!(f, "the system refuses a thread ({error}); free some memory and try again")
            }
        }
    }
}

impl std::error::Error for StartError {}

/// A server that runs.
pub struct Server {
    address: SocketAddr,
    audio: Arc<Keeper>,
    publisher: Publisher,
    compositions: Arc<CompositionStateService>,
    playback: Arc<PlaybackEngineService>,
    shutdown: watch::Sender<bool>,
    network: JoinHandle<()>,
}

impl Server {
    /// Starts a server. It listens, and its composition is loaded, when this returns.
    ///
    /// # Errors
    /// See [`StartError`]; nothing runs then.
    pub async fn start(config: Config) -> Result<Self, StartError> {
        // The port first: it is what fails most often, and nothing has to be undone then.
        let listener = listener::bind(config.bind).map_err(|error| StartError::Bind(config.bind, error))?;
        Self::start_on(listener, config).await
    }

    async fn start_on(listener: TcpListener, config: Config) -> Result<Self, StartError> {
        let address = listener.local_addr().map_err(|error| StartError::Bind(config.bind, error))?;
        let bus = match &config.nats {
            Some(options) => {
                let bus = Bus::connect(options).await.map_err(StartError::Nats)?;
                relay::check_name(&bus).await.map_err(StartError::Nats)?;
                Some(bus)
            }
            None => None,
        };
        let stores = store::open(&config.database).await.map_err(StartError::Database)?;
        let device = audio::open(&config.device, config.rate).map_err(StartError::Audio)?;
        let DeviceInfo { rate, buffer_frames, .. } = *device.info();
        let n_quanta = (rate.hz() / POOL_PER_SECOND + 2 * buffer_frames) as usize / QUANTUM;
        let (engine, render_ends, publisher_ends) = audio::connect(n_quanta);
        let (engine, audio_stats) = (Arc::new(engine), Arc::<AudioStats>::default());
        if let Some(latency) = config.input_latency {
            audio_stats.round_trip.set(latency);
        }
        let mut renderer = Renderer::new(rate, render_ends, audio_stats.clone());
        renderer.set_priority(config.priority);
        let input = Input::start(config.input, rate, audio_stats.clone(), config.priority)
            .map_err(StartError::System)?;
        let input = input.map(|(input, frames)| {
            renderer.feed(frames);
            Arc::new(input)
        });
        let (choice, or_null) = (config.device.clone(), config.device == DeviceChoice::Default);
        let keeper = Keeper::start(device, move || audio::reopen(&choice, rate), or_null, renderer);
        let keeper = Arc::new(keeper.map_err(StartError::Audio)?);
        let streams = Arc::<StreamStats>::default();
        let named = keeper.clone();
        let device_name = Box::new(move || named.info().name);
        let recorder = config.recorder.then(|| Arc::new(FlightRecorder::new(rate)));
        let publisher = Publisher::start(
            rate,
            publisher_ends,
            audio_stats.clone(),
            streams.clone(),
            device_name,
            recorder.clone(),
            config.priority,
        );
        let publisher = publisher.map_err(StartError::System)?;

        let (shutdown, is_down) = watch::channel(false);
        let epoch = epoch();
        let samples = Arc::new(SampleService::new(stores.samples, rate));
        let compositions = CompositionStateService::new(
            stores.compositions,
            samples.clone(),
            engine.clone(),
            publisher.clone(),
            rate,
        );
        let compositions = Arc::new(compositions);
        let parts = Parts {
            streams: streams.clone(),
            audio: audio_stats.clone(),
            engine: engine.clone(),
            compositions: compositions.clone(),
        };
        let mut collectors: Vec<Box<dyn Collector>> = vec![Box::new(parts)];
        collectors.extend(bus.iter().map(|bus| Box::new(bus.clone()) as Box<dyn Collector>));
        let metrics = Metrics::new(collectors);
        let origin = Arc::new(Local { publisher: publisher.clone(), engine: engine.clone(), epoch });
        let (midi_engine, midi_publisher) = (engine.clone(), publisher.clone());
        let keyboard = move || {
            let player = LivePlayer::new(midi_engine.clone(), midi_publisher.clone());
            Keyboard::new(player, midi_publisher.clone())
        };
        let midi = Arc::new(MidiInputs::start(config.midi, keyboard).map_err(StartError::System)?);
        let recording = RecordingService::new(
            compositions.clone(),
            samples.clone(),
            engine.clone(),
            publisher.clone(),
            audio_stats,
            rate,
        );
        let playback =
            PlaybackEngineService::new(compositions.clone(), engine.clone(), publisher.clone(), recording);
        let playback = Arc::new(playback);
        let app = App {
            playback: playback.clone(),
            mixer: Arc::new(MixerService::new(compositions.clone())),
            sockets: Arc::new(WebSocketManager::new(origin.clone(), streams, config.timing, is_down.clone())),
            compositions: compositions.clone(),
            samples,
            publisher: publisher.clone(),
            recorder,
            audio: keeper.clone(),
            asked_rate: config.rate,
            input,
            midi,
            metrics: Arc::new(metrics),
            epoch,
            tickets: Arc::default(),
            places: Places::default(),
            has_echo: config.has_echo,
        };
        load_first(&app, config.opened, config.play, config.resume).await.map_err(StartError::Composition)?;
        if let Some(bus) = bus {
            tokio::spawn(relay::serve(bus, origin, api::unguarded(app.clone()), is_down.clone()));
        }
        let router = api::router(app, config.access, Page::new(config.page));
        let network = tokio::spawn(listener::run(listener, router, config.listener, is_down));
        Ok(Self { address, audio: keeper, publisher, compositions, playback, shutdown, network })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The device that plays.
    pub fn device(&self) -> DeviceInfo {
        self.audio.info()
    }

    /// Name of the composition that is loaded.
    pub fn loaded(&self) -> Option<String> {
        Some(self.compositions.loaded().ok()?.composition.name.clone())
    }

    /// Whether it plays, as far as the engine has reported.
    pub fn is_playing(&self) -> bool {
        matches!(self.publisher.state().transport.state, PlayState::Playing)
    }

    /// Closes every socket with 1001, lets requests finish for a moment, closes the database and stops the sound.
    pub async fn shutdown(self) {
        let Self { audio, publisher, compositions, playback, shutdown, network, .. } = self;
        shutdown.send_replace(true);
        let _ = network.await;
        // Sessions hold a sender's receiver each: when all are gone, every socket was closed.
        let _ = tokio::time::timeout(Duration::from_secs(3), shutdown.closed()).await;
        playback.finish().await;
        compositions.close().await;
        let _ = tokio::task::spawn_blocking(move || {
            publisher.stop();
            drop(audio);
        })
        .await;
    }
}

async fn load_first(app: &App, opened: Opened, play: bool, resume: bool) -> Result<(), ServiceError> {
    let compositions = &app.compositions;
    let last = if resume { compositions.last_loaded().await? } else { Loaded::Never };
    let stored = match last {
        Loaded::Composition(id) => compositions.get(id).await?,
        // It was removed on purpose.
        Loaded::Nothing => return Ok(()),
        Loaded::Never => match compositions.get(opened.composition.id).await {
            Err(ServiceError::NotFound(_)) => {
                for sample in opened.samples {
                    app.samples.put(sample).await?;
                }
                let spec = opened.composition.into_spec();
                compositions.create(spec, Label::new("imported")).await?
            }
            found => found?,
        },
    };
    let end = stored.composition.length;
    let mut then = Vec::new();
    if end > 0 {
        then.push(Command::SetLoop { enabled: true, start: 0, end });
    }
    if play {
        then.push(Command::Play);
    }
    app.compositions.load(stored.id(), &Precondition::None, &then).await.map(drop)
}

/// A number that differs from that of the server before: seconds since 1970, folded.
fn epoch() -> u16 {
    let seconds = (unix_ms() / 1e3) as u64;
    (seconds ^ (seconds >> 16)) as u16
}
