//! Splits a linked module into parts that are loaded when they are needed.
//!
//! ```text
//! analysis ◀── spectrum ◀── music        each imports from those below it: memory, table, globals, functions
//!     ▲─────── worklet
//! ```
//!
//! A part has all functions that are called from its exports, from its entries and from what it has in the table, but for
//! those that a part below has. What two parts need of which none is below the other is in both. Where another part calls
//! an entry, it calls what stands in a slot of the one table that all parts share; the entry's part fills the slot when it
//! is instantiated, and until then the call traps. Data that only one part reads is in it too. The base imports nothing.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};
use walrus::ir::{self, Visitor, dfs_in_order};
use walrus::{
    ConstExpr, ElementItems, ElementKind, ExportItem, FunctionBuilder, FunctionId, FunctionKind, GlobalKind,
    ImportedFunction, LocalFunction, Module, ModuleConfig, Table, TableId, TypeId, ValType,
};

mod data;
#[cfg(test)]
mod tests;

/// A part, as it is wanted.
pub(crate) struct Part {
    /// What those above it import from.
    pub(crate) name: &'static str,
    /// The part below, by index: one before it. The first part has none, and is the base.
    pub(crate) below: Option<usize>,
    /// Exports that are its own; the base has the others.
    pub(crate) exports: &'static [&'static str],
    /// Functions at which it begins, by parts of their names: one function each.
    pub(crate) entries: &'static [&'static str],
    /// What of the table is its own, by parts of names; the base has the rest.
    pub(crate) pointed_to: &'static [&'static str],
}

/// The parts of a module without imports and start that has the names of its functions, in the order of `parts`.
pub(crate) fn split(module: &[u8], parts: &[Part]) -> Result<Vec<Vec<u8>>> {
    let whole = parse(module)?;
    ensure!(whole.imports.iter().next().is_none(), "the module has imports");
    ensure!(whole.start.is_none(), "the module has a start function, which would run in each part");
    let mut plan = Plan::new(&whole, parts)?;
    plan.table_name = table_name(module, parts, &plan);
    (0..parts.len()).map(|part| plan.emit(module, part, parts)).collect()
}

/// Says of which module it is, and how that was split.
fn table_name(module: &[u8], parts: &[Part], plan: &Plan) -> String {
    let names: Vec<_> = parts.iter().map(|part| part.name).collect();
    let sha256 = Sha256::new().chain_update(module).chain_update(format!("{names:?} {plan:?}")).finalize();
    format!("table_{:02x}{:02x}{:02x}", sha256[0], sha256[1], sha256[2])
}

/// Place of a function among all of them, which is the same each time that a module is parsed.
type FunctionIdx = usize;

fn parse(module: &[u8]) -> Result<Module> {
    let mut config = ModuleConfig::new();
    config.generate_producers_section(false);
    config.parse(module).context("not a module")
}

/// Under which the linker exports it.
const MEMORY: &str = "memory";

/// What goes where.
#[derive(Debug)]
struct Plan {
    /// Number of slots of the table, with those of the entries.
    n_slots: u32,
    /// The functions of each part.
    functions: Vec<BTreeSet<FunctionIdx>>,
    /// The part of each segment of data, in their order.
    data: Vec<usize>,
    /// Slots of entries that are called from other parts than those above them.
    slots: BTreeMap<FunctionIdx, u32>,
    /// What stands in the table, with the part whose it is.
    pointed_to: BTreeMap<u32, (FunctionIdx, usize)>,
    /// Names under which parts export functions to those above.
    shared: BTreeMap<(usize, FunctionIdx), String>,
    /// Name of the table. Other modules and other plans have another one, so that parts of two do not go together.
    table_name: String,
}

impl Plan {
    fn new(module: &Module, parts: &[Part]) -> Result<Self> {
        for part in parts {
            let is_absent = |name: &&&str| module.exports.iter().all(|export| export.name != **name);
            if let Some(absent) = part.exports.iter().find(is_absent) {
                bail!("{absent}, of the part {}, is not exported", part.name);
            }
        }
        let calls: HashMap<_, _> =
            module.funcs.iter_local().map(|(id, function)| (id.index(), callees(function))).collect();
        let entries = entries(module, parts)?;
        let mut pointed_to = pointed_to(module, parts)?;
        let mut functions: Vec<BTreeSet<FunctionIdx>> = Vec::new();
        let (mut slots, mut shared) = (BTreeSet::new(), BTreeSet::new());
        for idx in 0..parts.len() {
            let exported = module.exports.iter().filter_map(|export| match export.item {
                ExportItem::Function(id) if owner_of_export(&export.name, parts) == idx => Some(id.index()),
                _ => None,
            });
            let begun = entries.iter().filter(|(_, part)| **part == idx).map(|(&entry, _)| entry);
            let pointed_to =
                pointed_to.values().filter(|(_, part)| *part == idx).map(|&(function, _)| function);
            let mut todo: Vec<_> = exported.chain(begun).chain(pointed_to).collect();
            let mut own = BTreeSet::new();
            while let Some(function) = todo.pop() {
                let mut below = below(parts, &parts[idx]);
                if let Some(from) = below.find(|&below| functions[below].contains(&function)) {
                    shared.insert((from, function));
                } else if entries.get(&function).is_some_and(|&part| part != idx) {
                    slots.insert(function);
                } else if own.insert(function) {
                    todo.extend(&calls[&function]);
                }
            }
            functions.push(own);
        }
        let first = u32::try_from(table(module)?.initial)?;
        let slots: BTreeMap<_, _> = slots.into_iter().zip(first..).collect();
        pointed_to.extend(slots.iter().map(|(&function, &slot)| (slot, (function, entries[&function]))));
        Ok(Self {
            n_slots: first + slots.len() as u32,
            data: data::owners(module, &functions, parts)?,
            functions,
            slots,
            pointed_to,
            shared: shared.into_iter().zip((0..).map(short_name)).collect(),
            table_name: String::new(),
        })
    }

    /// One part, of the whole module.
    fn emit(&self, module: &[u8], part: usize, parts: &[Part]) -> Result<Vec<u8>> {
        let mut module = parse(module)?;
        let table = table(&module)?.id();
        let exports: Vec<_> =
            module.exports.iter().map(|export| (export.id(), export.name.clone())).collect();
        for (id, name) in exports {
            if owner_of_export(&name, parts) != part {
                module.exports.delete(id);
            }
        }
        let functions: Vec<_> = module.funcs.iter_local().map(|(id, function)| (id, function.ty())).collect();
        for &(id, ty) in &functions {
            let idx = id.index();
            let shared = |part: usize| self.shared.get(&(part, idx));
            let below = below(parts, &parts[part]).find_map(|below| Some((below, shared(below)?)));
            if self.functions[part].contains(&idx) {
                if let Some(name) = shared(part) {
                    module.exports.add(name, id);
                }
            } else if let Some((from, name)) = below {
                let import = module.imports.add(parts[from].name, name, id);
                module.funcs.get_mut(id).kind = FunctionKind::Import(ImportedFunction { import, ty });
            } else if let Some(&slot) = self.slots.get(&idx) {
                let stub = stub(&mut module, ty, table, slot);
                module.funcs.get_mut(id).kind = FunctionKind::Local(stub);
            }
        }
        let data: Vec<_> = module.data.iter().map(|data| data.id()).collect();
        for (id, &owner) in data.into_iter().zip(&self.data) {
            if owner != part {
                module.memories.iter_mut().for_each(|memory| _ = memory.data_segments.remove(&id));
                module.data.delete(id);
            }
        }
        self.share(&mut module, table, (part > 0).then_some(parts[0].name));
        let ids = functions.into_iter().map(|(id, _)| (id.index(), id)).collect();
        self.fill_table(&mut module, table, part, &ids);
        walrus::passes::gc::run(&mut module);
        Ok(module.emit_wasm())
    }

    /// Memory, table and globals are the base's; the others import them.
    fn share(&self, module: &mut Module, table: TableId, base: Option<&str>) {
        let memories: Vec<_> = module.memories.iter().map(|memory| memory.id()).collect();
        let globals: Vec<_> = module.globals.iter().map(|global| global.id()).collect();
        let n_slots = self.n_slots.into();
        let shared = module.tables.get_mut(table);
        (shared.initial, shared.maximum) = (n_slots, Some(n_slots));
        let Some(base) = base else {
            module.exports.add(&self.table_name, table);
            for (idx, &global) in globals.iter().enumerate() {
                module.exports.add(&global_name(idx), global);
            }
            return;
        };
        let import = module.imports.add(base, &self.table_name, table);
        module.tables.get_mut(table).import = Some(import);
        for id in memories {
            let import = module.imports.add(base, MEMORY, id);
            module.memories.get_mut(id).import = Some(import);
        }
        for (idx, &global) in globals.iter().enumerate() {
            let import = module.imports.add(base, &global_name(idx), global);
            module.globals.get_mut(global).kind = GlobalKind::Import(import);
        }
    }

    /// What of the table is this part's.
    fn fill_table(
        &self,
        module: &mut Module,
        table: TableId,
        part: usize,
        ids: &HashMap<FunctionIdx, FunctionId>,
    ) {
        let segments: Vec<_> = module.tables.get_mut(table).elem_segments.drain().collect();
        segments.into_iter().for_each(|segment| module.elements.delete(segment));
        let mut runs: Vec<(u32, Vec<FunctionId>)> = Vec::new();
        for (&slot, (idx, owner)) in &self.pointed_to {
            if *owner != part {
                continue;
            }
            match runs.last_mut() {
                Some((first, run)) if *first + run.len() as u32 == slot => run.push(ids[idx]),
                _ => runs.push((slot, vec![ids[idx]])),
            }
        }
        for (first, run) in runs {
            let offset = ConstExpr::Value(ir::Value::I32(first as i32));
            let segment =
                module.elements.add(ElementKind::Active { table, offset }, ElementItems::Functions(run));
            module.tables.get_mut(table).elem_segments.insert(segment);
        }
    }
}

/// Whom a function calls.
fn callees(function: &LocalFunction) -> BTreeSet<FunctionIdx> {
    #[derive(Default)]
    struct Callees(BTreeSet<FunctionIdx>);
    impl Visitor<'_> for Callees {
        fn visit_function_id(&mut self, id: &FunctionId) {
            self.0.insert(id.index());
        }
    }
    let mut callees = Callees::default();
    dfs_in_order(&mut callees, function, function.entry_block());
    callees.0
}

/// Parts of the functions at which they begin.
fn entries(module: &Module, parts: &[Part]) -> Result<BTreeMap<FunctionIdx, usize>> {
    let mut entries = BTreeMap::new();
    for (idx, part) in parts.iter().enumerate() {
        for &entry in part.entries {
            let is_it = |name: &Option<String>| name.as_ref().is_some_and(|name| name.contains(entry));
            let mut found = module.funcs.iter().filter(|function| is_it(&function.name));
            let (Some(function), None) = (found.next(), found.next()) else {
                bail!(
                    "{entry}, where the part {} begins, is not the name of one function; \
                     #[inline(never)] keeps a function whole",
                    part.name
                );
            };
            entries.insert(function.id().index(), idx);
        }
    }
    Ok(entries)
}

/// The only one.
fn table(module: &Module) -> Result<&Table> {
    module.tables.iter().next().context("the module has no table")
}

/// What stands in which slot of the table, and whose it is.
fn pointed_to(module: &Module, parts: &[Part]) -> Result<BTreeMap<u32, (FunctionIdx, usize)>> {
    let mut out = BTreeMap::new();
    let mut names = Vec::new();
    for element in module.elements.iter() {
        let ElementKind::Active { offset: ConstExpr::Value(ir::Value::I32(first)), .. } = element.kind else {
            bail!("the table is filled in another way than by the linker");
        };
        let ElementItems::Functions(functions) = &element.items else { bail!("the table has expressions") };
        for (slot, &id) in (first as u32..).zip(functions) {
            let name = module.funcs.get(id).name.as_deref().unwrap_or_default();
            let is_its = |part: &Part| part.pointed_to.iter().any(|theirs| name.contains(theirs));
            out.insert(slot, (id.index(), parts.iter().position(is_its).unwrap_or(0)));
            names.push(name);
        }
    }
    for part in parts {
        let is_absent = |theirs: &&&str| !names.iter().any(|name| name.contains(**theirs));
        if let Some(absent) = part.pointed_to.iter().find(is_absent) {
            bail!("{absent}, of the part {}, is not in the table", part.name);
        }
    }
    Ok(out)
}

/// Part of an export.
fn owner_of_export(name: &str, parts: &[Part]) -> usize {
    parts.iter().position(|part| part.exports.contains(&name)).unwrap_or(0)
}

/// A function that calls what stands in a slot.
fn stub(module: &mut Module, ty: TypeId, table: TableId, slot: u32) -> LocalFunction {
    let (params, results) = module.types.params_results(ty);
    let (params, results): (Vec<ValType>, Vec<ValType>) = (params.to_vec(), results.to_vec());
    let args: Vec<_> = params.iter().map(|&ty| module.locals.add(ty)).collect();
    let mut builder = FunctionBuilder::new(&mut module.types, &params, &results);
    let mut body = builder.func_body();
    for &arg in &args {
        body.local_get(arg);
    }
    body.i32_const(slot as i32).call_indirect(ty, table);
    builder.local_func(args)
}

/// The parts below one, from the top down.
pub(crate) fn below(parts: &[Part], part: &Part) -> impl Iterator<Item = usize> {
    std::iter::successors(part.below, |&below| parts[below].below)
}

/// a … z, ba, bb …
fn short_name(idx: usize) -> String {
    let letter = char::from(b'a' + (idx % 26) as u8);
    if idx < 26 { letter.into() } else { format!("{}{letter}", short_name(idx / 26)) }
}

/// No function has a digit in its short name.
fn global_name(idx: usize) -> String {
    format!("g{idx}")
}
