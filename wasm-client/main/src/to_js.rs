//! Our own structs as plain objects, a field at a time: the other direction of [`from_js`](crate::from_js).

use js_sys::{Array, Object};
use uuid::Uuid;
use wasm_bindgen::JsValue;

use crate::names::set;

/// What can be written.
pub(crate) trait ToJs {
    fn to_js(&self) -> JsValue;
}

/// An object that is made.
pub(crate) struct Made(Object);

impl Made {
    #[inline(never)]
    pub(crate) fn new() -> Self {
        Self(Object::new())
    }

    #[inline(never)]
    pub(crate) fn put<T: ToJs + ?Sized>(&self, name: &'static str, value: &T) {
        set(&self.0, name, &value.to_js());
    }

    pub(crate) fn done(self) -> JsValue {
        self.0.into()
    }
}

/// Says how a struct is written: by the names of its fields. `fields!` says how it is read.
macro_rules! written {
    ($type:ident { $($field:ident $(= $absent:literal)?),* $(,)? }) => {
        impl crate::to_js::ToJs for $type {
            fn to_js(&self) -> wasm_bindgen::JsValue {
                // A field that is not named does not compile.
                let Self { $($field),* } = self;
                let made = crate::to_js::Made::new();
                $(made.put(stringify!($field), $field);)*
                made.done()
            }
        }
    };
}
pub(crate) use written;

impl<T: ToJs> ToJs for Option<T> {
    fn to_js(&self) -> JsValue {
        self.as_ref().map_or(JsValue::UNDEFINED, T::to_js)
    }
}

impl<T: ToJs> ToJs for Vec<T> {
    fn to_js(&self) -> JsValue {
        let array = Array::new();
        for item in self {
            array.push(&item.to_js());
        }
        array.into()
    }
}

impl ToJs for str {
    fn to_js(&self) -> JsValue {
        JsValue::from_str(self)
    }
}

impl ToJs for &str {
    fn to_js(&self) -> JsValue {
        JsValue::from_str(self)
    }
}

impl ToJs for String {
    fn to_js(&self) -> JsValue {
        JsValue::from_str(self)
    }
}

impl ToJs for bool {
    fn to_js(&self) -> JsValue {
        JsValue::from_bool(*self)
    }
}

/// None of our numbers is above 2⁵³.
macro_rules! numbers {
    ($($type:ident)*) => {$(
        impl ToJs for $type {
            fn to_js(&self) -> JsValue {
                JsValue::from_f64(*self as f64)
            }
        }
    )*};
}
numbers! { u8 u16 u32 u64 f32 f64 }

impl ToJs for Uuid {
    fn to_js(&self) -> JsValue {
        JsValue::from_str(self.hyphenated().encode_lower(&mut [0; 36]))
    }
}
