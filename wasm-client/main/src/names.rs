//! Properties of JavaScript objects, by names that are made into JavaScript strings only once.
//!
//! wasm-bindgen's `intern` does the same for any text, with a hash table and its random seed: 3 KB.

use std::cell::RefCell;

use js_sys::{Object, Reflect};
use wasm_bindgen::JsValue;

thread_local! {
    /// In the order of where the names lie, which takes the place of what they say.
    static NAMES: RefCell<Vec<((usize, usize), JsValue)>> = const { RefCell::new(Vec::new()) };
}

/// The name as a JavaScript string.
#[inline(never)]
pub(crate) fn name(text: &'static str) -> JsValue {
    NAMES.with_borrow_mut(|names| {
        let place = (text.as_ptr() as usize, text.len());
        let idx = names.binary_search_by_key(&place, |(its, _)| *its).unwrap_or_else(|idx| {
            names.insert(idx, (place, JsValue::from_str(text)));
            idx
        });
        names[idx].1.clone()
    })
}

/// `undefined` where there is none.
#[inline(never)]
pub(crate) fn get(object: &Object, text: &'static str) -> JsValue {
    Reflect::get(object, &name(text)).unwrap_or(JsValue::UNDEFINED)
}

/// Cannot fail: the objects are ours and plain.
#[inline(never)]
pub(crate) fn set(object: &Object, text: &'static str, value: &JsValue) {
    let _ = Reflect::set(object, &name(text), value);
}

/// As [`set`].
#[inline(never)]
pub(crate) fn number(object: &Object, text: &'static str, value: f64) {
    set(object, text, &value.into());
}
