//! Products of small matrices on one thread, by the crate that Flex multiplies with.

#![allow(unsafe_code, reason = "the crate takes pointers; lengths are checked here")]

/// A matrix in row-major order, or the transpose of one.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    numbers: &'a [f32],
    rows: usize,
    columns: usize,
    strides: [isize; 2],
}

impl<'a> Matrix<'a> {
    /// # Panics
    /// If there are not as many numbers as the sides say.
    pub fn new(numbers: &'a [f32], rows: usize, columns: usize) -> Self {
        assert_eq!(numbers.len(), rows * columns, "a matrix of {rows} × {columns}");
        Self {
            numbers,
            rows,
            columns,
            strides: [columns as isize, 1],
        }
    }

    pub fn transposed(self) -> Self {
        Self {
            rows: self.columns,
            columns: self.rows,
            strides: [self.strides[1], self.strides[0]],
            ..self
        }
    }
}

/// `sum += a · b`, `sum` in row-major order.
///
/// # Panics
/// If the sides do not match.
pub fn add_product(sum: &mut [f32], a: Matrix, b: Matrix) {
    assert_eq!(a.columns, b.rows, "inner sides");
    assert_eq!(sum.len(), a.rows * b.columns, "outer sides");
    // SAFETY: both matrices hold rows × columns numbers, which their strides walk through exactly once (`Matrix::new`), and so
    // does `sum` (asserted above), which is borrowed alone and therefore overlaps neither.
    unsafe {
        gemm::gemm(
            a.rows,
            b.columns,
            a.columns,
            sum.as_mut_ptr(),
            1,
            b.columns as isize,
            true,
            a.numbers.as_ptr(),
            a.strides[1],
            a.strides[0],
            b.numbers.as_ptr(),
            b.strides[1],
            b.strides[0],
            1.0,
            1.0,
            false,
            false,
            false,
            gemm::Parallelism::None,
        );
    }
}
