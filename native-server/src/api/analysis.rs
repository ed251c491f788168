//! `/api/analysis`: everything there is to say about a file.

use std::sync::atomic::{AtomicBool, Ordering};

use audio_files::{AnalysisError, FileAnalysis};
use axum::Json;
use axum::body::{Body, Bytes};
use axum::extract::{FromRequest, Request, State};
use axum::http::StatusCode;
use engine_core::analysis::report::{Report, ReportOptions};
use engine_core::protocol::rest::Problem;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::extract::{Query, RawBody};
use super::problem::{ApiError, Refused};
use super::{App, CancelOnDrop};
use crate::services::MAX_FILE_BYTES;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(analyze))
}

/// A report of a WAV, AIFF, FLAC, MP3 or OGG Vorbis file with one to six channels (OGG: one or two): levels, loudness,
/// spectrum, overview, key and tempo. The numbers of `antiphon analyze --json`. Nothing of the file is kept.
#[utoipa::path(post, path = "/api/analysis", tag = "analysis", params(ReportOptions),
    request_body(content(
        (Vec<u8> = "audio/wav"), (Vec<u8> = "audio/aiff"), (Vec<u8> = "audio/flac"), (Vec<u8> = "audio/mpeg"),
        (Vec<u8> = "audio/ogg"),
    )),
    responses(
        (status = 200, body = Report),
        Refused<413>,
        (status = 422, body = Problem, content_type = "application/problem+json", description =
            "not audio, cut short, or an option out of range"),
        (status = 503, body = Problem, content_type = "application/problem+json", description =
            "as many analyses run as there may"),
    )
)]
async fn analyze(
    State(app): State<App>,
    Query(options): Query<ReportOptions>,
    request: Request<Body>,
) -> Result<Json<Report>, ApiError> {
    let busy = |_| ApiError::unavailable("other analyses run; try again when one is done");
    // Before the file has come, too: it may be long.
    drop(app.places.analyses.try_acquire().map_err(busy)?);
    let RawBody(file): RawBody<MAX_FILE_BYTES> = RawBody::from_request(request, &()).await?;
    let permit = app.places.analyses.clone().try_acquire_owned().map_err(busy)?;
    let cancel = CancelOnDrop::default();
    let is_cancelled = cancel.0.clone();
    let report = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        measured(file, &options, &is_cancelled)
    });
    let report = report.await.map_err(|error| {
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "analysis-failed", error.to_string())
    })?;
    Ok(Json(report?))
}

fn measured(file: Bytes, options: &ReportOptions, is_cancelled: &AtomicBool) -> Result<Report, ApiError> {
    let mut analysis = FileAnalysis::new(file, None, options)?;
    while analysis.step()? {
        if is_cancelled.load(Ordering::Relaxed) {
            return Err(ApiError::unavailable("the client went away"));
        }
    }
    Ok(analysis.finish()?.0)
}

impl From<AnalysisError> for ApiError {
    fn from(error: AnalysisError) -> Self {
        match error {
            AnalysisError::Report(error) => {
                Self::invalid_field(error.field(), format!("must be {}", error.allowed()))
            }
            AnalysisError::CutShort(..) | AnalysisError::Sizes(..) => {
                let detail = format!("{error}; ask with ?partial=true to measure what is there");
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-audio", detail)
            }
            AnalysisError::Decode(error) => {
                Self::new(StatusCode::UNPROCESSABLE_ENTITY, "invalid-audio", error.to_string())
            }
        }
    }
}
