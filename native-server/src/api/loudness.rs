//! `/api/loudness`: what is measured all the time, started anew.

use axum::extract::State;
use axum::http::StatusCode;
use engine_core::protocol::rest::{LoudnessReset, Problem};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::App;
use super::extract::OptionalJson;
use super::problem::ApiError;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(reset_loudness))
}

/// Starts momentary, short-term and integrated loudness and loudness range anew, of one tap or of all; also in triggers
/// that wait for a loudness. The next `meters` frame is marked as a discontinuity, and `loudness_resets` tells everybody
/// who keeps greatest values of the master to start them anew.
#[utoipa::path(post, path = "/api/loudness/reset", tag = "analysis", request_body = Option<LoudnessReset>, responses(
    (status = 204, description = "frames that are measured from now on are of after it"),
    (status = 400, body = Problem, content_type = "application/problem+json"),
    (status = 422, body = Problem, content_type = "application/problem+json", description = "no such tap"),
))]
async fn reset_loudness(
    State(app): State<App>,
    OptionalJson(LoudnessReset { tap }): OptionalJson<LoudnessReset>,
) -> Result<StatusCode, ApiError> {
    let tap = tap
        .map(|name| app.publisher.taps().find(&name))
        .transpose()
        .map_err(|error| ApiError::invalid_field(error.field, error.message))?;
    app.publisher.reset_loudness(tap).await;
    Ok(StatusCode::NO_CONTENT)
}
