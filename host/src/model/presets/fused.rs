//! The preset `fused`: one trunk that all heads share.
//!
//! ```text
//! ten readings ──── Linear ─────────────┐
//! picture ─ encoder ┬─ flatten, Linear ─┼─ Concat ─ Linear … = trunk ─┬─ Linear … ─ class
//! five readings ────┼─ Linear ──────────┘                             ├─ Linear … ─ number
//!                   └─ Concat ◄──────────────────── Linear, as a map ─┘
//!                        └─ decoder ─ class per pixel
//! ```
//!
//! Every head sees every input, and every layer up to the trunk is trained by all of them. The decoder reads the trunk as a map
//! of the encoder's lowest size, laid beside the encoder's own, so that what readings tell about the whole picture reaches every
//! pixel.

use trident::spec::{Activation, Head, InputSlot, Layer, ModelSpec, Padding, PixelScale, Shape};

use super::{PictureTask, PresetError, Tasks, Towers, logits_of};

/// Sides that the picture's lowest map is pooled down to before it is flattened.
const FLATTENED_SIDE: u16 = 4;

/// Widths of the `fused` preset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FusedWidths {
    /// Units that each row of readings is embedded in.
    pub readings: u16,
    /// Units that the picture is embedded in.
    pub picture: u16,
    /// Channels of the picture's lowest map where it is flattened.
    pub flattened: u16,
    /// Units of the trunk, layer by layer.
    pub trunk: Vec<u16>,
    /// Units behind the trunk, layer by layer, for classification.
    pub classification: Vec<u16>,
    /// Units behind the trunk, layer by layer, for regression.
    pub regression: Vec<u16>,
    /// Channels of the map that the trunk hands to the decoder.
    pub context: u16,
    /// Channels of encoder and decoder: at a half, a half, a quarter and an eighth of the picture's side, and at full size.
    pub segmentation: [u16; 5],
}

impl Default for FusedWidths {
    fn default() -> Self {
        Self {
            readings: 24,
            picture: 24,
            flattened: 8,
            trunk: vec![56, 40],
            classification: vec![24],
            regression: vec![24],
            context: 6,
            segmentation: [12, 20, 28, 40, 8],
        }
    }
}

/// What the decoder needs of the encoder.
struct Encoded {
    half: u8,
    quarter: u8,
    eighth: u8,
    sides: [u16; 2],
}

/// One trunk over embeddings of all inputs; every head stands on it.
///
/// # Errors
/// If there are data for one head only, a picture's sides are not divisible by 8, or the widths make no valid model.
pub fn fused(tasks: &Tasks, widths: &FusedWidths) -> Result<ModelSpec, PresetError> {
    let mut tower = Towers::new(tasks, PixelScale::Centred)?;
    if tower.spec.inputs.len() < 2 {
        return Err(PresetError::OneTask);
    }
    let mut embeddings = Vec::new();
    if tasks.classification.is_some() {
        embeddings.push(tower.hidden(InputSlot::Classification, &[widths.readings])?);
    }
    let mut encoded = None;
    if let Some(task) = tasks.segmentation {
        let maps = tower.encoder(task, widths.segmentation)?;
        embeddings.push(tower.embedding(&maps, widths)?);
        encoded = Some(maps);
    }
    if tasks.regression.is_some() {
        embeddings.push(tower.hidden(InputSlot::Regression, &[widths.readings])?);
    }
    let (&first, others) = embeddings.split_first().ok_or(PresetError::OneTask)?;
    let all = others
        .iter()
        .try_fold(first, |all, &next| tower.push(&[all, next], Layer::Concat))?;
    let trunk = tower.dense(all, &widths.trunk)?;

    if let Some(task) = tasks.classification {
        let hidden = tower.dense(trunk, &widths.classification)?;
        let logits = tower.linear(hidden, Shape::row(logits_of(task.classes)), Activation::None)?;
        tower.head(Head::Classification, logits)?;
    }
    if let Some((task, maps)) = tasks.segmentation.zip(encoded) {
        let [h, w] = maps.sides;
        let context = tower.linear(trunk, Shape::new(h, w, widths.context), Activation::Relu)?;
        let logits = tower.decoder(&maps, context, widths.segmentation, task.classes)?;
        tower.head(Head::Segmentation, logits)?;
    }
    if tasks.regression.is_some() {
        let hidden = tower.dense(trunk, &widths.regression)?;
        let number = tower.linear(hidden, Shape::row(1), Activation::None)?;
        tower.head(Head::Regression, number)?;
    }
    tower.finish()
}

impl Towers {
    fn dense(&mut self, from: u8, widths: &[u16]) -> Result<u8, PresetError> {
        widths.iter().try_fold(from, |from, &width| {
            self.linear(from, Shape::row(width), Activation::Relu)
        })
    }

    fn encoder(&mut self, task: PictureTask, [c0, c1, c2, c3, _]: [u16; 5]) -> Result<Encoded, PresetError> {
        let PictureTask { height, width, .. } = task;
        if !height.is_multiple_of(8) || !width.is_multiple_of(8) {
            return Err(PresetError::SideNotDivisible { height, width });
        }
        let picture = self.input(InputSlot::Picture);
        let stem = self.conv(picture, c0, 3, 2, Padding::Same, Activation::Relu, true)?;
        let spread = self.depthwise(stem, 1)?;
        let half = self.pointwise(spread, c1, Activation::Relu)?;
        let spread = self.depthwise(half, 2)?;
        let quarter = self.pointwise(spread, c2, Activation::Relu)?;
        let quarter = self.residual(quarter, c2)?;
        let spread = self.depthwise(quarter, 2)?;
        let eighth = self.pointwise(spread, c3, Activation::Relu)?;
        let eighth = self.residual(eighth, c3)?;
        Ok(Encoded {
            half,
            quarter,
            eighth,
            sides: [height / 8, width / 8],
        })
    }

    /// The picture as a row: its lowest map narrowed, pooled where it is large, flattened.
    fn embedding(&mut self, maps: &Encoded, widths: &FusedWidths) -> Result<u8, PresetError> {
        let mut map = self.pointwise(maps.eighth, widths.flattened, Activation::Relu)?;
        let [h, w] = maps.sides;
        let size = h.max(w).div_ceil(FLATTENED_SIDE).min(h.min(w)).min(8);
        if size > 1 {
            map = self.push(&[map], Layer::MaxPool2d { size: size as u8 })?;
        }
        self.linear(map, Shape::row(widths.picture), Activation::Relu)
    }

    fn decoder(
        &mut self,
        maps: &Encoded,
        context: u8,
        [_, c1, c2, _, full]: [u16; 5],
        classes: u16,
    ) -> Result<u8, PresetError> {
        let lowest = self.push(&[maps.eighth, context], Layer::Concat)?;
        let up = self.rise(lowest, c2, maps.quarter)?;
        let up = self.residual(up, c2)?;
        let up = self.rise(up, c1, maps.half)?;
        let up = self.residual(up, c1)?;
        let picture = self.input(InputSlot::Picture);
        let colours = self.pointwise(picture, full, Activation::None)?;
        let up = self.rise(up, full, colours)?;
        let spread = self.depthwise(up, 1)?;
        self.conv(spread, classes, 1, 1, Padding::Same, Activation::None, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::presets::RowTask;
    use trident::spec::HeadSet;

    const TASKS: Tasks = Tasks {
        classification: Some(RowTask { inputs: 14, classes: 2 }),
        segmentation: Some(PictureTask {
            height: 32,
            width: 32,
            classes: 3,
        }),
        regression: Some(7),
    };

    #[test]
    fn every_head_stands_on_every_input() {
        let spec = fused(&TASKS, &FusedWidths::default()).unwrap();
        let need = spec.heads_of_values();
        assert!(need[..3].iter().all(|&heads| heads == HeadSet::ALL));
        let shared = need.iter().filter(|&&heads| heads == HeadSet::ALL).count();
        assert!(shared > 15, "{shared} of {} values", need.len());
        for head in Head::ALL {
            assert!(need.contains(&head.into()), "{head:?} has layers of its own");
        }
    }

    #[test]
    fn it_takes_any_two_tasks_and_refuses_one() {
        let without = |head| {
            let mut tasks = TASKS;
            match head {
                Head::Classification => tasks.classification = None,
                Head::Segmentation => tasks.segmentation = None,
                Head::Regression => tasks.regression = None,
            }
            tasks
        };
        for head in Head::ALL {
            let spec = fused(&without(head), &FusedWidths::default()).unwrap();
            assert_eq!((spec.inputs.len(), spec.heads.len()), (2, 2), "without {head:?}");
        }
        let alone = Tasks {
            regression: None,
            ..without(Head::Segmentation)
        };
        let error = fused(&alone, &FusedWidths::default()).unwrap_err();
        assert!(error.to_string().contains("preset `edge`"), "{error}");
    }

    #[test]
    fn large_and_long_pictures_are_pooled() {
        for (height, width) in [(8, 8), (16, 64), (96, 96), (8, 256), (160, 160)] {
            let tasks = Tasks {
                segmentation: Some(PictureTask {
                    height,
                    width,
                    classes: 3,
                }),
                ..TASKS
            };
            let spec = fused(&tasks, &FusedWidths::default()).unwrap();
            let shapes = spec.shapes().unwrap();
            let logits = spec.heads.iter().find(|head| head.head == Head::Segmentation).unwrap();
            assert_eq!(shapes[usize::from(logits.value)], Shape::new(height, width, 3));
        }
    }
}
