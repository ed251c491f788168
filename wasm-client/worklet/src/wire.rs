//! Reads what the main thread writes with postcard, <https://postcard.jamesmunro.com/wire-format>.
//!
//! postcard's own reader may fail at every number, and a thirtieth of a module would be made of what then happens. Here bytes
//! that are missing read as zeros, lists end where the bytes do, and what was read is refused at the end.

use serde::Deserialize;
use serde::de::{
    DeserializeSeed, Deserializer, EnumAccess, Error, IntoDeserializer, SeqAccess, VariantAccess, Visitor,
};

/// The bytes are not a value of the type that was asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Malformed;

/// The value at the start of the bytes, and what follows it.
pub(crate) fn take<'a, T: Deserialize<'a>>(bytes: &'a [u8]) -> Result<(T, &'a [u8]), Malformed> {
    let mut reader = Reader { rest: bytes, is_short: false };
    let value = T::deserialize(&mut reader)?;
    if reader.is_short { Err(Malformed) } else { Ok((value, reader.rest)) }
}

struct Reader<'a> {
    rest: &'a [u8],
    is_short: bool,
}

impl<'a> Reader<'a> {
    #[inline(never)]
    fn take(&mut self, n: usize) -> &'a [u8] {
        let Some((taken, rest)) = self.rest.split_at_checked(n) else {
            self.is_short = true;
            return &[];
        };
        self.rest = rest;
        taken
    }

    fn array<const N: usize>(&mut self) -> [u8; N] {
        self.take(N).try_into().unwrap_or([0; N])
    }

    fn byte(&mut self) -> u8 {
        let [byte] = self.array();
        byte
    }

    /// Seven bits a byte, the lowest first.
    #[inline(never)]
    fn varint(&mut self) -> u64 {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let byte = self.byte();
            value |= u64::from(byte & 0x7f) << shift;
            if byte < 0x80 {
                break;
            }
        }
        value
    }

    /// 0, −1, 1, −2 …
    fn zigzag(&mut self) -> i64 {
        let value = self.varint();
        (value >> 1) as i64 ^ -((value & 1) as i64)
    }

    fn sized(&mut self) -> &'a [u8] {
        let len = self.varint();
        self.take(len as usize)
    }
}

/// Visits numbers of one kind each.
macro_rules! numbers {
    ($($method:ident $visit:ident $reader:ident => $value:expr;)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
            let $reader = self;
            visitor.$visit($value)
        }
    )*};
}

/// Kinds that no message has.
macro_rules! refused {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, _: V) -> Result<V::Value, Malformed> {
            Err(Malformed)
        }
    )*};
}

impl<'de> Deserializer<'de> for &mut Reader<'de> {
    type Error = Malformed;

    numbers! {
        deserialize_bool visit_bool r => r.byte() != 0;
        deserialize_u8 visit_u8 r => r.byte();
        deserialize_u16 visit_u16 r => r.varint() as u16;
        deserialize_u32 visit_u32 r => r.varint() as u32;
        deserialize_u64 visit_u64 r => r.varint();
        deserialize_i8 visit_i8 r => r.byte() as i8;
        deserialize_i16 visit_i16 r => r.zigzag() as i16;
        deserialize_i32 visit_i32 r => r.zigzag() as i32;
        deserialize_i64 visit_i64 r => r.zigzag();
        deserialize_f32 visit_f32 r => f32::from_le_bytes(r.array());
        deserialize_f64 visit_f64 r => f64::from_le_bytes(r.array());
        deserialize_bytes visit_borrowed_bytes r => r.sized();
        deserialize_byte_buf visit_borrowed_bytes r => r.sized();
    }

    refused! {
        deserialize_any deserialize_char deserialize_str deserialize_string deserialize_map deserialize_identifier
        deserialize_ignored_any
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        if self.byte() == 0 { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Malformed> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, Malformed> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Malformed> {
        let n = self.varint() as usize;
        visitor.visit_seq(List { reader: self, n })
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, n: usize, visitor: V) -> Result<V::Value, Malformed> {
        visitor.visit_seq(Fields(self, n))
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        n: usize,
        visitor: V,
    ) -> Result<V::Value, Malformed> {
        visitor.visit_seq(Fields(self, n))
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Malformed> {
        visitor.visit_seq(Fields(self, fields.len()))
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Malformed> {
        visitor.visit_enum(self)
    }

    fn is_human_readable(&self) -> bool {
        false
    }
}

/// As many values as the bytes said, or as there are.
struct List<'r, 'de> {
    reader: &'r mut Reader<'de>,
    n: usize,
}

impl<'de> SeqAccess<'de> for List<'_, 'de> {
    type Error = Malformed;

    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Malformed> {
        if self.n == 0 || self.reader.is_short {
            return Ok(None);
        }
        self.n -= 1;
        seed.deserialize(&mut *self.reader).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        // No value is less than a byte, or it takes no room.
        Some(self.n.min(self.reader.rest.len()))
    }
}

/// As many values as the type has.
struct Fields<'r, 'de>(&'r mut Reader<'de>, usize);

impl<'de> SeqAccess<'de> for Fields<'_, 'de> {
    type Error = Malformed;

    #[inline]
    fn next_element_seed<T: DeserializeSeed<'de>>(&mut self, seed: T) -> Result<Option<T::Value>, Malformed> {
        seed.deserialize(&mut *self.0).map(Some)
    }

    fn size_hint(&self) -> Option<usize> {
        Some(self.1)
    }
}

impl<'de> EnumAccess<'de> for &mut Reader<'de> {
    type Error = Malformed;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(self, seed: V) -> Result<(V::Value, Self), Malformed> {
        let variant = self.varint() as u32;
        Ok((seed.deserialize(IntoDeserializer::<Malformed>::into_deserializer(variant))?, self))
    }
}

impl<'de> VariantAccess<'de> for &mut Reader<'de> {
    type Error = Malformed;

    fn unit_variant(self) -> Result<(), Malformed> {
        Ok(())
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(self, seed: T) -> Result<T::Value, Malformed> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, n: usize, visitor: V) -> Result<V::Value, Malformed> {
        visitor.visit_seq(Fields(self, n))
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, Malformed> {
        visitor.visit_seq(Fields(self, fields.len()))
    }
}

impl Error for Malformed {
    fn custom<T: core::fmt::Display>(_: T) -> Self {
        Self
    }
}

impl core::fmt::Display for Malformed {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("not the bytes of a message")
    }
}

impl core::error::Error for Malformed {}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;
    use core::fmt::Debug;

    use engine_core::composition::Composition;
    use engine_core::control::{Command, Program, StripChange, StripTarget, TapId};
    use engine_core::protocol::{StreamOptions, Subscription, Topic};
    use serde::Serialize;
    use serde::de::DeserializeOwned;

    use super::*;

    /// What postcard writes is read, each beginning of it is refused, and of other bytes what postcard reads is read the same.
    fn check<T: Serialize + DeserializeOwned + PartialEq + Debug>(value: &T) {
        let mut bytes = postcard::to_stdvec(value).expect("it is plain data");
        let n = bytes.len();
        for end in 0..n {
            assert_eq!(take::<T>(&bytes[..end]), Err(Malformed), "{end} bytes of {value:?}");
        }
        bytes.extend([7; 3]);
        assert_eq!(take::<T>(&bytes), Ok((postcard::from_bytes(&bytes).expect("its own"), &bytes[n..])));
        // Any bytes: nothing panics or takes for ever, and what postcard reads is read the same.
        for at in 0..n.min(500) {
            for change in [0x01, 0x80, 0xff] {
                let mut bytes = bytes.clone();
                bytes[at] ^= change;
                let ours = take::<T>(&bytes);
                if let Ok((theirs, rest)) = postcard::take_from_bytes::<T>(&bytes) {
                    let (ours, our_rest) = ours.expect("postcard reads it");
                    assert_eq!((alloc::format!("{ours:?}"), our_rest), (alloc::format!("{theirs:?}"), rest));
                }
            }
        }
    }

    #[test]
    fn reads_what_postcard_writes() {
        let audio = Composition::from_audio("x", uuid::Uuid::from_bytes([200; 16]), 0.5, 120.0);
        check(&Program::compile(&audio.expect("in range")));
        check(&Command::Play);
        check(&Command::Locate { tick: -1.5 });
        check(&Command::SetLoop { enabled: true, start: 0, end: u32::MAX });
        check(&Command::SetStrip { target: StripTarget::Track(300), change: StripChange::GainDb(-6.5) });
        for (topic, options) in [
            (
                Topic::Spectrum,
                r#"{"scale":"bark","window":"flat_top","weighting":"c","min_hz":1000.5,"wide":true}"#,
            ),
            (Topic::Waveform, r#"{"mode":"buckets","window_ms":60000}"#),
            (Topic::Meters, r#"{"ballistics":"k20","tap_loudness":true}"#),
            (Topic::Trigger, r#"{"kind":"loudness","measure":"integrated","below_lufs":-70,"once":false}"#),
            (Topic::Audio, r#"{"format":"f32"}"#),
        ] {
            let options: StreamOptions = serde_json::from_str(options).expect("good options");
            check(&Subscription::new(topic, TapId::INPUT, Some(120), &options).expect("good options"));
        }
    }

    #[test]
    fn numbers_are_read_whole() {
        check(&(0u64, u64::MAX, u32::MAX, u16::MAX, 128u8, true, 300u64));
        check(&(i64::MIN, i64::MAX, -1i32, i16::MIN, -1i8, 1.5f32, -2.5f64, Some(3u8), None::<u8>));
        check(&alloc::vec![(1u32, [2u16; 3]); 20]);
        // A list of more than there can be is not made.
        assert_eq!(take::<Vec<u64>>(&[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f]), Err(Malformed));
    }
}
