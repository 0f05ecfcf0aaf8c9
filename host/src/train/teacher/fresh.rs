//! Points beside the training rows, for a teacher to label.
//!
//! - Crossed: each reading is that of one of two training rows. Readings keep the values that they really have, which few rows of
//!   many settings need: a teacher knows nothing between two chord lengths of a wind tunnel.
//! - Mixed: a share of the way from one training row to another, on each reading's own axis, and noise. An axis is a reading's first
//!   model input, so a share of one half lies half way in the logarithm where the reading has one. Readings keep together, which
//!   rows of measurements of one thing need.

use rand::Rng;
use rand_chacha::ChaCha8Rng;

use crate::config::Points;
use crate::data::Readings;
use crate::transform::InputTransform;

/// Standard deviation of the noise of a mixture, in standard deviations of the training rows.
const NOISE: f32 = 0.15;

/// Points made per training row, up to [`MOST`] in all. A step draws from them.
const PER_ROW: usize = 64;

/// The most points made.
const MOST: usize = 100_000;

/// How many points suit that many training rows.
pub(super) fn count(rows: usize) -> usize {
    (rows * PER_ROW).min(MOST)
}

/// Draws `count` rows of readings from pairs of the training `rows`; no reading leaves their range.
pub(super) fn points(
    kind: Points,
    readings: &Readings,
    rows: &[usize],
    transform: &InputTransform,
    count: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<f32> {
    let features = readings.features.len();
    let ranges: Vec<(f32, f32)> = (0..features).map(|feature| range(readings, rows, feature)).collect();
    let mut points = Vec::with_capacity(count * features);
    for _ in 0..count {
        let [one, other] = [(); 2].map(|()| readings.row(rows[rng.random_range(0..rows.len())]));
        match kind {
            Points::Crossed => points.extend((0..features).map(|feature| {
                let row = if rng.random() { one } else { other };
                row[feature]
            })),
            Points::Mixed => {
                let share: f32 = rng.random();
                points.extend(ranges.iter().enumerate().map(|(feature, &(least, most))| {
                    let [one, other] = [one, other].map(|row| transform.axis(feature, row[feature]));
                    let axis = other + share * (one - other) + NOISE * normal(rng);
                    transform.reading(feature, axis).clamp(least, most)
                }));
            }
        }
    }
    points
}

/// The least and the greatest of a reading.
fn range(readings: &Readings, rows: &[usize], feature: usize) -> (f32, f32) {
    let values = rows.iter().map(|&row| readings.row(row)[feature]);
    values.fold((f32::INFINITY, f32::NEG_INFINITY), |(least, most), value| {
        (least.min(value), most.max(value))
    })
}

/// A standard normal number: Box and Muller, "A note on the generation of random normal deviates", 1958.
fn normal(rng: &mut ChaCha8Rng) -> f32 {
    // The first lies in (0, 1], so that its logarithm is finite.
    let (radius, angle) = (1.0 - rng.random::<f64>(), rng.random::<f64>());
    ((-2.0 * radius.ln()).sqrt() * (std::f64::consts::TAU * angle).cos()) as f32
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::TransformChoice;
    use rand::SeedableRng;
    use trident::spec::Head;

    /// The second reading is the square of the first, and spans four decades; row 200 is held out and far away.
    fn squares() -> Readings {
        let value = |row: usize| if row == 200 { 1e6 } else { row as f32 + 1.0 };
        Readings {
            features: vec!["x".into(), "y".into()],
            values: (0..201).flat_map(|row| [value(row), value(row) * value(row)]).collect(),
        }
    }

    fn draw(kind: Points, seed: u64) -> Vec<f32> {
        let (readings, rows) = (squares(), (0..200).collect::<Vec<_>>());
        let step = crate::transform::fit(&readings, &rows, &TransformChoice::Auto, Head::Regression).unwrap();
        points(kind, &readings, &rows, &step, 500, &mut ChaCha8Rng::seed_from_u64(seed))
    }

    #[test]
    fn points_stay_in_the_range_of_the_training_rows_and_repeat() {
        for kind in [Points::Crossed, Points::Mixed] {
            let drawn = draw(kind, 1);
            assert_eq!(drawn, draw(kind, 1));
            assert_ne!(drawn, draw(kind, 2));
            assert_eq!(drawn.len(), 1_000);
            let inside = |point: &[f32]| (1.0..=200.0).contains(&point[0]) && (1.0..=40_000.0).contains(&point[1]);
            assert!(drawn.chunks(2).all(inside), "{kind:?}");
        }
    }

    #[test]
    fn a_crossed_point_has_the_readings_of_rows_and_a_mixed_one_its_own() {
        let whole = |number: f32| number.fract() == 0.0;
        let crossed = draw(Points::Crossed, 1);
        assert!(crossed.chunks(2).all(|point| whole(point[0]) && whole(point[1].sqrt())));
        // Half of the points take both readings from one row.
        let rows = crossed
            .chunks(2)
            .filter(|point| point[0] * point[0] == point[1])
            .count();
        assert!((200..300).contains(&rows), "{rows}");
        let between = draw(Points::Mixed, 1)
            .chunks(2)
            .filter(|point| !whole(point[0]))
            .count();
        assert!(between > 400, "{between} of 500 points are no training rows");
    }

    #[test]
    fn normal_numbers_have_the_moments_of_the_normal_distribution() {
        let mut rng = ChaCha8Rng::seed_from_u64(3);
        let drawn: Vec<f32> = (0..20_000).map(|_| normal(&mut rng)).collect();
        let mean = |power: i32| drawn.iter().map(|x| f64::from(x.powi(power))).sum::<f64>() / 20_000.0;
        assert!(mean(1).abs() < 0.03 && (mean(2) - 1.0).abs() < 0.05 && (mean(4) - 3.0).abs() < 0.3);
    }

    #[test]
    fn large_data_get_no_more_than_the_most() {
        assert_eq!((count(100), count(1_000_000)), (6_400, MOST));
    }
}
