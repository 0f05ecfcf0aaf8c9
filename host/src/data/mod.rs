//! Real data through real files: what every reader gives and every trainer takes.
//!
//! Start with [`load`], which reads what a [`Config`](crate::config::Config) names and splits it; [`load_all`] reads other
//! files for a model that exists already, every row for testing. The parts: [`tabular`] reads CSV, [`images`] reads pictures
//! and masks, [`split`] divides rows, [`builtin`] holds what comes with the program; [`tiles`], [`aligned`] and
//! [`random`] generate.
//! [`colour`] is the baseline that a segmentation network has to beat.

pub mod aligned;
pub mod builtin;
pub mod colour;
mod description;
pub mod images;
mod load;
pub mod random;
pub mod split;
pub mod tabular;
pub mod tiles;

use trident::spec::{Head, HeadSet};

pub use description::{
    ClassificationDescription, Description, Mismatch, RegressionDescription, SegmentationDescription, fingerprint,
};
pub use load::{load, load_all};

/// Why data cannot be used. Messages name the file, and line and column if there are.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum DataError {
    /// A CSV file.
    #[error(transparent)]
    Table(#[from] tabular::TableError),
    /// A picture or mask.
    #[error(transparent)]
    Images(#[from] images::ImagesError),
    /// The division into parts.
    #[error("{head}: {source}")]
    Split {
        /// The head whose data it is.
        head: &'static str,
        /// Why.
        source: split::SplitError,
    },
    /// Other files do not fit the model.
    #[error(transparent)]
    Mismatch(#[from] Mismatch),
    /// A built-in source serves another head.
    #[error("{builtin} cannot be used for {head}")]
    WrongBuiltin {
        /// The source's name.
        builtin: &'static str,
        /// The head.
        head: &'static str,
    },
    /// Rows that shall belong together are not as many in every table.
    #[error(
        "[split] aligned: row i of every table must be of one moment, but the numbers of rows differ: {counts}; bring one row \
         per picture, or leave `aligned` out"
    )]
    NotAligned {
        /// Rows per head.
        counts: String,
    },
    /// A target that the device could not tell in its unit.
    #[error(
        "{file}: the target `{target}` reaches {value:?}; at most {MAX_TARGET:?} is possible: give it in another unit"
    )]
    TargetTooLarge {
        /// The file.
        file: String,
        /// The target column.
        target: String,
        /// The value.
        value: f32,
    },
    /// All targets are the same.
    #[error("{}: the target `{target}` is {value} in every row; there is nothing to learn", file)]
    ConstantTarget {
        /// The file.
        file: String,
        /// The target column.
        target: String,
        /// Its value.
        value: f32,
    },
}

/// The largest magnitude of a target: the engine's scale and offset, single floats, stay far from overflow.
pub const MAX_TARGET: f32 = 1e15;

/// Row numbers of the three parts. Every row stands in exactly one part.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Split {
    /// Rows that weights, transforms and calibration ranges are fitted to.
    pub train: Vec<usize>,
    /// Rows that choose the best weights.
    pub validation: Vec<usize>,
    /// Rows that only the final figures see.
    pub test: Vec<usize>,
}

/// Rows of readings in the user's units, row-major.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Readings {
    /// Column names, in order.
    pub features: Vec<String>,
    /// `rows × features.len()` finite values.
    pub values: Vec<f32>,
}

impl Readings {
    /// How many rows it holds.
    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.features.len()).unwrap_or(0)
    }

    /// One row.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn row(&self, index: usize) -> &[f32] {
        let n = self.features.len();
        &self.values[index * n..(index + 1) * n]
    }
}

/// Rows with a class each.
#[derive(Clone, Debug, PartialEq)]
pub struct ClassificationData {
    /// Inputs.
    pub readings: Readings,
    /// Class names, two or more. With two, the second is the positive one.
    pub classes: Vec<String>,
    /// Index into `classes` per row.
    pub labels: Vec<u16>,
    /// The three parts.
    pub split: Split,
}

/// Rows with a number each.
#[derive(Clone, Debug, PartialEq)]
pub struct RegressionData {
    /// Inputs.
    pub readings: Readings,
    /// The target column's name.
    pub target: String,
    /// One finite number per row, in the user's unit.
    pub targets: Vec<f32>,
    /// The three parts.
    pub split: Split,
}

/// Where a picture lies in the photograph that it was cut from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Place {
    /// Equal for pictures of one photograph.
    pub photograph: usize,
    /// Row and column of its upper left corner, in the photograph's pixels.
    pub corner: [i64; 2],
    /// Its height and width, in the photograph's pixels.
    pub size: [i64; 2],
}

/// RGB pictures of one size with a class per pixel.
#[derive(Clone, Debug, PartialEq)]
pub struct SegmentationData {
    /// Rows of a picture.
    pub height: usize,
    /// Columns of a picture.
    pub width: usize,
    /// Class names, two or more.
    pub classes: Vec<String>,
    /// A name per picture, for errors and galleries.
    pub names: Vec<String>,
    /// `pictures × height × width × 3` bytes, `[h, w, rgb]`.
    pub pixels: Vec<u8>,
    /// `pictures × height × width` class indices.
    pub masks: Vec<u8>,
    /// Where each picture was cut from, if that is known.
    pub places: Vec<Option<Place>>,
    /// The three parts.
    pub split: Split,
    /// Whether the pictures were generated rather than photographed; figures of them say so.
    pub generated: bool,
}

impl SegmentationData {
    /// How many pictures it holds.
    pub fn len(&self) -> usize {
        self.names.len()
    }

    /// Whether it holds none.
    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Pixels of one picture, `[h, w, rgb]`.
    pub fn picture(&self, index: usize) -> &[u8] {
        let n = self.height * self.width * 3;
        &self.pixels[index * n..(index + 1) * n]
    }

    /// Classes of one picture, `[h, w]`.
    pub fn mask(&self, index: usize) -> &[u8] {
        let n = self.height * self.width;
        &self.masks[index * n..(index + 1) * n]
    }
}

/// Data of each head that is trained; at least one is there.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Dataset {
    /// For the classification head.
    pub classification: Option<ClassificationData>,
    /// For the segmentation head.
    pub segmentation: Option<SegmentationData>,
    /// For the regression head.
    pub regression: Option<RegressionData>,
    /// Heads whose target is their own input, as in the original demo (see [`random`]): the picture's channels as
    /// probabilities, `byte / 255`, and every reading of a row for its one output. `masks` and `targets` then are stand-ins.
    pub inputs_as_targets: HeadSet,
    /// Whether rows of one number belong to one moment in every table, and stand in one part of the split.
    pub aligned: bool,
}

impl Dataset {
    /// How many rows each head has, if it has data.
    pub(crate) fn rows(&self) -> [Option<(Head, usize)>; 3] {
        let classification = self.classification.as_ref().map(|data| data.readings.rows());
        let segmentation = self.segmentation.as_ref().map(SegmentationData::len);
        let regression = self.regression.as_ref().map(|data| data.readings.rows());
        [
            classification.map(|rows| (Head::Classification, rows)),
            segmentation.map(|rows| (Head::Segmentation, rows)),
            regression.map(|rows| (Head::Regression, rows)),
        ]
    }
}
