//! Which part brings which data.
//!
//! A linked module says nothing of where one constant ends and the next begins. But whoever reads one has its address:
//! as a number, or as the offset of a load. Data to which, and near which, no other part points is a part's own. A constant
//! with many zeros inside is several segments, and whoever reads it names only where the first begins: the nearest address
//! below a segment says as well whose it is, however far off.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, bail};
use walrus::ir::{Load, LoadSimd, Store, Value, Visitor, dfs_in_order};
use walrus::{ConstExpr, DataKind, Module};

use super::{FunctionIdx, Part, below};

/// Bytes before and after a segment where an address may be of it: one past the end, or some elements before the start.
const MARGIN: u32 = 64;

/// The part of each segment, in their order. What is pointed to by data, or by nothing, is the base's.
pub(super) fn owners(
    module: &Module,
    functions: &[BTreeSet<FunctionIdx>],
    parts: &[Part],
) -> Result<Vec<usize>> {
    let mut segments = Vec::new();
    for data in module.data.iter() {
        let DataKind::Active { offset: ConstExpr::Value(Value::I32(start)), .. } = data.kind else {
            bail!("data is not at a fixed address");
        };
        segments.push((start as u32, data.value.as_slice()));
    }
    let mut naming: BTreeMap<u32, BTreeSet<usize>> = BTreeMap::new();
    for (id, function) in module.funcs.iter_local() {
        let its = (0..parts.len()).filter(|&part| functions[part].contains(&id.index()));
        let mut numbers = Numbers::default();
        dfs_in_order(&mut numbers, function, function.entry_block());
        for part in its {
            numbers.0.iter().for_each(|&number| _ = naming.entry(number).or_default().insert(part));
        }
    }
    for (start, bytes) in &segments {
        let words = bytes.get((start.next_multiple_of(4) - start) as usize..).unwrap_or_default();
        for word in words.as_chunks::<4>().0 {
            naming.entry(u32::from_le_bytes(*word)).or_default().insert(0);
        }
    }
    let is_from = |part, low| part == low || below(parts, &parts[part]).any(|below| below == low);
    let mut free_from = 0;
    let mut owners = Vec::new();
    for (start, bytes) in segments {
        let end = start.checked_add(bytes.len() as u32).context("data beyond the memory")?;
        // Zeros before it are not stored, and may be its own.
        let near = naming.range(free_from.min(start).saturating_sub(MARGIN)..=end.saturating_add(MARGIN));
        let mut naming_it: BTreeSet<usize> = near.flat_map(|(_, parts)| parts).copied().collect();
        if !naming_it.is_empty() {
            naming_it.extend(naming.range(..=start).next_back().into_iter().flat_map(|(_, parts)| parts));
        }
        let lowest = naming_it.iter().find(|&&low| naming_it.iter().all(|&part| is_from(part, low)));
        owners.push(lowest.copied().unwrap_or(0));
        free_from = end;
    }
    Ok(owners)
}

/// What could be an address.
#[derive(Default)]
struct Numbers(BTreeSet<u32>);

impl Numbers {
    fn offset(&mut self, offset: u64) {
        self.0.extend(u32::try_from(offset));
    }
}

impl Visitor<'_> for Numbers {
    fn visit_value(&mut self, value: &Value) {
        if let Value::I32(number) = value {
            self.0.insert(*number as u32);
        }
    }

    fn visit_load(&mut self, load: &Load) {
        self.offset(load.arg.offset);
    }

    fn visit_load_simd(&mut self, load: &LoadSimd) {
        self.offset(load.arg.offset);
    }

    fn visit_store(&mut self, store: &Store) {
        self.offset(store.arg.offset);
    }
}
