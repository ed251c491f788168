//! Small modules are split, and run in Node.

use std::process::Command;

use walrus::{DataKind, ElementId, InstrSeqBuilder, MemoryId};

use super::*;

const fn part(name: &'static str, below: Option<usize>) -> Part {
    Part { name, below, exports: &[], entries: &[], pointed_to: &[] }
}

/// A module whose functions take and return a number, with a memory of one page and a table of eight slots.
struct Whole {
    module: Module,
    memory: MemoryId,
    table: TableId,
}

impl Whole {
    fn new() -> Self {
        let mut module = Module::default();
        let memory = module.memories.add_local(false, false, 1, None, None);
        module.exports.add("memory", memory);
        let table = module.tables.add_local(false, 8, Some(8), walrus::RefType::FUNCREF);
        Self { module, memory, table }
    }

    fn function(&mut self, name: &str, body: impl FnOnce(&mut InstrSeqBuilder<'_>)) -> FunctionId {
        let argument = self.module.locals.add(ValType::I32);
        let mut builder = FunctionBuilder::new(&mut self.module.types, &[ValType::I32], &[ValType::I32]);
        builder.name(name.into());
        let mut seq = builder.func_body();
        seq.local_get(argument);
        body(&mut seq);
        builder.finish(vec![argument], &mut self.module.funcs)
    }

    /// Its argument plus a number, and then what others make of that, one after the other.
    fn adds(&mut self, name: &str, number: i32, calls: &[FunctionId]) -> FunctionId {
        self.function(name, |seq| {
            seq.i32_const(number).binop(ir::BinaryOp::I32Add);
            calls.iter().for_each(|&callee| _ = seq.call(callee));
        })
    }

    /// What stands in a slot.
    fn points(&mut self, name: &str, slot: i32) -> FunctionId {
        let ty = self.module.types.add(&[ValType::I32], &[ValType::I32]);
        let table = self.table;
        self.function(name, |seq| _ = seq.i32_const(slot).call_indirect(ty, table))
    }

    fn reads(&mut self, name: &str, address: i32) -> FunctionId {
        let memory = self.memory;
        let arg = ir::MemArg { align: 4, offset: address as u64 };
        self.function(name, |seq| _ = seq.load(memory, ir::LoadKind::I32 { atomic: false }, arg))
    }

    fn fill(&mut self, first: i32, functions: &[FunctionId]) -> ElementId {
        let offset = ConstExpr::Value(ir::Value::I32(first));
        let kind = ElementKind::Active { table: self.table, offset };
        let element = self.module.elements.add(kind, ElementItems::Functions(functions.to_vec()));
        self.module.tables.get_mut(self.table).elem_segments.insert(element);
        element
    }

    /// A hundred bytes that begin with a word.
    fn data(&mut self, address: i32, word: u32) {
        let offset = ConstExpr::Value(ir::Value::I32(address));
        let kind = DataKind::Active { memory: self.memory, offset };
        let bytes = [&word.to_le_bytes()[..], &[0; 96]].concat();
        let data = self.module.data.add(kind, bytes);
        self.module.memories.get_mut(self.memory).data_segments.insert(data);
    }

    fn export(&mut self, functions: &[FunctionId]) {
        for &id in functions {
            let name = self.module.funcs.get(id).name.clone().expect("they have names");
            self.module.exports.add(&name, id);
        }
    }

    fn split(mut self, parts: &[Part]) -> Result<Vec<Vec<u8>>> {
        split(&self.module.emit_wasm(), parts)
    }
}

/// Names of a part's functions, and of what it imports.
fn names(part: &[u8]) -> (BTreeSet<String>, usize) {
    let module = parse(part).expect("it is a module");
    let own = module.funcs.iter_local().filter_map(|(id, _)| module.funcs.get(id).name.clone()).collect();
    (own, module.imports.iter().count())
}

/// What a script says that may `start(idx)` the parts and call `exports[idx]`.
fn run(parts: &[Part], modules: &[Vec<u8>], script: &str) -> String {
    let names: Vec<_> = parts.iter().map(|part| part.name).collect();
    let prelude = format!(
        "const names = {names:?}, modules = {modules:?}, imports = {{}}, exports = [];
         const start = (idx) => {{
           const module = new WebAssembly.Module(Uint8Array.from(modules[idx]));
           imports[names[idx]] = exports[idx] = new WebAssembly.Instance(module, imports).exports;
         }};
         const traps = (call) => {{ try {{ return call(); }} catch (error) {{ return error.constructor.name; }} }};"
    );
    let script = format!("{prelude}\nconsole.log(JSON.stringify({script}))");
    let run = Command::new("node").args(["-e", &script]).output().expect("node can be started");
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    String::from_utf8_lossy(&run.stdout).trim().into()
}

#[test]
fn a_call_up_traps_until_the_part_is_there_and_a_call_down_needs_nothing() {
    let mut whole = Whole::new();
    let shared = whole.adds("shared", 1, &[]);
    let up = whole.adds("up", 10, &[shared]);
    let low = whole.adds("low", 100, &[shared, up]);
    whole.export(&[low]);
    let parts = [part("base", None), Part { entries: &["up"], ..part("high", Some(0)) }];
    let modules = whole.split(&parts).unwrap();
    let (base, n_imports) = names(&modules[0]);
    assert_eq!((base.contains("shared"), n_imports), (true, 0));
    assert!(!names(&modules[1]).0.contains("shared"), "it is the base's");
    let script = "[start(0), traps(() => exports[0].low(1000)), start(1), exports[0].low(1000)]";
    assert_eq!(run(&parts, &modules, script), r#"[null,"RuntimeError",null,1112]"#);
}

#[test]
fn what_two_parts_need_is_in_both_and_what_one_above_needs_is_below() {
    let mut whole = Whole::new();
    let both = whole.adds("both", 1, &[]);
    let left = whole.adds("left", 10, &[both]);
    let right = whole.adds("right", 100, &[both]);
    let top = whole.adds("top", 1000, &[left, both]);
    whole.export(&[left, right, top]);
    let parts = [
        part("base", None),
        Part { exports: &["left"], ..part("l", Some(0)) },
        Part { exports: &["top"], ..part("t", Some(1)) },
        Part { exports: &["right"], ..part("r", Some(0)) },
    ];
    let modules = whole.split(&parts).unwrap();
    let has = |idx: usize| names(&modules[idx]).0.contains("both");
    assert_eq!([0, 1, 2, 3].map(has), [false, true, false, true]);
    let script =
        "[start(0), start(1), start(2), exports[2].top(0), start(3), exports[3].right(0)].map((x) => x ?? 0)";
    assert_eq!(run(&parts, &modules, script), "[0,0,0,1012,0,101]");
    // Without the ones between.
    assert_eq!(
        run(&parts, &modules, "[start(0), start(3), exports[3].right(0)].map((x) => x ?? 0)"),
        "[0,0,101]"
    );
}

#[test]
fn parts_call_entries_of_others_beside_them() {
    let mut whole = Whole::new();
    let one = whole.adds("entry_of_one", 1, &[]);
    let two = whole.adds("two", 10, &[one]);
    whole.export(&[two]);
    let parts = [
        part("base", None),
        Part { entries: &["entry_of_one"], ..part("one", Some(0)) },
        Part { exports: &["two"], ..part("two", Some(0)) },
    ];
    let modules = whole.split(&parts).unwrap();
    let script = "[start(0), start(2), traps(() => exports[2].two(0)), start(1), exports[2].two(0)].map((x) => x ?? 0)";
    assert_eq!(run(&parts, &modules, script), r#"[0,0,"RuntimeError",0,11]"#);
}

#[test]
fn what_is_pointed_to_stands_in_its_slot_once_its_part_is_there() {
    let mut whole = Whole::new();
    let helper = whole.adds("helper", 1, &[]);
    let theirs = whole.adds("theirs::method", 10, &[helper]);
    let ours = whole.adds("ours::method", 100, &[]);
    whole.fill(1, &[ours, theirs, ours]);
    let [first, second, third] = [1, 2, 3].map(|slot| whole.points(&format!("slot{slot}"), slot));
    whole.export(&[first, second, third]);
    let parts = [part("base", None), Part { pointed_to: &["theirs"], ..part("high", Some(0)) }];
    let modules = whole.split(&parts).unwrap();
    assert!(names(&modules[1]).0.contains("helper") && !names(&modules[0]).0.contains("helper"));
    let call = "[1, 2, 3].map((idx) => traps(() => exports[0][`slot${idx}`](0)))";
    let script = format!("[start(0), {call}, start(1), {call}]");
    assert_eq!(run(&parts, &modules, &script), r#"[null,[100,"RuntimeError",100],null,[100,11,100]]"#);
}

#[test]
fn data_goes_with_the_part_that_alone_reads_it() {
    let mut whole = Whole::new();
    let (base, high) = (whole.reads("base", 1000), whole.reads("high", 2000));
    let near = whole.reads("near", 3000);
    let near_base = whole.reads("near_base", 3160);
    // No number that is an address of any of them.
    for address in [1000, 2000, 3000] {
        whole.data(address, address as u32 + 100_000);
    }
    whole.export(&[base, high, near, near_base]);
    let parts = [part("base", None), Part { exports: &["high", "near"], ..part("high", Some(0)) }];
    let modules = whole.split(&parts).unwrap();
    let n_segments = |part: &[u8]| parse(part).unwrap().data.iter().count();
    // What the base may reach from an address near it is the base's.
    assert_eq!((n_segments(&modules[0]), n_segments(&modules[1])), (2, 1));
    let script =
        "[start(0), start(1), exports[0].base(0), exports[1].high(0), exports[1].near(0)].map((x) => x ?? 0)";
    assert_eq!(run(&parts, &modules, script), "[0,0,101000,102000,103000]");
}

#[test]
fn data_after_zeros_stays_where_the_nearest_address_below_it_is_not_its_part_s() {
    let mut whole = Whole::new();
    // The base's table has a hundred bytes, five hundred zeros, and a hundred bytes, by whose end something else begins.
    let (table, beside) = (whole.reads("table", 1000), whole.reads("beside", 1720));
    for address in [1000, 1600, 1720] {
        whole.data(address, address as u32 + 100_000);
    }
    let tail = whole.adds("tail", 0, &[table]);
    whole.export(&[tail, beside]);
    let parts = [part("base", None), Part { exports: &["beside"], ..part("high", Some(0)) }];
    let modules = whole.split(&parts).unwrap();
    assert_eq!(run(&parts, &modules, "(start(0), exports[0].tail(600))"), "101600");
}

fn table_name_of(base: &[u8]) -> String {
    let module = parse(base).unwrap();
    let name = module.exports.iter().map(|export| &export.name).find(|name| name.starts_with("table_"));
    name.expect("the table is exported").clone()
}

#[test]
fn the_same_module_split_in_another_way_is_another_build() {
    let name = |entries| {
        let mut whole = Whole::new();
        let (one, two) = (whole.adds("one", 1, &[]), whole.adds("two", 2, &[]));
        let low = whole.adds("low", 1, &[one, two]);
        whole.export(&[low]);
        let parts = [part("base", None), Part { entries, ..part("high", Some(0)) }];
        table_name_of(&whole.split(&parts).unwrap()[0])
    };
    assert_eq!(name(&["one"]), name(&["one"]));
    assert_ne!(name(&["one"]), name(&["two"]));
    assert_ne!(name(&["one"]), name(&["one", "two"]));
}

#[test]
fn parts_of_two_builds_do_not_go_together() {
    let build = |number| {
        let mut whole = Whole::new();
        let up = whole.adds("up", number, &[]);
        let low = whole.adds("low", 1, &[up]);
        whole.export(&[low]);
        whole.split(&PARTS).unwrap()
    };
    const PARTS: [Part; 2] = [part("base", None), Part { entries: &["up"], ..part("high", Some(0)) }];
    let mixed = [build(1).remove(0), build(2).remove(1)];
    assert_eq!(run(&PARTS, &mixed, "[start(0), traps(() => start(1))]"), r#"[null,"LinkError"]"#);
}

#[test]
fn what_cannot_be_split_is_refused() {
    let entry = |entries| [part("base", None), Part { entries, ..part("high", Some(0)) }];
    let module = || {
        let mut whole = Whole::new();
        let two = [whole.adds("twice_a", 1, &[]), whole.adds("twice_b", 2, &[])];
        whole.export(&two);
        whole
    };
    let error = module().split(&entry(&["absent"])).unwrap_err().to_string();
    assert!(error.contains("absent") && error.contains("high") && error.contains("inline(never)"), "{error}");
    assert!(module().split(&entry(&["twice"])).is_err(), "two functions have that name");
    assert!(split(b"not a module", &entry(&[])).is_err());
    let mut imports = module();
    let ty = imports.module.types.add(&[], &[]);
    imports.module.add_import_func("env", "f", ty);
    assert!(imports.split(&entry(&[])).is_err());
    for absent in [
        Part { exports: &["twice_a", "absent"], ..part("high", Some(0)) },
        Part { pointed_to: &["absent"], ..part("high", Some(0)) },
    ] {
        let error = module().split(&[part("base", None), absent]).unwrap_err().to_string();
        assert!(error.contains("absent") && error.contains("high"), "{error}");
    }
    let mut starts = module();
    let body = FunctionBuilder::new(&mut starts.module.types, &[], &[]);
    starts.module.start = Some(body.finish(vec![], &mut starts.module.funcs));
    assert!(starts.split(&entry(&[])).unwrap_err().to_string().contains("start"));
}
