//! Where a loop over rows reads and writes: checked once a loop instead of once a use.
//!
//! Safety of this file. A [`Place`] is less than its end, and whatever it is used on is asserted to have room for all
//! places up to the end: a condition that does not change in a loop, so that nothing of it is left there.

use core::marker::PhantomData;

/// A number of a loop, less than its end.
#[derive(Clone, Copy)]
pub struct Place {
    at: usize,
    end: usize,
}

impl Place {
    /// Number `at` of a loop to `end`.
    ///
    /// # Panics
    /// When it is not less.
    #[inline(always)]
    pub fn new(at: usize, end: usize) -> Self {
        assert!(at < end);
        Self { at: opaque(at), end }
    }

    /// As far from the last as this is from the first.
    #[inline(always)]
    pub fn mirrored(self) -> Self {
        Self { at: self.end - 1 - self.at, end: self.end }
    }

    /// Which group of 2^`shift` places this one is in.
    ///
    /// # Panics
    /// When the loop does not consist of groups.
    #[inline(always)]
    pub fn group(self, shift: u32) -> Self {
        let end = self.end >> shift;
        assert!(end << shift == self.end);
        Self { at: self.at >> shift, end }
    }

    /// The item of a slice.
    ///
    /// # Panics
    /// When the slice ends before the loop.
    #[inline(always)]
    pub fn of<T>(self, slice: &[T]) -> &T {
        assert!(self.end <= slice.len());
        // SAFETY: see the file.
        unsafe { slice.get_unchecked(self.at) }
    }

    /// The item of a slice.
    ///
    /// # Panics
    /// When the slice ends before the loop.
    #[inline(always)]
    pub fn of_mut<T>(self, slice: &mut [T]) -> &mut T {
        assert!(self.end <= slice.len());
        // SAFETY: see the file.
        unsafe { slice.get_unchecked_mut(self.at) }
    }

    /// The items of `R` parts of a slice, each as long as the loop: r·end + at.
    ///
    /// # Panics
    /// When there are not so many.
    #[inline(always)]
    pub fn column<T, const R: usize>(self, slice: &[T]) -> Column<'_, T, R> {
        assert!(self.end <= slice.len() / R);
        // SAFETY: see the file; the first of the column is in the slice.
        let first = unsafe { slice.as_ptr().add(self.at) };
        Column { first, stride: self.end, slice: PhantomData }
    }
}

/// The compiler knows nothing about what is returned. WebAssembly adds constants to addresses for free where they
/// cannot overflow; LLVM forgets that they cannot once it has made pointers of a loop's numbers, and adds them one by
/// one, which is a fifth of the instructions of an FFT.
#[inline(always)]
fn opaque(at: usize) -> usize {
    if cfg!(target_arch = "wasm32") { core::hint::black_box(at) } else { at }
}

/// `R` items at equal distances.
#[derive(Clone, Copy)]
pub struct Column<'a, T, const R: usize> {
    first: *const T,
    stride: usize,
    slice: PhantomData<&'a [T]>,
}

impl<'a, T, const R: usize> Column<'a, T, R> {
    /// Item `r`.
    #[inline(always)]
    pub fn get(self, r: usize) -> &'a T {
        assert!(r < R);
        // SAFETY: the last item is in the slice that is borrowed, and so are all before it.
        unsafe { &*self.first.add(r * self.stride) }
    }
}

/// A slice in groups of `R` parts of equal length: place q of group p is item q of all its parts.
pub struct Groups<'a, T, const R: usize> {
    first: *mut T,
    n_places: usize,
    stride: usize,
    slice: PhantomData<&'a mut [T]>,
}

impl<'a, T, const R: usize> Groups<'a, T, R> {
    /// With parts of `stride` items.
    ///
    /// # Panics
    /// When that is not a power of two, or the slice is not a number of groups.
    #[inline(always)]
    pub fn new(slice: &'a mut [T], stride: usize) -> Self {
        assert!(stride.is_power_of_two());
        assert!(R.checked_mul(stride).is_some_and(|len| slice.len().is_multiple_of(len)));
        Self { first: slice.as_mut_ptr(), n_places: slice.len() / R, stride, slice: PhantomData }
    }

    /// The items of a place of all groups' places, one group after the other.
    ///
    /// # Panics
    /// When there are fewer places than the loop has.
    #[inline(always)]
    pub fn at(&mut self, place: Place) -> Spread<'_, T, R> {
        assert!(place.end <= self.n_places);
        // p·stride, for a place p·stride + q of q < stride.
        let group = place.at & !(self.stride - 1);
        // SAFETY: p is less than n_places/stride, so that the last item, R·p·stride + (R − 1)·stride + q, is in group p
        // and so in the slice.
        let first = unsafe { self.first.add(place.at + (R - 1) * group) };
        Spread { first, stride: self.stride, slice: PhantomData }
    }
}

/// `R` items at equal distances, to write.
pub struct Spread<'a, T, const R: usize> {
    first: *mut T,
    stride: usize,
    slice: PhantomData<&'a mut [T]>,
}

impl<T, const R: usize> Spread<'_, T, R> {
    /// Item `r`.
    #[inline(always)]
    pub fn get(&mut self, r: usize) -> &mut T {
        assert!(r < R);
        // SAFETY: the slice is borrowed for as long as `self` lives, and holds item R − 1 and so all before it.
        unsafe { &mut *self.first.add(r * self.stride) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec::Vec;

    #[test]
    fn groups_are_written_once_and_columns_read_once() {
        for (stride, n) in [(1, 8), (2, 8), (4, 4), (8, 8)] {
            let mut written = Vec::from([0; 32]);
            let mut groups = Groups::<_, 4>::new(&mut written[..4 * n], stride);
            for at in 0..n {
                let mut items = groups.at(Place::new(at, n));
                for r in 0..4 {
                    *items.get(r) += 1 + (at / stride * 4 + r) * stride + at % stride;
                }
            }
            assert!(written[..4 * n].iter().copied().eq(1..=4 * n), "{stride}");
            let place = Place::new(1, n);
            assert_eq!([0, 1, 2, 3].map(|r| place.column::<_, 4>(&written).get(r) - 2), [0, n, 2 * n, 3 * n]);
            assert_eq!((*place.mirrored().of(&written), *place.group(1).of(&written)), (n - 1, 1));
        }
    }

    #[test]
    #[should_panic(expected = "self.end <= slice.len()")]
    fn a_slice_that_ends_before_the_loop_is_refused() {
        let _ = Place::new(0, 5).of(&[0; 4]);
    }

    #[test]
    #[should_panic(expected = "place.end <= self.n_places")]
    fn groups_that_end_before_the_loop_are_refused() {
        Groups::<_, 4>::new(&mut [0; 8], 1).at(Place::new(0, 3));
    }
}
