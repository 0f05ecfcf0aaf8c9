//! The rows repeat, and what they ask for has one cause that no sensor tells alone.

use super::*;
use crate::config::Config;
use crate::data::{DataError, load};
use crate::metrics::{ClassificationMetrics, RegressionMetrics, SegmentationMetrics};

const ROWS: usize = 900;
const FITTED: usize = 600;

#[test]
fn a_row_depends_on_its_index_alone() {
    let (few, more) = (segmentation(3, [16, 16]), segmentation(6, [16, 16]));
    assert_eq!(few.pixels, more.pixels[..few.pixels.len()]);
    assert_eq!(few.masks, more.masks[..few.masks.len()]);
    assert_ne!(more.picture(0), more.picture(1));
    assert_eq!(
        classification(20).readings.values,
        classification(30).readings.values[..200]
    );
    assert_eq!(regression(20, "y").targets, regression(30, "y").targets[..20]);
    let labels = classification(ROWS).labels;
    let treated = labels.iter().filter(|&&label| label == 1).count();
    assert!((ROWS * 4 / 10..ROWS * 6 / 10).contains(&treated), "{treated} of {ROWS}");
}

#[test]
fn all_tables_are_split_alike() {
    let mut config = Config::aligned();
    config.segmentation.as_mut().unwrap().count = Some(90);
    config.segmentation.as_mut().unwrap().size = [16, 16];
    let data = load(&config).unwrap();
    let split = &data.classification.as_ref().unwrap().split;
    assert_eq!(split, &data.segmentation.as_ref().unwrap().split);
    assert_eq!(split, &data.regression.as_ref().unwrap().split);
    assert_eq!(split.train.len() + split.validation.len() + split.test.len(), 90);
    assert!(data.aligned);
    config.split.aligned = false;
    let apart = load(&config).unwrap();
    assert_ne!(
        apart.classification.unwrap().split,
        apart.regression.unwrap().split,
        "each by its own strata"
    );
}

#[test]
fn tables_of_unequal_length_are_refused_with_their_lengths() {
    let mut config = Config::builtin();
    config.split.aligned = true;
    config.segmentation.as_mut().unwrap().count = Some(40);
    let error = load(&config).unwrap_err();
    assert!(matches!(error, DataError::NotAligned { .. }), "{error}");
    let said = error.to_string();
    assert!(
        said.contains("classification 15216, segmentation 40, regression 1203"),
        "{said}"
    );
}

/// What a perfect eye sees in a picture, without knowing what was sown: how much each kind of plant covers, and how bright the
/// ground is.
fn seen(pictures: &SegmentationData) -> Vec<Vec<f64>> {
    (0..pictures.len())
        .map(|row| {
            let (kinds, _) = kinds(pictures, row);
            let cover = |kind: u8| kinds.iter().filter(|&&own| own == kind).count() as f64 / 256.0;
            let light: f64 = pictures.picture(row).iter().map(|&byte| f64::from(byte)).sum();
            vec![cover(0), cover(1), light / 768.0 / 255.0]
        })
        .collect()
}

/// Per pixel: 0 for broad leaves, 1 for grass, 2 for soil; and which of them was sown.
fn kinds(pictures: &SegmentationData, row: usize) -> (Vec<u8>, u8) {
    let sown = u8::from(!Field::of_row(row).0.broadleaf_crop);
    let kind = |&class: &u8| match class {
        CROP => sown,
        WEED => 1 - sown,
        soil => soil,
    };
    (pictures.mask(row).iter().map(kind).collect(), sown)
}

fn rows_of(readings: &Readings) -> Vec<Vec<f64>> {
    (0..readings.rows())
        .map(|row| readings.row(row).iter().map(|&value| value.into()).collect())
        .collect()
}

fn beside(tables: &[&Vec<Vec<f64>>]) -> Vec<Vec<f64>> {
    (0..ROWS)
        .map(|row| tables.iter().flat_map(|table| table[row].clone()).collect())
        .collect()
}

/// Least squares over the standardised columns, their squares and products, a little ridge: fitted to the first rows, told for
/// the others.
fn least_squares(columns: &[Vec<f64>], targets: &[f64]) -> Vec<f32> {
    let width = columns[0].len();
    let (mut means, mut deviations) = (vec![0.0; width], vec![0.0; width]);
    for column in 0..width {
        let values = || columns[..FITTED].iter().map(|row| row[column]);
        means[column] = values().sum::<f64>() / FITTED as f64;
        deviations[column] = (values().map(|v| (v - means[column]).powi(2)).sum::<f64>() / FITTED as f64).sqrt();
    }
    let expand = |row: &Vec<f64>| {
        let z: Vec<f64> = (0..width)
            .map(|c| (row[c] - means[c]) / deviations[c].max(1e-9))
            .collect();
        let mut terms = vec![1.0];
        terms.extend(&z);
        terms.extend(
            (0..width)
                .flat_map(|a| (a..width).map(move |b| (a, b)))
                .map(|(a, b)| z[a] * z[b]),
        );
        terms
    };
    let rows: Vec<Vec<f64>> = columns.iter().map(expand).collect();
    let n = rows[0].len();
    // Normal equations, solved by elimination.
    let mut system = vec![vec![0.0; n + 1]; n];
    for (row, target) in rows[..FITTED].iter().zip(targets) {
        for a in 0..n {
            for b in 0..n {
                system[a][b] += row[a] * row[b];
            }
            system[a][n] += row[a] * target;
        }
    }
    (0..n).for_each(|a| system[a][a] += 3.0);
    for pivot in 0..n {
        let line = system[pivot].clone();
        for row in (0..n).filter(|&row| row != pivot) {
            let factor = system[row][pivot] / line[pivot];
            (pivot..=n).for_each(|column| system[row][column] -= factor * line[column]);
        }
    }
    let told = |row: &Vec<f64>| (0..n).map(|a| row[a] * system[a][n] / system[a][a]).sum::<f64>() as f32;
    rows[FITTED..].iter().map(told).collect()
}

#[test]
fn treatment_and_loss_are_told_better_by_all_sensors_than_by_any() {
    let (mast, probe) = (classification(ROWS), regression(ROWS, "loss"));
    let tables = [
        rows_of(&mast.readings),
        seen(&segmentation(ROWS, [16, 16])),
        rows_of(&probe.readings),
    ];
    let labels: Vec<f64> = mast.labels.iter().map(|&label| label.into()).collect();
    let losses: Vec<f64> = probe.targets.iter().map(|&target| target.into()).collect();
    let judged = |columns: &[Vec<f64>]| {
        let scores = least_squares(columns, &labels);
        let auc = ClassificationMetrics::new(&scores, &mast.labels[FITTED..], 2)
            .auc
            .unwrap();
        let r2 = RegressionMetrics::new(&least_squares(columns, &losses), &probe.targets[FITTED..]).r2;
        (auc, r2.unwrap())
    };
    let joint = judged(&beside(&tables.iter().collect::<Vec<_>>()));
    println!("AUC and R² of all: {joint:.3?}");
    assert!(joint.0 > 0.88 && joint.1 > 0.75, "{joint:?}");
    for (name, table) in ["mast", "picture", "probe"].into_iter().zip(&tables) {
        let alone = judged(table);
        println!("{name}: {alone:.3?}");
        assert!(alone.0 > 0.55, "{name} tells something: {alone:?}");
        assert!(
            alone.0 < joint.0 - 0.03 && alone.1 < joint.1 - 0.1,
            "{name} {alone:?}, all {joint:?}"
        );
    }
}

#[test]
fn weed_and_crop_are_told_better_beside_the_readings() {
    let pictures = segmentation(ROWS, [16, 16]);
    let sown: Vec<f64> = (0..ROWS).map(|row| kinds(&pictures, row).1.into()).collect();
    let iou = |columns: &[Vec<f64>]| {
        // A perfect eye for kinds of plants, which has to guess what was sown.
        let guesses = least_squares(columns, &sown);
        let paint = |(row, guess): (usize, f32)| {
            let guessed = u8::from(guess > 0.5);
            let class = move |kind: u8| match kind {
                2 => 2,
                kind if kind == guessed => CROP,
                _ => WEED,
            };
            kinds(&pictures, row).0.into_iter().map(class)
        };
        let predicted: Vec<u8> = (FITTED..ROWS).zip(guesses).flat_map(paint).collect();
        SegmentationMetrics::new(&predicted, &pictures.masks[FITTED * 256..], 3).miou
    };
    let (mast, eye) = (rows_of(&classification(ROWS).readings), seen(&pictures));
    let probe = rows_of(&regression(ROWS, "loss").readings);
    let (alone, joint) = (iou(&eye), iou(&beside(&[&mast, &eye, &probe])));
    assert!(alone < 0.75 && joint > alone + 0.15, "picture {alone}, all {joint}");
}
