//! A convolution of each channel with a window of its own: every tap adds a shifted plane.

use rayon::prelude::*;

use super::geometry::{Geometry, Reach};

/// Independent partial sums of a dot product: what one vector register holds.
const LANES: usize = 8;

/// `[pictures, channels, out plane]`.
pub fn sums(geometry: &Geometry, map: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let mut all = vec![0.0; geometry.pictures * geometry.channels * geometry.out_plane()];
    let planes = |(sums, picture): (&mut [f32], &[f32])| {
        let planes = sums.chunks_exact_mut(geometry.out_plane());
        let planes = planes.zip(picture.chunks_exact(geometry.plane()));
        for ((sums, plane), (weight, &bias)) in planes.zip(weight.chunks_exact(geometry.taps()).zip(bias)) {
            sums.fill(bias);
            for (tap, down, across) in geometry.reaches() {
                for (to, from) in rows(geometry, down, across) {
                    add(
                        &mut sums[to..][..across.count],
                        weight[tap],
                        &plane[from..],
                        geometry.stride,
                    );
                }
            }
        }
    };
    let pictures = all.par_chunks_mut(geometry.channels * geometry.out_plane());
    pictures
        .zip(map.par_chunks(geometry.channels * geometry.plane()))
        .for_each(planes);
    all
}

/// `[pictures, channels, plane]`.
pub fn slope_of_map(geometry: &Geometry, weight: &[f32], slopes: &[f32]) -> Vec<f32> {
    let mut all = vec![0.0; geometry.pictures * geometry.channels * geometry.plane()];
    let planes = |(picture, slopes): (&mut [f32], &[f32])| {
        let planes = picture.chunks_exact_mut(geometry.plane());
        let planes = planes.zip(slopes.chunks_exact(geometry.out_plane()));
        for ((plane, slopes), weight) in planes.zip(weight.chunks_exact(geometry.taps())) {
            for (tap, down, across) in geometry.reaches() {
                for (from, to) in rows(geometry, down, across) {
                    spread(
                        &mut plane[to..],
                        weight[tap],
                        &slopes[from..][..across.count],
                        geometry.stride,
                    );
                }
            }
        }
    };
    let pictures = all.par_chunks_mut(geometry.channels * geometry.plane());
    pictures
        .zip(slopes.par_chunks(geometry.channels * geometry.out_plane()))
        .for_each(planes);
    all
}

/// `[channels, 1, kernel, kernel]`.
pub fn slope_of_weight(geometry: &Geometry, map: &[f32], slopes: &[f32]) -> Vec<f32> {
    let of_picture = |(picture, slopes): (&[f32], &[f32])| {
        let mut weights = Vec::with_capacity(geometry.channels * geometry.taps());
        let planes = picture.chunks_exact(geometry.plane());
        for (plane, slopes) in planes.zip(slopes.chunks_exact(geometry.out_plane())) {
            weights.extend(geometry.reaches().map(|(_, down, across)| {
                let mut lanes = [0.0; LANES];
                for (to, from) in rows(geometry, down, across) {
                    dot(
                        &mut lanes,
                        &slopes[to..][..across.count],
                        &plane[from..],
                        geometry.stride,
                    );
                }
                lanes.iter().sum::<f32>()
            }));
        }
        weights
    };
    let pictures = map.par_chunks(geometry.channels * geometry.plane());
    let slopes = slopes.par_chunks(geometry.channels * geometry.out_plane());
    total(pictures.zip(slopes).map(of_picture).collect())
}

/// The sum of equally long rows, the first one first.
pub fn total(rows: Vec<Vec<f32>>) -> Vec<f32> {
    let add = |mut sum: Vec<f32>, row: Vec<f32>| {
        sum.iter_mut().zip(row).for_each(|(sum, number)| *sum += number);
        sum
    };
    rows.into_iter().reduce(add).unwrap_or_default()
}

/// Where the rows that a tap reaches begin, in the result and in the map.
fn rows(geometry: &Geometry, down: Reach, across: Reach) -> impl Iterator<Item = (usize, usize)> {
    let [width, out_width, stride] = [geometry.side[1], geometry.out[1], geometry.stride];
    // A tap that reaches no column reaches no row.
    let count = if across.count == 0 { 0 } else { down.count };
    (0..count).map(move |step| {
        let to = (down.first + step) * out_width + across.first;
        let from = (down.from + step * stride) * width + across.from;
        (to, from)
    })
}

fn add(to: &mut [f32], weight: f32, from: &[f32], stride: usize) {
    match stride {
        1 => to.iter_mut().zip(from).for_each(|(to, from)| *to += weight * from),
        _ => to
            .iter_mut()
            .zip(from.iter().step_by(stride))
            .for_each(|(to, from)| *to += weight * from),
    }
}

fn spread(to: &mut [f32], weight: f32, from: &[f32], stride: usize) {
    match stride {
        1 => to.iter_mut().zip(from).for_each(|(to, from)| *to += weight * from),
        _ => to
            .iter_mut()
            .step_by(stride)
            .zip(from)
            .for_each(|(to, from)| *to += weight * from),
    }
}

fn dot(lanes: &mut [f32; LANES], a: &[f32], b: &[f32], stride: usize) {
    if stride != 1 {
        for (i, (a, b)) in a.iter().zip(b.iter().step_by(stride)).enumerate() {
            lanes[i % LANES] += a * b;
        }
        return;
    }
    let b = &b[..a.len()];
    let (a_lanes, b_lanes) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = a_lanes.remainder().iter().zip(b_lanes.remainder());
    for (i, (a, b)) in rest.enumerate() {
        lanes[i] += a * b;
    }
    for (a, b) in a_lanes.zip(b_lanes) {
        for i in 0..LANES {
            lanes[i] += a[i] * b[i];
        }
    }
}
