//! Keeps a device playing: when it disappears, the null device carries on with the same renderer.

use std::sync::mpsc::{self, Receiver, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use super::null::NullDevice;
use super::{AudioError, Device, DeviceInfo, Lease, Renderer, Stream};

/// How long a lost device may take to let go of the renderer.
const HAND_BACK: Duration = Duration::from_secs(5);

/// A thread that owns the stream; dropping it stops the sound.
pub struct Keeper {
    stop: Option<SyncSender<String>>,
    thread: Option<JoinHandle<()>>,
    info: Arc<Mutex<DeviceInfo>>,
}

impl Keeper {
    /// Starts a device, or the null device when it refuses to start and `or_null` allows it.
    ///
    /// # Errors
    /// The device refuses to start.
    pub fn start(device: Box<dyn Device>, renderer: Renderer, or_null: bool) -> Result<Self, AudioError> {
        let (lost, losses) = mpsc::sync_channel(8);
        let (home, returned) = mpsc::sync_channel(1);
        let mut info = device.info().clone();
        let stream = match device.start(Lease::new(Box::new(renderer), home.clone()), lost.clone()) {
            Ok(stream) => stream,
            Err(error) if or_null => {
                let renderer = returned.recv_timeout(HAND_BACK).map_err(|_| error.clone())?;
                tracing::warn!("{error}; playing into the null device, which only keeps time");
                let null = Box::new(NullDevice::new(info.rate));
                info = null.info().clone();
                null.start(Lease::new(renderer, home.clone()), lost.clone())?
            }
            Err(error) => return Err(error),
        };
        let info = Arc::new(Mutex::new(info));
        let watched = Watched { stream, info: info.clone(), home, returned, lost: lost.clone() };
        let thread = thread::Builder::new()
            .name(String::from("audio-keeper"))
            .spawn(move || watched.run(&losses))
            .map_err(|error| AudioError::Device {
                device: String::from("audio"),
                reason: error.to_string(),
            })?;
        Ok(Self { stop: Some(lost), thread: Some(thread), info })
    }

    /// The device that plays now.
    pub fn info(&self) -> DeviceInfo {
        self.info.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

struct Watched {
    stream: Box<dyn Stream>,
    info: Arc<Mutex<DeviceInfo>>,
    home: SyncSender<Box<Renderer>>,
    returned: Receiver<Box<Renderer>>,
    lost: SyncSender<String>,
}

/// What the keeper is told when it shall stop, instead of a reason for a loss.
const STOP: &str = "";

impl Watched {
    fn run(mut self, losses: &Receiver<String>) {
        while let Ok(reason) = losses.recv() {
            if reason == STOP {
                return;
            }
            if let Err(error) = self.carry_on(&reason) {
                tracing::error!("the sound stopped and cannot go on: {error}");
                return;
            }
            // One loss is often reported several times.
            while let Ok(again) = losses.try_recv() {
                if again == STOP {
                    return;
                }
            }
        }
    }

    fn carry_on(&mut self, reason: &str) -> Result<(), AudioError> {
        struct Silence;
        impl Stream for Silence {}

        let mut info = self.info.lock().unwrap_or_else(PoisonError::into_inner);
        tracing::warn!("{} was lost ({reason}); playing into the null device", info.name);
        drop(std::mem::replace(&mut self.stream, Box::new(Silence)));
        let gone = |reason: String| AudioError::Device { device: info.name.clone(), reason };
        let renderer = self.returned.recv_timeout(HAND_BACK).map_err(|error| gone(error.to_string()))?;
        renderer.stats().count_xrun();
        let null = Box::new(NullDevice::new(info.rate));
        let null_info = null.info().clone();
        self.stream = null.start(Lease::new(renderer, self.home.clone()), self.lost.clone())?;
        *info = null_info;
        Ok(())
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(String::from(STOP));
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
