//! A convolution over all channels, as a product: filters times unfolded windows, picture by picture.

use rayon::prelude::*;

use super::geometry::Geometry;
use super::product::{Matrix, add_product};

/// Pictures whose weights' slopes are summed one behind the other.
const RUN: usize = 8;

/// `[pictures, filters, out plane]`.
pub fn sums(geometry: &Geometry, map: &[f32], weight: &[f32], bias: &[f32]) -> Vec<f32> {
    let mut all = vec![0.0; geometry.pictures * geometry.filters * geometry.out_plane()];
    let weight = Matrix::new(weight, geometry.filters, inputs(geometry));
    let pictures = all.par_chunks_mut(geometry.filters * geometry.out_plane());
    pictures
        .zip(map.par_chunks(geometry.channels * geometry.plane()))
        .for_each_init(
            || buffer(geometry),
            |buffer, (sums, picture)| {
                let planes = sums.chunks_exact_mut(geometry.out_plane());
                planes.zip(bias).for_each(|(plane, &bias)| plane.fill(bias));
                let windows = windows(geometry, picture, buffer);
                add_product(
                    sums,
                    weight,
                    Matrix::new(windows, inputs(geometry), geometry.out_plane()),
                );
            },
        );
    all
}

/// `[pictures, channels, plane]`.
pub fn slope_of_map(geometry: &Geometry, weight: &[f32], slopes: &[f32]) -> Vec<f32> {
    let mut all = vec![0.0; geometry.pictures * geometry.channels * geometry.plane()];
    let weight = Matrix::new(weight, geometry.filters, inputs(geometry)).transposed();
    let pictures = all.par_chunks_mut(geometry.channels * geometry.plane());
    pictures
        .zip(slopes.par_chunks(geometry.filters * geometry.out_plane()))
        .for_each_init(
            || buffer(geometry),
            |buffer, (picture, slopes)| {
                let slopes = Matrix::new(slopes, geometry.filters, geometry.out_plane());
                if geometry.is_pointwise() {
                    return add_product(picture, weight, slopes);
                }
                buffer.fill(0.0);
                add_product(buffer, weight, slopes);
                geometry.fold(buffer, picture);
            },
        );
    all
}

/// `[filters, channels, kernel, kernel]`.
pub fn slope_of_weight(geometry: &Geometry, map: &[f32], slopes: &[f32]) -> Vec<f32> {
    let of_run = |(pictures, slopes): (&[f32], &[f32])| {
        let mut buffer = buffer(geometry);
        let mut sum = vec![0.0; geometry.filters * inputs(geometry)];
        let pictures = pictures.chunks_exact(geometry.channels * geometry.plane());
        for (picture, slopes) in pictures.zip(slopes.chunks_exact(geometry.filters * geometry.out_plane())) {
            let windows = windows(geometry, picture, &mut buffer);
            let windows = Matrix::new(windows, inputs(geometry), geometry.out_plane());
            let slopes = Matrix::new(slopes, geometry.filters, geometry.out_plane());
            add_product(&mut sum, slopes, windows.transposed());
        }
        sum
    };
    let runs = map.par_chunks(RUN * geometry.channels * geometry.plane());
    let slopes = slopes.par_chunks(RUN * geometry.filters * geometry.out_plane());
    let sums: Vec<Vec<f32>> = runs.zip(slopes).map(of_run).collect();
    super::depthwise::total(sums)
}

/// Numbers that one output sums.
fn inputs(geometry: &Geometry) -> usize {
    geometry.channels * geometry.taps()
}

/// Room for one picture's windows, none where they are the picture.
fn buffer(geometry: &Geometry) -> Vec<f32> {
    match geometry.is_pointwise() {
        true => Vec::new(),
        false => vec![0.0; inputs(geometry) * geometry.out_plane()],
    }
}

fn windows<'a>(geometry: &Geometry, picture: &'a [f32], buffer: &'a mut [f32]) -> &'a [f32] {
    if geometry.is_pointwise() {
        return picture;
    }
    geometry.unfold(picture, buffer);
    buffer
}
