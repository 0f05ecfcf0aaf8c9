//! What is measured: four networks that others were measured on too, and the heads of both presets.

use trident::spec::{
    Activation, Head, HeadSpec, InputSlot, InputSpec, Layer, LayerSpec, ModelSpec, Padding, PixelScale, Shape,
};

use crate::config::{Config, ModelConfig, TransformChoice};
use crate::data::{self, ClassificationData, DataError, Dataset};

/// A network to measure, by the data and settings that it would be trained with.
#[derive(Clone, Copy, Debug)]
pub struct Workload {
    /// Its name on the command line.
    pub name: &'static str,
    /// What it is, in words.
    pub what: &'static str,
    make: fn() -> Result<(Config, Dataset), DataError>,
}

/// All workloads. W1 and W3 are the first two heads of the preset `seed`.
///
/// W1 and W2 end in the classification head's own sigmoid, in `f32`; where others were measured, a table of int8 codes stands.
pub const WORKLOADS: &[Workload] = &[
    Workload {
        name: "W1",
        what: "10 readings, Linear 64, 32, 1: the classification head of `seed`",
        make: || random(Some(Head::Classification)),
    },
    Workload {
        name: "W2",
        what: "5 readings, Linear 64, 32, 1: a classification head",
        make: five_readings,
    },
    Workload {
        name: "W3",
        what: "32×32×3, two convolutions with pooling, Linear 3072: the segmentation head of `seed`",
        make: || random(Some(Head::Segmentation)),
    },
    Workload {
        name: "W4",
        what: "32×32×3, three separable convolutions, two upsamplings: a segmentation head",
        make: separable,
    },
    Workload {
        name: "seed/regression",
        what: "5 readings, Linear 64, 32, 1",
        make: || random(Some(Head::Regression)),
    },
    Workload {
        name: "edge/classification",
        what: "the classification head of `edge` on the built-in data",
        make: || builtin(Some(Head::Classification)),
    },
    Workload {
        name: "edge/segmentation",
        what: "the segmentation head of `edge` on the built-in data",
        make: || builtin(Some(Head::Segmentation)),
    },
    Workload {
        name: "edge/regression",
        what: "the regression head of `edge` on the built-in data",
        make: || builtin(Some(Head::Regression)),
    },
    Workload {
        name: "edge",
        what: "all heads of `edge` on the built-in data",
        make: || builtin(None),
    },
];

impl Workload {
    /// The workload of that name.
    pub fn named(name: &str) -> Option<&'static Self> {
        WORKLOADS.iter().find(|workload| workload.name == name)
    }

    /// Its settings and data.
    ///
    /// # Errors
    /// If built-in data cannot be read.
    pub fn make(&self) -> Result<(Config, Dataset), DataError> {
        (self.make)()
    }
}

/// Pictures that are made for calibration.
const PICTURES: usize = 64;

/// Uniform random data for one head of the preset `seed`.
fn random(only: Option<Head>) -> Result<(Config, Dataset), DataError> {
    let mut config = Config::random();
    if let Some(section) = &mut config.classification {
        section.transforms = TransformChoice::Standardise;
    }
    load(config, only)
}

/// The built-in data, for one head of the preset `edge` or for all.
fn builtin(only: Option<Head>) -> Result<(Config, Dataset), DataError> {
    load(Config::builtin(), only)
}

fn load(mut config: Config, only: Option<Head>) -> Result<(Config, Dataset), DataError> {
    let wanted = |head| only.is_none_or(|only| only == head);
    config.classification.take_if(|_| !wanted(Head::Classification));
    config.segmentation.take_if(|_| !wanted(Head::Segmentation));
    config.regression.take_if(|_| !wanted(Head::Regression));
    if let Some(section) = &mut config.segmentation {
        section.count = Some(PICTURES);
    }
    let dataset = data::load(&config)?;
    Ok((config, dataset))
}

/// Five readings, as the random data have for regression, to be classified.
fn five_readings() -> Result<(Config, Dataset), DataError> {
    let (mut config, ten) = random(Some(Head::Classification))?;
    let (_, five) = random(Some(Head::Regression))?;
    let classification = ten
        .classification
        .zip(five.regression)
        .map(|(labelled, read)| ClassificationData {
            readings: read.readings,
            ..labelled
        });
    config.regression = None;
    let dataset = Dataset {
        classification,
        ..Dataset::default()
    };
    Ok((config, dataset))
}

/// Depthwise and pointwise convolutions down to a quarter of the side and back up, to three probabilities per pixel.
fn separable() -> Result<(Config, Dataset), DataError> {
    let (mut config, dataset) = random(Some(Head::Segmentation))?;
    config.model = Some(ModelConfig {
        spec: Some(separable_spec()),
        ..ModelConfig::default()
    });
    Ok((config, dataset))
}

fn separable_spec() -> ModelSpec {
    let padding = Padding::Same;
    let conv = |filters, kernel, stride, activation| Layer::Conv2d {
        filters,
        kernel,
        stride,
        padding,
        activation,
        norm: false,
    };
    let depthwise = |stride| Layer::DepthwiseConv2d {
        kernel: 3,
        stride,
        padding,
        activation: Activation::Relu,
        norm: false,
    };
    let pointwise = |filters| conv(filters, 1, 1, Activation::Relu);
    let upsample = Layer::Upsample2d { factor: 2 };
    let layers = [
        conv(8, 3, 2, Activation::Relu),
        depthwise(2),
        pointwise(16),
        depthwise(1),
        pointwise(32),
        upsample,
        depthwise(1),
        pointwise(16),
        upsample,
        conv(3, 3, 1, Activation::Sigmoid),
    ];
    let last = layers.len() as u8;
    let each = |(value, layer): (u8, Layer)| LayerSpec {
        inputs: [value].into_iter().collect(),
        layer,
    };
    let picture = InputSpec {
        slot: InputSlot::Picture,
        shape: Shape::new(32, 32, 3),
        pixels: PixelScale::Unit,
    };
    let head = HeadSpec {
        head: Head::Segmentation,
        value: last,
    };
    ModelSpec {
        inputs: [picture].into_iter().collect(),
        layers: (0..).zip(layers).map(each).collect(),
        heads: [head].into_iter().collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::train::Plan;

    /// By their multiplications, which were published with the figures.
    #[test]
    fn the_four_networks_are_those_that_others_were_measured_on() {
        let macs = |name: &str| -> usize {
            let (config, dataset) = Workload::named(name).unwrap().make().unwrap();
            let plan = Plan::new(&config, &dataset).unwrap();
            let (spec, shapes) = (plan.spec(), plan.spec().shapes().unwrap());
            let layers = spec.layers.iter().zip(&shapes[spec.inputs.len()..]);
            layers
                .map(|(layer, &output)| layer.layer.macs(shapes[usize::from(layer.inputs[0])], output))
                .sum()
        };
        assert_eq!(["W1", "W2", "W3", "W4"].map(macs), [2_720, 2_400, 10_970_496, 757_248]);
    }

    #[test]
    fn names_are_different() {
        for (index, workload) in WORKLOADS.iter().enumerate() {
            assert!(WORKLOADS[..index].iter().all(|other| other.name != workload.name));
        }
    }
}
