//! Mask files: a class per pixel.
//!
//! PNG files are decoded without expanding palettes, so that an index stays an index. A palette whose used entries are all
//! colours of classes is read by colour (programs reorder palettes when they shrink files), any other by index.

use std::io::Cursor;
use std::path::Path;

use image::DynamicImage;
use png::{BitDepth, ColorType, Transformations};

use super::{ImagesError, decode_error, read_bytes};
use crate::config::SegmentationConfig;

/// A class per pixel, row by row.
pub(super) struct Mask {
    pub(super) width: usize,
    pub(super) height: usize,
    pub(super) classes: Vec<u8>,
}

/// Which colour stands for which class.
pub(super) struct ClassColours {
    names: Vec<String>,
    colours: Vec<[u8; 3]>,
}

const ONE_HOT: [[u8; 3]; 3] = [[255, 0, 0], [0, 255, 0], [0, 0, 255]];

impl ClassColours {
    /// The colours that the configuration lists, else one-hot RGB.
    pub(super) fn new(config: &SegmentationConfig) -> Self {
        let one_hot = || ONE_HOT[..config.classes.len().min(3)].to_vec();
        Self {
            names: config.classes.clone(),
            colours: config.colours.clone().unwrap_or_else(one_hot),
        }
    }

    fn class(&self, colour: [u8; 3]) -> Option<u8> {
        self.colours
            .iter()
            .position(|&known| known == colour)
            .map(|class| class as u8)
    }

    fn list(&self) -> String {
        let entry = |(name, colour): (&String, &[u8; 3])| format!("{name} {colour:?}");
        self.names
            .iter()
            .zip(&self.colours)
            .map(entry)
            .collect::<Vec<_>>()
            .join(", ")
    }
}

/// What a file holds per pixel.
enum Pixels {
    Colours(Vec<[u8; 3]>),
    Indices(Vec<u16>),
}

/// The most bytes that a PNG mask may unfold to; what is larger is no mask of a picture that could be read.
const MOST_BYTES: usize = 1 << 29;

/// Reads a mask.
pub(super) fn read(path: &Path, colours: &ClassColours) -> Result<Mask, ImagesError> {
    let bytes = read_bytes(path)?;
    let png = bytes.starts_with(b"\x89PNG");
    let (width, height, pixels) = if png {
        decode_png(path, &bytes, colours)?
    } else {
        decode_other(path, &bytes)?
    };
    let at = |index: usize| (index % width, index / width);
    let classes = match pixels {
        Pixels::Colours(pixels) => {
            let class = |(index, colour)| {
                let (x, y) = at(index);
                colours.class(colour).ok_or_else(|| ImagesError::UnknownColour {
                    path: path.to_owned(),
                    x,
                    y,
                    colour,
                    known: colours.list(),
                })
            };
            pixels.into_iter().enumerate().map(class).collect::<Result<_, _>>()?
        }
        Pixels::Indices(pixels) => {
            let last = colours.names.len() - 1;
            let class = |(index, value): (usize, u16)| {
                let (x, y) = at(index);
                let known = usize::from(value) <= last;
                known.then_some(value as u8).ok_or_else(|| ImagesError::UnknownIndex {
                    path: path.to_owned(),
                    x,
                    y,
                    value,
                    last,
                })
            };
            pixels.into_iter().enumerate().map(class).collect::<Result<_, _>>()?
        }
    };
    Ok(Mask { width, height, classes })
}

type Decoded = (usize, usize, Pixels);

fn decode_png(path: &Path, bytes: &[u8], colours: &ClassColours) -> Result<Decoded, ImagesError> {
    let mut decoder = png::Decoder::new(Cursor::new(bytes));
    decoder.set_transformations(Transformations::IDENTITY);
    let mut reader = decoder.read_info().map_err(|error| decode_error(path, error))?;
    let len = reader
        .output_buffer_size()
        .filter(|&len| len <= MOST_BYTES)
        .ok_or_else(|| decode_error(path, "too large"))?;
    let mut buffer = vec![0; len];
    let info = reader
        .next_frame(&mut buffer)
        .map_err(|error| decode_error(path, error))?;
    let (width, height) = (info.width as usize, info.height as usize);
    let samples = unpack(
        &buffer,
        info.line_size,
        width * info.color_type.samples(),
        height,
        info.bit_depth,
    );
    let colour = |pixel: &[u16]| match info.bit_depth {
        BitDepth::Sixteen => [pixel[0], pixel[1], pixel[2]].map(|sample| (sample >> 8) as u8),
        _ => [pixel[0], pixel[1], pixel[2]].map(|sample| sample as u8),
    };
    let pixels = match info.color_type {
        ColorType::Rgb => Pixels::Colours(samples.chunks_exact(3).map(colour).collect()),
        ColorType::Rgba => Pixels::Colours(samples.chunks_exact(4).map(colour).collect()),
        ColorType::Grayscale => Pixels::Indices(samples),
        ColorType::GrayscaleAlpha => Pixels::Indices(samples.chunks_exact(2).map(|pixel| pixel[0]).collect()),
        ColorType::Indexed => {
            let palette = reader.info().palette.as_deref().unwrap_or_default();
            let entry = |&index: &u16| {
                palette
                    .chunks_exact(3)
                    .nth(index.into())
                    .map(|rgb| [rgb[0], rgb[1], rgb[2]])
            };
            let used: Option<Vec<[u8; 3]>> = samples.iter().map(entry).collect();
            let used = used.filter(|pixels| pixels.iter().all(|&colour| colours.class(colour).is_some()));
            used.map_or(Pixels::Indices(samples), Pixels::Colours)
        }
    };
    Ok((width, height, pixels))
}

/// Samples of 1 to 16 bits, first sample in the highest bits; each line begins with a byte.
fn unpack(buffer: &[u8], line_len: usize, samples: usize, lines: usize, depth: BitDepth) -> Vec<u16> {
    let bits = depth as usize;
    let sample = |line: &[u8], index: usize| match bits {
        16 => u16::from_be_bytes([line[index * 2], line[index * 2 + 1]]),
        8 => line[index].into(),
        _ => {
            let bit = index * bits;
            let shift = 8 - bits - bit % 8;
            u16::from(line[bit / 8] >> shift) & ((1 << bits) - 1)
        }
    };
    let lines = buffer.chunks_exact(line_len).take(lines);
    lines
        .flat_map(|line| (0..samples).map(move |index| sample(line, index)))
        .collect()
}

fn decode_other(path: &Path, bytes: &[u8]) -> Result<Decoded, ImagesError> {
    let decoded = image::load_from_memory(bytes).map_err(|error| decode_error(path, error))?;
    let (width, height) = (decoded.width() as usize, decoded.height() as usize);
    let pixels = match decoded {
        DynamicImage::ImageLuma8(grey) => Pixels::Indices(grey.into_raw().into_iter().map(u16::from).collect()),
        other => Pixels::Colours(other.into_rgb8().pixels().map(|pixel| pixel.0).collect()),
    };
    Ok((width, height, pixels))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_unpacked_from_the_highest_bits() {
        assert_eq!(
            unpack(&[0b1010_0000, 0b0100_0000], 1, 3, 2, BitDepth::One),
            [1, 0, 1, 0, 1, 0]
        );
        assert_eq!(unpack(&[0b0001_1011], 1, 4, 1, BitDepth::Two), [0, 1, 2, 3]);
        assert_eq!(unpack(&[0x1f], 1, 2, 1, BitDepth::Four), [1, 15]);
        assert_eq!(unpack(&[1, 2], 2, 1, 1, BitDepth::Sixteen), [258]);
    }
}
