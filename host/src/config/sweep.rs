//! `[sweep]`: what `trident sweep` tries.

use serde::{Deserialize, Serialize};

/// What is tried, head by head. A list that is absent stands for the default grid: see `host/docs/sweep.md`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SweepConfig {
    /// Towers of the classification head.
    pub classification: TowerGrid,
    /// Encoder-decoders of the segmentation head.
    pub segmentation: EncoderGrid,
    /// Towers of the regression head.
    pub regression: TowerGrid,
}

/// Towers to try.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct TowerGrid {
    /// Units of the hidden layers, one list per tower; its length is the depth.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub widths: Option<Vec<Vec<u16>>>,
}

/// Encoder-decoders to try: every width with every depth and every size.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct EncoderGrid {
    /// Channels of the stages, as `segmentation` under `[model]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub widths: Option<Vec<[u16; 5]>>,
    /// Residual blocks, as `segmentation_blocks` under `[model]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub blocks: Option<Vec<[u8; 4]>>,
    /// Picture sizes, `[height, width]`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sizes: Option<Vec<[usize; 2]>>,
}
