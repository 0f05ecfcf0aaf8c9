//! Folders of pictures and masks.
//!
//! [`read`] pairs files by their names without extension, in alphabetical order. Pictures are PNG or JPEG of any size; masks hold
//! a class per pixel as one-hot RGB, as colours that the configuration lists, or as class indices (grey or palette). A picture and
//! its mask have one size; both are then resized or cut into tiles.

mod error;
mod fit;
mod mask;

use std::collections::{BTreeMap, HashMap};
use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use image::RgbImage;
use rayon::prelude::*;

use super::tabular::Table;
use super::{Place, SegmentationData, Split};
use crate::config::{SegmentationConfig, Source};
pub use error::ImagesError;
use mask::{ClassColours, Mask};

/// Reads all pictures and masks; beside them a group number each, equal for pictures that must stay in one part.
///
/// # Errors
/// The first fault, in alphabetical order of the files.
pub fn read(config: &SegmentationConfig) -> Result<(SegmentationData, Vec<usize>), ImagesError> {
    let (Source::File(images), Some(masks)) = (&config.images, &config.masks) else {
        return Err(ImagesError::NoMasks);
    };
    let pairs = pairs(images, masks)?;
    let origins = origins(config, &pairs)?;
    let colours = ClassColours::new(config);
    let tiles: Vec<_> = pairs.par_iter().map(|pair| read_pair(pair, config, &colours)).collect();

    let [height, width] = config.size;
    let mut data = SegmentationData {
        height,
        width,
        classes: config.classes.clone(),
        names: Vec::new(),
        pixels: Vec::new(),
        masks: Vec::new(),
        places: Vec::new(),
        split: Split::default(),
        generated: false,
    };
    let mut tile_groups = Vec::new();
    for (pair, (tiles, Origin { group, place })) in tiles.into_iter().zip(origins).enumerate() {
        for tile in tiles? {
            let cut = tile.corner.map(|corner| Place {
                // Photographs that the file of groups tells of have the numbers of their groups.
                photograph: pairs.len() + pair,
                corner: corner.map(|pixel| pixel as i64),
                size: config.size.map(|side| side as i64),
            });
            data.places.push(cut.or(place));
            data.names.push(tile.name);
            data.pixels.extend_from_slice(&tile.pixels);
            data.masks.extend_from_slice(&tile.mask);
            tile_groups.push(group);
        }
    }
    Ok((data, tile_groups))
}

/// Refuses data in which a class never stands.
///
/// # Errors
/// The first such class.
pub fn refuse_absent(data: &SegmentationData) -> Result<(), ImagesError> {
    let mut found = vec![false; data.classes.len()];
    data.masks.iter().for_each(|&class| found[usize::from(class)] = true);
    match found.iter().position(|found| !found) {
        None => Ok(()),
        Some(class) => Err(ImagesError::ClassAbsent {
            class: data.classes[class].clone(),
        }),
    }
}

/// A picture's file and its mask's.
struct Pair {
    picture: PathBuf,
    mask: PathBuf,
}

/// A picture of the size that the network reads.
struct Tile {
    name: String,
    /// Row and column of the file from which it was cut, unless it is the whole file.
    corner: Option<[usize; 2]>,
    pixels: Vec<u8>,
    mask: Vec<u8>,
}

fn read_pair(pair: &Pair, config: &SegmentationConfig, colours: &ClassColours) -> Result<Vec<Tile>, ImagesError> {
    let picture = read_picture(&pair.picture)?;
    let mask = mask::read(&pair.mask, colours)?;
    let size = [picture.width() as usize, picture.height() as usize];
    if size != [mask.width, mask.height] {
        return Err(ImagesError::SizeDiffers {
            picture: pair.picture.clone(),
            size,
            mask: pair.mask.clone(),
            mask_size: [mask.width, mask.height],
        });
    }
    let name = name(&pair.picture);
    let tiles = fit::fit(&name, picture, mask, config);
    if tiles.is_empty() {
        let path = pair.picture.clone();
        return Err(ImagesError::SmallerThanTile { path, size });
    }
    Ok(tiles)
}

fn read_picture(path: &Path) -> Result<RgbImage, ImagesError> {
    let bytes = read_bytes(path)?;
    let decoded = image::load_from_memory(&bytes).map_err(|error| decode_error(path, error))?;
    Ok(decoded.into_rgb8())
}

fn read_bytes(path: &Path) -> Result<Vec<u8>, ImagesError> {
    std::fs::read(path).map_err(|source| read_error(path, source))
}

fn read_error(path: &Path, source: std::io::Error) -> ImagesError {
    ImagesError::Read {
        path: path.to_owned(),
        source,
    }
}

fn decode_error(path: &Path, error: impl std::fmt::Display) -> ImagesError {
    ImagesError::Decode {
        path: path.to_owned(),
        message: error.to_string(),
    }
}

fn name(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Pictures of a folder by their names without extension.
fn pictures(folder: &Path) -> Result<BTreeMap<String, PathBuf>, ImagesError> {
    let mut found = BTreeMap::new();
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|source| read_error(folder, source))? {
        files.push(entry.map_err(|source| read_error(folder, source))?.path());
    }
    files.sort();
    let is_picture = |path: &PathBuf| {
        let extension = path.extension().and_then(OsStr::to_str).unwrap_or_default();
        ["png", "jpg", "jpeg"]
            .iter()
            .any(|known| extension.eq_ignore_ascii_case(known))
            && !name(path).starts_with('.')
    };
    for path in files.into_iter().filter(is_picture) {
        if let Some(first) = found.insert(name(&path), path.clone()) {
            return Err(ImagesError::SameName { first, second: path });
        }
    }
    if found.is_empty() {
        return Err(ImagesError::NoPictures {
            path: folder.to_owned(),
        });
    }
    Ok(found)
}

fn pairs(images: &Path, masks: &Path) -> Result<Vec<Pair>, ImagesError> {
    let (pictures, mut found) = (pictures(images)?, pictures(masks)?);
    let mut pairs = Vec::new();
    let mut alone = Vec::new();
    for (name, picture) in pictures {
        match found.remove(&name) {
            Some(mask) => pairs.push(Pair { picture, mask }),
            None => alone.push((picture, masks)),
        }
    }
    alone.extend(found.into_values().map(|mask| (mask, images)));
    let others = alone.len().saturating_sub(1);
    match alone.into_iter().next() {
        None => Ok(pairs),
        Some((path, other)) => Err(ImagesError::Unpaired {
            path,
            other: other.to_owned(),
            others,
        }),
    }
}

/// What is known of a file's picture.
#[derive(Clone, Copy)]
struct Origin {
    group: usize,
    place: Option<Place>,
}

/// The origin of each picture. Without a file of groups each is its own group, and its place is not known.
fn origins(config: &SegmentationConfig, pairs: &[Pair]) -> Result<Vec<Origin>, ImagesError> {
    let Some(groups) = &config.groups else {
        let alone = |group| Origin { group, place: None };
        return Ok((0..pairs.len()).map(alone).collect());
    };
    let table = Table::read(&groups.file)?;
    let numbers = table.groups(std::slice::from_ref(&groups.column))?.unwrap_or_default();
    let places = places(&table, &numbers)?;
    let names = table.cells("file")?.map(|file| name(Path::new(file)));
    let origin = |(group, place)| Origin { group, place };
    let known: HashMap<String, Origin> = names.zip(numbers.into_iter().zip(places).map(origin)).collect();
    let find = |pair: &Pair| {
        known
            .get(&name(&pair.picture))
            .copied()
            .ok_or_else(|| ImagesError::NoGroup {
                path: groups.file.clone(),
                picture: pair.picture.clone(),
            })
    };
    pairs.iter().map(find).collect()
}

/// The place of each row's picture: a table tells it by the columns of [`PLACE_COLUMNS`], all of them, where a group is a photograph.
fn places(table: &Table, groups: &[usize]) -> Result<Vec<Option<Place>>, ImagesError> {
    if !PLACE_COLUMNS.iter().all(|column| table.column(column).is_ok()) {
        return Ok(vec![None; groups.len()]);
    }
    let [left, top, side] = PLACE_COLUMNS.map(|column| table.numbers(column));
    let (left, top, side) = (left?, top?, side?);
    let place = |(row, picture): (usize, &str)| {
        let told = [left[row], top[row], side[row]];
        if side[row] < 1.0 || (told.iter()).any(|number| number.abs() > LARGEST_PLACE || number.fract() != 0.0) {
            return Err(ImagesError::NoPlace {
                path: table.path().to_owned(),
                picture: picture.to_owned(),
                told,
            });
        }
        Ok(Some(Place {
            photograph: groups[row],
            corner: [top[row], left[row]].map(|pixel| pixel as i64),
            size: [side[row] as i64; 2],
        }))
    };
    table.cells("file")?.enumerate().map(place).collect()
}

/// Pixels of a photograph that a `f32` still counts one by one.
const LARGEST_PLACE: f32 = 16_777_216.0;

/// Columns of a file of groups that tell where in its photograph a square picture was cut out: column and row of its upper left corner, and
/// its side, in the photograph's pixels.
const PLACE_COLUMNS: [&str; 3] = ["x", "y", "tile_px"];

#[cfg(test)]
mod tests;
