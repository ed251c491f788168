//! Sorting whose code is there once. The library's sort is made anew for each type, 3 KB a time in what a browser
//! downloads.

use alloc::vec::Vec;

/// Sorts by a number; what is equal stays in its order. Allocates.
pub(crate) fn sort_by_number<T: Clone>(items: &mut Vec<T>, number: impl Fn(&T) -> u128) {
    let mut keys: Vec<(u128, usize)> = items.iter().map(number).zip(0..).collect();
    sort(&mut keys);
    *items = keys.into_iter().map(|(_, at)| items[at].clone()).collect();
}

/// No two are equal, since no two places are.
#[inline(never)]
fn sort(keys: &mut [(u128, usize)]) {
    keys.sort_unstable();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_equal_stays_in_its_order() {
        let mut random = 1u32;
        let mut draw = || {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            random >> 24
        };
        for n in [0, 1, 2, 20, 1_000] {
            let mut items: Vec<(u32, usize)> = (0..n).map(|at| (draw(), at)).collect();
            let mut expected = items.clone();
            expected.sort_by_key(|item| item.0);
            sort_by_number(&mut items, |item| u128::from(item.0) << 64);
            assert_eq!(items, expected);
        }
    }
}
