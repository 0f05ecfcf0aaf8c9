//! From trained weights to a blob in the arithmetic `trident.int8.v1`.
//!
//! ```text
//! calibration rows ─► values ─► ranges ─┐
//! trained model ─► folded weights ──────┴─► lower ─► plain graph ─► optimize ─► emit ─► golden vectors ─► blob
//!                   (prepare)
//! ```

pub mod bias;
pub mod emit;
pub mod equalize;
pub mod lower;
pub mod method;
pub(crate) mod multipliers;
pub mod optimize;
pub mod pack;
pub mod plain;
pub mod plan;
pub mod prepare;
pub mod range;
pub mod ranges;
pub(crate) mod readings;
pub mod report;
pub mod writer;

use trident::InputSlot;
use trident::spec::SpecError;

/// Why a model cannot be quantised.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum QuantizeError {
    /// The spec is not a model.
    #[error("the model is not valid: {0}")]
    Spec(#[from] SpecError),
    /// A layer cannot be expressed in int8.
    #[error("layer {layer}: {error}")]
    Layer {
        /// Its index.
        layer: usize,
        /// Why.
        error: LayerError,
    },
    /// Readings without a transform.
    #[error("no feature transform for input {slot:?}: train the run again")]
    NoTransform {
        /// The slot.
        slot: InputSlot,
    },
    /// A slot has no calibration rows.
    #[error("no calibration rows for input {slot:?}: the training split is empty")]
    NoRows {
        /// The slot.
        slot: InputSlot,
    },
    /// The blob that was made is refused by the engine.
    #[error("the engine refuses the model: {0}")]
    Refused(String),
}

/// Why a layer cannot be expressed in int8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LayerError {
    /// Pooled, upsampled or concatenated values share one range, but that of pixels or probabilities is given, and others have
    /// their own.
    #[error("joins pixels or probabilities with values of another range; put a convolution in between")]
    FixedRanges,
    /// It should hold weights.
    #[error("has no weights")]
    NoWeights,
    /// Classification and regression heads keep their accumulators.
    #[error("is a head's last layer: that must be Linear without activation")]
    HeadLayer,
    /// The bias does not fit 32 bits.
    #[error("bias of channel {channel} does not fit 32 bits; are the weights finite?")]
    Bias {
        /// The channel.
        channel: usize,
    },
    /// Its output shares a range with its own input, and its weights are so large that the range would have to grow for ever.
    #[error("is concatenated with its own input, and its weights are too large for one range of both")]
    NeverWideEnough,
    /// More tensors or nodes than a blob may hold.
    #[error("makes the graph larger than a blob may hold")]
    TooLarge,
}

impl LayerError {
    const fn at(self, layer: usize) -> QuantizeError {
        QuantizeError::Layer { layer, error: self }
    }
}

#[cfg(test)]
mod tests;
