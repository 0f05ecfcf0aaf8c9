//! Fewer points for a picture, the telling ones kept.

/// The most points that one plot draws.
const MOST: usize = 1_500;
/// How many of them are those of the largest weight.
const HEAVIEST: usize = 150;

/// Indices of at most so many points as a plot draws, in rising order: those of the largest `weight`, and others evenly spread.
pub fn thin(count: usize, weight: impl Fn(usize) -> f64) -> Vec<usize> {
    if count <= MOST {
        return (0..count).collect();
    }
    let mut order: Vec<usize> = (0..count).collect();
    order.sort_by(|&a, &b| weight(b).total_cmp(&weight(a)).then(a.cmp(&b)));
    let mut kept = order[..HEAVIEST].to_vec();
    let rest = &mut order[HEAVIEST..];
    rest.sort_unstable();
    let spread = MOST - HEAVIEST;
    kept.extend((0..spread).map(|place| rest[place * rest.len() / spread]));
    kept.sort_unstable();
    kept
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_points_are_all_kept() {
        assert_eq!(thin(3, |_| 0.0), [0, 1, 2]);
        assert_eq!(thin(MOST, |_| 0.0).len(), MOST);
    }

    #[test]
    fn the_heaviest_stay_and_none_is_doubled() {
        let heavy = |index: usize| f64::from(u8::from(index.is_multiple_of(700))) * index as f64;
        let kept = thin(100_000, heavy);
        assert_eq!(kept.len(), MOST);
        assert!(kept.windows(2).all(|pair| pair[0] < pair[1]));
        assert!(
            (1..100_000usize)
                .filter(|index| index.is_multiple_of(700))
                .all(|index| kept.contains(&index))
        );
    }
}
