//! Pictures as the network sees them, beside the truth and what was made of them; each a PNG in the page itself.

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde::Serialize;

use crate::data::SegmentationData;
use crate::metrics::{SegmentationMetrics, confusion};

/// The most pictures shown.
const MOST: usize = 36;
/// The most bytes that all pictures shown may have before they are packed.
const MOST_BYTES: usize = 3_000_000;
/// As many are shown, however large they are.
const LEAST: usize = 6;

/// The first classes' colours: those of Okabe and Ito, which stay apart for colour-blind readers too.
const COLOURS: [[u8; 3]; 8] = [
    [213, 94, 0],
    [0, 158, 115],
    [86, 180, 233],
    [240, 228, 66],
    [204, 121, 167],
    [0, 114, 178],
    [230, 159, 0],
    [90, 90, 90],
];

/// One picture.
#[derive(Clone, Debug, Serialize)]
pub struct Tile {
    /// Its number in the data, counted from 0.
    pub row: usize,
    /// Its name.
    pub name: String,
    /// What the float model made of it.
    pub float: Judged,
    /// What the int8 model made of it, if there is one.
    pub int8: Option<Judged>,
    /// The picture, a PNG as a `data:` address.
    pub picture: String,
    /// The true classes, likewise.
    pub truth: String,
}

/// A mask and how right it is.
#[derive(Clone, Debug, Serialize)]
pub struct Judged {
    /// Pixels of a wrong class.
    pub wrong_pixels: u64,
    /// Mean intersection over union within this picture.
    pub miou: f64,
    /// The classes, a PNG as a `data:` address.
    pub mask: String,
}

impl Tile {
    /// By the model that ships: int8 if there is one.
    pub fn shipped(&self) -> &Judged {
        self.int8.as_ref().unwrap_or(&self.float)
    }
}

/// The pictures with the most wrong pixels, worst first.
pub fn worst(data: &SegmentationData, rows: &[usize], float: &[u8], int8: Option<&[u8]>) -> Vec<Tile> {
    let pixels = data.height * data.width;
    let part = |masks, place: usize| -> &[u8] {
        let masks: &[u8] = masks;
        &masks[place * pixels..(place + 1) * pixels]
    };
    let wrong = |place: usize| {
        let mask = part(int8.unwrap_or(float), place).iter();
        mask.zip(data.mask(rows[place])).filter(|(a, b)| a != b).count()
    };
    let mut order: Vec<(usize, usize)> = (0..rows.len()).map(|place| (wrong(place), place)).collect();
    order.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    order.truncate((MOST_BYTES / (3 * pixels).max(1)).clamp(LEAST, MOST));
    let tile = |(_, place): (usize, usize)| {
        let row = rows[place];
        Tile {
            row,
            name: data.names[row].clone(),
            float: judged(data, row, part(float, place)),
            int8: int8.map(|int8| judged(data, row, part(int8, place))),
            picture: png([data.height, data.width], data.picture(row), None),
            truth: png([data.height, data.width], data.mask(row), Some(data.classes.len())),
        }
    };
    order.into_iter().map(tile).collect()
}

fn judged(data: &SegmentationData, row: usize, mask: &[u8]) -> Judged {
    let classes = data.classes.len();
    let counts = confusion(mask, data.mask(row), classes);
    let right: u64 = (0..classes).map(|class| counts[class * classes + class]).sum();
    Judged {
        wrong_pixels: mask.len() as u64 - right,
        miou: SegmentationMetrics::of_confusion(&counts, classes).miou,
        mask: png([data.height, data.width], mask, Some(classes)),
    }
}

/// The colour of a class.
fn colour(class: usize) -> [u8; 3] {
    match COLOURS.get(class) {
        Some(colour) => *colour,
        // Steps by the golden ratio keep any number of further ones apart.
        None => [0.0, 1.0 / 3.0, 2.0 / 3.0].map(|phase| {
            let turn = class as f64 * 0.618_034 + phase;
            (128.0 + 100.0 * (turn * std::f64::consts::TAU).cos()) as u8
        }),
    }
}

/// The colour of a class, as `#rrggbb`.
pub fn colour_name(class: usize) -> String {
    let [r, g, b] = colour(class);
    format!("#{r:02x}{g:02x}{b:02x}")
}

/// A PNG as a `data:` address: of RGB bytes, or of class numbers below `classes`.
fn png([height, width]: [usize; 2], bytes: &[u8], classes: Option<usize>) -> String {
    let mut file = Vec::new();
    let mut encoder = png::Encoder::new(&mut file, width as u32, height as u32);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::High);
    encoder.set_color(png::ColorType::Rgb);
    if let Some(classes) = classes {
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_palette((0..classes).flat_map(colour).collect::<Vec<u8>>());
    }
    let mut writer = encoder.write_header().expect("memory takes all that is written");
    writer.write_image_data(bytes).expect("a whole picture");
    writer.finish().expect("memory takes all that is written");
    format!("data:image/png;base64,{}", BASE64_STANDARD.encode(file))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Three pictures of 1×2 pixels.
    fn data() -> SegmentationData {
        SegmentationData {
            height: 1,
            width: 2,
            classes: vec!["a".into(), "b".into()],
            names: vec!["zero".into(), "one".into(), "two".into()],
            pixels: (0..18).collect(),
            masks: vec![0, 0, 0, 1, 1, 1],
            places: Vec::new(),
            split: Default::default(),
            generated: false,
        }
    }

    fn decoded(address: &str) -> image::RgbImage {
        let packed = address.strip_prefix("data:image/png;base64,").expect("a PNG");
        let bytes = BASE64_STANDARD.decode(packed).expect("base64");
        image::load_from_memory(&bytes).expect("it opens").to_rgb8()
    }

    #[test]
    fn the_worst_picture_comes_first() {
        let tiles = worst(&data(), &[0, 1, 2], &[0, 0, 0, 1, 1, 1], Some(&[0, 0, 0, 0, 0, 0]));
        let found: Vec<_> = tiles
            .iter()
            .map(|tile| (&*tile.name, tile.float.wrong_pixels, tile.shipped().wrong_pixels))
            .collect();
        assert_eq!(found, [("two", 0, 2), ("one", 0, 1), ("zero", 0, 0)]);
    }

    #[test]
    fn pictures_hold_the_very_pixels() {
        let tiles = worst(&data(), &[1], &[0, 1], None);
        assert_eq!(decoded(&tiles[0].picture).into_raw(), [6, 7, 8, 9, 10, 11]);
        assert_eq!(decoded(&tiles[0].truth).into_raw(), [COLOURS[0], COLOURS[1]].concat());
    }

    #[test]
    fn colours_of_many_classes_differ() {
        let mut names: Vec<String> = (0..60).map(colour_name).collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), 60);
    }
}
