//! Cholesky's factor of a symmetric matrix and the matrix's inverse, by blocks, so that nearly all of the work is products.
//!
//! Only lower triangles are read and written. Tiles are computed side by side, each by one sum in one order: the number of threads
//! does not change a bit. Golub and Van Loan, "Matrix computations", 2013, section 4.2.

use ndarray::linalg::general_mat_mul;
use ndarray::{Array2, ArrayViewMut2, Axis, s};
use rayon::prelude::*;

/// Rows of a block.
const BLOCK: usize = 64;

/// A factor `L` with `L·Lᵀ` the matrix: the lower triangle of `0`.
#[derive(Debug)]
pub struct Factor(Array2<f64>);

impl Factor {
    /// Of a square matrix's lower triangle; `None` if the matrix is not positive definite in this arithmetic.
    pub fn of(mut matrix: Array2<f64>) -> Option<Self> {
        let rows = matrix.nrows();
        for start in (0..rows).step_by(BLOCK) {
            let end = (start + BLOCK).min(rows);
            factor_block(&mut matrix.slice_mut(s![start..end, start..end]))?;
            let corner = matrix.slice(s![start..end, start..end]).to_owned();
            let mut below = matrix.slice_mut(s![end.., start..]);
            side_by_side(&mut below, Axis(0), |_, mut tile| {
                for mut row in tile.rows_mut() {
                    for column in 0..end - start {
                        let known = corner.slice(s![column, ..column]).dot(&row.slice(s![..column]));
                        row[column] = (row[column] - known) / corner[[column, column]];
                    }
                }
            });
            let panel = below.slice(s![.., ..end - start]).to_owned();
            let mut rest = below.slice_mut(s![.., end - start..]);
            side_by_side(&mut rest, Axis(0), |first, mut tile| {
                let last = first + tile.nrows();
                let (own, left) = (panel.slice(s![first..last, ..]), panel.slice(s![..last, ..]));
                general_mat_mul(-1.0, &own, &left.t(), 1.0, &mut tile.slice_mut(s![.., ..last]));
            });
        }
        Some(Self(matrix))
    }

    /// The logarithm of the matrix's determinant.
    pub fn log_determinant(&self) -> f64 {
        self.0.diag().iter().map(|number| 2.0 * number.ln()).sum()
    }

    /// What the matrix makes into `values`.
    pub fn solve(&self, values: &[f64]) -> Vec<f64> {
        let (factor, rows) = (&self.0, values.len());
        let mut solved = ndarray::Array1::from(values.to_vec());
        for row in 0..rows {
            let known = factor.slice(s![row, ..row]).dot(&solved.slice(s![..row]));
            solved[row] = (solved[row] - known) / factor[[row, row]];
        }
        for row in (0..rows).rev() {
            solved[row] /= factor[[row, row]];
            let number = solved[row];
            solved
                .slice_mut(s![..row])
                .scaled_add(-number, &factor.slice(s![row, ..row]));
        }
        solved.to_vec()
    }

    /// The lower triangle of the matrix's inverse.
    pub fn inverse(&self) -> Array2<f64> {
        let inverse = self.inverse_factor();
        let rows = inverse.nrows();
        let mut product = Array2::zeros([rows, rows]);
        side_by_side(&mut product.view_mut(), Axis(0), |first, mut tile| {
            let last = first + tile.nrows();
            let (own, left) = (
                inverse.slice(s![first.., first..last]),
                inverse.slice(s![first.., ..last]),
            );
            general_mat_mul(1.0, &own.t(), &left, 0.0, &mut tile.slice_mut(s![.., ..last]));
        });
        product
    }

    /// `L⁻¹`, zero above the diagonal.
    fn inverse_factor(&self) -> Array2<f64> {
        let (factor, rows) = (&self.0, self.0.nrows());
        let mut inverse = Array2::<f64>::zeros([rows, rows]);
        for start in (0..rows).step_by(BLOCK) {
            let end = (start + BLOCK).min(rows);
            let (done, mut own) = inverse.multi_slice_mut((s![..start, ..start], s![start..end, ..end]));
            let done = done.view();
            let (left, corner) = (
                factor.slice(s![start..end, ..start]),
                factor.slice(s![start..end, start..end]),
            );
            side_by_side(&mut own, Axis(1), |first, mut tile| {
                if first < start {
                    let last = first + tile.ncols();
                    general_mat_mul(
                        -1.0,
                        &left.slice(s![.., first..]),
                        &done.slice(s![first.., first..last]),
                        0.0,
                        &mut tile,
                    );
                } else {
                    (0..end - start).for_each(|row| tile[[row, row]] = 1.0);
                }
                for row in 0..end - start {
                    let (above, mut own) = tile.multi_slice_mut((s![..row, ..], s![row, ..]));
                    for (known, &weight) in above.rows().into_iter().zip(corner.row(row)) {
                        own.scaled_add(-weight, &known);
                    }
                    own /= corner[[row, row]];
                }
            });
        }
        inverse
    }
}

/// Does something to every tile of [`BLOCK`] rows or columns, given the first one's number.
fn side_by_side(matrix: &mut ArrayViewMut2<'_, f64>, axis: Axis, work: impl Fn(usize, ArrayViewMut2<'_, f64>) + Sync) {
    let tiles: Vec<ArrayViewMut2<'_, f64>> = matrix.axis_chunks_iter_mut(axis, BLOCK).collect();
    tiles
        .into_par_iter()
        .enumerate()
        .for_each(|(tile, view)| work(tile * BLOCK, view));
}

fn factor_block(block: &mut ArrayViewMut2<'_, f64>) -> Option<()> {
    for column in 0..block.ncols() {
        for row in column..block.nrows() {
            let known = block.slice(s![row, ..column]).dot(&block.slice(s![column, ..column]));
            let number = block[[row, column]] - known;
            block[[row, column]] = if row > column {
                number / block[[column, column]]
            } else if number > 0.0 && number.is_finite() {
                number.sqrt()
            } else {
                return None;
            };
        }
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use rand::{Rng, SeedableRng};

    /// Positive definite, of no structure.
    fn matrix(rows: usize) -> Array2<f64> {
        let mut rng = rand_chacha::ChaCha8Rng::seed_from_u64(rows as u64);
        let drawn = Array2::from_shape_simple_fn([rows, rows], || rng.random::<f64>() - 0.5);
        drawn.dot(&drawn.t()) + Array2::<f64>::eye(rows)
    }

    /// The whole of a symmetric matrix of which the lower triangle is known.
    fn mirrored(lower: &Array2<f64>) -> Array2<f64> {
        Array2::from_shape_fn(lower.dim(), |(row, column)| lower[[row.max(column), row.min(column)]])
    }

    #[test]
    fn by_hand() {
        // [[4, 2], [2, 5]] = L·Lᵀ with L = [[2, 0], [1, 2]]; its determinant is 16.
        let factor = Factor::of(ndarray::array![[4.0, 2.0], [2.0, 5.0]]).unwrap();
        assert_eq!([factor.0[[0, 0]], factor.0[[1, 0]], factor.0[[1, 1]]], [2.0, 1.0, 2.0]);
        assert!((factor.log_determinant() - 16f64.ln()).abs() < 1e-15);
        assert_eq!(factor.solve(&[8.0, 12.0]), [1.0, 2.0]);
    }

    #[test]
    fn the_inverse_times_the_matrix_is_one_at_every_size() {
        for rows in [1, 2, 63, 64, 65, 128, 200] {
            let (matrix, factor) = (matrix(rows), Factor::of(matrix(rows)).unwrap());
            let one = matrix.dot(&mirrored(&factor.inverse()));
            let off = (one - Array2::<f64>::eye(rows))
                .mapv(f64::abs)
                .fold(0.0, |a, &b| f64::max(a, b));
            assert!(off < 1e-9, "{rows} rows: {off}");
            let values: Vec<f64> = (0..rows).map(|row| row as f64).collect();
            let back = matrix.dot(&ndarray::Array1::from(factor.solve(&values)));
            assert!(
                back.iter().zip(&values).all(|(a, b)| (a - b).abs() < 1e-7),
                "{rows} rows"
            );
        }
    }

    #[test]
    fn the_upper_triangle_is_not_read() {
        let mut marked = matrix(100);
        marked
            .indexed_iter_mut()
            .filter(|((row, column), _)| row < column)
            .for_each(|(_, number)| *number = f64::NAN);
        let (clean, marked) = (Factor::of(matrix(100)).unwrap(), Factor::of(marked).unwrap());
        assert_eq!(clean.solve(&[1.0; 100]), marked.solve(&[1.0; 100]));
    }

    #[test]
    fn no_factor_without_positive_definiteness() {
        assert!(Factor::of(ndarray::array![[1.0, 0.0], [2.0, 1.0]]).is_none());
        assert!(Factor::of(ndarray::array![[f64::NAN]]).is_none());
    }
}
