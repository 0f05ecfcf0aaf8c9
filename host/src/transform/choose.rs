//! Which transforms a reading gets, and their parameters.

use trident::spec::Head;

use super::FeatureTransform;
use super::quantile::KNOTS;
use crate::config::TransformKind;

/// Skewness, either way, beyond which the logarithm is tried.
const SKEWED: f64 = 1.0;

/// Excess kurtosis beyond which readings of both signs have long tails.
const LONG_TAILED: f64 = 2.0;

/// Fewer different values than this, and ranks tell nothing that the value does not.
const RANKABLE: usize = 12;

/// Mean, standard deviation, skewness and excess kurtosis.
pub(super) struct Moments {
    pub(super) mean: f64,
    pub(super) sd: f64,
    skewness: f64,
    kurtosis: f64,
}

impl Moments {
    pub(super) fn of(values: &[f64]) -> Self {
        let n = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / n;
        let central = |power: i32| values.iter().map(|value| (value - mean).powi(power)).sum::<f64>() / n;
        let sd = central(2).sqrt();
        let ratio = |power: i32| if sd > 0.0 { central(power) / sd.powi(power) } else { 0.0 };
        Self {
            mean,
            sd,
            skewness: ratio(3),
            kurtosis: ratio(4) - 3.0,
        }
    }
}

/// The transforms chosen for a reading with these training values, in ascending order.
pub(super) fn kinds(sorted: &[f32], head: Head) -> Vec<TransformKind> {
    let values: Vec<f64> = sorted.iter().map(|&value| value.into()).collect();
    let moments = Moments::of(&values);
    let skewed = moments.skewness.abs() > SKEWED;
    let one_sign = sorted[0] >= 0.0;
    let straightened = |kind| {
        let mapped = mapped(parameters(kind, sorted), &values);
        Moments::of(&mapped).skewness.abs() < moments.skewness.abs()
    };
    let mut kinds = vec![if one_sign && skewed && straightened(TransformKind::Log) {
        TransformKind::Log
    } else if !one_sign && (skewed || moments.kurtosis > LONG_TAILED) {
        TransformKind::SignedLog
    } else {
        TransformKind::Standardise
    }];
    let distinct = 1 + sorted.windows(2).filter(|pair| pair[0] != pair[1]).count();
    match head {
        Head::Classification if distinct >= RANKABLE => kinds.push(TransformKind::Quantile),
        Head::Regression if kinds[0] != TransformKind::Standardise => kinds.push(TransformKind::Standardise),
        _ => {}
    }
    kinds
}

/// The transform of that kind that suits these training values, in ascending order.
pub(super) fn parameters(kind: TransformKind, sorted: &[f32]) -> FeatureTransform {
    match kind {
        TransformKind::Standardise => FeatureTransform::Standardise,
        TransformKind::SignedLog => FeatureTransform::SignedLog {
            unit: 0.1 * typical(sorted),
        },
        TransformKind::Log => FeatureTransform::Log {
            offset: log_offset(sorted),
        },
        TransformKind::Quantile => FeatureTransform::Quantile { knots: KNOTS },
    }
}

/// The offset, of a few, that leaves least skewness.
fn log_offset(sorted: &[f32]) -> f64 {
    let values: Vec<f64> = sorted.iter().map(|&value| value.into()).collect();
    let typical = typical(sorted);
    let candidates = [0.0, 0.01, 0.1, 1.0].map(|share| share * typical);
    let possible = candidates.into_iter().filter(|offset| values[0] + offset > 0.0);
    let scored = possible.map(|offset| {
        let mapped = mapped(FeatureTransform::Log { offset }, &values);
        (Moments::of(&mapped).skewness.abs(), offset)
    });
    scored
        .reduce(|best, next| if next.0 < best.0 { next } else { best })
        .map_or(typical, |(_, offset)| offset)
}

/// The median magnitude, or, where more than half is zero, the standard deviation.
fn typical(sorted: &[f32]) -> f64 {
    let mut magnitudes: Vec<f64> = sorted.iter().map(|&value| f64::from(value).abs()).collect();
    magnitudes.sort_by(f64::total_cmp);
    let median = magnitudes[magnitudes.len() / 2];
    if median > 0.0 {
        return median;
    }
    Moments::of(&magnitudes).sd
}

fn mapped(transform: FeatureTransform, values: &[f64]) -> Vec<f64> {
    values.iter().map(|&value| transform.curve(value)).collect()
}

impl FeatureTransform {
    /// The function itself; a quantile's is its table, here `x`.
    pub(super) fn curve(self, x: f64) -> f64 {
        match self {
            Self::Standardise | Self::Quantile { .. } => x,
            Self::SignedLog { unit } => (x.abs() / unit).ln_1p().copysign(x),
            Self::Log { offset } => (x + offset).ln(),
        }
    }

    /// Where the curve rises that steeply, on the same side of zero as `side`.
    pub(super) fn where_slope_is(self, slope: f64, side: f64) -> f64 {
        match self {
            Self::Standardise | Self::Quantile { .. } => side,
            Self::SignedLog { unit } => (1.0 / slope - unit).copysign(side),
            Self::Log { offset } => 1.0 / slope - offset,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sorted(values: impl Iterator<Item = f64>) -> Vec<f32> {
        let mut values: Vec<f32> = values.map(|value| value as f32).collect();
        values.sort_by(f32::total_cmp);
        values
    }

    /// Evenly spaced in `(−1, 1)`.
    fn even() -> impl Iterator<Item = f64> {
        (0..2_000).map(|i| (f64::from(i) + 0.5) / 1_000.0 - 1.0)
    }

    #[test]
    fn skewness_and_tails_call_for_logarithms() {
        let regression = |values: Vec<f32>| kinds(&values, Head::Regression);
        assert_eq!(regression(sorted(even())), [TransformKind::Standardise]);
        assert_eq!(
            regression(sorted(even().map(|x| (3.0 * x).exp()))),
            [TransformKind::Log, TransformKind::Standardise]
        );
        assert_eq!(
            regression(sorted(even().map(|x| (6.0 * x).sinh()))),
            [TransformKind::SignedLog, TransformKind::Standardise]
        );
        // Skewed to the left: the logarithm would make it worse.
        assert_eq!(
            regression(sorted(even().map(|x| 30.0 - (3.0 * x).exp()))),
            [TransformKind::Standardise]
        );
        let ranked = kinds(&sorted(even()), Head::Classification);
        assert_eq!(ranked, [TransformKind::Standardise, TransformKind::Quantile]);
        let binary = kinds(&sorted(even().map(|x| x.signum().max(0.0))), Head::Classification);
        assert_eq!(binary, [TransformKind::Standardise]);
    }

    #[test]
    fn an_offset_serves_zeros() {
        let offset = log_offset(&sorted(even().map(|x| (3.0 * x).exp()).chain([0.0])));
        assert!(offset > 0.0, "{offset}");
        assert!(log_offset(&[0.0, 0.0, 0.0, 5.0]) > 0.0);
    }
}
