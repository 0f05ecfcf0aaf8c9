//! Where every tensor lies in the arena.
//!
//! A tensor lives from the node that writes it to the last that reads it; tensors that live at the same time must not
//! overlap. Placing them is a packing problem: each in turn goes into the lowest gap, so that all depends on the order. A few orders
//! are tried, and the best is changed a little at a time for as long as it is above the largest sum of live tensors, a bound that no
//! plan can beat.

use std::ops::RangeInclusive;

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Tensors begin on multiples of this many bytes, so that words of any of them can be read at once.
const ALIGNMENT: usize = 4;

/// A tensor's demand.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Demand {
    /// Bytes it takes.
    pub len: usize,
    /// First and last step at which it lives.
    pub life: RangeInclusive<usize>,
}

/// A plan and how good it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ArenaPlan {
    /// Offset per tensor, in bytes.
    pub offsets: Vec<usize>,
    /// Bytes the arena must have.
    pub len: usize,
    /// The largest sum of live tensors, rounded up to whole words each.
    pub lower_bound: usize,
}

/// Places every tensor.
pub fn plan(demands: &[Demand]) -> ArenaPlan {
    let lower_bound = lower_bound(demands);
    let by = |key: fn(&Demand) -> [usize; 2]| {
        let mut order: Vec<usize> = (0..demands.len()).collect();
        order.sort_by_key(|&tensor| std::cmp::Reverse(key(&demands[tensor])));
        order
    };
    let orders = [
        by(|d| [d.len, d.life.end() - d.life.start()]),
        by(|d| [d.life.end() - d.life.start(), d.len]),
        by(|d| [d.len * (d.life.end() - d.life.start() + 1), d.len]),
        (0..demands.len()).collect(),
    ];
    let best = orders
        .into_iter()
        .min_by_key(|order| end(demands, &place(demands, order)));
    let offsets = place(demands, &improved(demands, best.unwrap_or_default(), lower_bound));
    ArenaPlan {
        len: end(demands, &offsets),
        offsets,
        lower_bound,
    }
}

/// How many changed orders are tried.
const TRIES: usize = 4000;

/// An order that ends no higher than the given one: two places are swapped at a time, and the swap is kept if it does no harm.
fn improved(demands: &[Demand], mut order: Vec<usize>, lower_bound: usize) -> Vec<usize> {
    let mut len = end(demands, &place(demands, &order));
    let mut random = ChaCha8Rng::seed_from_u64(0);
    for _ in 0..TRIES {
        if len <= lower_bound {
            break;
        }
        let [a, b] = [0, 1].map(|_| random.random_range(0..order.len()));
        order.swap(a, b);
        let swapped = end(demands, &place(demands, &order));
        if swapped <= len {
            len = swapped;
        } else {
            order.swap(a, b);
        }
    }
    order
}

/// Each tensor in turn into the lowest gap between those already placed that live with it.
fn place(demands: &[Demand], order: &[usize]) -> Vec<usize> {
    let mut offsets = vec![usize::MAX; demands.len()];
    for &tensor in order {
        let mut taken: Vec<(usize, usize)> = (0..demands.len())
            .filter(|&other| offsets[other] != usize::MAX && overlap(&demands[other].life, &demands[tensor].life))
            .map(|other| (offsets[other], offsets[other] + padded(demands[other].len)))
            .collect();
        taken.sort_unstable();
        let mut offset = 0;
        for (start, end) in taken {
            if offset + padded(demands[tensor].len) <= start {
                break;
            }
            offset = offset.max(end);
        }
        offsets[tensor] = offset;
    }
    offsets
}

fn lower_bound(demands: &[Demand]) -> usize {
    let steps = demands.iter().map(|demand| demand.life.end() + 1).max().unwrap_or(0);
    let live = |step| demands.iter().filter(move |demand| demand.life.contains(&step));
    (0..steps)
        .map(|step| live(step).map(|demand| padded(demand.len)).sum())
        .max()
        .unwrap_or(0)
}

fn end(demands: &[Demand], offsets: &[usize]) -> usize {
    demands
        .iter()
        .zip(offsets)
        .map(|(demand, offset)| offset + padded(demand.len))
        .max()
        .unwrap_or(0)
}

fn overlap(a: &RangeInclusive<usize>, b: &RangeInclusive<usize>) -> bool {
    a.start() <= b.end() && b.start() <= a.end()
}

pub(super) fn padded(len: usize) -> usize {
    len.next_multiple_of(ALIGNMENT)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn demand(len: usize, life: RangeInclusive<usize>) -> Demand {
        Demand { len, life }
    }

    #[test]
    fn a_chain_takes_its_largest_pair() {
        let chain = [demand(100, 0..=1), demand(60, 1..=2), demand(40, 2..=3)];
        let plan = plan(&chain);
        assert_eq!((plan.len, plan.lower_bound), (160, 160));
    }

    #[test]
    fn tensors_that_live_together_never_overlap() {
        let demands: Vec<Demand> = (0..40)
            .map(|i| {
                let start = (i * 7) % 20;
                demand(1 + (i * 37) % 90, start..=start + (i * 5) % 9)
            })
            .collect();
        let plan = plan(&demands);
        for (i, a) in demands.iter().enumerate() {
            for (j, b) in demands.iter().enumerate().take(i) {
                let apart = plan.offsets[i] + a.len <= plan.offsets[j] || plan.offsets[j] + b.len <= plan.offsets[i];
                assert!(apart || !overlap(&a.life, &b.life), "{i} and {j} share bytes");
            }
        }
        assert!(plan.len >= plan.lower_bound);
    }
}
