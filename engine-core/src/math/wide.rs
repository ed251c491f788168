//! Operations on f64 that have one right result. libm's are loops; WebAssembly has an instruction for each.

macro_rules! exact {
    ($(#[$doc:meta] $name:ident $simd:ident)*) => {$(
        #[$doc]
        #[cfg(all(target_arch = "wasm32", target_feature = "simd128"))]
        #[inline(always)]
        pub(crate) fn $name(x: f64) -> f64 {
            use core::arch::wasm32::{$simd, f64x2_extract_lane, f64x2_splat};
            f64x2_extract_lane::<0>($simd(f64x2_splat(x)))
        }

        #[$doc]
        #[cfg(not(all(target_arch = "wasm32", target_feature = "simd128")))]
        #[inline(always)]
        pub(crate) fn $name(x: f64) -> f64 {
            libm::$name(x)
        }
    )*};
}

exact! {
    /// Square root.
    sqrt f64x2_sqrt
    /// The greatest whole number that is not above `x`.
    floor f64x2_floor
    /// The least whole number that is not below `x`.
    ceil f64x2_ceil
    /// The nearest whole number; of two, the even one.
    rint f64x2_nearest
}
