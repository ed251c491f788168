//! Sound in: an input of the system, as stereo frames in a bounded queue. It is kept open as the output is: what is
//! unplugged is looked for until it is back, and the `input` tap is silent meanwhile.

use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use ::cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use ::cpal::{
    ErrorKind, FromSample, I24, Sample, SampleFormat, SizedSample, StreamConfig, SupportedStreamConfig,
};
use engine_core::units::SampleRate;
use rtrb::{Consumer, Producer, RingBuffer};

use super::cpal::{description_of, is_called, may_be_promoted, name_of, quiet_backend};
use super::{AudioStats, DeviceInfo, Event, LossReport};
use crate::priority::{Priority, Role};

/// Parts of a second of sound that may wait to be taken; what comes later is lost.
const QUEUE_PER_SECOND: u32 = 2;
/// How often an input that is not there is looked for.
const RETRY: Duration = Duration::from_secs(3);
/// How long a stream that failed may take to let go of the queue.
const HAND_BACK: Duration = Duration::from_secs(5);

/// Which input feeds the `input` tap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum InputChoice {
    /// None: nobody is listened to unasked.
    #[default]
    Off,
    /// The system's own choice.
    Default,
    /// The one of this name or id.
    Named(String),
}

/// An input that is kept open; dropping it closes it.
pub struct Input {
    events: SyncSender<Event>,
    thread: Option<JoinHandle<()>>,
    info: Arc<Mutex<Option<DeviceInfo>>>,
}

impl Input {
    /// Opens an input at the engine's rate, and hands out the queue that it fills. An input that is not there, or has
    /// another rate, is told in the log and tried again. Mono is heard on both sides; channels after the second are
    /// left out.
    ///
    /// # Errors
    /// The system gives no thread.
    pub fn start(
        choice: InputChoice,
        rate: SampleRate,
        stats: Arc<AudioStats>,
        priority: Priority,
    ) -> std::io::Result<Option<(Self, Consumer<[f32; 2]>)>> {
        if choice == InputChoice::Off {
            return Ok(None);
        }
        let (frames_tx, frames_rx) = RingBuffer::new((rate.hz() / QUEUE_PER_SECOND) as usize);
        let (events, received) = mpsc::sync_channel(8);
        let (home, returned) = mpsc::sync_channel(1);
        let info = Arc::<Mutex<Option<DeviceInfo>>>::default();
        let keeper = InputKeeper {
            choice,
            rate,
            priority,
            stats,
            events: events.clone(),
            home,
            returned,
            info: info.clone(),
        };
        let thread = thread::Builder::new()
            .name(String::from("audio-input"))
            .spawn(move || keeper.run(frames_tx, &received))?;
        Ok(Some((Self { events, thread: Some(thread), info }, frames_rx)))
    }

    /// The device that is recorded now; `None` while there is none.
    pub fn info(&self) -> Option<DeviceInfo> {
        self.info.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Drop for Input {
    fn drop(&mut self) {
        let _ = self.events.send(Event::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// The queue on loan to a stream: it is sent home when the stream lets go of it.
struct Lease {
    frames: Option<Producer<[f32; 2]>>,
    /// Until the stream's thread has it.
    priority: Option<Priority>,
    home: SyncSender<Producer<[f32; 2]>>,
}

impl Drop for Lease {
    fn drop(&mut self) {
        if let Some(frames) = self.frames.take() {
            let _ = self.home.try_send(frames);
        }
    }
}

struct InputKeeper {
    choice: InputChoice,
    rate: SampleRate,
    priority: Priority,
    stats: Arc<AudioStats>,
    events: SyncSender<Event>,
    home: SyncSender<Producer<[f32; 2]>>,
    returned: Receiver<Producer<[f32; 2]>>,
    info: Arc<Mutex<Option<DeviceInfo>>>,
}

impl InputKeeper {
    fn run(self, mut frames: Producer<[f32; 2]>, events: &Receiver<Event>) {
        quiet_backend();
        let mut last_refusal = String::new();
        for number in 0.. {
            let (priority, home) = (Some(self.priority), self.home.clone());
            let lease = Lease { frames: Some(frames), priority, home };
            match self.open(lease, LossReport { keeper: self.events.clone(), number }) {
                Ok((stream, info)) => {
                    tracing::info!("the input is {} at {} Hz", info.name, info.rate.hz());
                    last_refusal.clear();
                    self.set(Some(info));
                    if !wait_for_loss(events, number) {
                        return;
                    }
                    // What was recorded has a gap here, and so has what is measured of it.
                    self.stats.count_xrun();
                    self.set(None);
                    drop(stream);
                }
                Err(reason) => {
                    if reason != last_refusal {
                        tracing::warn!(
                            "no sound comes in: {reason}; the input tap is silent until that changes"
                        );
                    }
                    last_refusal = reason;
                    match events.recv_timeout(RETRY) {
                        Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return,
                        Ok(Event::Lost { .. }) | Err(RecvTimeoutError::Timeout) => {}
                    }
                }
            }
            frames = match self.returned.recv_timeout(HAND_BACK) {
                Ok(frames) => frames,
                Err(_) => {
                    tracing::error!("the input does not stop; restart the server to use it again");
                    return;
                }
            };
        }
    }

    fn set(&self, info: Option<DeviceInfo>) {
        *self.info.lock().unwrap_or_else(PoisonError::into_inner) = info;
    }

    fn open(&self, mut lease: Lease, lost: LossReport) -> Result<(::cpal::Stream, DeviceInfo), String> {
        let text = |error: ::cpal::Error| error.to_string();
        let host = ::cpal::default_host();
        let (device, name) = match &self.choice {
            InputChoice::Named(name) => {
                let all = Vec::from_iter(host.input_devices().into_iter().flatten());
                let known = || Vec::from_iter(all.iter().map(name_of)).join(", ");
                let found = all.iter().find(|device| is_called(device, name)).cloned();
                let found =
                    found.ok_or_else(|| format!("there is no input device {name:?}, only: {}", known()))?;
                (found, name.clone())
            }
            _ => {
                let device = host.default_input_device().ok_or("the system has no input")?;
                let description = description_of(&device);
                let name = if description.is_empty() { name_of(&device) } else { description };
                (device, name)
            }
        };
        let supported = self.config(&device, &name)?;
        let (config, buffer_frames) = (supported.config(), 0);
        if !may_be_promoted(&device) {
            lease.priority = None;
        }
        let record = Record { lease, lost, stats: self.stats.clone(), device: &device, config };
        let stream = match supported.sample_format() {
            SampleFormat::F32 => record.start::<f32>(),
            SampleFormat::I16 => record.start::<i16>(),
            SampleFormat::I24 => record.start::<I24>(),
            SampleFormat::I32 => record.start::<i32>(),
            SampleFormat::U8 => record.start::<u8>(),
            SampleFormat::U16 => record.start::<u16>(),
            other => return Err(format!("{name} records as {other}, which is not supported")),
        };
        let stream = stream.map_err(text)?;
        stream.play().map_err(text)?;
        Ok((stream, DeviceInfo { name, rate: self.rate, buffer_frames }))
    }

    /// The engine's rate is the only one: nothing is resampled on the way in.
    fn config(&self, device: &::cpal::Device, name: &str) -> Result<SupportedStreamConfig, String> {
        let hz = self.rate.hz();
        if let Ok(config) = device.default_input_config()
            && config.sample_rate() == hz
        {
            return Ok(config);
        }
        let ranges: Vec<_> = device.supported_input_configs().map_err(|error| error.to_string())?.collect();
        let fitting = ranges.iter().filter(|range| range.contains_rate(hz));
        let best = fitting.max_by(|a, b| a.cmp_default_heuristics(b));
        best.and_then(|range| (*range).try_with_sample_rate(hz)).ok_or_else(|| {
            let low = ranges.iter().map(|range| range.min_sample_rate()).min().unwrap_or(0);
            let high = ranges.iter().map(|range| range.max_sample_rate()).max().unwrap_or(0);
            format!("{name} cannot record at the engine's {hz} Hz, only at {low} to {high} Hz; choose that with --sample-rate")
        })
    }
}

/// Waits until stream `number` is lost. Returns false when the input is no longer wanted.
fn wait_for_loss(events: &Receiver<Event>, number: u64) -> bool {
    loop {
        match events.recv() {
            Ok(Event::Lost { number: lost, reason }) if lost == number => {
                tracing::warn!("the input was interrupted: {reason}");
                return true;
            }
            // An earlier stream says it again.
            Ok(Event::Lost { .. }) => {}
            Ok(Event::Stop) | Err(_) => return false,
        }
    }
}

struct Record<'a> {
    lease: Lease,
    lost: LossReport,
    stats: Arc<AudioStats>,
    device: &'a ::cpal::Device,
    config: StreamConfig,
}

impl Record<'_> {
    fn start<S>(self) -> Result<::cpal::Stream, ::cpal::Error>
    where
        S: SizedSample,
        f32: FromSample<S>,
    {
        let Self { mut lease, lost, stats, device, config } = self;
        let n_channels = usize::from(config.channels).max(1);
        let overruns = stats.clone();
        let (timing, rate) = (stats.clone(), f64::from(config.sample_rate));
        let take = move |data: &[S], info: &::cpal::InputCallbackInfo| {
            let Some(frames) = &mut lease.frames else { return };
            if let Some(priority) = lease.priority.take() {
                let _ = priority.apply(Role::Sound);
            }
            let at = info.timestamp();
            let first = at.callback.duration_since(at.capture);
            let length = Duration::from_secs_f64((data.len() / n_channels) as f64 / rate);
            timing.round_trip.capture(first.saturating_sub(length), || {
                for frame in data.chunks_exact(n_channels) {
                    let left = f32::from_sample(frame[0]);
                    let right = frame.get(1).map_or(left, |&sample| sample.to_sample());
                    if frames.push([left, right]).is_err() {
                        return overruns.count_xrun();
                    }
                }
            });
        };
        let report = move |error: ::cpal::Error| match error.kind() {
            ErrorKind::Xrun | ErrorKind::DeviceChanged => stats.count_xrun(),
            ErrorKind::RealtimeDenied => {}
            _ => lost.lost(error.to_string()),
        };
        device.build_input_stream(config, take, report, None)
    }
}
