//! Pictures and masks to the size that the network reads.

use image::RgbImage;
use image::imageops::{self, FilterType};

use super::{Mask, Tile};
use crate::config::{Fit, SegmentationConfig};

/// One tile, or as many as fit in; none if the picture is smaller than a tile.
pub(super) fn fit(name: &str, picture: RgbImage, mask: Mask, config: &SegmentationConfig) -> Vec<Tile> {
    let [height, width] = config.size;
    if [mask.height, mask.width] == [height, width] {
        return vec![Tile {
            name: name.to_owned(),
            corner: None,
            pixels: picture.into_raw(),
            mask: mask.classes,
        }];
    }
    match config.fit {
        Fit::Resize => vec![Tile {
            name: name.to_owned(),
            corner: None,
            pixels: imageops::resize(&picture, width as u32, height as u32, FilterType::Triangle).into_raw(),
            mask: resize_mask(&mask, height, width, config.classes.len()),
        }],
        Fit::Tile => {
            let tops = (0..mask.height / height).map(|row| row * height);
            let corner = |top| (0..mask.width / width).map(move |column| (top, column * width));
            let cut = |(top, left)| Tile {
                name: format!("{name} at {left},{top}"),
                corner: Some([top, left]),
                pixels: imageops::crop_imm(&picture, left as u32, top as u32, width as u32, height as u32)
                    .to_image()
                    .into_raw(),
                mask: (top..top + height)
                    .flat_map(|row| mask.classes[row * mask.width + left..][..width].iter().copied())
                    .collect(),
            };
            tops.flat_map(corner).map(cut).collect()
        }
    }
}

/// Each pixel takes the class that most of the pixels under it have, ties to the lowest.
fn resize_mask(mask: &Mask, height: usize, width: usize, classes: usize) -> Vec<u8> {
    let span = |index: usize, from: usize, to: usize| {
        let start = index * from / to;
        start..((index + 1) * from).div_ceil(to).max(start + 1)
    };
    let mut resized = Vec::with_capacity(height * width);
    let mut counts = vec![0_usize; classes];
    for row in 0..height {
        for column in 0..width {
            counts.fill(0);
            for y in span(row, mask.height, height) {
                let line = &mask.classes[y * mask.width..][..mask.width];
                line[span(column, mask.width, width)]
                    .iter()
                    .for_each(|&class| counts[usize::from(class)] += 1);
            }
            let most = (1..classes).fold(0, |best, class| if counts[class] > counts[best] { class } else { best });
            resized.push(most as u8);
        }
    }
    resized
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_pixel_takes_the_majority_under_it() {
        let mask = Mask {
            width: 4,
            height: 2,
            classes: vec![0, 1, 2, 2, 1, 1, 0, 2],
        };
        assert_eq!(resize_mask(&mask, 1, 2, 3), [1, 2]);
        assert_eq!(
            resize_mask(&mask, 2, 8, 3),
            [0, 0, 1, 1, 2, 2, 2, 2, 1, 1, 1, 1, 0, 0, 2, 2]
        );
    }
}
