//! The system's sound card, through cpal.

use std::sync::atomic::Ordering;

use ::cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use ::cpal::{
    BufferSize, ErrorKind, FromSample, I24, OutputCallbackInfo, SampleFormat, SizedSample, StreamConfig,
    SupportedBufferSize, SupportedStreamConfig, SupportedStreamConfigRange, U24,
};
use engine_core::units::SampleRate;

use super::{AudioError, Device, DeviceInfo, Lease, LossReport, Stream};

/// Frames of a callback that we ask for: 21 ms at 48 kHz, which a busy desktop still meets.
const WANTED_FRAMES: u32 = 1024;

/// The lowest and the highest [`SampleRate`].
const ENGINE_HZ: (u32, u32) = (8_000, 192_000);

/// An output of the system.
pub(super) struct CpalDevice {
    device: ::cpal::Device,
    config: SupportedStreamConfig,
    buffer: BufferSize,
    info: DeviceInfo,
}

/// An output as `antiphon devices` shows it.
#[derive(Clone, Debug)]
pub struct DeviceListing {
    /// What `--device` or `--input-device` takes.
    pub name: String,
    /// What the system says about it.
    pub description: String,
    /// It is the system's own choice.
    pub is_default: bool,
}

/// libasound writes its own messages to the terminal; ours say the same in words.
pub(crate) fn quiet_backend() {
    #[cfg(target_os = "linux")]
    let _ = alsa::Output::local_error_handler();
}

/// What `--device` takes: the part of cpal's id after the backend's name.
pub(super) fn name_of(device: &::cpal::Device) -> String {
    device.id().map_or_else(|_| device.to_string(), |id| id.id().to_string())
}

pub(super) fn description_of(device: &::cpal::Device) -> String {
    device.description().map_or_else(|_| String::new(), |description| description.name().replace('\n', ", "))
}

/// All outputs of the system, as it names them. None is opened: some sound systems are started by that, and
/// some write to the terminal.
pub fn list() -> Vec<DeviceListing> {
    quiet_backend();
    let host = ::cpal::default_host();
    listings(host.default_output_device(), host.output_devices().into_iter().flatten())
}

/// All inputs of the system, in the same way.
pub fn list_inputs() -> Vec<DeviceListing> {
    quiet_backend();
    let host = ::cpal::default_host();
    listings(host.default_input_device(), host.input_devices().into_iter().flatten())
}

/// The default one first.
fn listings(
    default: Option<::cpal::Device>,
    all: impl Iterator<Item = ::cpal::Device>,
) -> Vec<DeviceListing> {
    let listing = |device: &::cpal::Device, is_default| DeviceListing {
        name: name_of(device),
        description: description_of(device),
        is_default,
    };
    let default_name = default.as_ref().map(name_of);
    let others = all.filter(|device| Some(name_of(device)) != default_name);
    let default = default.iter().map(|device| listing(device, true));
    default.chain(others.map(|device| listing(&device, false))).collect()
}

impl CpalDevice {
    /// Opens an output by its name, id or description, or the default one: at this rate or the nearest one that it has,
    /// or at its own.
    ///
    /// # Errors
    /// No such device, no rate that the engine has too, or the system's refusal.
    pub(super) fn open(name: Option<&str>, rate: Option<SampleRate>) -> Result<Self, AudioError> {
        quiet_backend();
        let host = ::cpal::default_host();
        let device = match name {
            None => host.default_output_device().ok_or_else(|| AudioError::Device {
                device: String::from("the default output"),
                reason: String::from("there is none"),
            })?,
            Some(name) => find(&host, name)?,
        };
        let label = match (name, description_of(&device)) {
            (Some(name), _) => name.to_string(),
            (None, description) if description.is_empty() => name_of(&device),
            (None, description) => description,
        };
        let config = choose_config(&device, &label, rate)?;
        let (buffer, buffer_frames) = match *config.buffer_size() {
            SupportedBufferSize::Range { min, max } => {
                let frames = WANTED_FRAMES.clamp(min, max.max(min));
                (BufferSize::Fixed(frames), frames)
            }
            SupportedBufferSize::Unknown => (BufferSize::Default, WANTED_FRAMES),
        };
        let rate = SampleRate::new(config.sample_rate()).ok_or_else(|| AudioError::Rate {
            device: label.clone(),
            hz: config.sample_rate(),
            supported: String::from("8000 to 192000"),
        })?;
        Ok(Self { device, config, buffer, info: DeviceInfo { name: label, rate, buffer_frames } })
    }
}

/// Whether the thread of a device may have real-time priority of us. Plug-ins of ALSA may wait there for other processes or
/// for nothing at all, so that they would keep all else from running; other systems look after it themselves.
pub(super) fn may_be_promoted(device: &::cpal::Device) -> bool {
    cfg!(target_os = "linux") && name_of(device).starts_with("hw:")
}

/// Whether a device is meant by a name: what we list, cpal's own name or id, or the description.
pub(super) fn is_called(device: &::cpal::Device, name: &str) -> bool {
    name_of(device) == name
        || device.to_string() == name
        || device.id().is_ok_and(|id| id.to_string() == name)
        || description_of(device) == name
}

fn find(host: &::cpal::Host, name: &str) -> Result<::cpal::Device, AudioError> {
    let default = host.default_output_device();
    let mut all = Vec::from_iter(default.into_iter().chain(host.output_devices().into_iter().flatten()));
    match all.iter().position(|device| is_called(device, name)) {
        Some(idx) => Ok(all.swap_remove(idx)),
        None => Err(AudioError::UnknownDevice {
            name: name.to_string(),
            known: {
                let mut known = Vec::from_iter(all.iter().map(name_of));
                // The default one is the first, and among the others.
                known.dedup();
                known
            },
        }),
    }
}

fn choose_config(
    device: &::cpal::Device,
    label: &str,
    rate: Option<SampleRate>,
) -> Result<SupportedStreamConfig, AudioError> {
    let refused =
        |error: ::cpal::Error| AudioError::Device { device: label.to_string(), reason: error.to_string() };
    let Some(rate) = rate else { return device.default_output_config().map_err(refused) };
    let ranges: Vec<_> = device.supported_output_configs().map_err(refused)?.collect();
    let hz = nearest_rate(&ranges, rate.hz());
    let fitting = ranges.iter().filter(|range| hz.is_some_and(|hz| range.contains_rate(hz)));
    let best = fitting.max_by(|a, b| a.cmp_default_heuristics(b));
    best.zip(hz).and_then(|(range, hz)| (*range).try_with_sample_rate(hz)).ok_or_else(|| {
        let low = ranges.iter().map(|range| range.min_sample_rate()).min().unwrap_or(0);
        let high = ranges.iter().map(|range| range.max_sample_rate()).max().unwrap_or(0);
        AudioError::Rate { device: label.to_string(), hz: rate.hz(), supported: format!("{low} to {high}") }
    })
}

/// Of the rates that both a device and the engine have the nearest one; of two as near the higher one, which loses
/// nothing.
fn nearest_rate(ranges: &[SupportedStreamConfigRange], wanted: u32) -> Option<u32> {
    let (low, high) = ENGINE_HZ;
    let rates = ranges.iter().filter_map(|range| {
        let (min, max) = (range.min_sample_rate().max(low), range.max_sample_rate().min(high));
        (min <= max).then(|| wanted.clamp(min, max))
    });
    rates.min_by_key(|hz| (hz.abs_diff(wanted), std::cmp::Reverse(*hz)))
}

impl Device for CpalDevice {
    fn info(&self) -> &DeviceInfo {
        &self.info
    }

    fn start(self: Box<Self>, mut renderer: Lease, lost: LossReport) -> Result<Box<dyn Stream>, AudioError> {
        quiet_backend();
        if !may_be_promoted(&self.device) {
            renderer.stay_normal();
        }
        let name = self.info.name.clone();
        let refused =
            |error: ::cpal::Error| AudioError::Device { device: name.clone(), reason: error.to_string() };
        let stream = match self.config.sample_format() {
            SampleFormat::F32 => self.build::<f32>(renderer, lost),
            SampleFormat::F64 => self.build::<f64>(renderer, lost),
            SampleFormat::I8 => self.build::<i8>(renderer, lost),
            SampleFormat::I16 => self.build::<i16>(renderer, lost),
            SampleFormat::I24 => self.build::<I24>(renderer, lost),
            SampleFormat::I32 => self.build::<i32>(renderer, lost),
            SampleFormat::I64 => self.build::<i64>(renderer, lost),
            SampleFormat::U8 => self.build::<u8>(renderer, lost),
            SampleFormat::U16 => self.build::<u16>(renderer, lost),
            SampleFormat::U24 => self.build::<U24>(renderer, lost),
            SampleFormat::U32 => self.build::<u32>(renderer, lost),
            SampleFormat::U64 => self.build::<u64>(renderer, lost),
            _ => Err(ErrorKind::UnsupportedConfig.into()),
        }
        .map_err(refused)?;
        stream.play().map_err(refused)?;
        Ok(Box::new(CpalStream { _stream: stream }))
    }
}

impl CpalDevice {
    fn build<S: SizedSample + FromSample<f32>>(
        &self,
        mut lease: Lease,
        lost: LossReport,
    ) -> Result<::cpal::Stream, ::cpal::Error> {
        let n_channels = usize::from(self.config.channels());
        let config = StreamConfig { buffer_size: self.buffer, ..self.config.config() };
        let stats = lease.renderer().map(|renderer| renderer.stats().clone()).unwrap_or_default();
        let render = move |out: &mut [S], info: &OutputCallbackInfo| {
            let Some(renderer) = lease.renderer() else { return };
            let ahead = info.timestamp().playback.duration_since(info.timestamp().callback);
            let micros = u32::try_from(ahead.as_micros()).unwrap_or(u32::MAX);
            renderer.stats().latency_micros.store(micros, Ordering::Relaxed);
            lease.render(out, n_channels, S::from_sample);
        };
        // Also called on the device's thread, so it only counts, and reports what has stopped the sound anyway.
        let report = move |error: ::cpal::Error| match error.kind() {
            ErrorKind::Xrun | ErrorKind::DeviceChanged => stats.count_xrun(),
            ErrorKind::RealtimeDenied => {}
            _ => lost.lost(error.to_string()),
        };
        self.device.build_output_stream(config, render, report, None)
    }
}

struct CpalStream {
    _stream: ::cpal::Stream,
}

impl Stream for CpalStream {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_rate_is_taken() {
        let range = |min, max| {
            SupportedStreamConfigRange::new(2, min, max, SupportedBufferSize::Unknown, SampleFormat::F32)
        };
        let card = [range(44_100, 44_100), range(88_200, 96_000)];
        for (wanted, taken) in
            [(44_100, 44_100), (48_000, 44_100), (22_050, 44_100), (90_000, 90_000), (192_000, 96_000)]
        {
            assert_eq!(nearest_rate(&card, wanted), Some(taken), "{wanted}");
        }
        // As far from one as from the other.
        assert_eq!(nearest_rate(&[range(44_000, 44_000), range(48_000, 48_000)], 46_000), Some(48_000));
        // Of what the engine does not have, nothing.
        let (low, high) = ENGINE_HZ;
        assert!([low, high].map(SampleRate::new).iter().all(Option::is_some));
        assert_eq!([low - 1, high + 1].map(SampleRate::new), [None, None]);
        assert_eq!(nearest_rate(&[range(4_000, 6_000), range(352_800, 384_000)], 48_000), None);
        assert_eq!(nearest_rate(&[range(96_000, 384_000)], 192_000), Some(192_000));
        assert_eq!(nearest_rate(&[], 48_000), None);
    }
}
