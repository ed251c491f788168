//! What the browser parsed, as our own structs: serde's derived readers over JavaScript values, without the formatting
//! of values in errors and without the search for names that serde-wasm-bindgen has. The modules are
//! smaller for it.
//!
//! A struct's fields are read in their order by name, and absent ones as `undefined`, which only an `Option` takes:
//! the derived reader cannot fill in a default.

use std::borrow::Cow;
use std::fmt::{self, Display};
use std::slice;

use js_sys::{Array, Object};
use serde::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, Error as _, Expected, IntoDeserializer, SeqAccess,
    Unexpected, Visitor,
};
use serde::forward_to_deserialize_any;
use wasm_bindgen::{JsCast, JsValue};

use crate::names::get;

/// A value of any type of ours that is made of structs, lists, options, numbers, words and enums of words.
///
/// # Errors
/// The first field that is not what it should be.
pub(crate) fn from_js<T: DeserializeOwned>(value: &JsValue) -> Result<T, Mismatch> {
    T::deserialize(Value::new(value.clone()))
}

/// The same, of an object that may have no other fields.
///
/// # Errors
/// As [`from_js`], or a field that `T` does not have.
pub(crate) fn from_js_strict<T: DeserializeOwned>(value: &JsValue) -> Result<T, Mismatch> {
    T::deserialize(Value { js: value.clone(), allows_more: false })
}

/// A value that is not what it should be: one pointer, since every field that is read may return one.
#[derive(Debug)]
pub(crate) struct Mismatch(Box<What>);

#[derive(Debug)]
struct What {
    field: Option<String>,
    message: Cow<'static, str>,
}

impl Mismatch {
    /// The innermost field around it.
    pub(crate) fn field(&self) -> Option<&str> {
        self.0.field.as_deref()
    }

    #[inline(never)]
    fn new(message: &'static str) -> Self {
        Self(Box::new(What { field: None, message: message.into() }))
    }

    /// The fields around it say less, so that the first name stays.
    #[inline(never)]
    fn at(mut self, field: &str) -> Self {
        self.0.field.get_or_insert_with(|| field.to_owned());
        self
    }
}

impl Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.field() {
            Some(field) => write!(f, "{field}: {}", self.0.message),
            None => f.write_str(&self.0.message),
        }
    }
}

impl std::error::Error for Mismatch {}

/// What the derived readers say, without the value and without the names of Rust's types.
impl de::Error for Mismatch {
    fn custom<T: Display>(_: T) -> Self {
        Self::new("is not valid")
    }

    fn invalid_type(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::new("is of the wrong type")
    }

    fn invalid_value(_: Unexpected<'_>, _: &dyn Expected) -> Self {
        Self::new("is out of range")
    }

    fn invalid_length(_: usize, _: &dyn Expected) -> Self {
        Self::new("is too short")
    }

    fn unknown_variant(variant: &str, expected: &'static [&'static str]) -> Self {
        let message = ["must be one of ", &expected.join(", "), ", not ", variant].concat();
        Self(Box::new(What { field: None, message: message.into() }))
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self::new("is not known").at(field)
    }

    fn missing_field(field: &'static str) -> Self {
        Self::new("is missing").at(field)
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self::new("is there twice").at(field)
    }
}

/// A value, and whether it may have fields that its struct does not have.
struct Value {
    js: JsValue,
    allows_more: bool,
}

impl Value {
    fn new(js: JsValue) -> Self {
        Self { js, allows_more: true }
    }

    #[inline(never)]
    fn items(self) -> Result<Items, Mismatch> {
        let array = self.js.dyn_into().map_err(|_| Mismatch::new("must be a list"))?;
        Ok(Items { array, at: 0 })
    }

    #[inline(never)]
    fn fields(self, names: &'static [&'static str]) -> Result<Fields, Mismatch> {
        if !self.js.is_object() {
            return Err(Mismatch::new("must be an object"));
        }
        if !self.allows_more {
            let its = Object::keys(self.js.unchecked_ref::<Object>());
            let mut its = its.iter().filter_map(|name| name.as_string());
            if let Some(stranger) = its.find(|name| !names.contains(&name.as_str())) {
                return Err(Mismatch::unknown_field(&stranger, names));
            }
        }
        Ok(Fields { of: self.js, names: names.iter() })
    }
}

macro_rules! visit {
    ($($name:ident => $visit:ident($read:path))*) => {$(
        fn $name<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
            visitor.$visit($read(&self.js)?)
        }
    )*};
}

impl<'de> Deserializer<'de> for Value {
    type Error = Mismatch;

    visit! {
        deserialize_bool => visit_bool(boolean)
        deserialize_u8 => visit_u64(unsigned)
        deserialize_u16 => visit_u64(unsigned)
        deserialize_u32 => visit_u64(unsigned)
        deserialize_u64 => visit_u64(unsigned)
        deserialize_i8 => visit_i64(signed)
        deserialize_i16 => visit_i64(signed)
        deserialize_i32 => visit_i64(signed)
        deserialize_i64 => visit_i64(signed)
        deserialize_f32 => visit_f64(number)
        deserialize_f64 => visit_f64(number)
        deserialize_str => visit_string(text)
        deserialize_string => visit_string(text)
    }

    /// What binary formats are asked for: ids then want bytes, and leave their own errors out.
    fn is_human_readable(&self) -> bool {
        false
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        if self.js.is_null() || self.js.is_undefined() {
            visitor.visit_none()
        } else {
            visitor.visit_some(self)
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_seq(self.items()?)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Mismatch> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_seq(self.fields(fields)?)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Mismatch> {
        visitor.visit_enum(text(&self.js)?.into_deserializer())
    }

    /// Only ids are bytes.
    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Mismatch> {
        visitor.visit_bytes(&uuid(&self.js).ok_or_else(|| Mismatch::new("must be a UUID"))?)
    }

    fn deserialize_any<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Mismatch> {
        Err(Mismatch::new("is of a type that is not read"))
    }

    forward_to_deserialize_any! {
        i128 u128 char byte_buf unit unit_struct tuple_struct map identifier ignored_any
    }
}

/// The bytes of an id: 32 digits, with or without hyphens.
fn uuid(js: &JsValue) -> Option<[u8; 16]> {
    let text = js.as_string()?;
    let mut digits = text.bytes().filter(|byte| *byte != b'-').map(|byte| char::from(byte).to_digit(16));
    let mut bytes = [0; 16];
    for byte in &mut bytes {
        *byte = (digits.next()?? * 16 + digits.next()??) as u8;
    }
    digits.next().is_none().then_some(bytes)
}

#[inline(never)]
fn boolean(js: &JsValue) -> Result<bool, Mismatch> {
    js.as_bool().ok_or_else(|| Mismatch::new("must be true or false"))
}

#[inline(never)]
fn text(js: &JsValue) -> Result<String, Mismatch> {
    js.as_string().ok_or_else(|| Mismatch::new("must be text"))
}

#[inline(never)]
fn number(js: &JsValue) -> Result<f64, Mismatch> {
    js.as_f64().ok_or_else(|| Mismatch::new("must be a number"))
}

#[inline(never)]
fn signed(js: &JsValue) -> Result<i64, Mismatch> {
    const MAX_SAFE: f64 = 9_007_199_254_740_991.0;
    match number(js)? {
        x if x.fract() == 0.0 && x.abs() <= MAX_SAFE => Ok(x as i64),
        _ => Err(Mismatch::new("must be a whole number")),
    }
}

#[inline(never)]
fn unsigned(js: &JsValue) -> Result<u64, Mismatch> {
    u64::try_from(signed(js)?).map_err(|_| Mismatch::new("must not be negative"))
}

/// The fields of an object, in the order of the struct.
struct Fields {
    of: JsValue,
    names: slice::Iter<'static, &'static str>,
}

impl Fields {
    #[inline(never)]
    fn next(&mut self) -> Option<(&'static str, Value)> {
        let name = self.names.next()?;
        Some((name, Value::new(get(self.of.unchecked_ref(), name))))
    }
}

impl<'de> SeqAccess<'de> for Fields {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mismatch> {
        let Some((name, value)) = self.next() else { return Ok(None) };
        seed.deserialize(value).map(Some).map_err(|error| error.at(name))
    }
}

/// The elements of an array.
struct Items {
    array: Array,
    at: u32,
}

impl Items {
    #[inline(never)]
    fn next(&mut self) -> Option<Value> {
        if self.at == self.array.length() {
            return None;
        }
        self.at += 1;
        Some(Value::new(self.array.get(self.at - 1)))
    }
}

impl<'de> SeqAccess<'de> for Items {
    type Error = Mismatch;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Mismatch> {
        self.next().map(|value| seed.deserialize(value)).transpose()
    }
}
