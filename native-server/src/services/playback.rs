//! The transport: what REST asks of it, in beats and seconds, as commands in ticks.

use std::sync::Arc;

use engine_core::composition::Composition;
use engine_core::control::{Command, TapId};
use engine_core::protocol::json::Body;
use engine_core::protocol::rest::{
    LoopRequest, MetronomeRequest, PlaybackState, RecordRequest, SeekRequest, TakeReport, TempoRequest,
};
use engine_core::protocol::{Flags, Frame, Payload, Transport};
use engine_core::time::BPM_RANGE;
use engine_core::units::{Ticks, ticks_from_beats};
use uuid::Uuid;

use super::{CompositionStateService, Label, PATIENCE, Precondition, RecordingService, ServiceError};
use crate::audio::{EngineQueue, ToEngine};
use crate::publisher::{EngineState, Publisher};

/// Controls the transport. Every call answers with the state after it.
pub struct PlaybackEngineService {
    compositions: Arc<CompositionStateService>,
    engine: Arc<EngineQueue>,
    publisher: Publisher,
    recording: RecordingService,
}

impl PlaybackEngineService {
    /// A service for what `compositions` has loaded.
    pub fn new(
        compositions: Arc<CompositionStateService>,
        engine: Arc<EngineQueue>,
        publisher: Publisher,
        recording: RecordingService,
    ) -> Self {
        Self { compositions, engine, publisher, recording }
    }

    /// Where the transport stands.
    pub fn state(&self) -> PlaybackState {
        self.describe(&self.publisher.state())
    }

    /// Carries out a command that needs no checking. If it ends a recording, that is kept when this returns.
    ///
    /// # Errors
    /// A busy engine.
    pub async fn command(&self, command: Command) -> Result<PlaybackState, ServiceError> {
        let at = self.engine.send([ToEngine::Command(command)])?;
        let state = self.publisher.state_after(at, PATIENCE).await;
        self.recording.settle().await;
        Ok(self.describe(&state))
    }

    /// Chooses the track that is recorded to; none for nothing.
    ///
    /// # Errors
    /// See [`RecordingService`].
    pub async fn arm(&self, track: Option<Uuid>) -> Result<PlaybackState, ServiceError> {
        self.recording.arm(track).await?;
        Ok(self.state())
    }

    /// Records to the armed track until the playhead stops or is moved.
    ///
    /// # Errors
    /// See [`RecordingService`].
    pub async fn record(&self, request: RecordRequest) -> Result<PlaybackState, ServiceError> {
        self.recording.record(request).await?;
        Ok(self.state())
    }

    /// What came of the last recording.
    pub fn last_take(&self) -> TakeReport {
        self.recording.last_take()
    }

    /// Ends a recording and keeps it: the server is about to end.
    pub async fn finish(&self) {
        if self.publisher.state().transport.recording {
            let _ = self.command(Command::Stop).await;
        }
    }

    /// Moves the playhead.
    ///
    /// # Errors
    /// A position that is negative or no number.
    pub async fn seek(&self, to: SeekRequest) -> Result<PlaybackState, ServiceError> {
        let (field, value) = match to {
            SeekRequest::Beats { position_beats } => ("position_beats", position_beats),
            SeekRequest::Seconds { position_seconds } => ("position_seconds", position_seconds),
        };
        if !(value.is_finite() && value >= 0.0) {
            return Err(ServiceError::invalid(field, format!("{value} is not a number of at least 0")));
        }
        let loaded = self.compositions.loaded()?;
        let composition = &loaded.composition;
        let tick = match to {
            SeekRequest::Beats { position_beats } => ticks_from_beats(position_beats),
            SeekRequest::Seconds { position_seconds } => {
                composition.tempo.ticks_from_seconds(position_seconds)
            }
        };
        self.command(Command::Locate { tick: tick.min(f64::from(composition.length)) }).await
    }

    /// Replaces the tempo at the playhead; also in the composition, whose positions in seconds depend on it.
    ///
    /// # Errors
    /// A tempo out of range, a revision that `precondition` does not allow, or nothing plays.
    pub async fn set_tempo(
        &self,
        precondition: &Precondition,
        TempoRequest { bpm }: TempoRequest,
    ) -> Result<PlaybackState, ServiceError> {
        if !BPM_RANGE.contains(&bpm) {
            let (low, high) = (BPM_RANGE.start(), BPM_RANGE.end());
            return Err(ServiceError::invalid("bpm", format!("{bpm} is not between {low} and {high}")));
        }
        let tick = self.publisher.state().transport.tick;
        let change = |spec: &engine_core::composition::CompositionSpec| {
            let mut spec = spec.clone();
            let changed = spec.tempo.set_bpm_at(tick, bpm);
            changed.map_err(|error| ServiceError::invalid("bpm", error.to_string()))?;
            Ok(spec)
        };
        let label = Label::gesture(format!("tempo {bpm}"), "tempo");
        self.compositions.change_loaded(precondition, label, change).await?;
        Ok(self.state())
    }

    /// Sets the loop region.
    ///
    /// # Errors
    /// A region that is empty, or not inside the composition.
    pub async fn set_loop(&self, region: LoopRequest) -> Result<PlaybackState, ServiceError> {
        let loaded = self.compositions.loaded()?;
        let (start, end) = loop_ticks(&region, &loaded.composition)?;
        self.command(Command::SetLoop { enabled: region.enabled, start, end }).await
    }

    /// Switches the click.
    ///
    /// # Errors
    /// A busy engine.
    pub async fn set_metronome(&self, request: MetronomeRequest) -> Result<PlaybackState, ServiceError> {
        self.command(Command::SetMetronome { enabled: request.enabled }).await
    }

    fn describe(&self, state: &EngineState) -> PlaybackState {
        let frame = Frame {
            tap: TapId::MASTER,
            flags: Flags::SNAPSHOT,
            sample_position: state.sample_position,
            payload: Payload::Transport(Transport {
                snapshot: state.transport,
                server_time: state.server_time,
                composition_revision: self.compositions.loaded().map_or(0, |loaded| loaded.revision),
            }),
        };
        match Body::new(&frame, &self.publisher.taps(), None) {
            Some(Body::Transport(playback)) => playback,
            _ => unreachable!("the body of a transport is a transport"),
        }
    }
}

/// The region in ticks; an end after the composition's end means its end.
fn loop_ticks(region: &LoopRequest, composition: &Composition) -> Result<(Ticks, Ticks), ServiceError> {
    let length = f64::from(composition.length);
    let tick = |field: &str, beats: f64| {
        let is_position = beats.is_finite() && beats >= 0.0;
        let refusal = || ServiceError::invalid(field, format!("{beats} is not a number of at least 0"));
        // In range: 0 to the composition's length, which is a u32.
        if is_position { Ok(ticks_from_beats(beats).round().min(length) as Ticks) } else { Err(refusal()) }
    };
    let (start, end) = (tick("start_beats", region.start_beats)?, tick("end_beats", region.end_beats)?);
    if start >= end {
        let LoopRequest { start_beats, end_beats, .. } = region;
        let message =
            format!("the region from beat {start_beats} to {end_beats} holds nothing of the composition");
        return Err(ServiceError::invalid("end_beats", message));
    }
    Ok((start, end))
}

#[cfg(test)]
mod tests {
    use engine_core::composition::CompositionSpec;

    use super::*;

    #[test]
    fn loops_end_with_the_composition_and_are_never_empty() {
        let spec = CompositionSpec { name: String::from("x"), length: 9600, ..CompositionSpec::default() };
        let composition = Composition::new(spec).unwrap();
        let ticks = |start_beats, end_beats| {
            loop_ticks(&LoopRequest { enabled: true, start_beats, end_beats }, &composition)
        };
        assert_eq!(ticks(1.0, 2.5), Ok((960, 2400)));
        assert_eq!(ticks(0.0, 99.0), Ok((0, 9600)));
        for (start, end) in
            [(2.0, 2.0), (3.0, 1.0), (-1.0, 2.0), (10.0, 12.0), (0.0, f64::NAN), (0.0, f64::INFINITY)]
        {
            assert!(ticks(start, end).is_err(), "{start} to {end}");
        }
    }
}
