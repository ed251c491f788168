//! What the browser parsed, as our own structs, a field at a time.
//!
//! serde's derived readers would be the same in 30 KB: each struct has a visitor of its own, and each field a `Result`
//! that is passed on. Here reading goes on after what is wrong, with values that nobody will see, and says at the
//! end what was wrong first.

use js_sys::{Array, Object};
use uuid::Uuid;
use wasm_bindgen::{JsCast, JsValue};

use crate::names::get;

/// A value of ours.
///
/// # Errors
/// The first field that is not what it should be.
pub(crate) fn from_js<T: FromJs>(value: &JsValue) -> Result<T, Mismatch> {
    let mut errors = Errors::default();
    let read = T::from_js(value, &mut errors);
    errors.first.map_or(Ok(read), Err)
}

/// The same, of an object that may have no other fields.
///
/// # Errors
/// As [`from_js`], or a field that `T` does not have.
pub(crate) fn from_js_strict<T: FromJs>(value: &JsValue) -> Result<T, Mismatch> {
    match stranger(value, T::FIELDS) {
        Some(field) => Err(Mismatch { field: Some(field), message: "is not known".to_owned() }),
        None => from_js(value),
    }
}

fn stranger(value: &JsValue, names: &[&str]) -> Option<String> {
    if !value.is_object() {
        return None;
    }
    let its = Object::keys(value.unchecked_ref::<Object>());
    let mut its = its.iter().filter_map(|name| name.as_string());
    its.find(|name| !names.contains(&name.as_str()))
}

/// A value that is not what it should be.
#[derive(Debug)]
pub(crate) struct Mismatch {
    /// The innermost field around it.
    pub(crate) field: Option<String>,
    message: String,
}

impl Mismatch {
    /// Where it is, and what is allowed.
    #[inline(never)]
    pub(crate) fn text(&self) -> String {
        match &self.field {
            Some(field) => [field, ": ", &self.message].into_iter().collect(),
            None => self.message.clone(),
        }
    }
}

/// What was wrong first, and where reading is.
#[derive(Default)]
pub(crate) struct Errors {
    field: Option<&'static str>,
    first: Option<Mismatch>,
}

impl Errors {
    #[inline(never)]
    fn add(&mut self, message: &str) {
        if self.first.is_none() {
            self.first = Some(Mismatch { field: self.field.map(str::to_owned), message: message.to_owned() });
        }
    }
}

/// What can be read. Whatever is read of a value that is wrong is thrown away.
pub(crate) trait FromJs: Sized {
    /// Of a struct: the names of all of them.
    const FIELDS: &'static [&'static str] = &[];

    fn from_js(js: &JsValue, errors: &mut Errors) -> Self;
}

/// An object whose fields are read.
pub(crate) struct Fields<'a> {
    of: &'a JsValue,
    errors: &'a mut Errors,
}

impl<'a> Fields<'a> {
    #[inline(never)]
    pub(crate) fn new(of: &'a JsValue, errors: &'a mut Errors) -> Self {
        if !of.is_object() {
            errors.add("must be an object");
        }
        Self { of, errors }
    }

    /// One field; an absent one is `undefined`, which only an `Option` takes.
    #[inline(never)]
    pub(crate) fn get<T: FromJs>(&mut self, name: &'static str) -> T {
        let around = self.errors.field.replace(name);
        let value = T::from_js(&get(self.of.unchecked_ref(), name), self.errors);
        self.errors.field = around;
        value
    }
}

/// Says how a struct is read: by the names of its fields, some with what they are where an older server leaves them out.
macro_rules! fields {
    ($type:ident { $($field:ident $(= $absent:literal)?),* $(,)? }) => {
        impl crate::from_js::FromJs for $type {
            const FIELDS: &'static [&'static str] = &[$(stringify!($field)),*];

            fn from_js(js: &wasm_bindgen::JsValue, errors: &mut crate::from_js::Errors) -> Self {
                let mut fields = crate::from_js::Fields::new(js, errors);
                Self { $($field: crate::from_js::fields!(@get fields $field $($absent)?)),* }
            }
        }
    };
    (@get $fields:ident $field:ident) => {
        $fields.get(stringify!($field))
    };
    (@get $fields:ident $field:ident $absent:literal) => {
        $fields.get::<Option<_>>(stringify!($field)).unwrap_or($absent)
    };
}
pub(crate) use fields;

impl<T: FromJs> FromJs for Option<T> {
    fn from_js(js: &JsValue, errors: &mut Errors) -> Self {
        if js.is_null() || js.is_undefined() { None } else { Some(T::from_js(js, errors)) }
    }
}

impl<T: FromJs> FromJs for Vec<T> {
    fn from_js(js: &JsValue, errors: &mut Errors) -> Self {
        let mut items = Self::new();
        match js.dyn_ref::<Array>() {
            Some(array) => {
                for idx in 0..array.length() {
                    items.push(T::from_js(&array.get(idx), errors));
                }
            }
            None => errors.add("must be a list"),
        }
        items
    }
}

/// A point.
impl FromJs for [f32; 2] {
    fn from_js(js: &JsValue, errors: &mut Errors) -> Self {
        let values = Vec::from_js(js, errors);
        values.first_chunk().copied().unwrap_or_else(|| {
            errors.add("is too short");
            [0.0; 2]
        })
    }
}

impl FromJs for bool {
    #[inline(never)]
    fn from_js(js: &JsValue, errors: &mut Errors) -> Self {
        js.as_bool().unwrap_or_else(|| {
            errors.add("must be true or false");
            false
        })
    }
}

impl FromJs for String {
    #[inline(never)]
    fn from_js(js: &JsValue, errors: &mut Errors) -> Self {
        js.as_string().unwrap_or_else(|| {
            errors.add("must be text");
            Self::new()
        })
    }
}

impl FromJs for f64 {
    #[inline(never)]
    fn from_js(js: &JsValue, errors: &mut Errors) -> Self {
        js.as_f64().unwrap_or_else(|| {
            errors.add("must be a number");
            0.0
        })
    }
}

impl FromJs for f32 {
    fn from_js(js: &JsValue, errors: &mut Errors) -> Self {
        f64::from_js(js, errors) as Self
    }
}

const MAX_SAFE: f64 = 9_007_199_254_740_991.0;

#[inline(never)]
fn whole(js: &JsValue, max: f64, errors: &mut Errors) -> f64 {
    let x = f64::from_js(js, errors);
    if x.fract() != 0.0 || x.abs() > MAX_SAFE {
        errors.add("must be a whole number");
    } else if x < 0.0 {
        errors.add("must not be negative");
    } else if x > max {
        errors.add("is out of range");
    }
    x
}

macro_rules! whole {
    ($($type:ident($max:expr))*) => {$(
        impl FromJs for $type {
            fn from_js(js: &JsValue, errors: &mut Errors) -> Self {
                whole(js, $max, errors) as Self
            }
        }
    )*};
}
whole! { u8(255.0) u16(65_535.0) u32(4_294_967_295.0) u64(MAX_SAFE) }

impl FromJs for Uuid {
    fn from_js(js: &JsValue, errors: &mut Errors) -> Self {
        js.as_string().and_then(|text| Self::try_parse(&text).ok()).unwrap_or_else(|| {
            errors.add("must be a UUID");
            Self::nil()
        })
    }
}

/// The place of a word in a list.
#[inline(never)]
pub(crate) fn word(js: &JsValue, words: &[&str], errors: &mut Errors) -> usize {
    let text = String::from_js(js, errors);
    words.iter().position(|word| *word == text).unwrap_or_else(|| {
        let mut message = "must be one of ".to_owned();
        for (idx, word) in words.iter().enumerate() {
            message.extend([if idx > 0 { ", " } else { "" }, word]);
        }
        message.extend([", not ", &text]);
        errors.add(&message);
        0
    })
}
