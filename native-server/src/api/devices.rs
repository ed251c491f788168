//! `/api/devices`: what the machine has, and what is used of it.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{ApiError, App};
use crate::audio::{self, DeviceInfo, DeviceListing};
use crate::midi_input;

pub(super) fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(devices))
}

/// Answer of `GET /api/devices`.
#[derive(Serialize, ToSchema)]
pub(super) struct Devices {
    /// What plays now.
    output: DeviceInUse,
    /// What is recorded now; null without one.
    input: Option<DeviceInUse>,
    /// Names of the MIDI inputs that play the armed track.
    midi: Vec<String>,
    /// What `--device` takes, the system's own choice first.
    outputs: Vec<Device>,
    /// What `--input-device` takes, the system's own choice first.
    inputs: Vec<Device>,
    /// What `--midi-input` takes.
    midi_inputs: Vec<String>,
}

/// A device that is used.
#[derive(Serialize, ToSchema)]
pub(super) struct DeviceInUse {
    /// What a person calls it.
    name: String,
    /// Frames per second.
    sample_rate: u32,
}

/// A device that is there.
#[derive(Serialize, ToSchema)]
pub(super) struct Device {
    /// What the option takes.
    name: String,
    /// What the system says about it.
    description: String,
    /// It is the system's own choice.
    is_default: bool,
}

impl From<DeviceInfo> for DeviceInUse {
    fn from(info: DeviceInfo) -> Self {
        Self { name: info.name, sample_rate: info.rate.hz() }
    }
}

impl From<DeviceListing> for Device {
    fn from(DeviceListing { name, description, is_default }: DeviceListing) -> Self {
        Self { name, description, is_default }
    }
}

/// Devices of the machine, and those that are used.
#[utoipa::path(get, path = "/api/devices", tag = "system", responses((status = 200, body = Devices)))]
async fn devices(State(app): State<App>) -> Result<Json<Devices>, ApiError> {
    // Sound systems may take their time.
    let listed = tokio::task::spawn_blocking(|| (audio::list(), audio::list_inputs(), midi_input::list()));
    let (outputs, inputs, midi_inputs) = listed
        .await
        .map_err(|error| ApiError::unavailable(format!("the devices cannot be listed: {error}")))?;
    Ok(Json(Devices {
        output: app.audio.info().into(),
        input: app.input.and_then(|input| input.info()).map(Into::into),
        midi: app.midi.connected(),
        outputs: outputs.into_iter().map(Into::into).collect(),
        inputs: inputs.into_iter().map(Into::into).collect(),
        midi_inputs,
    }))
}
