//! The sections that describe data: `[split]`, `[classification]`, `[segmentation]`, `[regression]`.

use std::path::PathBuf;

use serde::{Deserialize, Serialize};

use super::source::Source;
use super::transforms::TransformChoice;

/// The most classes a head may have; the device's limit.
pub const MAX_CLASSES: usize = 16;

/// The most pictures that a built-in source makes.
const MAX_COUNT: usize = 100_000;

/// How rows are divided into training, validation and test.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default, try_from = "SplitFields")]
pub struct SplitConfig {
    /// Of the shuffle. Training has its own.
    pub seed: u64,
    /// Share of the rows that choose the best weights.
    pub validation: f64,
    /// Share of the rows that only the final figures see.
    pub test: f64,
    /// Row i of every table and picture i, in the order of their names, are of one moment: one split for all.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub aligned: bool,
}

impl Default for SplitConfig {
    fn default() -> Self {
        Self {
            seed: 42,
            validation: 0.1,
            test: 0.2,
            aligned: false,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SplitFields {
    seed: Option<u64>,
    validation: Option<f64>,
    test: Option<f64>,
    #[serde(default)]
    aligned: bool,
}

impl TryFrom<SplitFields> for SplitConfig {
    type Error = String;

    fn try_from(fields: SplitFields) -> Result<Self, String> {
        let default = Self::default();
        let validation = fields.validation.unwrap_or(default.validation);
        let test = fields.test.unwrap_or(default.test);
        if !(0.0..1.0).contains(&validation) || !(0.0..1.0).contains(&test) {
            return Err(
                "`validation` and `test` are shares of the rows: from 0 up to, but not including, 1".to_owned(),
            );
        }
        if validation + test >= 1.0 {
            return Err(format!(
                "validation {validation} + test {test} leave nothing to train on; make them smaller"
            ));
        }
        Ok(Self {
            seed: fields.seed.unwrap_or(default.seed),
            validation,
            test,
            aligned: fields.aligned,
        })
    }
}

/// Rows of readings with a class each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ClassificationConfig {
    /// A CSV file with a header row, or `builtin:magic`, `builtin:random`, `builtin:aligned`.
    pub csv: Source,
    /// The column that holds the class.
    pub label: String,
    /// Columns whose equal values keep rows in one part. They are readings too unless `drop` names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group_by: Vec<String>,
    /// Columns that are no readings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<String>,
    /// How readings become model inputs.
    #[serde(default)]
    pub transforms: TransformChoice,
}

impl ClassificationConfig {
    /// Without groups, every other column a reading, transforms chosen automatically.
    pub fn new(csv: Source, label: &str) -> Self {
        Self {
            csv,
            label: label.to_owned(),
            group_by: Vec::new(),
            drop: Vec::new(),
            transforms: TransformChoice::Auto,
        }
    }
}

/// Rows of readings with a number each.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RegressionConfig {
    /// A CSV file with a header row, or `builtin:airfoil`, `builtin:random`, `builtin:aligned`.
    pub csv: Source,
    /// The column that holds the number.
    pub target: String,
    /// Columns whose equal values keep rows in one part. They are readings too unless `drop` names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub group_by: Vec<String>,
    /// Columns that are no readings.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub drop: Vec<String>,
    /// How readings become model inputs.
    #[serde(default)]
    pub transforms: TransformChoice,
}

impl RegressionConfig {
    /// Without groups, every other column a reading, transforms chosen automatically.
    pub fn new(csv: Source, target: &str) -> Self {
        Self {
            csv,
            target: target.to_owned(),
            group_by: Vec::new(),
            drop: Vec::new(),
            transforms: TransformChoice::Auto,
        }
    }
}

/// Pictures with a class per pixel.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, try_from = "SegmentationFields")]
pub struct SegmentationConfig {
    /// A folder of PNG or JPEG pictures, or `builtin:tiles`, `builtin:random`, `builtin:aligned`.
    pub images: Source,
    /// A folder with a mask for each picture, of the same name but for the extension. Built-in pictures need none.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub masks: Option<PathBuf>,
    /// Class names, in the order of their indices.
    pub classes: Vec<String>,
    /// Height and width that the network reads.
    pub size: [usize; 2],
    /// What becomes of pictures of another size.
    pub fit: Fit,
    /// The RGB colour of each class in the masks; without it, pure red, green and blue stand for the first three classes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub colours: Option<Vec<[u8; 3]>>,
    /// Which pictures must stay in one part.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub groups: Option<GroupFile>,
    /// How many pictures a built-in source makes.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub count: Option<usize>,
}

impl SegmentationConfig {
    /// Resized, without groups.
    pub fn new(images: Source, classes: &[&str], size: [usize; 2]) -> Self {
        Self {
            images,
            masks: None,
            classes: classes.iter().map(|&name| name.to_owned()).collect(),
            size,
            fit: Fit::Resize,
            colours: None,
            groups: None,
            count: None,
        }
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SegmentationFields {
    images: Source,
    masks: Option<PathBuf>,
    classes: Vec<String>,
    size: [usize; 2],
    #[serde(default)]
    fit: Fit,
    colours: Option<Vec<[u8; 3]>>,
    groups: Option<GroupFile>,
    count: Option<usize>,
}

impl TryFrom<SegmentationFields> for SegmentationConfig {
    type Error = String;

    fn try_from(fields: SegmentationFields) -> Result<Self, String> {
        let count = fields.classes.len();
        if !(2..=MAX_CLASSES).contains(&count) {
            return Err(format!(
                "`classes` names {count} classes; there must be 2 to {MAX_CLASSES}"
            ));
        }
        if let Some(twice) = first_repeated(&fields.classes) {
            return Err(format!("`classes` names `{twice}` twice"));
        }
        if fields.size.iter().any(|side| !(8..=1024).contains(side)) {
            return Err(format!(
                "`size` is [height, width], 8 to 1024 each, not {:?}",
                fields.size
            ));
        }
        if let Some(pictures) = fields.count.filter(|pictures| !(1..=MAX_COUNT).contains(pictures)) {
            return Err(format!("`count` is 1 to {MAX_COUNT} pictures, not {pictures}"));
        }
        if let Some(colours) = &fields.colours {
            if colours.len() != count {
                return Err(format!("`colours` holds {} colours for {count} classes", colours.len()));
            }
            if let Some(twice) = first_repeated(colours) {
                return Err(format!("`colours` holds {twice:?} twice"));
            }
        }
        if matches!(fields.images, Source::File(_)) && fields.masks.is_none() {
            return Err("`masks` is missing: the folder that holds a mask for each picture".to_owned());
        }
        Ok(Self {
            images: fields.images,
            masks: fields.masks,
            classes: fields.classes,
            size: fields.size,
            fit: fields.fit,
            colours: fields.colours,
            groups: fields.groups,
            count: fields.count,
        })
    }
}

pub(super) fn first_repeated<T: PartialEq>(items: &[T]) -> Option<&T> {
    items
        .iter()
        .enumerate()
        .find(|(i, item)| items[..*i].contains(item))
        .map(|(_, item)| item)
}

/// What becomes of pictures of another size.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Fit {
    /// Scaled to the size; a mask pixel takes the class that most of its area has.
    #[default]
    Resize,
    /// Cut into tiles of the size; what is left over at the right and the bottom is dropped.
    Tile,
}

/// A CSV file whose column `file` names pictures, and the column of it that names each picture's group.
///
/// Where a group is a photograph and the pictures are square parts of it, columns `x`, `y` and `tile_px` may tell where: column and row
/// of the upper left corner, and the side, in the photograph's pixels. Crops over neighbours then are training pictures too
/// ([`Augmentation::crop`](super::Augmentation::crop)).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GroupFile {
    /// The CSV file.
    pub file: PathBuf,
    /// The column that names the group.
    pub column: String,
}
