//! From pairs of trainings to means and intervals.

use std::collections::BTreeMap;

use trident::spec::Head;

use super::figures::{Figure, delta_p_percent, figures, improvement_percent};
use super::interval::Mean;
use super::trainings::{Arm, SeedRuns};
use super::{EpochMean, FigureComparison, HeadComparison, Joint, PairCosines};
use crate::config::Balancing;
use crate::train::Rehearsal;

/// One way of training `heads` together against each alone.
pub(super) fn joint(seeds: &[SeedRuns], heads: &[Head], balancing: Balancing) -> Joint {
    let arm = Arm::Joint(balancing);
    let together: Vec<&Rehearsal> = seeds.iter().filter_map(|seed| seed.of(arm)).collect();
    let compared: Vec<HeadComparison> = heads.iter().map(|&head| of_head(seeds, &together, head)).collect();
    let delta = (0..together.len()).map(|seed| {
        let of_seed = |head: &HeadComparison| {
            let first = head.figures.first()?.improvement_percent.as_ref()?;
            first.values.get(seed).copied()
        };
        delta_p_percent(&compared.iter().map(of_seed).collect::<Vec<_>>())
    });
    Joint {
        balancing: balancing.name().to_owned(),
        delta_p_percent: delta.collect::<Option<Vec<f64>>>().and_then(Mean::of),
        heads: compared,
        cosines: cosines(&together),
    }
}

fn of_head(seeds: &[SeedRuns], together: &[&Rehearsal], head: Head) -> HeadComparison {
    let alone: Vec<&Rehearsal> = seeds.iter().filter_map(|seed| seed.of(Arm::Alone(head))).collect();
    let alone_figures: Vec<Vec<Figure>> = alone.iter().map(|run| test_figures(run, head)).collect();
    let joint_figures: Vec<Vec<Figure>> = together.iter().map(|run| test_figures(run, head)).collect();
    let names = alone_figures.first().map_or(&[][..], Vec::as_slice);
    let compared = names.iter().filter_map(|figure| {
        let values = |of_seeds: &[Vec<Figure>]| -> Option<Vec<f64>> {
            let value = |of_seed: &Vec<Figure>| of_seed.iter().find(|own| own.name == figure.name)?.value;
            of_seeds.iter().map(value).collect()
        };
        let (alone, joint) = (values(&alone_figures)?, values(&joint_figures)?);
        let pairs = || alone.iter().copied().zip(joint.iter().copied());
        let improvements = pairs().map(|(alone, joint)| improvement_percent(figure.better, alone, joint));
        Some(FigureComparison {
            figure: figure.name.to_owned(),
            better: figure.better,
            improvement_percent: improvements.collect::<Option<Vec<f64>>>().and_then(Mean::of),
            difference: Mean::of(pairs().map(|(alone, joint)| joint - alone).collect())?,
            alone: Mean::of(alone.clone())?,
            joint: Mean::of(joint.clone())?,
        })
    });
    let last = |run: &&Rehearsal| run.history.get(head.name())?.last()?.log_variance;
    let log_variances: Option<Vec<f64>> = together.iter().map(last).collect();
    HeadComparison {
        head: head.name().to_owned(),
        parameters: alone
            .first()
            .and_then(|run| run.parameters.get(head.name()).copied())
            .unwrap_or(0),
        figures: compared.collect(),
        log_variance: log_variances.and_then(Mean::of),
    }
}

fn test_figures(run: &Rehearsal, head: Head) -> Vec<Figure> {
    let metrics = run.metrics.get("test").and_then(|heads| heads.get(head.name()));
    metrics.map(figures).unwrap_or_default()
}

/// Two heads' names.
type Pair = [String; 2];

fn cosines(together: &[&Rehearsal]) -> Vec<PairCosines> {
    let records = || together.iter().flat_map(|run| &run.cosines);
    let mut pairs: Vec<&Pair> = Vec::new();
    for record in records() {
        if !pairs.contains(&&record.heads) {
            pairs.push(&record.heads);
        }
    }
    pairs.into_iter().filter_map(|pair| of_pair(together, pair)).collect()
}

fn of_pair(together: &[&Rehearsal], pair: &Pair) -> Option<PairCosines> {
    let mut of_epochs: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
    let mut of_seeds: Vec<f64> = Vec::new();
    for run in together {
        let records = || run.cosines.iter().filter(|record| record.heads == *pair);
        records().for_each(|record| of_epochs.entry(record.epoch).or_default().push(record.cosine));
        let count = records().count();
        if count > 0 {
            of_seeds.push(records().map(|record| record.cosine).sum::<f64>() / count as f64);
        }
    }
    let epochs = of_epochs.into_iter().filter_map(|(epoch, cosines)| {
        let cosine = Mean::of(cosines)?;
        Some(EpochMean { epoch, cosine })
    });
    Some(PairCosines {
        heads: pair.clone(),
        all: Mean::of(of_seeds)?,
        epochs: epochs.collect(),
    })
}
