//! A server, put together: audio, publisher, services, network.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use engine_core::control::Command;
use engine_core::units::{QUANTUM, SampleRate};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::api::{self, AccessRules, App, Page};
use crate::audio::{self, AudioError, AudioStats, DeviceChoice, DeviceInfo, Keeper, Renderer};
use crate::listener;
use crate::publisher::{Publisher, StreamStats, unix_ms};
use crate::services::{
    CompositionStateService, MixerService, Opened, PlaybackEngineService, SampleService, ServiceError,
};
use crate::store::{MemorySamples, MemoryStore};
use crate::ws::{Timing, WebSocketManager};

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
    /// What is loaded and looped, with the samples that it needs.
    pub opened: Opened,
    /// Whether it plays at once.
    pub play: bool,
    /// Who may use it.
    pub access: AccessRules,
    /// Files of the page, instead of the embedded ones.
    pub page: Option<PathBuf>,
    /// How long a stream may be silent or stuck.
    pub timing: Timing,
}

/// Why a server did not start. The text says what to do.
#[derive(Debug)]
pub enum StartError {
    /// The address cannot be bound.
    Bind(SocketAddr, std::io::Error),
    /// There is no sound.
    Audio(AudioError),
    /// The composition cannot be loaded.
    Composition(ServiceError),
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
            Self::Audio(error) => error.fmt(f),
            Self::Composition(error) => error.fmt(f),
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
        let device = audio::open(&config.device, config.rate).map_err(StartError::Audio)?;
        let DeviceInfo { rate, buffer_frames, .. } = *device.info();
        let n_quanta = (rate.hz() / POOL_PER_SECOND + 2 * buffer_frames) as usize / QUANTUM;
        let (engine, render_ends, publisher_ends) = audio::connect(n_quanta);
        let (engine, audio_stats) = (Arc::new(engine), Arc::<AudioStats>::default());
        let renderer = Renderer::new(rate, render_ends, audio_stats.clone());
        let (choice, or_null) = (config.device.clone(), config.device == DeviceChoice::Default);
        let keeper = Keeper::start(device, move || audio::reopen(&choice, rate), or_null, renderer);
        let keeper = Arc::new(keeper.map_err(StartError::Audio)?);
        let streams = Arc::<StreamStats>::default();
        let named = keeper.clone();
        let device_name = Box::new(move || named.info().name);
        let publisher = Publisher::start(rate, publisher_ends, audio_stats, streams.clone(), device_name);
        let publisher = publisher.map_err(StartError::System)?;

        let (shutdown, is_down) = watch::channel(false);
        let epoch = epoch();
        let store = Arc::new(MemoryStore::default());
        let samples = Arc::new(SampleService::new(Arc::new(MemorySamples::default()), rate));
        let compositions =
            CompositionStateService::new(store, samples.clone(), engine.clone(), publisher.clone(), rate);
        let compositions = Arc::new(compositions);
        let app = App {
            playback: Arc::new(PlaybackEngineService::new(
                compositions.clone(),
                engine.clone(),
                publisher.clone(),
            )),
            mixer: Arc::new(MixerService::new(compositions.clone())),
            sockets: Arc::new(WebSocketManager::new(
                publisher.clone(),
                engine,
                streams,
                epoch,
                rate,
                config.timing,
                is_down.clone(),
            )),
            compositions,
            samples,
            publisher: publisher.clone(),
            audio: keeper.clone(),
            epoch,
        };
        load(&app, config.opened, config.play).await.map_err(StartError::Composition)?;
        let router = api::router(app, config.access, Page::new(config.page));
        let network = tokio::spawn(listener::run(listener, router, is_down));
        Ok(Self { address, audio: keeper, publisher, shutdown, network })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The device that plays.
    pub fn device(&self) -> DeviceInfo {
        self.audio.info()
    }

    /// Closes every socket with 1001, lets requests finish for a moment, and stops the sound.
    pub async fn shutdown(self) {
        let Self { audio, publisher, shutdown, network, .. } = self;
        shutdown.send_replace(true);
        let _ = network.await;
        // Sessions hold a sender's receiver each: when all are gone, every socket was closed.
        let _ = tokio::time::timeout(std::time::Duration::from_secs(3), shutdown.closed()).await;
        let _ = tokio::task::spawn_blocking(move || {
            publisher.stop();
            drop(audio);
        })
        .await;
    }
}

async fn load(app: &App, opened: Opened, play: bool) -> Result<(), ServiceError> {
    let Opened { composition, samples } = opened;
    for sample in samples {
        app.samples.put(sample).await?;
    }
    let end = composition.length;
    let stored = app.compositions.create(composition.into_spec()).await?;
    let mut then = Vec::new();
    if end > 0 {
        then.push(Command::SetLoop { enabled: true, start: 0, end });
    }
    if play {
        then.push(Command::Play);
    }
    app.compositions.load(stored.id(), &then).await.map(drop)
}

/// A number that differs from that of the server before: seconds since 1970, folded.
fn epoch() -> u16 {
    let seconds = (unix_ms() / 1e3) as u64;
    (seconds ^ (seconds >> 16)) as u16
}
