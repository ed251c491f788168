//! A composition as a WAV file, rendered while somebody waits for it.

use std::collections::HashMap;
use std::fs::File;
use std::io::{self, BufWriter, Seek};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use audio_files::{SampleFormat, WavError, WavFile, WavStream};
use axum::body::{Body, Bytes};
use axum::http::StatusCode;
use engine_core::composition::Composition;
use engine_core::control::Sample;
use engine_core::engine::offline::{DEFAULT_TAIL_SECONDS, Render, n_frames};
use engine_core::units::SampleRate;
use futures_util::stream;
use tokio::runtime::Handle;
use tokio::sync::{OwnedSemaphorePermit, mpsc};
use tokio::task::spawn_blocking;
use tokio::time::timeout;
use tokio_util::io::ReaderStream;
use uuid::Uuid;

use super::problem::ApiError;
use super::{App, CancelOnDrop};

/// Bytes that are sent at once.
const PIECE: usize = 64 << 10;
/// How long a request waits for the render before it: one whose client has gone ends at once.
const PATIENCE: Duration = Duration::from_secs(1);
/// Who takes no piece for so long has gone, and others wait for the place.
const STALL: Duration = Duration::from_secs(30);
/// After the last piece. Without it the render has failed, and the answer is broken off.
const END: Bytes = Bytes::new();

/// What is rendered, and its place among what takes a core to itself.
pub(super) struct Job {
    composition: Composition,
    samples: HashMap<Uuid, Arc<Sample>>,
    rate: SampleRate,
    format: SampleFormat,
    _permit: OwnedSemaphorePermit,
}

impl Job {
    /// Waits a moment for the place, and decodes the samples.
    ///
    /// # Errors
    /// A composition that no WAV file has room for, a render that runs, a sample that cannot be read.
    pub(super) async fn new(
        app: &App,
        composition: &Composition,
        rate: SampleRate,
        format: SampleFormat,
    ) -> Result<Self, ApiError> {
        let hours = |frames: u64| frames as f64 / rate.as_f64() / 3600.0;
        let n_frames = n_frames(composition, rate);
        if n_frames > format.max_frames() {
            let (length, room) = (hours(n_frames), hours(format.max_frames()));
            let message = format!(
                "{length:.1} hours do not fit in a WAV file, which has room for {room:.1} at this rate"
            );
            return Err(ApiError::invalid_field("sample_rate", message));
        }
        let permit = timeout(PATIENCE, app.places.renders.clone().acquire_owned()).await;
        let Ok(Ok(permit)) = permit else {
            return Err(ApiError::unavailable("another render runs; try again when it is done"));
        };
        let mut ids: Vec<Uuid> = composition.sample_uses().map(|(_, id)| id).collect();
        ids.sort_unstable();
        ids.dedup();
        let samples = app.samples.decoded(&ids, rate).await?;
        Ok(Self { composition: composition.clone(), samples, rate, format, _permit: permit })
    }

    fn blocks(&self) -> Render {
        let find = |id: &Uuid| self.samples.get(id).cloned();
        Render::new(&self.composition, find, self.rate, DEFAULT_TAIL_SECONDS)
    }

    /// The whole file, when it is there. Who goes away before ends the render.
    ///
    /// # Errors
    /// A disk that is full.
    pub(super) async fn file(self) -> Result<Body, ApiError> {
        let cancel = CancelOnDrop::default();
        let is_cancelled = cancel.0.clone();
        let failed = |detail| ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "render-failed", detail);
        let file = spawn_blocking(move || self.write(&is_cancelled)).await;
        let file =
            file.map_err(|error| failed(error.to_string()))?.map_err(|error| failed(error.to_string()))?;
        Ok(Body::from_stream(ReaderStream::with_capacity(tokio::fs::File::from_std(file), PIECE)))
    }

    /// Into a file without a name, which vanishes with its last reader: a render of hours does not fit in memory, and a
    /// WAV header says how long it is.
    fn write(self, is_cancelled: &AtomicBool) -> Result<File, WavError> {
        let mut file = tempfile::tempfile().map_err(WavError::Io)?;
        let mut wav = WavFile::new(BufWriter::new(&file), self.rate, self.format)?;
        for block in self.blocks() {
            if is_cancelled.load(Ordering::Relaxed) {
                return Err(WavError::Io(io::Error::other("the client went away")));
            }
            wav.write(&block)?;
        }
        wav.finish()?;
        file.rewind().map_err(WavError::Io)?;
        Ok(file)
    }

    /// What is rendered, as it comes. Who goes away ends the render.
    pub(super) fn stream(self) -> Body {
        let (to, from) = mpsc::channel(2);
        spawn_blocking(move || self.send(&to));
        Body::from_stream(stream::unfold(from, |mut from: mpsc::Receiver<_>| async move {
            match from.recv().await {
                Some(Ok(piece)) if piece == END => None,
                Some(piece) => Some((piece, from)),
                None => Some((Err(WavError::Io(io::ErrorKind::UnexpectedEof.into())), from)),
            }
        }))
    }

    fn send(self, to: &mpsc::Sender<Result<Bytes, WavError>>) {
        let runtime = Handle::current();
        let send = |piece| runtime.block_on(to.send_timeout(piece, STALL)).is_ok();
        let (mut wav, mut bytes) = match WavStream::new(self.rate, self.format) {
            Ok(begun) => begun,
            Err(error) => {
                send(Err(error));
                return;
            }
        };
        for block in self.blocks() {
            bytes.extend(wav.encode(&block));
            if bytes.len() >= PIECE && !send(Ok(std::mem::take(&mut bytes).into())) {
                return;
            }
        }
        let _ = send(Ok(bytes.into())) && send(Ok(END));
    }
}
