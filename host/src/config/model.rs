//! `[model]`: changes to the preset's network, or a network of one's own.

use serde::{Deserialize, Serialize};
use trident::spec::ModelSpec;

/// Changes to the preset's network. Widths count from the input to the output.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct ModelConfig {
    /// Units of the hidden layers of the classification tower.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classification: Option<Vec<u16>>,
    /// Channels of the segmentation network's stages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segmentation: Option<Vec<u16>>,
    /// Residual blocks of the segmentation network: at a quarter and an eighth of the picture's side on the way down, at a quarter
    /// and a half on the way up.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub segmentation_blocks: Option<Vec<u8>>,
    /// Units of the hidden layers of the regression tower.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub regression: Option<Vec<u16>>,
    /// Units of the trunk that the heads of preset `fused` share, layer by layer.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub trunk: Option<Vec<u16>>,
    /// A whole network instead of the preset's.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spec: Option<ModelSpec>,
}
