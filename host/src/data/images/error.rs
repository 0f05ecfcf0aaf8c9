//! What can be wrong with pictures and masks.

use std::path::{Path, PathBuf};

use super::super::tabular::TableError;

/// Why pictures and masks cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ImagesError {
    /// A folder or file cannot be read.
    #[error("{}: cannot read it: {source}", path.display())]
    Read {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder holds no picture.
    #[error("{}: no PNG or JPEG files in this folder", path.display())]
    NoPictures {
        /// The folder.
        path: PathBuf,
    },
    /// The configuration names no folder of masks.
    #[error("[segmentation] `masks` is missing: the folder that holds a mask for each picture")]
    NoMasks,
    /// A picture has no mask, or a mask no picture.
    #[error("{}: no file of that name in {}{}", path.display(), other.display(), more(*others))]
    Unpaired {
        /// The file that stands alone.
        path: PathBuf,
        /// The folder in which its partner is missing.
        other: PathBuf,
        /// How many more files stand alone.
        others: usize,
    },
    /// Two files differ in their extension only.
    #[error("{} and {}: two files of one name; remove one", first.display(), second.display())]
    SameName {
        /// One file.
        first: PathBuf,
        /// The other.
        second: PathBuf,
    },
    /// A file is no picture, or damaged.
    #[error("{}: cannot decode the picture: {message}", path.display())]
    Decode {
        /// The file.
        path: PathBuf,
        /// Why.
        message: String,
    },
    /// A picture and its mask differ in size.
    #[error("{}: {}×{} pixels, but its mask {} has {}×{}", picture.display(), size[0], size[1], mask.display(), mask_size[0], mask_size[1])]
    SizeDiffers {
        /// The picture.
        picture: PathBuf,
        /// Its width and height.
        size: [usize; 2],
        /// The mask.
        mask: PathBuf,
        /// Its width and height.
        mask_size: [usize; 2],
    },
    /// A picture is smaller than a tile.
    #[error("{}: {}×{} pixels are smaller than a tile; use fit = \"resize\"", path.display(), size[0], size[1])]
    SmallerThanTile {
        /// The picture.
        path: PathBuf,
        /// Its width and height.
        size: [usize; 2],
    },
    /// A mask holds a colour that stands for no class.
    #[error(
        "{}: the pixel at x = {x}, y = {y} has the colour {colour:?}, which stands for no class; colours are {known}{}",
        path.display(), colour_advice(path)
    )]
    UnknownColour {
        /// The mask.
        path: PathBuf,
        /// Column, from 0.
        x: usize,
        /// Row, from 0.
        y: usize,
        /// Red, green, blue.
        colour: [u8; 3],
        /// The colours that stand for classes.
        known: String,
    },
    /// A mask holds an index that stands for no class.
    #[error("{}: the pixel at x = {x}, y = {y} has the value {value}, but classes are 0 to {last}", path.display())]
    UnknownIndex {
        /// The mask.
        path: PathBuf,
        /// Column, from 0.
        x: usize,
        /// Row, from 0.
        y: usize,
        /// The value.
        value: u16,
        /// The index of the last class.
        last: usize,
    },
    /// No pixel has a class.
    #[error("no pixel of any mask has the class `{class}`; remove it from `classes`, or check the colours")]
    ClassAbsent {
        /// The class's name.
        class: String,
    },
    /// The file of groups.
    #[error(transparent)]
    Groups(#[from] TableError),
    /// The file of groups tells no place for a picture.
    #[error(
        "{}: no place for the picture {picture}: x = {}, y = {}, tile_px = {}; they are whole pixels of the photograph, and a side is at least 1. \
         Columns that mean something else need other names",
        path.display(), told[0], told[1], told[2]
    )]
    NoPlace {
        /// The file of groups.
        path: PathBuf,
        /// The picture, as the file names it.
        picture: String,
        /// What stands under `x`, `y` and `tile_px`.
        told: [f32; 3],
    },
    /// The file of groups does not name a picture.
    #[error("{}: no row for the picture {} in column `file`", path.display(), picture.display())]
    NoGroup {
        /// The file of groups.
        path: PathBuf,
        /// The picture.
        picture: PathBuf,
    },
}

fn more(others: usize) -> String {
    if others == 0 {
        String::new()
    } else {
        format!(" (and {others} more files stand alone)")
    }
}

fn colour_advice(path: &Path) -> &'static str {
    let jpeg = path
        .extension()
        .is_some_and(|extension| !extension.eq_ignore_ascii_case("png"));
    if jpeg {
        "; JPEG blurs colours, save masks as PNG"
    } else {
        " (`colours` in [segmentation] sets them)"
    }
}
