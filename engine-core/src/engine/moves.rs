//! Where tracks or buses went when a program was replaced: they are known by their ids.

use uuid::Uuid;

/// A permutation of the places of an array of state. Every place has a state, in use or not.
pub(super) struct Moves<const N: usize> {
    /// By new place: the old one.
    from: [usize; N],
    /// By new place: it goes on with the state that comes there.
    goes_on: [bool; N],
}

impl<const N: usize> Moves<N> {
    /// `n_old` places are in use, the first of them by `old_ids`; the others are fading out.
    ///
    /// What has the same id goes on at its new place. What is in use and is not in `new_ids` moves behind them to
    /// fade out there, as far as there is room.
    pub(super) fn new(
        old_ids: impl Iterator<Item = Uuid> + Clone,
        n_old: usize,
        new_ids: impl Iterator<Item = Uuid>,
    ) -> Self {
        let (mut from, mut goes_on, mut is_taken) = ([0; N], [false; N], [false; N]);
        let mut n_new = 0;
        for (place, id) in new_ids.enumerate().take(N) {
            n_new = place + 1;
            // Equal ids, which a composition cannot have, match one by one.
            let same =
                old_ids.clone().take(N).enumerate().find(|(old, other)| *other == id && !is_taken[*old]);
            if let Some((old, _)) = same {
                (from[place], goes_on[place], is_taken[old]) = (old, true, true);
            }
        }
        let leaving = is_taken.iter_mut().enumerate().take(n_old).filter(|(_, is_taken)| !**is_taken);
        for (place, (old, is_taken)) in (n_new..N).zip(leaving) {
            (from[place], goes_on[place], *is_taken) = (old, true, true);
        }
        // The others get what is left.
        let mut left = 0;
        for place in 0..N {
            if !goes_on[place] {
                while is_taken[left] {
                    left += 1;
                }
                from[place] = left;
                left += 1;
            }
        }
        Self { from, goes_on }
    }

    /// Whether the state at a place is another's or none's, to be set anew.
    pub(super) fn is_new(&self, place: usize) -> bool {
        !self.goes_on.get(place).copied().unwrap_or(false)
    }

    /// Where what was at `old` is now; `None` if it is gone.
    pub(super) fn place(&self, old: u16) -> Option<u16> {
        let is_it = |place: &usize| self.from[*place] == usize::from(old) && self.goes_on[*place];
        (0..N).find(is_it).and_then(|place| u16::try_from(place).ok())
    }

    /// Puts every state at its new place.
    pub(super) fn reorder<T>(&self, states: &mut [T]) {
        self.for_each_swap(|a, b| states.swap(a, b));
    }

    /// The exchanges of two different places that do so, in order.
    pub(super) fn for_each_swap(&self, mut swap: impl FnMut(usize, usize)) {
        for place in 0..N {
            // What was there has been exchanged for what comes to that place, and so on.
            let mut from = self.from[place];
            while from < place {
                from = self.from[from];
            }
            if from != place {
                swap(place, from);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moves(old: &[u128], n_old: usize, new: &[u128]) -> Moves<6> {
        let ids = |ids: &[u128]| ids.iter().copied().map(Uuid::from_u128).collect::<alloc::vec::Vec<_>>();
        Moves::new(ids(old).into_iter(), n_old, ids(new).into_iter())
    }

    #[test]
    fn what_stays_moves_and_what_goes_comes_behind_it() {
        // Of 1, 2, 3 and one that fades, the second goes and another comes first.
        let moves = moves(&[1, 2, 3], 4, &[9, 3, 1]);
        let mut states = [10, 20, 30, 40, 50, 60];
        moves.reorder(&mut states);
        assert_eq!(states[1..5], [30, 10, 20, 40]);
        assert!(moves.is_new(0) && moves.is_new(5) && (1..5).all(|place| !moves.is_new(place)));
        assert_eq!([0, 1, 2, 3, 4].map(|old| moves.place(old)), [Some(2), Some(3), Some(1), Some(4), None]);
        assert!(moves.is_new(99));
    }

    #[test]
    fn without_room_what_goes_is_gone() {
        let moves = moves(&[1, 2, 3, 4, 5, 6], 6, &[6, 5, 4, 3, 2, 7]);
        let mut states = [1, 2, 3, 4, 5, 6];
        moves.reorder(&mut states);
        assert_eq!(states, [6, 5, 4, 3, 2, 1]);
        assert!(moves.is_new(5) && moves.place(0).is_none());
    }

    #[test]
    fn equal_ids_match_one_by_one() {
        let moves = moves(&[0, 0, 0], 3, &[0, 0]);
        assert_eq!([0, 1, 2].map(|old| moves.place(old)), [Some(0), Some(1), Some(2)]);
    }
}
