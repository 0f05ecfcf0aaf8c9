//! Rows into training, validation and test.
//!
//! [`split`] shuffles with its own seed and keeps three promises: every row stands in exactly one part; rows of one group, and
//! identical rows, stand in one part; each part holds about its share of every stratum (class, target range). The unit that is
//! dealt is a *cluster*: rows tied together by groups or by being identical, transitively. Large clusters are dealt first, each
//! to the part that lacks most of the strata it brings.

use std::collections::HashMap;
use std::hash::Hash;

use rand::SeedableRng;
use rand::seq::SliceRandom;
use rand_chacha::ChaCha8Rng;

use super::Split;
use crate::config::SplitConfig;

/// Why rows cannot be divided.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SplitError {
    /// A part would stay empty.
    #[error(
        "the {part} part of the split is empty: {clusters} groups of rows (identical rows count as one) are too few; \
         bring more rows, or set its share in [split] to 0"
    )]
    EmptyPart {
        /// "training", "validation" or "test".
        part: &'static str,
        /// How many clusters there are.
        clusters: usize,
    },
    /// The training part would lack a class.
    #[error(
        "no row of class `{class}` is left for training: {rows} rows have it, and their groups went to other parts; \
         bring more rows of it, or try another [split] seed"
    )]
    ClassNotTrained {
        /// The class's name.
        class: String,
        /// How many rows have it.
        rows: usize,
    },
}

/// Which rows must stay together. Both may be given.
#[derive(Clone, Debug, Default)]
pub struct Ties {
    union: Vec<usize>,
}

impl Ties {
    /// `rows` rows, each for itself.
    pub fn new(rows: usize) -> Self {
        Self {
            union: (0..rows).collect(),
        }
    }

    /// Ties together rows of equal keys.
    pub fn tie<K: Eq + Hash>(&mut self, keys: impl IntoIterator<Item = K>) {
        let mut first = HashMap::new();
        for (row, key) in keys.into_iter().enumerate() {
            let other = *first.entry(key).or_insert(row);
            let (a, b) = (self.root(row), self.root(other));
            self.union[a.max(b)] = a.min(b);
        }
    }

    /// Ties together what `other`, of as many rows, ties together.
    pub fn join(&mut self, other: &Self) {
        let mut other = other.clone();
        let roots: Vec<usize> = (0..other.union.len()).map(|row| other.root(row)).collect();
        self.tie(roots);
    }

    fn root(&mut self, mut row: usize) -> usize {
        while self.union[row] != row {
            self.union[row] = self.union[self.union[row]];
            row = self.union[row];
        }
        row
    }

    /// Rows of each cluster, in the order of their first rows.
    fn clusters(mut self) -> Vec<Vec<usize>> {
        let mut index = HashMap::new();
        let mut clusters: Vec<Vec<usize>> = Vec::new();
        for row in 0..self.union.len() {
            let next = clusters.len();
            let cluster = *index.entry(self.root(row)).or_insert(next);
            if cluster == next {
                clusters.push(Vec::new());
            }
            clusters[cluster].push(row);
        }
        clusters
    }
}

/// Divides rows; `strata[row]` is the stratum of a row. Rows within a part are shuffled.
///
/// # Errors
/// A part whose share is not zero stays empty.
pub fn split(strata: &[usize], ties: Ties, config: &SplitConfig) -> Result<Split, SplitError> {
    let mut rng = ChaCha8Rng::seed_from_u64(config.seed);
    let mut clusters = ties.clusters();
    let count = clusters.len();
    clusters.shuffle(&mut rng);
    // Stable: clusters of one size stay shuffled.
    clusters.sort_by_key(|rows| std::cmp::Reverse(rows.len()));

    let shares = [1.0 - config.validation - config.test, config.validation, config.test];
    let stratum_count = strata.iter().max().map_or(0, |&last| last + 1);
    let mut lack = vec![[0.0; 3]; stratum_count];
    for &stratum in strata {
        for (lack, share) in lack[stratum].iter_mut().zip(shares) {
            *lack += share;
        }
    }
    let mut parts: [Vec<usize>; 3] = Default::default();
    for rows in clusters {
        let part = neediest(&rows, strata, &lack, shares);
        for &row in &rows {
            lack[strata[row]][part] -= 1.0;
        }
        parts[part].extend(rows);
    }
    for ((part, share), name) in parts.iter_mut().zip(shares).zip(["training", "validation", "test"]) {
        if part.is_empty() && share > 0.0 {
            return Err(SplitError::EmptyPart {
                part: name,
                clusters: count,
            });
        }
        part.shuffle(&mut rng);
    }
    let [train, validation, test] = parts;
    Ok(Split {
        train,
        validation,
        test,
    })
}

/// The part that lacks most of what these rows bring, ties to the first.
fn neediest(rows: &[usize], strata: &[usize], lack: &[[f64; 3]], shares: [f64; 3]) -> usize {
    let mut need = [0.0; 3];
    for &row in rows {
        for (need, lack) in need.iter_mut().zip(lack[strata[row]]) {
            *need += lack;
        }
    }
    let candidates = (0..3).filter(|&part| shares[part] > 0.0);
    candidates.fold(0, |best, part| if need[part] > need[best] { part } else { best })
}

/// Refuses a split whose training part lacks a class.
///
/// # Errors
/// The first such class.
pub fn refuse_untrained(split: &Split, labels: &[u16], classes: &[String]) -> Result<(), SplitError> {
    for (class, name) in classes.iter().enumerate() {
        if !split.train.iter().any(|&row| usize::from(labels[row]) == class) {
            return Err(SplitError::ClassNotTrained {
                class: name.clone(),
                rows: labels.iter().filter(|&&label| usize::from(label) == class).count(),
            });
        }
    }
    Ok(())
}

/// The stratum of each target: which of up to ten equally filled ranges it lies in.
pub fn target_strata(targets: &[f32]) -> Vec<usize> {
    let bins = (targets.len() / 10).clamp(1, 10);
    let mut order: Vec<usize> = (0..targets.len()).collect();
    order.sort_by(|&a, &b| targets[a].total_cmp(&targets[b]));
    let mut strata = vec![0; targets.len()];
    for (rank, &row) in order.iter().enumerate() {
        strata[row] = rank * bins / targets.len();
    }
    strata
}

/// The stratum of each mask: the class, rarest over all masks, of those that cover at least a hundredth of it.
///
/// `masks` holds masks of `pixels` class indices each.
pub fn mask_strata(masks: &[u8], pixels: usize, classes: usize) -> Vec<usize> {
    let count = |mask: &[u8]| {
        let mut counts = vec![0_usize; classes];
        mask.iter().for_each(|&class| counts[usize::from(class)] += 1);
        counts
    };
    let totals = count(masks);
    let mut rarest_first: Vec<usize> = (0..classes).collect();
    rarest_first.sort_by_key(|&class| totals[class]);
    let stratum = |mask: &[u8]| {
        let counts = count(mask);
        let found = rarest_first.iter().find(|&&class| counts[class] * 100 >= pixels);
        found.copied().unwrap_or(0)
    };
    masks.chunks_exact(pixels).map(stratum).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::Rng;

    fn config(seed: u64, validation: f64, test: f64) -> SplitConfig {
        SplitConfig {
            seed,
            validation,
            test,
            aligned: false,
        }
    }

    fn part_of(split: &Split, rows: usize) -> Vec<usize> {
        let mut part = vec![usize::MAX; rows];
        for (index, members) in [&split.train, &split.validation, &split.test].into_iter().enumerate() {
            for &row in members {
                assert_eq!(part[row], usize::MAX, "row {row} stands twice");
                part[row] = index;
            }
        }
        assert!(part.iter().all(|&part| part < 3), "a row is missing");
        part
    }

    #[test]
    fn every_row_stands_once_and_groups_stay_together() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        for seed in 0..200 {
            let rows = rng.random_range(60..300);
            let strata: Vec<usize> = (0..rows).map(|_| rng.random_range(0..3)).collect();
            let groups: Vec<usize> = (0..rows).map(|_| rng.random_range(0..rows / 3)).collect();
            let copies: Vec<usize> = (0..rows).map(|_| rng.random_range(0..rows * 4)).collect();
            let mut ties = Ties::new(rows);
            ties.tie(groups.iter());
            ties.tie(copies.iter());
            let split = split(&strata, ties, &config(seed, 0.2, 0.3)).unwrap();
            let part = part_of(&split, rows);
            for a in 0..rows {
                for b in 0..a {
                    if groups[a] == groups[b] || copies[a] == copies[b] {
                        assert_eq!(part[a], part[b], "rows {a} and {b}, seed {seed}");
                    }
                }
            }
        }
    }

    #[test]
    fn each_part_holds_its_share_of_each_stratum() {
        for seed in 0..20 {
            let strata: Vec<usize> = (0..1000).map(|row| usize::from(row % 10 == 0)).collect();
            let split = split(&strata, Ties::new(1000), &config(seed, 0.15, 0.2)).unwrap();
            let part = part_of(&split, 1000);
            for (index, share) in [0.65, 0.15, 0.2].into_iter().enumerate() {
                for (stratum, total) in [(0, 900.0), (1, 100.0)] {
                    let held = (0..1000)
                        .filter(|&row| part[row] == index && strata[row] == stratum)
                        .count();
                    assert!(
                        (held as f64 - share * total).abs() <= 1.0,
                        "part {index}, stratum {stratum}: {held}"
                    );
                }
            }
        }
    }

    #[test]
    fn the_seed_alone_decides() {
        let strata = vec![0; 500];
        let divide = |seed| split(&strata, Ties::new(500), &config(seed, 0.1, 0.2)).unwrap();
        assert_eq!(divide(7), divide(7));
        assert_ne!(divide(7), divide(8));
    }

    #[test]
    fn a_share_of_zero_gives_an_empty_part() {
        let split = split(&[0; 50], Ties::new(50), &config(1, 0.0, 0.5)).unwrap();
        assert!(split.validation.is_empty());
        assert_eq!(split.test.len(), 25);
    }

    #[test]
    fn too_few_groups_are_refused() {
        let mut ties = Ties::new(40);
        ties.tie((0..40).map(|row| row % 2));
        let error = split(&[0; 40], ties, &config(1, 0.1, 0.2)).unwrap_err();
        assert!(matches!(error, SplitError::EmptyPart { clusters: 2, .. }), "{error}");
        let all_test = Split {
            test: vec![0],
            train: vec![1],
            ..Split::default()
        };
        let error = refuse_untrained(&all_test, &[0, 1], &["a".into(), "b".into()]).unwrap_err();
        assert!(error.to_string().contains("class `a`"), "{error}");
    }

    #[test]
    fn strata_of_targets_and_masks() {
        let targets: Vec<f32> = (0..100).map(|i| ((i * 37) % 100) as f32).collect();
        let strata = target_strata(&targets);
        assert!((0..100).all(|row| strata[row] == targets[row] as usize / 10));
        assert_eq!(target_strata(&[1.0, 1.0]), [0, 0]);
        // Class 1 is rarest overall, but too small in the second mask.
        let mut masks = vec![0; 800];
        masks[..3].fill(1);
        masks[200..201].fill(1);
        masks[300..400].fill(2);
        assert_eq!(mask_strata(&masks, 200, 3), [1, 2, 0, 0]);
    }
}
