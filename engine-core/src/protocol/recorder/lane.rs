//! The cells of one tap.

use alloc::boxed::Box;
use alloc::vec;

use super::{RECORDER_BANDS, RECORDER_LEN};
use crate::analysis::meter::MeterBlock;
use crate::control::TapId;
use crate::protocol::binary::{LEVELS_LEN, LOUDNESS_LEN, encode_levels, encode_loudness, encode_narrow};
use crate::protocol::directory::Tap;
use crate::protocol::frame::Loudness;

const CELL_LEN: usize = LEVELS_LEN + LOUDNESS_LEN + RECORDER_BANDS;

/// What a cell holds.
pub(super) const LEVELS: u8 = 1;
pub(super) const LOUDNESS: u8 = 2;
pub(super) const BANDS: u8 = 4;

/// A ring of cells, in step with the recorder's ticks.
pub(super) struct Lane {
    tap: Option<Tap>,
    /// Ticks since the recorder's start when the newest cell was written; 0 for none.
    newest: u64,
    /// What each cell holds.
    states: Box<[u8]>,
    cells: Box<[u8]>,
}

impl Lane {
    pub(super) fn new() -> Self {
        Self {
            tap: None,
            newest: 0,
            states: vec![0; RECORDER_LEN].into(),
            cells: vec![0; RECORDER_LEN * CELL_LEN].into(),
        }
    }

    /// The tap, with its number in recorded frames.
    pub(super) fn tap(&self) -> Option<&Tap> {
        self.tap.as_ref()
    }

    pub(super) fn newest(&self) -> u64 {
        self.newest
    }

    /// Says whose lane it is. Recorded frames number taps by lane.
    pub(super) fn name(&mut self, tap: &Tap, idx: usize, is_input: bool) {
        let id = if is_input { TapId::INPUT.0 } else { idx as u16 };
        self.tap = Some(Tap { id, ..tap.clone() });
    }

    /// Empties it, for another tap.
    pub(super) fn forget(&mut self) {
        self.states.fill(0);
        (self.tap, self.newest) = (None, 0);
    }

    /// A tick begins: its cell is empty.
    pub(super) fn begin(&mut self, slot: usize) {
        self.states[slot] = 0;
    }

    pub(super) fn has(&self, slot: usize, what: u8) -> bool {
        self.states[slot] & what != 0
    }

    pub(super) fn put_meters(
        &mut self,
        slot: usize,
        n_ticks: u64,
        block: &MeterBlock,
        loudness: Option<&Loudness>,
    ) {
        self.newest = n_ticks;
        self.cell_mut(slot)[..LEVELS_LEN].copy_from_slice(&encode_levels(block));
        self.states[slot] |= LEVELS;
        if let Some(loudness) = loudness {
            self.cell_mut(slot)[LEVELS_LEN..][..LOUDNESS_LEN].copy_from_slice(&encode_loudness(loudness));
            self.states[slot] |= LOUDNESS;
        }
    }

    pub(super) fn put_bands(&mut self, slot: usize, magnitudes: &[f32]) {
        if magnitudes.len() != RECORDER_BANDS {
            return;
        }
        for (band, &db) in self.cell_mut(slot)[LEVELS_LEN + LOUDNESS_LEN..].iter_mut().zip(magnitudes) {
            *band = encode_narrow(db);
        }
        self.states[slot] |= BANDS;
    }

    pub(super) fn levels(&self, slot: usize) -> &[u8] {
        &self.cell(slot)[..LEVELS_LEN]
    }

    pub(super) fn loudness(&self, slot: usize) -> &[u8] {
        &self.cell(slot)[LEVELS_LEN..][..LOUDNESS_LEN]
    }

    pub(super) fn bands(&self, slot: usize) -> &[u8] {
        &self.cell(slot)[LEVELS_LEN + LOUDNESS_LEN..]
    }

    fn cell(&self, slot: usize) -> &[u8] {
        &self.cells[slot * CELL_LEN..][..CELL_LEN]
    }

    fn cell_mut(&mut self, slot: usize) -> &mut [u8] {
        &mut self.cells[slot * CELL_LEN..][..CELL_LEN]
    }
}
