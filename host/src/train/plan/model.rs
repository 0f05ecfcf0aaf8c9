//! What a plan trains: the preset's model, or the user's own, for the data that there are.

use trident::spec::{Head, InputSlot, ModelSpec, Shape};

use crate::config::{Config, Preset};
use crate::model::presets::{self, EdgeWidths, FusedWidths, PictureTask, RowTask, Tasks};
use crate::train::TrainError;
use crate::train::prepare::HeadData;

/// The model that the configuration asks for.
pub(super) fn make_spec(config: &Config, data: &[HeadData]) -> Result<ModelSpec, TrainError> {
    let own = config.model.as_ref().and_then(|model| model.spec.clone());
    let shape = |slot: InputSlot| data.iter().find(|data| data.slot() == slot).map(HeadData::shape);
    if config.train.preset != Preset::Fused && config.model.as_ref().is_some_and(|model| model.trunk.is_some()) {
        let preset = config.train.preset.name();
        return Err(TrainError::NoTrunk { preset });
    }
    if config.train.preset != Preset::Edge
        && config
            .model
            .as_ref()
            .is_some_and(|model| model.segmentation_blocks.is_some())
    {
        let preset = config.train.preset.name();
        return Err(TrainError::NoBlocks { preset });
    }
    if let Some(spec) = own {
        spec.shapes().map_err(|error| TrainError::OwnSpec(error.to_string()))?;
        for slot in InputSlot::ALL {
            let (needs, given) = (spec.input(slot), shape(slot));
            if needs != given {
                let say =
                    |shape: Option<Shape>| shape.map_or("nothing".to_owned(), |s| format!("{}×{}×{}", s.h, s.w, s.c));
                let problem = format!("its {slot:?} input is {}, the data give {}", say(needs), say(given));
                return Err(TrainError::OwnSpec(problem));
            }
        }
        return Ok(spec);
    }
    let tasks = tasks(data.iter());
    Ok(match config.train.preset {
        Preset::Edge => presets::edge(&tasks, &widths(config)?)?,
        Preset::Seed => presets::seed(&tasks)?,
        Preset::Fused => presets::fused(&tasks, &fused_widths(config)?)?,
    })
}

fn fused_widths(config: &Config) -> Result<FusedWidths, TrainError> {
    let mut widths = FusedWidths::default();
    let Some(model) = &config.model else {
        return Ok(widths);
    };
    let given = [
        (&mut widths.trunk, &model.trunk),
        (&mut widths.classification, &model.classification),
        (&mut widths.regression, &model.regression),
    ];
    for (units, given) in given {
        if let Some(given) = given {
            units.clone_from(given);
        }
    }
    if let Some(channels) = &model.segmentation {
        widths.segmentation = channels[..].try_into().map_err(|_| TrainError::Widths {
            key: "segmentation",
            expected: widths.segmentation.len(),
            found: channels.len(),
        })?;
    }
    Ok(widths)
}

/// What the heads of these data are.
pub(super) fn tasks<'a, 'd: 'a>(data: impl Iterator<Item = &'a HeadData<'d>>) -> Tasks {
    let mut tasks = Tasks::default();
    for data in data {
        let (shape, classes) = (data.shape(), data.class_counts().len() as u16);
        match data.head {
            Head::Classification => {
                let inputs = shape.c;
                tasks.classification = Some(RowTask { inputs, classes });
            }
            Head::Segmentation => {
                tasks.segmentation = Some(PictureTask {
                    height: shape.h,
                    width: shape.w,
                    classes,
                });
            }
            Head::Regression => tasks.regression = Some(shape.c),
        }
    }
    tasks
}

/// The widths of the preset `edge`, with the configuration's changes.
///
/// # Errors
/// A list of the wrong length.
pub fn widths(config: &Config) -> Result<EdgeWidths, TrainError> {
    let mut widths = EdgeWidths::default();
    let Some(model) = &config.model else {
        return Ok(widths);
    };
    if let Some(units) = &model.classification {
        widths.classification.clone_from(units);
    }
    if let Some(units) = &model.regression {
        widths.regression.clone_from(units);
    }
    if let Some(channels) = &model.segmentation {
        widths.segmentation = channels[..].try_into().map_err(|_| TrainError::Widths {
            key: "segmentation",
            expected: widths.segmentation.len(),
            found: channels.len(),
        })?;
    }
    if let Some(blocks) = &model.segmentation_blocks {
        widths.segmentation_blocks = blocks[..].try_into().map_err(|_| TrainError::Widths {
            key: "segmentation_blocks",
            expected: widths.segmentation_blocks.len(),
            found: blocks.len(),
        })?;
    }
    Ok(widths)
}
