//! Random draws that depend on nothing but what they are for: the same seed, head, epoch and index give the same numbers, in
//! whatever order they are asked for and after any interruption.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;
use trident::spec::Head;

/// What numbers are drawn for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Draw {
    /// First weights; index: the layer within its head.
    Weights = 1,
    /// The order of an epoch's rows.
    Order = 2,
    /// Changes of a picture; index: the picture.
    Augmentation = 3,
    /// Hidden units left out; index: the step and the layer.
    Dropout = 4,
    /// The order in which gradients are freed of each other; index: the step.
    Surgery = 9,
    /// Points between training rows.
    FreshPoints = 5,
    /// Which of those points stand in a step; index: the step.
    FreshOrder = 6,
    /// The order of the rows that a Gaussian process is fitted to.
    Process = 7,
    /// Points that a head is judged by.
    Exam = 10,
    /// Where a picture is cut out of its photograph; index: the picture.
    Crop = 11,
}

/// A generator of its own for every combination of arguments.
pub fn generator(seed: u64, head: Head, draw: Draw, epoch: u64, index: u64) -> ChaCha8Rng {
    let mut key = [0; 32];
    key[..8].copy_from_slice(&seed.to_le_bytes());
    key[8..16].copy_from_slice(&epoch.to_le_bytes());
    key[16..24].copy_from_slice(&index.to_le_bytes());
    key[24] = head as u8;
    key[25] = draw as u8;
    ChaCha8Rng::from_seed(key)
}

/// `rows` in the order of an epoch.
pub fn shuffled(rows: &[usize], rng: &mut ChaCha8Rng) -> Vec<usize> {
    let mut order = rows.to_vec();
    for last in (1..order.len()).rev() {
        order.swap(last, rng.random_range(0..=last));
    }
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_depend_on_every_argument() {
        let first = |seed, head, draw, epoch, index| generator(seed, head, draw, epoch, index).random::<u64>();
        let base = first(1, Head::Regression, Draw::Order, 3, 4);
        assert_eq!(base, first(1, Head::Regression, Draw::Order, 3, 4));
        assert_ne!(base, first(2, Head::Regression, Draw::Order, 3, 4));
        assert_ne!(base, first(1, Head::Segmentation, Draw::Order, 3, 4));
        assert_ne!(base, first(1, Head::Regression, Draw::Dropout, 3, 4));
        assert_ne!(base, first(1, Head::Regression, Draw::Order, 4, 3));
    }

    #[test]
    fn a_shuffle_keeps_every_row() {
        let rows: Vec<usize> = (10..60).collect();
        let mut order = shuffled(&rows, &mut generator(1, Head::Regression, Draw::Order, 0, 0));
        assert_ne!(order, rows);
        order.sort_unstable();
        assert_eq!(order, rows);
    }
}
