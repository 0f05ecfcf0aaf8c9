//! Why a model is not loaded, not run, or not trusted.

use crate::blob::ALIGNMENT;
use crate::check::GraphError;
use crate::spec::{Head, InputSlot};

/// Why a blob cannot be loaded into an arena.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum LoadError {
    /// The arena is too small.
    Arena {
        /// Bytes the model needs.
        needed: usize,
        /// Bytes there are.
        available: usize,
    },
    /// The arena's first byte is not aligned to [`ALIGNMENT`].
    Misaligned,
    /// The weights break a rule.
    Graph(GraphError),
}

impl core::fmt::Display for LoadError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Arena { needed, available } => {
                write!(f, "the model needs an arena of {needed} bytes, there are {available}")
            }
            Self::Misaligned => write!(f, "the arena does not begin on a {ALIGNMENT}-byte boundary"),
            Self::Graph(error) => write!(f, "{error}"),
        }
    }
}

impl core::error::Error for LoadError {}

/// Why a run is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RunError {
    /// The model lacks one of the heads asked for.
    NoSuchHead {
        /// The head.
        head: Head,
    },
    /// A head asked for needs an input that was not handed over.
    MissingInput {
        /// The slot.
        slot: InputSlot,
    },
    /// An input has the wrong number of elements.
    InputLen {
        /// The slot.
        slot: InputSlot,
        /// Elements the model reads.
        expected: usize,
        /// Elements handed over.
        found: usize,
    },
    /// A reading is NaN or infinite.
    NotFinite {
        /// The slot.
        slot: InputSlot,
        /// Index of the reading.
        feature: usize,
    },
}

impl core::fmt::Display for RunError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::NoSuchHead { head } => write!(f, "the model has no {} head", head.name()),
            Self::MissingInput { slot } => write!(f, "input {slot:?} is missing"),
            Self::InputLen { slot, expected, found } => {
                write!(f, "input {slot:?} has {found} elements, the model reads {expected}")
            }
            Self::NotFinite { slot, feature } => write!(f, "reading {feature} of {slot:?} is not a finite number"),
        }
    }
}

impl core::error::Error for RunError {}

/// Which head of which golden vector answered otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SelfTestError {
    /// A head's answer differs.
    Differs {
        /// Number of the golden vector.
        vector: usize,
        /// The head.
        head: Head,
    },
    /// The vector could not be run.
    Run(RunError),
}

impl core::fmt::Display for SelfTestError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Differs { vector, head } => write!(f, "golden vector {vector}: the {} head differs", head.name()),
            Self::Run(error) => write!(f, "a golden vector does not run: {error}"),
        }
    }
}

impl core::error::Error for SelfTestError {}
