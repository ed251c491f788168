//! Sound in: the system's input, as stereo frames in a bounded queue.

use ::cpal::traits::{DeviceTrait, HostTrait, StreamTrait};
use ::cpal::{FromSample, I24, Sample, SampleFormat, SizedSample, StreamConfig};
use engine_core::units::SampleRate;
use rtrb::{Consumer, Producer, RingBuffer};

use super::AudioError;
use super::cpal::quiet_backend;

/// Seconds of sound that may wait to be taken; what comes later is lost.
const QUEUE_SECONDS: u32 = 2;

/// An input that records; dropping it stops it.
pub struct Capture {
    rate: SampleRate,
    _stream: ::cpal::Stream,
}

impl Capture {
    /// Opens the default input. A mono input is heard on both sides; channels after the second are left out.
    ///
    /// # Errors
    /// There is no input, or the system refuses to open it.
    pub fn open() -> Result<(Self, Consumer<[f32; 2]>), AudioError> {
        quiet_backend();
        let refused =
            |reason: String| AudioError::Device { device: String::from("the default input"), reason };
        let device = ::cpal::default_host()
            .default_input_device()
            .ok_or_else(|| refused(String::from("there is none")))?;
        let supported = device.default_input_config().map_err(|error| refused(error.to_string()))?;
        let rate = SampleRate::new(supported.sample_rate())
            .ok_or_else(|| refused(format!("{} Hz is not supported", supported.sample_rate())))?;
        let (frames_tx, frames_rx) = RingBuffer::new((rate.hz() * QUEUE_SECONDS) as usize);
        let config = supported.config();
        let stream = match supported.sample_format() {
            SampleFormat::F32 => record::<f32>(&device, config, frames_tx),
            SampleFormat::I16 => record::<i16>(&device, config, frames_tx),
            SampleFormat::I24 => record::<I24>(&device, config, frames_tx),
            SampleFormat::I32 => record::<i32>(&device, config, frames_tx),
            SampleFormat::U8 => record::<u8>(&device, config, frames_tx),
            SampleFormat::U16 => record::<u16>(&device, config, frames_tx),
            other => return Err(refused(format!("its sample format {other} is not supported"))),
        }
        .map_err(|error| refused(error.to_string()))?;
        stream.play().map_err(|error| refused(error.to_string()))?;
        Ok((Self { rate, _stream: stream }, frames_rx))
    }

    /// Frames per second.
    pub fn rate(&self) -> SampleRate {
        self.rate
    }
}

fn record<S>(
    device: &::cpal::Device,
    config: StreamConfig,
    mut frames: Producer<[f32; 2]>,
) -> Result<::cpal::Stream, ::cpal::Error>
where
    S: SizedSample,
    f32: FromSample<S>,
{
    let n_channels = usize::from(config.channels).max(1);
    let take = move |data: &[S], _: &::cpal::InputCallbackInfo| {
        for frame in data.chunks_exact(n_channels) {
            let left = f32::from_sample(frame[0]);
            let right = frame.get(1).map_or(left, |&sample| sample.to_sample());
            if frames.push([left, right]).is_err() {
                return;
            }
        }
    };
    device.build_input_stream(config, take, |_| {}, None)
}
