//! What a plan trains on: transforms fitted to the training rows, and every head's rows.

use trident::input::Segment;
use trident::spec::Head;

use crate::config::{Config, TransformChoice};
use crate::data::{Dataset, Readings};
use crate::run;
use crate::train::TrainError;
use crate::train::prepare::HeadData;
use crate::train::recipe::Recipe;
use crate::transform::{self, FeatureTransform, InputTransform, ModelInput};

/// Fits transforms to the training rows and applies them.
pub(super) fn prepare<'d>(
    config: &Config,
    dataset: &'d Dataset,
    demonstration: bool,
) -> Result<(run::Transforms, Vec<HeadData<'d>>), TrainError> {
    let mut transforms = run::Transforms::default();
    for head in Head::ALL {
        let rows = match head {
            Head::Classification => dataset
                .classification
                .as_ref()
                .map(|data| (Some(&data.readings), &data.split)),
            Head::Segmentation => dataset.segmentation.as_ref().map(|data| (None, &data.split)),
            Head::Regression => dataset
                .regression
                .as_ref()
                .map(|data| (Some(&data.readings), &data.split)),
        };
        let Some((readings, split)) = rows else { continue };
        if split.train.is_empty() {
            return Err(TrainError::NoRows { head: head.name() });
        }
        let choice = match head {
            Head::Classification => config.classification.as_ref().map(|section| &section.transforms),
            _ => config.regression.as_ref().map(|section| &section.transforms),
        };
        let transform = readings.map(|readings| match demonstration {
            true => Ok(unchanged(readings)),
            false => transform::fit(readings, &split.train, choice.unwrap_or(&TransformChoice::Auto), head),
        });
        let head_error = |source| TrainError::Transform {
            head: head.name(),
            source,
        };
        let transform = transform.transpose().map_err(head_error)?;
        match head {
            Head::Classification => transforms.classification = transform,
            Head::Regression => transforms.regression = transform,
            Head::Segmentation => {}
        }
    }
    let of_head = |head| {
        let mut data = HeadData::with_transforms(dataset, head, &transforms)?;
        if Recipe::new(&config.train, head).train_on_validation {
            data.train_on_validation();
        }
        Some(data)
    };
    let mut data: Vec<HeadData> = Head::ALL.into_iter().filter_map(of_head).collect();
    if demonstration {
        data.iter_mut().for_each(HeadData::train_on_all);
    }
    transforms.target = data
        .iter()
        .find(|data| data.head == Head::Regression)
        .map(HeadData::target);
    Ok((transforms, data))
}

/// Readings as they are, one model input each: the original demo scales nothing.
fn unchanged(readings: &Readings) -> InputTransform {
    let input = |feature| ModelInput {
        feature,
        transform: FeatureTransform::Standardise,
        segments: vec![Segment {
            start: 0.0,
            base: 0.0,
            slope: 1.0,
        }],
    };
    let features = readings.features.len();
    InputTransform {
        readings: features,
        inputs: (0..features).map(input).collect(),
    }
}
