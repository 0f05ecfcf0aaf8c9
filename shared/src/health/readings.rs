//! What counts as a reading of a picture.

use crate::blob::MAX_CALIBRATED_PIXELS;

/// The readings of a picture: the means of its red, green and blue bytes. Host and device compute the same bits.
///
/// # Panics
/// If it has more than [`MAX_CALIBRATED_PIXELS`] pixels.
pub fn picture_means(pixels: &[u8]) -> [f32; 3] {
    let (pixels, _) = pixels.as_chunks::<3>();
    assert!(
        pixels.len() <= MAX_CALIBRATED_PIXELS,
        "a picture too large for statistics"
    );
    let mut sums = [0_u32; 3];
    for pixel in pixels {
        for (sum, &byte) in sums.iter_mut().zip(pixel) {
            *sum += u32::from(byte);
        }
    }
    sums.map(|sum| sum as f32 / pixels.len().max(1) as f32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_picture_has_a_reading_per_colour() {
        assert_eq!(picture_means(&[0, 10, 255, 1, 30, 255]), [0.5, 20.0, 255.0]);
        assert_eq!(picture_means(&[]), [0.0; 3]);
    }
}
