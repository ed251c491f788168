//! Keeps the sound going: a device that fails is opened again, and until it is back, the null device carries
//! on with the same renderer.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use engine_core::units::SampleRate;

use super::null::NullDevice;
use super::{AudioError, Device, DeviceInfo, Event, Lease, LossReport, Renderer, Stream};

/// How long a lost device may take to let go of the renderer.
const HAND_BACK: Duration = Duration::from_secs(5);
/// How often a lost device is looked for.
const RETRY: Duration = Duration::from_secs(3);

/// A thread that owns the stream; dropping it stops the sound.
pub struct Keeper {
    events: SyncSender<Event>,
    thread: Option<JoinHandle<()>>,
    info: Arc<Mutex<DeviceInfo>>,
}

impl Keeper {
    /// Starts a device, which `reopen` opens again when it fails, at any rate. When it refuses to start and
    /// `or_null` allows it, the null device takes its place.
    ///
    /// # Errors
    /// The device refuses to start.
    pub fn start(
        device: Box<dyn Device>,
        reopen: impl Fn() -> Result<Box<dyn Device>, AudioError> + Send + 'static,
        or_null: bool,
        renderer: Renderer,
    ) -> Result<Self, AudioError> {
        Self::start_with(device, reopen, or_null, renderer, RETRY)
    }

    fn start_with(
        device: Box<dyn Device>,
        reopen: impl Fn() -> Result<Box<dyn Device>, AudioError> + Send + 'static,
        or_null: bool,
        renderer: Renderer,
        retry: Duration,
    ) -> Result<Self, AudioError> {
        let (events, received) = mpsc::sync_channel(8);
        let (home, returned) = mpsc::sync_channel(1);
        let info = Arc::new(Mutex::new(device.info().clone()));
        let mut stage = Stage {
            stream: Box::new(Silence),
            info: info.clone(),
            home,
            returned,
            events: events.clone(),
            number: 0,
            rate: renderer.rate(),
        };
        let rate = stage.rate;
        match stage.play(device, Box::new(renderer)) {
            Ok(()) => {}
            Err(error) if or_null => {
                tracing::warn!("{error}; playing into the null device, which only keeps time");
                let renderer = stage.renderer()?;
                stage.play(Box::new(NullDevice::new(rate)), renderer)?;
            }
            Err(error) => return Err(error),
        }
        let thread = thread::Builder::new()
            .name(String::from("audio-keeper"))
            .spawn(move || stage.keep(&reopen, &received, retry))
            .map_err(|error| AudioError::Device {
                device: String::from("audio"),
                reason: error.to_string(),
            })?;
        Ok(Self { events, thread: Some(thread), info })
    }

    /// The device that plays now.
    pub fn info(&self) -> DeviceInfo {
        self.info.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.events.send(Event::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Opens the device that was lost.
type Reopen<'a> = &'a dyn Fn() -> Result<Box<dyn Device>, AudioError>;

/// Between two devices.
struct Silence;

impl Stream for Silence {}

/// Where devices come and go while the renderer stays.
struct Stage {
    stream: Box<dyn Stream>,
    info: Arc<Mutex<DeviceInfo>>,
    home: SyncSender<Box<Renderer>>,
    returned: Receiver<Box<Renderer>>,
    events: SyncSender<Event>,
    /// Of the stream that plays: what an earlier one still has to say is of no interest.
    number: u64,
    /// Of the engine.
    rate: SampleRate,
}

impl Stage {
    fn play(&mut self, device: Box<dyn Device>, renderer: Box<Renderer>) -> Result<(), AudioError> {
        let info = device.info().clone();
        self.number += 1;
        let lost = LossReport { keeper: self.events.clone(), number: self.number };
        let lease = Lease::new(renderer, info.rate, self.home.clone());
        self.stream = device.start(lease, lost)?;
        if info.rate != self.rate {
            let (name, hz) = (&info.name, info.rate.hz());
            tracing::warn!(
                "{name} plays at {hz} Hz, into which the engine's {} Hz are converted",
                self.rate.hz()
            );
        }
        *self.info.lock().unwrap_or_else(PoisonError::into_inner) = info;
        Ok(())
    }

    /// Stops what plays, and takes the renderer back.
    fn renderer(&mut self) -> Result<Box<Renderer>, AudioError> {
        self.stream = Box::new(Silence);
        let does_not_stop =
            |_| AudioError::Device { device: self.info().name, reason: String::from("it does not stop") };
        self.returned.recv_timeout(HAND_BACK).map_err(does_not_stop)
    }

    fn keep(mut self, reopen: Reopen<'_>, events: &Receiver<Event>, retry: Duration) {
        let unstable = || {
            let reason = String::from("it fails again and again");
            Err(AudioError::Device { device: String::from("the device"), reason })
        };
        let mut is_substitute = false;
        let mut started = None::<Instant>;
        loop {
            let event = if is_substitute {
                events.recv_timeout(retry)
            } else {
                events.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            // What fails again at once is given time.
            let may_open = is_substitute || started.is_none_or(|started| started.elapsed() > retry);
            match event {
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                Ok(Event::Lost { number, .. }) if number != self.number => continue,
                Ok(Event::Lost { reason, .. }) => tracing::warn!("the sound was interrupted: {reason}"),
                Err(RecvTimeoutError::Timeout) => {}
            }
            // The null device plays on until there is another; a device that failed may block its successor.
            let found = is_substitute.then(reopen);
            if let Some(Err(_)) = found {
                continue;
            }
            started = Some(Instant::now());
            match self.replace(|| found.unwrap_or_else(if may_open { reopen } else { &unstable })) {
                Ok(now_substitute) => is_substitute = now_substitute,
                Err(error) => {
                    tracing::error!("the sound stopped and cannot go on: {error}");
                    return;
                }
            }
        }
    }

    /// Has another device play, or where there is none, the null device. Returns whether that one does.
    fn replace(
        &mut self,
        open: impl FnOnce() -> Result<Box<dyn Device>, AudioError>,
    ) -> Result<bool, AudioError> {
        let mut renderer = self.renderer()?;
        renderer.stats().count_xrun();
        let refusal = match open() {
            Ok(device) => match self.play(device, renderer) {
                Ok(()) => {
                    tracing::warn!("the sound goes on");
                    return Ok(false);
                }
                Err(error) => {
                    renderer = self.renderer()?;
                    error
                }
            },
            Err(error) => error,
        };
        tracing::warn!("{refusal}; playing into the null device until it is back");
        self.play(Box::new(NullDevice::new(self.rate)), renderer)?;
        Ok(true)
    }

    fn info(&self) -> DeviceInfo {
        self.info.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use engine_core::units::SampleRate;

    use super::super::queue::{PublisherEnds, connect};
    use super::*;

    /// Only turns a hang into a failure: all that is awaited happens within milliseconds on an idle machine.
    const PATIENCE: Duration = Duration::from_secs(60);

    /// A device that tells when it was started, and how to break it.
    struct Fragile {
        info: DeviceInfo,
        /// Frames that it asks for as soon as it is started.
        n_asked: usize,
        started: mpsc::Sender<LossReport>,
    }

    struct Holding {
        _lease: Lease,
    }

    impl Stream for Holding {}

    impl Device for Fragile {
        fn info(&self) -> &DeviceInfo {
            &self.info
        }

        fn start(self: Box<Self>, mut lease: Lease, lost: LossReport) -> Result<Box<dyn Stream>, AudioError> {
            lease.render(&mut vec![0.0f32; 2 * self.n_asked], 2, |x| x);
            self.started.send(lost).unwrap();
            Ok(Box::new(Holding { _lease: lease }))
        }
    }

    fn glass(started: &mpsc::Sender<LossReport>) -> Box<dyn Device> {
        let info = DeviceInfo { name: String::from("glass"), rate: SampleRate::DEFAULT, buffer_frames: 512 };
        Box::new(Fragile { info, n_asked: 0, started: started.clone() })
    }

    #[test]
    fn a_device_that_comes_back_with_another_rate_plays_what_the_engine_goes_on_with() {
        let (started, starts) = mpsc::channel();
        let (_queue, ends, mut publisher) = connect(256);
        let renderer = Renderer::new(SampleRate::DEFAULT, ends, Arc::default());
        // A tenth of a second of it.
        const N_ASKED: usize = 4_410;
        let device = glass(&started);
        let reopen = move || {
            let rate = SampleRate::new(44_100).unwrap();
            let info = DeviceInfo { name: String::from("other"), rate, buffer_frames: 512 };
            let device: Box<dyn Device> =
                Box::new(Fragile { info, n_asked: N_ASKED, started: started.clone() });
            Ok(device)
        };
        let retry = Duration::from_secs(3600);
        let keeper = Keeper::start_with(device, reopen, false, renderer, retry).unwrap();
        let n_rendered = |publisher: &mut PublisherEnds| {
            std::iter::from_fn(|| publisher.full.pop().ok()).count() * engine_core::units::QUANTUM
        };
        let first = starts.recv_timeout(PATIENCE).unwrap();
        first.lost(String::from("unplugged"));
        let second = starts.recv_timeout(PATIENCE).expect("the other one is started");
        let n = n_rendered(&mut publisher);
        assert!(n.abs_diff(4_800) < 256, "{n} frames of the engine's tenth of a second");
        second.lost(String::from("unplugged"));
        assert!(next_is_discontinuous(&mut publisher));
        let DeviceInfo { name, rate, .. } = keeper.info();
        assert_eq!((&*name, rate), ("the null device", SampleRate::DEFAULT), "the engine's own rate");
    }

    fn gone() -> AudioError {
        AudioError::Device { device: String::from("glass"), reason: String::from("gone") }
    }

    /// Whether the first quantum that is rendered from now on is marked.
    fn next_is_discontinuous(publisher: &mut PublisherEnds) -> bool {
        let since = Instant::now();
        loop {
            if let Ok(rendered) = publisher.full.pop() {
                return rendered.quantum.discontinuity;
            }
            assert!(since.elapsed() < PATIENCE, "nothing plays");
            // The ring is lock-free, for the audio thread: it has no way to say when.
            thread::sleep(Duration::from_millis(1));
        }
    }

    #[test]
    fn a_device_that_fails_is_started_again_and_then_given_time() {
        let (started, starts) = mpsc::channel();
        let (_queue, ends, mut publisher) = connect(64);
        let renderer = Renderer::new(SampleRate::DEFAULT, ends, Arc::default());
        let stats = renderer.stats().clone();
        let n_opened = Arc::new(AtomicU32::new(0));
        let counted = n_opened.clone();
        let device = glass(&started);
        let reopen = move || {
            counted.fetch_add(1, Ordering::SeqCst);
            Ok(glass(&started))
        };
        // However slow this machine is, the second failure comes before this time has passed.
        let retry = Duration::from_secs(3600);
        let keeper = Keeper::start_with(device, reopen, false, renderer, retry).unwrap();
        let first = starts.recv_timeout(PATIENCE).expect("the device is started");
        first.lost(String::from("dropped"));
        first.lost(String::from("dropped, as I said"));
        let second = starts.recv_timeout(PATIENCE).expect("the device is started again");
        // A late word of the stream before is not about this one.
        first.lost(String::from("dropped, as I said twice"));
        second.lost(String::from("dropped"));
        // The second failure came at once: now the null device renders, with the very same renderer.
        assert!(next_is_discontinuous(&mut publisher));
        assert_eq!(keeper.info().name, "the null device");
        assert_eq!(stats.xruns.load(Ordering::Relaxed), 2);
        assert_eq!(n_opened.load(Ordering::SeqCst), 1);
        drop(keeper);
    }

    #[test]
    fn a_device_that_is_gone_is_replaced_until_it_is_back() {
        let (started, starts) = mpsc::channel();
        let (_queue, ends, mut publisher) = connect(64);
        let renderer = Renderer::new(SampleRate::DEFAULT, ends, Arc::default());
        let stats = renderer.stats().clone();
        let device = glass(&started);
        let (plugged, plugs) = mpsc::channel::<()>();
        let reopen = move || if plugs.try_recv().is_ok() { Ok(glass(&started)) } else { Err(gone()) };
        let keeper = Keeper::start_with(device, reopen, false, renderer, Duration::from_millis(5)).unwrap();
        starts.recv_timeout(PATIENCE).unwrap().lost(String::from("unplugged"));
        assert!(next_is_discontinuous(&mut publisher), "the interruption is marked");
        assert_eq!(keeper.info().name, "the null device");
        plugged.send(()).unwrap();
        starts.recv_timeout(PATIENCE).expect("the device is found again");
        // Its name is known a moment after it was started, and nobody but this test waits for it.
        let since = Instant::now();
        while keeper.info().name != "glass" {
            assert!(since.elapsed() < PATIENCE, "{}", keeper.info().name);
            thread::sleep(Duration::from_millis(1));
        }
        assert_eq!(stats.xruns.load(Ordering::Relaxed), 2, "both gaps are counted");
    }

    #[test]
    fn a_keeper_that_is_told_much_at_once_still_stops() {
        let (started, starts) = mpsc::channel();
        let (_queue, ends, _publisher) = connect(64);
        let renderer = Renderer::new(SampleRate::DEFAULT, ends, Arc::default());
        let device = glass(&started);
        let keeper = Keeper::start_with(device, || Err(gone()), false, renderer, Duration::ZERO).unwrap();
        let lost = starts.recv_timeout(PATIENCE).unwrap();
        (0..1000).for_each(|_| lost.lost(String::from("unplugged")));
        drop(keeper);
    }
}
