//! The cheapest way to int8 that loses little enough, head by head.
//!
//! Every combination of [`PostTraining::all`], and what quantisation-aware training gave if the run has it, is packed and run by the
//! integer engine on the validation rows. No method changes a blob's size or its instructions, so *cheap* means plain: as few
//! steps beyond smallest-to-largest ranges as will do; training again is the dearest. Flash against instructions is what
//! [`Optimize`] settles, and it changes no result: a search need not try it, and says what each of the three weighs.

use std::collections::BTreeMap;

use serde::Serialize;

use super::ExportError;
use super::candidates::{Candidates, Way};
use crate::eval::{Figures, leading};
use crate::progress::Progress;
use crate::quantize::method::PostTraining;
use crate::quantize::optimize::Optimize;

/// What a search found.
#[derive(Clone, Debug, Serialize)]
pub struct Search {
    /// The largest drop of a head's leading figure that is accepted.
    pub max_drop: f64,
    /// How many rows judged, per head.
    pub samples: BTreeMap<&'static str, usize>,
    /// Figures of the float model on these rows.
    pub float: Figures,
    /// Every way that was tried, the cheapest first.
    pub tried: Vec<Tried>,
    /// Bytes of the chosen blob by what it is optimised for: the three give the same results.
    pub blob_bytes: BTreeMap<&'static str, usize>,
    /// Heads whose figure dropped further by every way; they have the one that loses least.
    pub beyond: Vec<&'static str>,
}

/// One way and what it costs each head.
#[derive(Clone, Debug, Serialize)]
pub struct Tried {
    /// The way.
    pub way: Way,
    /// Float less int8 of each head's leading figure; negative where int8 is better.
    pub drop: BTreeMap<&'static str, f64>,
    /// Heads that it was chosen for.
    pub chosen_for: Vec<&'static str>,
}

/// Tries every way and chooses one per group of heads.
///
/// # Errors
/// If the model cannot be expressed in int8.
pub fn search(
    candidates: &Candidates<'_>,
    max_drop: f64,
    progress: &Progress,
) -> Result<(Vec<Way>, Search), ExportError> {
    let rows = candidates.choosing_rows();
    let float = candidates.float_figures(candidates.dataset(), &rows);
    let methods = PostTraining::all();
    let groups = candidates.groups();
    let aware = (0..groups.len()).any(|group| candidates.has_aware(group));
    let mut step = progress.step("search", methods.len() as u64 + u64::from(aware));
    let mut tried = Vec::new();
    for (way, prepared) in methods.iter().zip(candidates.post_training(&methods)?) {
        let int8 = candidates.int8_figures(&prepared, candidates.dataset(), &rows)?;
        tried.push(Tried::new(Way::PostTraining(*way), &float, &int8));
        step.set(tried.len() as u64, &way.to_string());
    }
    if aware {
        let best = candidates.best();
        let int8 = candidates.int8_figures(&candidates.assemble(&best)?, candidates.dataset(), &rows)?;
        let mut trained = Tried::new(Way::Aware, &float, &int8);
        // Heads that kept their float weights are in the list already.
        for (group, _) in groups.iter().zip(&best).filter(|(_, way)| **way != Way::Aware) {
            group.heads.iter().for_each(|head| {
                trained.drop.remove(head.name());
            });
        }
        tried.push(trained);
    }
    step.finish(&format!("{} ways tried", tried.len()));
    let mut beyond = Vec::new();
    let mut ways = Vec::new();
    for group in groups {
        let heads: Vec<&'static str> = group.heads.iter().map(|head| head.name()).collect();
        let chosen = choose(&tried, &heads, max_drop);
        let worst = tried[chosen].worst(&heads);
        if worst.is_some_and(|drop| drop > max_drop) {
            beyond.extend(&heads);
        }
        tried[chosen].chosen_for.extend(&heads);
        ways.push(tried[chosen].way);
    }
    let chosen = candidates.assemble(&ways)?;
    let sizes = [
        ("size", Optimize::Size),
        ("balanced", Optimize::Balanced),
        ("speed", Optimize::Speed),
    ];
    let bytes = |(name, optimize)| Ok((name, candidates.blob(&chosen, optimize)?.as_ref().len()));
    let search = Search {
        blob_bytes: sizes.into_iter().map(bytes).collect::<Result<_, ExportError>>()?,
        max_drop,
        samples: rows.counts(),
        float,
        tried,
        beyond,
    };
    Ok((ways, search))
}

/// The cheapest way within the drop, of those the one that loses least; if none is within, the one that loses least of all.
fn choose(tried: &[Tried], heads: &[&'static str], max_drop: f64) -> usize {
    let known = tried
        .iter()
        .enumerate()
        .filter_map(|(number, way)| Some((number, way.worst(heads)?, way.way.steps())));
    let by_drop = |a: &(usize, f64, u32), b: &(usize, f64, u32)| a.1.total_cmp(&b.1);
    let within = known.clone().filter(|(_, drop, _)| *drop <= max_drop);
    within
        .min_by(|a, b| a.2.cmp(&b.2).then(by_drop(a, b)))
        .or_else(|| known.min_by(by_drop))
        .map_or(0, |(number, ..)| number)
}

impl Tried {
    fn new(way: Way, float: &Figures, int8: &Figures) -> Self {
        let drop = |(head, float): (&&'static str, _)| {
            let int8 = leading(int8.get(head)?).1?;
            Some((*head, leading(float).1? - int8))
        };
        Self {
            way,
            drop: float.iter().filter_map(drop).collect(),
            chosen_for: Vec::new(),
        }
    }

    /// The largest drop of some heads; `None` if one of them has no figure.
    fn worst(&self, heads: &[&'static str]) -> Option<f64> {
        let drops = heads.iter().map(|head| self.drop.get(head).copied());
        drops.collect::<Option<Vec<f64>>>()?.into_iter().reduce(f64::max)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quantize::range::RangeRule;

    fn tried(ranges: RangeRule, equalize: bool, drop: f64) -> Tried {
        let way = Way::PostTraining(PostTraining {
            ranges,
            equalize,
            correct_bias: false,
        });
        Tried {
            way,
            drop: BTreeMap::from([("regression", drop)]),
            chosen_for: Vec::new(),
        }
    }

    #[test]
    fn the_plainest_within_the_drop_is_chosen() {
        let all = [
            tried(RangeRule::MinMax, false, 0.02),
            tried(RangeRule::Percentile(99.9), false, 0.004),
            tried(RangeRule::Mse, false, 0.002),
            tried(RangeRule::Mse, true, 0.0001),
        ];
        let chosen = |max_drop| choose(&all, &["regression"], max_drop);
        assert_eq!(chosen(0.05), 0);
        assert_eq!(chosen(0.005), 2, "as plain as the one before, and loses less");
        assert_eq!(chosen(0.001), 3);
        assert_eq!(chosen(0.0), 3, "none is within: the least drop");
        assert_eq!(
            choose(&all, &["segmentation"], 1.0),
            0,
            "a head without figures has the plainest"
        );
    }
}
