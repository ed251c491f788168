//! `/api/recorder`: what the last ten minutes were like.

use std::ops::RangeInclusive;
use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine_core::control::TapId;
use engine_core::protocol::json::{Envelope, MetersFrame, SpectrumFrame};
use engine_core::protocol::recorder::{checksum, frame_from};
use engine_core::protocol::rest::Problem;
use engine_core::protocol::{Directory, Header, Tap};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::extract::Query;
use super::files::download;
use super::problem::{ApiError, Refused};
use crate::publisher::{EncodedFrame, FlightRecorder, JsonHead, SharedAxis};

/// Media type of a recording's file.
const FILE_TYPE: &str = "application/vnd.antiphon.recording";

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read_recorder))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Wanted {
    /// First sample position (engine frames); the oldest when absent.
    from: Option<u64>,
    /// Last sample position; the newest when absent.
    to: Option<u64>,
    /// `master`, `input` or a track's id: its spectra, and meters of the master and of it. All taps when absent.
    tap: Option<String>,
    /// `json` (when absent) or `file`, a recording to keep and to open again.
    #[param(inline)]
    format: Option<Format>,
}

#[derive(Clone, Copy, Deserialize, PartialEq, ToSchema)]
#[serde(rename_all = "snake_case")]
enum Format {
    Json,
    File,
}

/// Answer of `GET /api/recorder`.
#[derive(Serialize, ToSchema)]
struct Recorded {
    /// Changes when the server restarts; positions start anew then.
    epoch: u16,
    /// Frames per second of the engine.
    sample_rate: u32,
    /// Position of the oldest tick that is kept; `null` before the first.
    oldest: Option<u64>,
    /// Position of the newest tick; `null` before the first.
    newest: Option<u64>,
    /// Taps of the frames. Numbers of tracks are the recorder's own.
    taps: Vec<Tap>,
}

/// Frames as on a stream of JSON: `type`, `seq`, `epoch` and `dropped` added.
#[derive(Serialize, ToSchema)]
#[serde(untagged)]
#[expect(dead_code, reason = "only describes the answer, which is written piece by piece")]
enum RecordedFrame {
    Meters(MetersFrame),
    Spectrum(SpectrumFrame),
}

/// The answer as it is documented.
#[derive(Serialize, ToSchema)]
struct RecordedFrames {
    #[serde(flatten)]
    head: Recorded,
    /// Ten ticks a second: one of meters (with the loudness of every tap), and one of 64 bands for each tap.
    frames: Vec<RecordedFrame>,
}

/// Meters, loudness and spectra of the last ten minutes, ten times a second, by sample position. As JSON, or (with
/// `format=file`, or `Accept: application/vnd.antiphon.recording`) as a file that the npm package opens.
#[utoipa::path(get, path = "/api/recorder", tag = "recorder", params(Wanted), responses(
    (status = 200, content((RecordedFrames = "application/json"), (Vec<u8> = "application/vnd.antiphon.recording"))),
    (status = 404, body = Problem, content_type = "application/problem+json", description = "the recorder is off"),
    Refused<422>,
))]
async fn read_recorder(
    State(app): State<App>,
    headers: HeaderMap,
    Query(wanted): Query<Wanted>,
) -> Result<Response, ApiError> {
    let recorder = app.recorder.clone().ok_or_else(|| {
        let detail = "the recorder is off; start the server without --recorder off";
        ApiError::new(StatusCode::NOT_FOUND, "not-found", detail.to_string())
    })?;
    let directory = recorder.directory();
    let tap = wanted.tap.map(|name| directory.find(&name)).transpose();
    let tap = tap.map_err(|error| ApiError::invalid_field(error.field, error.message))?;
    if let (Some(from), Some(to)) = (wanted.from, wanted.to)
        && from > to
    {
        return Err(ApiError::invalid_field("to", format!("{to} is before from, {from}")));
    }
    let range = recorder.range();
    let newest = range.as_ref().map_or(0, |range| *range.end());
    // Not open to the end: a reader that is slower than the recorder would never be done.
    let positions = wanted.from.unwrap_or(0)..=wanted.to.unwrap_or(newest).min(newest);
    let accepts_file = headers
        .get(header::ACCEPT)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|v| v.contains(FILE_TYPE));
    if wanted.format.map_or(accepts_file, |format| format == Format::File) {
        return Ok(file(recorder, positions, tap));
    }
    let head = Recorded {
        epoch: app.epoch,
        sample_rate: directory.sample_rate,
        oldest: range.as_ref().map(|range| *range.start()),
        newest: range.as_ref().map(|range| *range.end()),
        taps: directory.taps.clone(),
    };
    Ok(json(recorder, positions, tap, directory, &head))
}

/// Pieces of the recorder's frames, until `positions` are through.
fn pieces(
    recorder: Arc<FlightRecorder>,
    positions: RangeInclusive<u64>,
    tap: Option<TapId>,
) -> impl Iterator<Item = Vec<u8>> + Send {
    let mut next = Some(*positions.start());
    std::iter::from_fn(move || {
        let bytes;
        (bytes, next) = recorder.read(&(next?..=*positions.end()), tap);
        Some(bytes)
    })
}

fn file(recorder: Arc<FlightRecorder>, positions: RangeInclusive<u64>, tap: Option<TapId>) -> Response {
    let head = recorder.file_head();
    let mut sum = 0;
    let mut parts = std::iter::once(head).chain(pieces(recorder, positions, tap)).fuse();
    let mut is_sealed = false;
    let sealed = std::iter::from_fn(move || {
        if let Some(part) = parts.next() {
            sum = checksum(sum, &part);
            return Some(part);
        }
        (!std::mem::replace(&mut is_sealed, true)).then(|| sum.to_le_bytes().to_vec())
    });
    download(streamed(sealed), FILE_TYPE, "recording", "antirec")
}

fn json(
    recorder: Arc<FlightRecorder>,
    positions: RangeInclusive<u64>,
    tap: Option<TapId>,
    directory: Directory,
    head: &Recorded,
) -> Response {
    let (epoch, taps) = (head.epoch, Arc::new(directory));
    let axis = Arc::new(SharedAxis::new(recorder.axis().clone()));
    let mut is_first = true;
    let frames = pieces(recorder, positions, tap).map(move |bytes| {
        let mut text = Vec::new();
        let mut rest = &bytes[..];
        while let (Some((header, ..)), Some((frame, after))) = (Header::split(rest), frame_from(rest)) {
            rest = after;
            if !std::mem::take(&mut is_first) {
                text.push(b',');
            }
            let encoded = EncodedFrame::new(frame, taps.clone(), Some(axis.clone()));
            let envelope = Envelope { seq: header.seq, epoch, dropped: 0 };
            text.extend_from_slice(JsonHead::new(encoded.topic(), envelope).as_bytes());
            text.extend_from_slice(encoded.json_body().as_bytes());
        }
        text
    });
    let head = serde_json::to_string(head).unwrap_or_default();
    let opening = format!(r#"{},"frames":["#, head.trim_end_matches('}'));
    let body = std::iter::once(opening.into_bytes()).chain(frames).chain([b"]}".to_vec()]);
    let mut response = streamed(body).into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}

/// A body that is made while it is sent.
fn streamed(parts: impl Iterator<Item = Vec<u8>> + Send + 'static) -> Body {
    Body::from_stream(stream::iter(parts.map(Ok::<_, std::convert::Infallible>)))
}
