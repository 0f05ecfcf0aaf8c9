//! Gradients of several heads on the weights they share: how far they agree, and PCGrad.
//!
//! PCGrad (Yu, Kumar, Gupta, Levine, Hausman, Finn: Gradient Surgery for Multi-Task Learning, 2020): where two heads' gradients
//! point against each other, each loses its part along the other. Every gradient is an own vector of one length; sums run in
//! double precision and in one order, so that the same numbers give the same bits.

use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

/// The cosine of the angle between two gradients; `None` if one of them is zero.
///
/// # Panics
/// If they differ in length.
pub fn cosine(one: &[f32], other: &[f32]) -> Option<f64> {
    let lengths = dot(one, one) * dot(other, other);
    (lengths > 0.0).then(|| dot(one, other) / lengths.sqrt())
}

/// In which order each head's gradient meets the others', drawn anew for every step.
pub fn order(heads: usize, rng: &mut ChaCha8Rng) -> Vec<Vec<usize>> {
    let others = |head: usize| (0..heads).filter(|&other| other != head).collect();
    let mut order: Vec<Vec<usize>> = (0..heads).map(others).collect();
    order.iter_mut().for_each(|others| others.shuffle(rng));
    order
}

/// The sum of all gradients, each first freed of what works against another. `order[head]` lists the others as they are met.
///
/// # Panics
/// If there is no gradient, or they differ in length.
pub fn operate(gradients: &[Vec<f32>], order: &[Vec<usize>]) -> Vec<f32> {
    let mut sum = vec![0.0f64; gradients[0].len()];
    for (gradient, others) in gradients.iter().zip(order) {
        let mut freed: Vec<f64> = gradient.iter().map(|&g| g.into()).collect();
        for other in others.iter().map(|&other| &gradients[other]) {
            assert_eq!(freed.len(), other.len(), "gradients of the same weights");
            let along: f64 = freed.iter().zip(other).map(|(f, &o)| f * f64::from(o)).sum();
            let length = dot(other, other);
            if along < 0.0 && length > 0.0 {
                let share = along / length;
                freed
                    .iter_mut()
                    .zip(other)
                    .for_each(|(f, &o)| *f -= share * f64::from(o));
            }
        }
        sum.iter_mut().zip(freed).for_each(|(sum, f)| *sum += f);
    }
    sum.into_iter().map(|sum| sum as f32).collect()
}

fn dot(one: &[f32], other: &[f32]) -> f64 {
    assert_eq!(one.len(), other.len(), "gradients of the same weights");
    one.iter().zip(other).map(|(&a, &b)| f64::from(a) * f64::from(b)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::SeedableRng;

    #[test]
    fn cosines_worked_by_hand() {
        assert_eq!(cosine(&[3.0, 4.0], &[6.0, 8.0]), Some(1.0));
        assert_eq!(cosine(&[1.0, 0.0], &[0.0, 2.0]), Some(0.0));
        assert_eq!(cosine(&[3.0, 4.0], &[-4.0, 3.0]), Some(0.0));
        // (1·3 + 2·(−4)) / (√5 · 5)
        let found = cosine(&[1.0, 2.0], &[3.0, -4.0]).unwrap();
        assert!((found - -5.0 / (5.0f64.sqrt() * 5.0)).abs() < 1e-12);
        assert_eq!(cosine(&[0.0, 0.0], &[1.0, 1.0]), None);
    }

    #[test]
    fn gradients_that_agree_are_added() {
        let gradients = [vec![1.0, 2.0], vec![3.0, -1.0]];
        assert_eq!(operate(&gradients, &[vec![1], vec![0]]), [4.0, 1.0]);
    }

    #[test]
    fn conflicts_are_projected_away() {
        // a·b = −2: a loses −2/4·b, b loses −2/2·a.
        // a' = (1, 1) − (−2/4)·(−2, 0) = (0, 1); b' = (−2, 0) − (−2/2)·(1, 1) = (−1, 1); sum (−1, 2).
        let gradients = [vec![1.0, 1.0], vec![-2.0, 0.0]];
        assert_eq!(operate(&gradients, &[vec![1], vec![0]]), [-1.0, 2.0]);
    }

    #[test]
    fn the_order_of_three_matters_and_each_meets_what_the_others_were() {
        let gradients = [vec![1.0, 0.0], vec![-1.0, 1.0], vec![-1.0, -1.0]];
        // First meets b: (1, 0) + ½(−1, 1) = (½, ½); then c: (½, ½)·c = −1, so + ½(−1, −1) = (0, 0).
        // b meets a: (−1, 1) + (1, 0) = (0, 1); then c: −1, + ½(−1, −1) = (−½, ½).
        // c meets a: (0, −1); then b: −1, + ½(−1, 1) = (−½, −½). Sum (−1, 0).
        let first = operate(&gradients, &[vec![1, 2], vec![0, 2], vec![0, 1]]);
        assert_eq!(first, [-1.0, 0.0]);
        // c after a: b·c = 0, no conflict: b meets c first, stays, then a: (0, 1); c likewise (0, −1). Sum (0, 0).
        let second = operate(&gradients, &[vec![1, 2], vec![2, 0], vec![1, 0]]);
        assert_eq!(second, [0.0, 0.0]);
    }

    #[test]
    fn a_zero_gradient_changes_nothing() {
        let gradients = [vec![1.0, -2.0], vec![0.0, 0.0]];
        assert_eq!(operate(&gradients, &[vec![1], vec![0]]), [1.0, -2.0]);
    }

    #[test]
    fn orders_name_all_others_and_follow_the_seed() {
        let draw = |seed| order(3, &mut ChaCha8Rng::seed_from_u64(seed));
        assert_eq!(draw(1), draw(1));
        assert!((2..20).any(|seed| draw(seed) != draw(1)));
        for (head, mut others) in draw(1).into_iter().enumerate() {
            others.push(head);
            others.sort_unstable();
            assert_eq!(others, [0, 1, 2]);
        }
    }
}
