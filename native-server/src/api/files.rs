//! Compositions as files: MIDI, and sound.

use audio_files::SampleFormat;
use axum::body::Body;
use axum::extract::rejection::PathRejection;
use axum::extract::{Path, State};
use axum::http::{HeaderValue, Method, StatusCode, header};
use axum::response::{IntoResponse, Response};
use engine_core::composition::midi::{self, FileType};
use engine_core::protocol::rest::Problem;
use engine_core::units::SampleRate;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use uuid::Uuid;

use super::App;
use super::extract::Query;
use super::problem::{ApiError, Refused};
use super::render::Job;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(export_midi)).routes(routes!(render_wav))
}

/// The composition as a Standard MIDI File of type 1. Audio clips and effects have no place in it.
#[utoipa::path(get, path = "/api/compositions/{id}/export.mid", tag = "compositions", params(("id" = Uuid, Path)), responses(
    (status = 200, body = Vec<u8>, content_type = "audio/midi"),
    Refused<404>,
))]
async fn export_midi(
    State(app): State<App>,
    id: Result<Path<Uuid>, PathRejection>,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    let stored = app.compositions.get(id).await?;
    let bytes = midi::export(&stored.composition, FileType::MultiTrack).map_err(|error| {
        ApiError::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-midi", error.to_string())
    })?;
    Ok(download(Body::from(bytes), "audio/midi", &stored.composition.name, "mid"))
}

#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Rendering {
    /// 16 (dithered), 24 (when absent) or 32 (floats, the engine's own bits).
    bits: Option<u16>,
    /// Frames per second, 8,000 to 192,000; 48,000 when absent.
    sample_rate: Option<u32>,
    /// Sent while it is rendered, for a pipe: the header does not know the length then, and says the greatest there is. When
    /// absent or false, all is rendered before the first byte, since only then the length of its tail is known.
    stream: Option<bool>,
}

/// The composition as a WAV file: the bits that live playing makes, with its tail.
#[utoipa::path(get, path = "/api/compositions/{id}/render.wav", tag = "compositions",
    params(("id" = Uuid, Path), Rendering),
    responses(
        (status = 200, body = Vec<u8>, content_type = "audio/wav"),
        Refused<404>, Refused<422>,
        (status = 503, body = Problem, content_type = "application/problem+json", description = "another render runs"),
    )
)]
async fn render_wav(
    State(app): State<App>,
    method: Method,
    id: Result<Path<Uuid>, PathRejection>,
    Query(rendering): Query<Rendering>,
) -> Result<Response, ApiError> {
    let Path(id) = id?;
    let bits = rendering.bits.unwrap_or(24);
    let format = SampleFormat::from_bits(bits)
        .ok_or_else(|| ApiError::invalid_field("bits", format!("{bits} is not 16, 24 or 32")))?;
    let hz = rendering.sample_rate.unwrap_or(SampleRate::DEFAULT.hz());
    let rate = SampleRate::new(hz).ok_or_else(|| {
        ApiError::invalid_field("sample_rate", format!("{hz} is not between 8000 and 192000"))
    })?;
    let stored = app.compositions.get(id).await?;
    let answer = |body| download(body, "audio/wav", &stored.composition.name, "wav");
    if method == Method::HEAD {
        return Ok(answer(Body::empty()));
    }
    let job = Job::new(&app, &stored.composition, rate, format).await?;
    let body = if rendering.stream == Some(true) { job.stream() } else { job.file().await? };
    Ok(answer(body))
}

/// An answer that browsers save under the composition's name.
pub(super) fn download(body: Body, content_type: &'static str, name: &str, extension: &str) -> Response {
    let safe = |c: char| if c.is_ascii_alphanumeric() || " -_.".contains(c) { c } else { '_' };
    let name: String = name.chars().map(safe).collect();
    let disposition = HeaderValue::from_str(&format!("attachment; filename=\"{name}.{extension}\""));
    let mut response = body.into_response();
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static(content_type));
    if let Ok(disposition) = disposition {
        response.headers_mut().insert(header::CONTENT_DISPOSITION, disposition);
    }
    response
}
