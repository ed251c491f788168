//! What crosses between the control thread and the audio thread, in both directions.
//!
//! In: a [`Program`] (a composition compiled for playing) and [`Command`]s. Out: one [`Quantum`] per 128
//! frames. All of it is plain data that hosts carry over bounded queues.

mod command;
mod program;
mod quantum;
mod sample;

pub use command::{Command, StripChange, StripTarget};
pub use program::{
    BusSettings, EffectSettings, Event, EventKind, MasterSettings, Program, Region, SendSettings,
    StripSettings, ZoneSettings,
};
pub use quantum::{ActiveNote, MAX_ACTIVE_NOTES, PlayState, Quantum, TapId, TransportSnapshot};
pub use sample::Sample;
