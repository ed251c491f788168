//! Keeps the sound going: a device that fails is opened again, and until it is back, the null device carries
//! on with the same renderer.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::null::NullDevice;
use super::{AudioError, Device, DeviceInfo, Lease, Renderer, Stream};

/// How long a lost device may take to let go of the renderer.
const HAND_BACK: Duration = Duration::from_secs(5);
/// How often a lost device is looked for.
const RETRY: Duration = Duration::from_secs(3);
/// What the keeper is told when it shall stop, instead of a reason for a loss.
const STOP: &str = "";

/// A thread that owns the stream; dropping it stops the sound.
pub struct Keeper {
    stop: SyncSender<String>,
    thread: Option<JoinHandle<()>>,
    info: Arc<Mutex<DeviceInfo>>,
}

impl Keeper {
    /// Starts a device, which `reopen` opens again at the same rate when it fails. When it refuses to start and
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
        let (stop, losses) = mpsc::sync_channel(8);
        let (home, returned) = mpsc::sync_channel(1);
        let info = Arc::new(Mutex::new(device.info().clone()));
        let mut stage =
            Stage { stream: Box::new(Silence), info: info.clone(), home, returned, lost: stop.clone() };
        let rate = device.info().rate;
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
            .spawn(move || stage.keep(&reopen, &losses))
            .map_err(|error| AudioError::Device {
                device: String::from("audio"),
                reason: error.to_string(),
            })?;
        Ok(Self { stop, thread: Some(thread), info })
    }

    /// The device that plays now.
    pub fn info(&self) -> DeviceInfo {
        self.info.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        let _ = self.stop.send(String::from(STOP));
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
    lost: SyncSender<String>,
}

impl Stage {
    fn play(&mut self, device: Box<dyn Device>, renderer: Box<Renderer>) -> Result<(), AudioError> {
        let info = device.info().clone();
        self.stream = device.start(Lease::new(renderer, self.home.clone()), self.lost.clone())?;
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

    fn keep(mut self, reopen: Reopen<'_>, losses: &Receiver<String>) {
        let unstable = || {
            let reason = String::from("it fails again and again");
            Err(AudioError::Device { device: String::from("the device"), reason })
        };
        let mut is_substitute = false;
        let mut started = None::<Instant>;
        loop {
            let reason = if is_substitute {
                losses.recv_timeout(RETRY)
            } else {
                losses.recv().map_err(|_| RecvTimeoutError::Disconnected)
            };
            // What fails again at once is given time.
            let may_open = is_substitute || started.is_none_or(|started| started.elapsed() > RETRY);
            match reason {
                Ok(reason) if reason == STOP => return,
                Err(RecvTimeoutError::Disconnected) => return,
                Ok(reason) => tracing::warn!("the sound was interrupted: {reason}"),
                Err(RecvTimeoutError::Timeout) => {}
            }
            // The null device plays on until there is another; a device that failed may block its successor.
            let found = is_substitute.then(reopen);
            if let Some(Err(_)) = found {
                continue;
            }
            started = Some(Instant::now());
            match self.replace(|| found.unwrap_or_else(if may_open { reopen } else { &unstable }), losses) {
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
        losses: &Receiver<String>,
    ) -> Result<bool, AudioError> {
        let mut renderer = self.renderer()?;
        renderer.stats().count_xrun();
        // One loss is often reported several times; a stop is not to be lost among them.
        if losses.try_iter().any(|again| again == STOP) {
            let _ = self.lost.try_send(String::from(STOP));
        }
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
        let rate = self.info().rate;
        self.play(Box::new(NullDevice::new(rate)), renderer)?;
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

    use super::super::queue::connect;
    use super::*;

    /// A device that tells how often it was started, and how to break it.
    struct Fragile {
        info: DeviceInfo,
        started: mpsc::Sender<SyncSender<String>>,
    }

    struct Holding {
        _lease: Lease,
    }

    impl Stream for Holding {}

    impl Device for Fragile {
        fn info(&self) -> &DeviceInfo {
            &self.info
        }

        fn start(
            self: Box<Self>,
            lease: Lease,
            lost: SyncSender<String>,
        ) -> Result<Box<dyn Stream>, AudioError> {
            self.started.send(lost).unwrap();
            Ok(Box::new(Holding { _lease: lease }))
        }
    }

    #[test]
    fn a_device_that_fails_is_started_again_and_then_given_time() {
        let (started, starts) = mpsc::channel();
        let open = move || -> Result<Box<dyn Device>, AudioError> {
            let info =
                DeviceInfo { name: String::from("glass"), rate: SampleRate::DEFAULT, buffer_frames: 512 };
            Ok(Box::new(Fragile { info, started: started.clone() }))
        };
        let (_queue, ends, mut publisher) = connect(64);
        let renderer = Renderer::new(SampleRate::DEFAULT, ends, Arc::default());
        let stats = renderer.stats().clone();
        let n_opened = Arc::new(AtomicU32::new(0));
        let counted = n_opened.clone();
        let reopen = {
            let open = open.clone();
            move || {
                counted.fetch_add(1, Ordering::SeqCst);
                open()
            }
        };
        let keeper = Keeper::start(open().unwrap(), reopen, false, renderer).unwrap();
        let patience = Duration::from_secs(10);
        for _ in 0..2 {
            let lost = starts.recv_timeout(patience).expect("the device is started");
            lost.send(String::from("dropped")).unwrap();
            lost.send(String::from("dropped, as I said")).unwrap();
        }
        // The second failure came at once: now the null device renders, with the very same renderer.
        let since = Instant::now();
        while publisher.full.pop().is_err() {
            assert!(since.elapsed() < patience, "nothing plays");
            thread::yield_now();
        }
        assert_eq!(keeper.info().name, "the null device");
        assert_eq!(stats.xruns.load(Ordering::Relaxed), 2);
        // Later the device gets another chance.
        starts.recv_timeout(patience).expect("the device is tried again");
        assert_eq!(n_opened.load(Ordering::SeqCst), 2);
        drop(keeper);
    }

    #[test]
    fn a_device_that_is_gone_is_replaced() {
        let (started, starts) = mpsc::channel();
        let info = DeviceInfo { name: String::from("glass"), rate: SampleRate::DEFAULT, buffer_frames: 512 };
        let gone = || Err(AudioError::Device { device: String::from("glass"), reason: String::from("gone") });
        let (_queue, ends, mut publisher) = connect(64);
        let renderer = Renderer::new(SampleRate::DEFAULT, ends, Arc::default());
        let keeper = Keeper::start(Box::new(Fragile { info, started }), gone, false, renderer).unwrap();
        starts.recv().unwrap().send(String::from("unplugged")).unwrap();
        let since = Instant::now();
        let quantum = loop {
            if let Ok(rendered) = publisher.full.pop() {
                break rendered.quantum;
            }
            assert!(since.elapsed() < Duration::from_secs(10), "nothing plays");
            thread::yield_now();
        };
        assert!(quantum.discontinuity, "the interruption is marked");
        assert_eq!(keeper.info().name, "the null device");
    }
}
