//! What every table must do, on values of many shapes and on the built-in data.

use rand::{Rng, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::table::{MAX_SEGMENTS, TOLERANCE, build};
use super::*;
use crate::config::Config;
use crate::data::load;

/// Values of a shape, in ascending order.
fn values(shape: usize, rng: &mut ChaCha8Rng) -> Vec<f32> {
    let unit = 10.0_f32.powi(rng.random_range(-4..5));
    let mut values: Vec<f32> = (0..rng.random_range(30..600))
        .map(|_| {
            let u: f32 = rng.random_range(-1.0..1.0);
            unit * match shape {
                0 => u + 5.0,
                1 => (3.0 * u).exp(),
                2 => (4.0 * u).sinh(),
                3 => (u * 4.0).round().abs(),
                4 => 1000.0 + u,
                _ => u.powi(15),
            }
        })
        .collect();
    values.sort_by(f32::total_cmp);
    values
}

fn moments(outputs: impl Iterator<Item = f32>) -> (f64, f64) {
    let standard = Standard::fit(outputs);
    (standard.mean.into(), standard.sd.into())
}

#[test]
fn every_table_is_standardised_and_close_to_its_curve() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    for round in 0..240 {
        let sorted = values(round % 6, &mut rng);
        let kinds = [
            TransformKind::Standardise,
            TransformKind::SignedLog,
            TransformKind::Quantile,
            TransformKind::Log,
        ];
        for kind in kinds {
            if kind == TransformKind::Log && sorted[0] < 0.0 {
                continue;
            }
            let transform = choose::parameters(kind, &sorted);
            let table = build(transform, &sorted).unwrap();
            let about = format!("round {round}, {transform:?}");
            assert!(table.len() <= MAX_SEGMENTS, "{about}: {} segments", table.len());
            let outputs = || sorted.iter().map(|&x| piecewise_linear(&table, x));
            let (mean, sd) = moments(outputs());
            assert!(
                mean.abs() < 1e-3 && (sd - 1.0).abs() < 1e-3,
                "{about}: mean {mean}, sd {sd}"
            );
            let ascending: Vec<f32> = outputs().collect();
            assert!(ascending.windows(2).all(|pair| pair[0] <= pair[1] + 1e-5), "{about}");
            if kind != TransformKind::Quantile {
                let curve: Vec<f64> = sorted.iter().map(|&x| transform.curve(x.into())).collect();
                let exact = choose::Moments::of(&curve);
                for (output, y) in outputs().zip(curve) {
                    let error = (f64::from(output) - (y - exact.mean) / exact.sd).abs();
                    assert!(error <= TOLERANCE, "{about}: {error}");
                }
            }
        }
    }
}

#[test]
fn beyond_the_training_values() {
    let sorted: Vec<f32> = (1..=200).map(|i| i as f32).collect();
    let at = |kind, x| piecewise_linear(&build(choose::parameters(kind, &sorted), &sorted).unwrap(), x);
    assert_eq!(at(TransformKind::Quantile, -1e30), at(TransformKind::Quantile, 1.0));
    assert_eq!(at(TransformKind::Quantile, 1e30), at(TransformKind::Quantile, 200.0));
    let step = at(TransformKind::Standardise, 5000.0) - at(TransformKind::Standardise, 4900.0);
    assert!((step - 100.0 / 57.73).abs() < 1e-2, "{step}");
    for kind in [TransformKind::Log, TransformKind::SignedLog] {
        assert!(at(kind, 350.0) > at(kind, 200.0) && at(kind, -3e3) < at(kind, 1.0));
        assert!(at(kind, 1e9).is_finite());
    }
}

fn readings(columns: &[(&str, &[f32])]) -> Readings {
    let rows = columns[0].1.len();
    Readings {
        features: columns.iter().map(|(name, _)| (*name).to_owned()).collect(),
        values: (0..rows)
            .flat_map(|row| columns.iter().map(move |(_, values)| values[row]))
            .collect(),
    }
}

#[test]
fn only_training_rows_count() {
    let data = readings(&[("a", &[1.0, 2.0, 3.0, 1e6])]);
    let fitted = fit(&data, &[0, 1, 2], &TransformChoice::Standardise, Head::Regression).unwrap();
    let mut out = Vec::new();
    fitted.apply(&[2.0], &mut out);
    assert_eq!(out, [0.0]);
}

#[test]
fn choices_that_do_not_fit_are_refused() {
    let data = readings(&[("a", &[1.0, 2.0, 3.0]), ("b", &[-1.0, -1.0, 5.0])]);
    let choice = |name: &str, kind| TransformChoice::PerFeature([(name.to_owned(), vec![kind])].into());
    let error = |choice, rows: &[usize]| fit(&data, rows, &choice, Head::Regression).unwrap_err().to_string();
    assert!(error(choice("b", TransformKind::Log), &[0, 1, 2]).contains("holds -1; use signed_log"));
    assert!(error(choice("c", TransformKind::Log), &[0, 1, 2]).ends_with("there are: a, b"));
    assert!(error(TransformChoice::Auto, &[0, 1]).contains("`b` has the same value in every training row"));
    let huge = readings(&[("a", &[1e-44, 2e-44, 0.0])]);
    let error = fit(&huge, &[0, 1, 2], &TransformChoice::Standardise, Head::Regression).unwrap_err();
    assert!(matches!(error, TransformError::Scale { .. }), "{error}");
}

#[test]
fn automatic_choice_on_the_builtin_data() {
    let mut config = Config::builtin();
    config.segmentation = None;
    let data = load(&config).unwrap();
    let airfoil = data.regression.unwrap();
    let fitted = fit(
        &airfoil.readings,
        &airfoil.split.train,
        &TransformChoice::Auto,
        Head::Regression,
    )
    .unwrap();
    let log: Vec<bool> = fitted
        .inputs
        .iter()
        .map(|input| matches!(input.transform, FeatureTransform::Log { .. }))
        .collect();
    // Each logarithm has the reading itself beside it.
    assert_eq!(log, [true, false, false, false, false, true, false]);
    let magic = data.classification.unwrap();
    let fitted = fit(
        &magic.readings,
        &magic.split.train,
        &TransformChoice::Auto,
        Head::Classification,
    )
    .unwrap();
    assert_eq!(fitted.len(), 20);
    let first: Vec<FeatureTransform> = fitted.inputs.iter().step_by(2).map(|input| input.transform).collect();
    assert!(
        first[..2]
            .iter()
            .all(|transform| matches!(transform, FeatureTransform::Log { .. })),
        "{first:?}"
    );
    assert!(
        first[5..8]
            .iter()
            .all(|transform| matches!(transform, FeatureTransform::SignedLog { .. })),
        "{first:?}"
    );
}

#[test]
fn json_gives_back_the_very_bits() {
    let sorted: Vec<f32> = (1..=200).map(|i| (i as f32).sqrt()).collect();
    let data = readings(&[("a", &sorted)]);
    let rows: Vec<usize> = (0..200).collect();
    let fitted = fit(&data, &rows, &TransformChoice::Auto, Head::Classification).unwrap();
    let text = serde_json::to_string(&fitted).unwrap();
    assert_eq!(serde_json::from_str::<InputTransform>(&text).unwrap(), fitted);
}

#[test]
fn a_target_is_standardised_and_restored() {
    let standard = Standard::fit([1.0, 3.0]);
    assert_eq!(standard, Standard { mean: 2.0, sd: 1.0 });
    assert_eq!(standard.restore(standard.apply(7.5)), 7.5);
    assert_eq!(Standard::fit([4.0, 4.0]).sd, 1.0);
}
