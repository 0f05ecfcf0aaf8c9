//! Piecewise-linear tables: a curve approximated by few segments, standardised on the training rows.

use trident::input::{Segment, piecewise_linear};

use super::FeatureTransform;
use super::choose::Moments;
use super::quantile;

/// The most segments of a table.
pub(super) const MAX_SEGMENTS: usize = 64;

/// How far a table may lie from its curve over the range of the training rows, in standard deviations of its output.
pub(super) const TOLERANCE: f64 = 0.01;

/// The table of a transform; its output on the training values, here in ascending order, has mean 0 and standard deviation 1.
///
/// Beyond the training values: a line goes on; a logarithm is followed for another range of values above (and half the way down to
/// its pole below) and then goes on straight; a quantile stays at its last value.
///
/// `None` if a number of it would not be a finite `f32`.
pub(super) fn build(transform: FeatureTransform, sorted: &[f32]) -> Option<Vec<Segment>> {
    let (least, most) = (f64::from(sorted[0]), f64::from(sorted[sorted.len() - 1]));
    let segments = match transform {
        FeatureTransform::Standardise => {
            // The mean comes out as the start, so that raw values near it lose no digits.
            let values: Vec<f64> = sorted.iter().map(|&value| value.into()).collect();
            let Moments { mean, sd, .. } = Moments::of(&values);
            return finite(vec![Segment {
                start: mean as f32,
                base: (((mean as f32) as f64 - mean) / sd) as f32,
                slope: (1.0 / sd) as f32,
            }]);
        }
        FeatureTransform::Log { offset } => {
            let low = (least + offset) * 0.5 - offset;
            curve(transform, sorted, &[low, most + (most - least)])
        }
        FeatureTransform::SignedLog { .. } => {
            let beyond = most - least;
            let corners: Vec<f64> = [least - beyond, 0.0, most + beyond].into();
            curve(transform, sorted, &corners)
        }
        FeatureTransform::Quantile { .. } => clamped(&quantile::knots(sorted)),
    };
    standardised(segments, sorted)
}

/// Segments along the curve, between corners that must be knots.
fn curve(transform: FeatureTransform, sorted: &[f32], corners: &[f64]) -> Vec<Segment> {
    let values: Vec<f64> = sorted.iter().map(|&value| transform.curve(value.into())).collect();
    let mut tolerance = 0.8 * TOLERANCE * Moments::of(&values).sd;
    loop {
        let mut xs = vec![corners[0]];
        for ends in corners.windows(2) {
            while xs.len() <= MAX_SEGMENTS && xs[xs.len() - 1] < ends[1] {
                xs.push(reach(transform, xs[xs.len() - 1], ends[1], tolerance));
            }
        }
        if xs.len() <= MAX_SEGMENTS {
            let knots: Vec<(f64, f64)> = xs.into_iter().map(|x| (x, transform.curve(x))).collect();
            return joined(&knots);
        }
        tolerance *= 1.5;
    }
}

/// How far towards `end` the chord from `start` stays within the tolerance. The curve bends one way between the two, so that the
/// chord lies farthest from it where both have one slope.
fn reach(transform: FeatureTransform, start: f64, end: f64, tolerance: f64) -> f64 {
    let fits = |to: f64| {
        let from_y = transform.curve(start);
        let slope = (transform.curve(to) - from_y) / (to - start);
        let farthest = transform.where_slope_is(slope, 0.5 * (start + to));
        (transform.curve(farthest) - from_y - slope * (farthest - start)).abs() <= tolerance
    };
    if fits(end) {
        return end;
    }
    let (mut near, mut far) = (start, end);
    for _ in 0..48 {
        let middle = near + 0.5 * (far - near);
        if fits(middle) { near = middle } else { far = middle }
    }
    if near > start { near } else { far }
}

/// Straight lines through the knots; the last goes on. Knots closer together than `f32` can tell apart are left out.
fn joined(knots: &[(f64, f64)]) -> Vec<Segment> {
    let mut kept: Vec<(f64, f64)> = Vec::with_capacity(knots.len());
    let resolution = (knots[knots.len() - 1].0 - knots[0].0) * 1e-12;
    for &(x, y) in knots {
        let x = f64::from(x as f32);
        if kept
            .last()
            .is_none_or(|&(last, _)| x - last > resolution.max(last.abs() * 1e-6))
        {
            kept.push((x, y));
        }
    }
    let line = |pair: &[(f64, f64)]| Segment {
        start: pair[0].0 as f32,
        base: pair[0].1 as f32,
        slope: ((pair[1].1 - pair[0].1) / (pair[1].0 - pair[0].0)) as f32,
    };
    kept.windows(2).map(line).collect()
}

/// Straight lines through the knots, level before and behind them.
fn clamped(knots: &[(f64, f64)]) -> Vec<Segment> {
    let level = |(x, y): (f64, f64)| Segment {
        start: x as f32,
        base: y as f32,
        slope: 0.0,
    };
    let mut segments = joined(knots);
    let Some(&last) = segments.last() else { return segments };
    let end = knots[knots.len() - 1];
    // Where the last knots were too close together, the line before serves up to the end.
    segments.push(level((end.0, f64::from(piecewise_linear(&[last], end.0 as f32)))));
    let first = segments[0];
    let before = f64::from(first.start) - (f64::from(segments[1].start) - f64::from(first.start));
    segments.insert(0, level((before, first.base.into())));
    segments
}

/// Scaled to mean 0 and standard deviation 1 of its output on these values.
fn standardised(mut segments: Vec<Segment>, sorted: &[f32]) -> Option<Vec<Segment>> {
    if segments.is_empty() {
        return None;
    }
    let outputs: Vec<f64> = sorted
        .iter()
        .map(|&value| piecewise_linear(&segments, value).into())
        .collect();
    let Moments { mean, sd, .. } = Moments::of(&outputs);
    for segment in &mut segments {
        segment.base = ((f64::from(segment.base) - mean) / sd) as f32;
        segment.slope = (f64::from(segment.slope) / sd) as f32;
    }
    finite(segments)
}

fn finite(segments: Vec<Segment>) -> Option<Vec<Segment>> {
    let finite = |segment: &Segment| {
        [segment.start, segment.base, segment.slope]
            .iter()
            .all(|x| x.is_finite())
    };
    let ascending = segments.windows(2).all(|pair| pair[0].start < pair[1].start);
    (ascending && segments.iter().all(finite)).then_some(segments)
}

/// Serde: a segment as `[start, base, slope]`.
pub(super) mod as_triples {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};
    use trident::input::Segment;

    pub(in super::super) fn serialize<S: Serializer>(segments: &[Segment], serializer: S) -> Result<S::Ok, S::Error> {
        let triples: Vec<[f32; 3]> = segments.iter().map(|s| [s.start, s.base, s.slope]).collect();
        triples.serialize(serializer)
    }

    pub(in super::super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<Segment>, D::Error> {
        let triples = Vec::<[f32; 3]>::deserialize(deserializer)?;
        if triples.is_empty() {
            return Err(serde::de::Error::custom("a table needs a segment"));
        }
        Ok(triples
            .into_iter()
            .map(|[start, base, slope]| Segment { start, base, slope })
            .collect())
    }
}
