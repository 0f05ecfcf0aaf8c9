//! What a sweep tries: candidates of each head, from the configuration or from a grid around the preset's widths.

use serde::{Deserialize, Serialize};
use trident::spec::Head;

use super::SweepError;
use crate::config::{Config, ModelConfig, Preset, SweepConfig};
use crate::model::presets::EdgeWidths;
use crate::train::Recipe;

/// Multiples of the widths that the default grid tries.
const TOWER_MULTIPLES: [f64; 4] = [0.5, 0.75, 1.0, 1.5];
/// The same for the segmentation network, whose cost grows with the square.
const ENCODER_MULTIPLES: [f64; 5] = [0.5, 0.75, 1.0, 1.25, 1.5];
/// Widths are multiples of this: the kernels take four channels at a time.
const WIDTH_STEP: f64 = 4.0;

/// One network for one head.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(untagged)]
pub enum Candidate {
    /// An encoder-decoder.
    Encoder {
        /// Channels of its stages.
        channels: [u16; 5],
        /// Residual blocks of its levels.
        blocks: [u8; 4],
        /// `[height, width]` of the pictures.
        size: [usize; 2],
    },
    /// A tower for rows.
    Tower {
        /// Units of the hidden layers.
        units: Vec<u16>,
    },
}

impl Candidate {
    /// Short and unique among the candidates of a head: widths, then, for an encoder-decoder, blocks and size.
    pub fn name(&self) -> String {
        let joined = |numbers: &[u16]| numbers.iter().map(u16::to_string).collect::<Vec<_>>().join("-");
        match self {
            Self::Tower { units } if units.is_empty() => "linear".to_owned(),
            Self::Tower { units } => joined(units),
            Self::Encoder { channels, blocks, size } => {
                let blocks: String = blocks.iter().map(u8::to_string).collect::<Vec<_>>().join(".");
                format!("{}_{blocks}_{}x{}", joined(channels), size[0], size[1])
            }
        }
    }

    /// `[height, width]` of the pictures that it reads, if it reads any.
    pub fn size(&self) -> Option<[usize; 2]> {
        match self {
            Self::Encoder { size, .. } => Some(*size),
            Self::Tower { .. } => None,
        }
    }

    /// Sets this network for `head`.
    pub fn apply(&self, head: Head, config: &mut Config) {
        let model = config.model.get_or_insert_default();
        match (self, head) {
            (Self::Encoder { channels, blocks, size }, _) => {
                model.segmentation = Some(channels.to_vec());
                model.segmentation_blocks = Some(blocks.to_vec());
                if let Some(section) = &mut config.segmentation {
                    section.size = *size;
                }
            }
            (Self::Tower { units }, Head::Regression) => model.regression = Some(units.clone()),
            (Self::Tower { units }, _) => model.classification = Some(units.clone()),
        }
    }
}

/// The configuration without other heads than `heads`, and without `[sweep]`; validation rows judge, so no head learns from them.
pub fn restricted(config: &Config, heads: &[Head]) -> Config {
    let mut config = config.clone();
    config
        .classification
        .take_if(|_| !heads.contains(&Head::Classification));
    config.segmentation.take_if(|_| !heads.contains(&Head::Segmentation));
    config.regression.take_if(|_| !heads.contains(&Head::Regression));
    config.sweep = None;
    for &head in heads {
        if Recipe::new(&config.train, head).train_on_validation {
            config.train.head_mut(head).train_on_validation = Some(false);
        }
    }
    config
}

/// The heads to sweep: those asked for, or all that the configuration has data for.
///
/// # Errors
/// A head without data, or a network whose widths are not the preset's to vary.
pub fn heads(config: &Config, asked: &[Head]) -> Result<Vec<Head>, SweepError> {
    if config.train.preset != Preset::Edge {
        let preset = config.train.preset.name();
        return Err(SweepError::Preset { preset });
    }
    if config.model.as_ref().is_some_and(|model| model.spec.is_some()) {
        return Err(SweepError::OwnSpec);
    }
    let has = |head: &Head| match head {
        Head::Classification => config.classification.is_some(),
        Head::Segmentation => config.segmentation.is_some(),
        Head::Regression => config.regression.is_some(),
    };
    if let Some(head) = asked.iter().find(|head| !has(head)) {
        return Err(SweepError::NoData { head: head.name() });
    }
    let wanted = |head: &Head| asked.is_empty() || asked.contains(head);
    Ok(Head::ALL.into_iter().filter(has).filter(wanted).collect())
}

/// Every candidate of a head, each once, in the order of the lists.
pub fn candidates(config: &Config, head: Head) -> Vec<Candidate> {
    let default = SweepConfig::default();
    let grid = config.sweep.as_ref().unwrap_or(&default);
    let preset = EdgeWidths::default();
    let model = config.model.clone().unwrap_or_default();
    let all = match head {
        Head::Classification => towers(
            grid.classification.widths.as_ref(),
            model.classification.unwrap_or(preset.classification),
        ),
        Head::Regression => towers(
            grid.regression.widths.as_ref(),
            model.regression.unwrap_or(preset.regression),
        ),
        Head::Segmentation => encoders(config, grid, &model, &preset),
    };
    let mut once: Vec<Candidate> = Vec::new();
    for candidate in all {
        if !once.contains(&candidate) {
            once.push(candidate);
        }
    }
    once
}

/// Multiples of the widths, as deep as they are and one layer less deep.
fn towers(listed: Option<&Vec<Vec<u16>>>, around: Vec<u16>) -> Vec<Candidate> {
    let tower = |units: &[u16]| Candidate::Tower { units: units.to_vec() };
    if let Some(listed) = listed {
        return listed.iter().map(|units| tower(units)).collect();
    }
    let scaled = TOWER_MULTIPLES.map(|multiple| around.iter().map(|&width| times(width, multiple)).collect::<Vec<_>>());
    let shallower = around.len().saturating_sub(1).max(1);
    scaled
        .iter()
        .flat_map(|units| [tower(units), tower(&units[..shallower.min(units.len())])])
        .collect()
}

/// Multiples of the channels; blocks as they are, none, and one more at the eighth, where a block costs the least.
fn encoders(config: &Config, grid: &SweepConfig, model: &ModelConfig, preset: &EdgeWidths) -> Vec<Candidate> {
    let array = |list: &Option<Vec<u16>>| list.as_ref().and_then(|list| list[..].try_into().ok());
    let around: [u16; 5] = array(&model.segmentation).unwrap_or(preset.segmentation);
    let depth = model.segmentation_blocks.as_ref();
    let depth: [u8; 4] = depth
        .and_then(|list| list[..].try_into().ok())
        .unwrap_or(preset.segmentation_blocks);
    let grid = &grid.segmentation;
    let widths = grid.widths.clone().unwrap_or_else(|| {
        let scaled = ENCODER_MULTIPLES.map(|multiple| around.map(|width| times(width, multiple)));
        scaled.to_vec()
    });
    let deeper = [depth[0], depth[1].saturating_add(1), depth[2], depth[3]];
    let depths = grid.blocks.clone().unwrap_or_else(|| vec![depth, [0; 4], deeper]);
    let size = config.segmentation.as_ref().map_or([0, 0], |section| section.size);
    let sizes = grid.sizes.clone().unwrap_or_else(|| vec![size]);
    let mut all = Vec::new();
    for &size in &sizes {
        for &blocks in &depths {
            all.extend(
                widths
                    .iter()
                    .map(|&channels| Candidate::Encoder { channels, blocks, size }),
            );
        }
    }
    all
}

/// A multiple of a width, rounded to what the kernels like.
fn times(width: u16, multiple: f64) -> u16 {
    ((f64::from(width) * multiple / WIDTH_STEP).round() * WIDTH_STEP).max(WIDTH_STEP) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(config: &Config, head: Head) -> Vec<String> {
        candidates(config, head).iter().map(Candidate::name).collect()
    }

    #[test]
    fn the_default_grid_lies_around_the_preset() {
        let config = Config::builtin();
        let classification = names(&config, Head::Classification);
        assert_eq!(
            classification,
            ["48-24", "48", "72-36", "72", "96-48", "96", "144-72", "144"]
        );
        let segmentation = names(&config, Head::Segmentation);
        assert_eq!(segmentation.len(), 15);
        assert!(segmentation.contains(&"12-20-28-40-8_1.1.1.1_32x32".to_owned()));
        assert!(segmentation.contains(&"8-12-16-20-4_0.0.0.0_32x32".to_owned()));
        assert!(segmentation.contains(&"20-32-44-60-12_1.2.1.1_32x32".to_owned()));
    }

    #[test]
    fn lists_replace_the_grid_and_repetitions_are_dropped() {
        let mut config = Config::builtin();
        config.sweep = Some(SweepConfig::default());
        let sweep = config.sweep.as_mut().unwrap();
        sweep.regression.widths = Some(vec![vec![8, 4], vec![], vec![8, 4]]);
        sweep.segmentation.widths = Some(vec![[4, 4, 4, 4, 4]]);
        sweep.segmentation.sizes = Some(vec![[16, 16], [32, 32]]);
        sweep.segmentation.blocks = Some(vec![[1; 4]]);
        assert_eq!(names(&config, Head::Regression), ["8-4", "linear"]);
        assert_eq!(
            names(&config, Head::Segmentation),
            ["4-4-4-4-4_1.1.1.1_16x16", "4-4-4-4-4_1.1.1.1_32x32"]
        );
    }

    #[test]
    fn a_candidate_changes_its_own_head() {
        let mut config = restricted(&Config::builtin(), &[Head::Segmentation]);
        assert!(config.classification.is_none() && config.regression.is_none());
        let candidate = Candidate::Encoder {
            channels: [4; 5],
            blocks: [0; 4],
            size: [16, 24],
        };
        candidate.apply(Head::Segmentation, &mut config);
        assert_eq!(config.segmentation.unwrap().size, [16, 24]);
        assert_eq!(config.model.unwrap().segmentation, Some(vec![4; 5]));
    }

    #[test]
    fn what_has_no_widths_to_vary_is_refused() {
        let mut config = Config::builtin();
        config.regression = None;
        assert!(matches!(
            heads(&config, &[Head::Regression]),
            Err(SweepError::NoData { head: "regression" })
        ));
        assert_eq!(heads(&config, &[]).unwrap(), [Head::Classification, Head::Segmentation]);
        config.train.preset = Preset::Seed;
        assert!(matches!(heads(&config, &[]), Err(SweepError::Preset { .. })));
    }
}
