//! Where a model's inputs come from, and what its heads tell.

use serde::{Deserialize, Serialize};

use super::Shape;

/// Where a model input comes from. Each may stand once in a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum InputSlot {
    /// The row of readings that is classified.
    Classification = 0,
    /// The RGB picture that is segmented.
    Picture = 1,
    /// The row of readings a value is regressed on.
    Regression = 2,
}

impl InputSlot {
    /// All slots, in order of their numbers.
    pub const ALL: [Self; 3] = [Self::Classification, Self::Picture, Self::Regression];
}

/// What real number a pixel's byte stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PixelScale {
    /// `(byte − 128) / 128`: centred, so that a padded border is mid grey.
    #[default]
    Centred,
    /// `byte / 255`.
    Unit,
}

impl PixelScale {
    /// Scale and zero point of the codes `byte − 128`.
    pub const fn quantization(self) -> (f32, i8) {
        match self {
            PixelScale::Centred => (1.0 / 128.0, 0),
            PixelScale::Unit => (1.0 / 255.0, -128),
        }
    }
}

/// One model input. A row's length counts *model inputs*, after the feature transforms: one to three per reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputSpec {
    /// Where it comes from.
    pub slot: InputSlot,
    /// Its shape.
    pub shape: Shape,
    /// What a pixel stands for; without meaning for readings.
    #[serde(default)]
    pub pixels: PixelScale,
}

/// The three tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Head {
    /// A class per row.
    Classification = 0,
    /// A class per pixel.
    Segmentation = 1,
    /// A number per row.
    Regression = 2,
}

impl Head {
    /// All heads, in order of their numbers.
    pub const ALL: [Self; 3] = [Self::Classification, Self::Segmentation, Self::Regression];

    /// The word for it in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Head::Classification => "classification",
            Head::Segmentation => "segmentation",
            Head::Regression => "regression",
        }
    }
}

/// A set of heads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HeadSet(u8);

impl HeadSet {
    /// No head.
    pub const EMPTY: Self = Self(0);
    /// All three.
    pub const ALL: Self = Self(7);

    /// The set whose bit `i` stands for the head numbered `i`; `None` if another bit is set.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits & !7 == 0 { Some(Self(bits)) } else { None }
    }

    /// As [`HeadSet::from_bits`], without bits that stand for no head.
    pub(crate) const fn from_bits_truncated(bits: u8) -> Self {
        Self(bits & 7)
    }

    /// Bit `i` stands for the head numbered `i`.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// With one more head.
    pub const fn with(self, head: Head) -> Self {
        Self(self.0 | 1 << head as u8)
    }

    /// Heads of either.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `head` is in it.
    pub const fn contains(self, head: Head) -> bool {
        self.0 & (1 << head as u8) != 0
    }

    /// Whether every head of `other` is in it.
    pub const fn contains_all(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether some head is in both.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether it holds none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its heads, in order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Head> {
        Head::ALL.into_iter().filter(move |&head| self.contains(head))
    }
}

impl From<Head> for HeadSet {
    fn from(head: Head) -> Self {
        Self::EMPTY.with(head)
    }
}

/// One head: which value it reads and what it gives.
///
/// The value holds logits (classification: one for two labels, else one per label; segmentation: `[h, w, classes]`) or one
/// standardised number (regression). A segmentation value that ends in [`Activation::Sigmoid`](super::Activation::Sigmoid) holds one probability per class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadSpec {
    /// The task.
    pub head: Head,
    /// The number of the value it reads.
    pub value: u8,
}
