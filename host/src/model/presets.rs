//! Ready-made models: what `preset = "edge"`, `"seed"` and `"fused"` stand for.
//!
//! A preset turns what the data looks like ([`Tasks`]) into a [`ModelSpec`]. In [`edge`] and [`seed`] each head is a tower of its
//! own: the towers share nothing, so each can be trained, run and measured alone. In [`fused`](fused()) all heads stand on one
//! trunk.

mod fused;

use trident::spec::{
    Activation, Head, HeadSpec, InputSlot, InputSpec, Layer, LayerSpec, ModelSpec, Padding, PixelScale, Shape,
    SpecError,
};

pub use fused::{FusedWidths, fused};

/// The classification of a row of readings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RowTask {
    /// Model inputs per row, after the feature transforms.
    pub inputs: u16,
    /// Labels, two or more; two share one logit.
    pub classes: u16,
}

/// The segmentation of a picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct PictureTask {
    /// Rows of a picture.
    pub height: u16,
    /// Columns of a picture.
    pub width: u16,
    /// Classes of a pixel, two or more.
    pub classes: u16,
}

/// What a model is asked to do; at least one task is there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tasks {
    /// A class per row.
    pub classification: Option<RowTask>,
    /// A class per pixel.
    pub segmentation: Option<PictureTask>,
    /// A number per row: how many model inputs a row has, after the feature transforms.
    pub regression: Option<u16>,
}

/// Widths of the `edge` preset.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct EdgeWidths {
    /// Hidden units of the classification tower, layer by layer.
    pub classification: Vec<u16>,
    /// Hidden units of the regression tower, layer by layer.
    pub regression: Vec<u16>,
    /// Channels of the segmentation tower: at a half, a half, a quarter and an eighth of the picture's side, and at full size.
    pub segmentation: [u16; 5],
    /// Residual blocks of the segmentation tower: at a quarter and an eighth of the side on the way down, at a quarter and a half
    /// on the way up.
    pub segmentation_blocks: [u8; 4],
}

impl Default for EdgeWidths {
    fn default() -> Self {
        Self {
            classification: vec![96, 48],
            regression: vec![64, 64, 32],
            segmentation: [12, 20, 28, 40, 8],
            segmentation_blocks: [1; 4],
        }
    }
}

/// Why a preset cannot serve the data.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum PresetError {
    /// A trunk needs something to bring together.
    #[error(
        "preset `fused` shares one trunk between heads, but there are data for one head only; add another section, or choose \
         preset `edge`"
    )]
    OneTask,
    /// The segmentation tower halves the picture three times.
    #[error(
        "the preset needs picture sides divisible by 8, not {height}×{width}; the nearest sizes are {}; set \
         `size` under [segmentation], or choose preset `seed`",
        nearest_sizes(*height, *width)
    )]
    SideNotDivisible {
        /// Rows of a picture.
        height: u16,
        /// Columns of a picture.
        width: u16,
    },
    /// The resulting model breaks a rule of [`ModelSpec::shapes`].
    #[error("the preset makes no valid model of this data: {0}; change the picture's size or the widths")]
    Spec(#[from] SpecError),
    /// More layers than a model may have.
    #[error("the widths ask for more than {} layers", trident::spec::MAX_LAYERS)]
    TooManyLayers,
}

/// Two small towers for the rows and a depthwise-separable encoder-decoder with additive skips for the picture.
///
/// # Errors
/// If a picture's sides are not divisible by 8, or the widths make no valid model.
pub fn edge(tasks: &Tasks, widths: &EdgeWidths) -> Result<ModelSpec, PresetError> {
    let mut tower = Towers::new(tasks, PixelScale::Centred)?;
    if let Some(task) = tasks.classification {
        let hidden = tower.hidden(InputSlot::Classification, &widths.classification)?;
        let logits = tower.linear(hidden, Shape::row(logits_of(task.classes)), Activation::None)?;
        tower.head(Head::Classification, logits)?;
    }
    if let Some(task) = tasks.segmentation {
        if !task.height.is_multiple_of(8) || !task.width.is_multiple_of(8) {
            return Err(PresetError::SideNotDivisible {
                height: task.height,
                width: task.width,
            });
        }
        let logits = tower.encoder_decoder(widths, task.classes)?;
        tower.head(Head::Segmentation, logits)?;
    }
    if tasks.regression.is_some() {
        let hidden = tower.hidden(InputSlot::Regression, &widths.regression)?;
        let number = tower.linear(hidden, Shape::row(1), Activation::None)?;
        tower.head(Head::Regression, number)?;
    }
    tower.finish()
}

/// The original demo, layer for layer. Its segmentation tower ends in a layer of one unit per pixel and class, which alone
/// holds seven million weights at 32×32×3: a model for boards with external flash.
///
/// # Errors
/// If a picture is too small for two unpadded convolutions and two poolings.
pub fn seed(tasks: &Tasks) -> Result<ModelSpec, PresetError> {
    let mut tower = Towers::new(tasks, PixelScale::Unit)?;
    if let Some(task) = tasks.classification {
        let hidden = tower.hidden(InputSlot::Classification, &[64, 32])?;
        let logits = tower.linear(hidden, Shape::row(logits_of(task.classes)), Activation::None)?;
        tower.head(Head::Classification, logits)?;
    }
    if let Some(task) = tasks.segmentation {
        let mut map = tower.input(InputSlot::Picture);
        for filters in [32, 64] {
            map = tower.conv(map, filters, 3, 1, Padding::Valid, Activation::Relu, false)?;
            map = tower.push(&[map], Layer::MaxPool2d { size: 2 })?;
        }
        let out = Shape::new(task.height, task.width, task.classes);
        let probabilities = tower.linear(map, out, Activation::Sigmoid)?;
        tower.head(Head::Segmentation, probabilities)?;
    }
    if tasks.regression.is_some() {
        let hidden = tower.hidden(InputSlot::Regression, &[64, 32])?;
        let number = tower.linear(hidden, Shape::row(1), Activation::None)?;
        tower.head(Head::Regression, number)?;
    }
    tower.finish()
}

/// Two labels share one logit.
fn logits_of(classes: u16) -> u16 {
    if classes == 2 { 1 } else { classes }
}

fn nearest_sizes(height: u16, width: u16) -> String {
    let around = |n: u16| {
        let below = n / 8 * 8;
        if below == 0 { vec![8] } else { vec![below, below + 8] }
    };
    if height == width {
        let sizes: Vec<String> = around(height).into_iter().map(|n| format!("{n}×{n}")).collect();
        return sizes.join(" and ");
    }
    let nearest = |n: u16| around(n).into_iter().min_by_key(|&m| m.abs_diff(n)).unwrap_or(8);
    format!("{}×{} and multiples of 8", nearest(height), nearest(width))
}

/// Lays one layer behind another and hands out value numbers.
struct Towers {
    spec: ModelSpec,
}

impl Towers {
    fn new(tasks: &Tasks, pixels: PixelScale) -> Result<Self, PresetError> {
        let picture = |task: PictureTask| Shape::new(task.height, task.width, 3);
        let slots = [
            (
                InputSlot::Classification,
                tasks.classification.map(|task| Shape::row(task.inputs)),
            ),
            (InputSlot::Picture, tasks.segmentation.map(picture)),
            (InputSlot::Regression, tasks.regression.map(Shape::row)),
        ];
        let inputs = slots
            .into_iter()
            .filter_map(|(slot, shape)| shape.map(|shape| InputSpec { slot, shape, pixels }))
            .collect();
        Ok(Self {
            spec: ModelSpec {
                inputs,
                layers: heapless::Vec::new(),
                heads: heapless::Vec::new(),
            },
        })
    }

    fn finish(self) -> Result<ModelSpec, PresetError> {
        self.spec.shapes()?;
        Ok(self.spec)
    }

    fn input(&self, slot: InputSlot) -> u8 {
        self.spec
            .inputs
            .iter()
            .position(|input| input.slot == slot)
            .unwrap_or(0) as u8
    }

    fn push(&mut self, inputs: &[u8], layer: Layer) -> Result<u8, PresetError> {
        let number = (self.spec.inputs.len() + self.spec.layers.len()) as u8;
        let inputs = inputs.iter().copied().collect();
        self.spec
            .layers
            .push(LayerSpec { inputs, layer })
            .map_err(|_| PresetError::TooManyLayers)?;
        Ok(number)
    }

    fn head(&mut self, head: Head, value: u8) -> Result<(), PresetError> {
        self.spec
            .heads
            .push(HeadSpec { head, value })
            .map_err(|_| PresetError::Spec(SpecError::Duplicate))
    }

    fn linear(&mut self, from: u8, out: Shape, activation: Activation) -> Result<u8, PresetError> {
        self.push(&[from], Layer::Linear { out, activation })
    }

    fn hidden(&mut self, slot: InputSlot, widths: &[u16]) -> Result<u8, PresetError> {
        let input = self.input(slot);
        widths.iter().try_fold(input, |from, &width| {
            self.linear(from, Shape::row(width), Activation::Relu)
        })
    }

    #[expect(clippy::too_many_arguments, reason = "the fields of Layer::Conv2d, in their order")]
    fn conv(
        &mut self,
        from: u8,
        filters: u16,
        kernel: u8,
        stride: u8,
        padding: Padding,
        activation: Activation,
        norm: bool,
    ) -> Result<u8, PresetError> {
        self.push(
            &[from],
            Layer::Conv2d {
                filters,
                kernel,
                stride,
                padding,
                activation,
                norm,
            },
        )
    }

    fn pointwise(&mut self, from: u8, filters: u16, activation: Activation) -> Result<u8, PresetError> {
        self.conv(from, filters, 1, 1, Padding::Same, activation, true)
    }

    fn depthwise(&mut self, from: u8, stride: u8) -> Result<u8, PresetError> {
        self.push(
            &[from],
            Layer::DepthwiseConv2d {
                kernel: 3,
                stride,
                padding: Padding::Same,
                activation: Activation::Relu,
                norm: true,
            },
        )
    }

    /// As many residual blocks, one behind the other.
    fn residuals(&mut self, from: u8, filters: u16, blocks: u8) -> Result<u8, PresetError> {
        (0..blocks).try_fold(from, |from, _| self.residual(from, filters))
    }

    /// A depthwise and a pointwise convolution whose result is added to what they read.
    fn residual(&mut self, from: u8, filters: u16) -> Result<u8, PresetError> {
        let spread = self.depthwise(from, 1)?;
        let mixed = self.pointwise(spread, filters, Activation::None)?;
        self.add(from, mixed)
    }

    fn add(&mut self, one: u8, other: u8) -> Result<u8, PresetError> {
        let activation = Activation::Relu;
        self.push(&[one, other], Layer::Add { activation })
    }

    /// Narrows `from`, doubles its sides and adds `skip`.
    fn rise(&mut self, from: u8, filters: u16, skip: u8) -> Result<u8, PresetError> {
        let narrow = self.pointwise(from, filters, Activation::None)?;
        let wide = self.push(&[narrow], Layer::Upsample2d { factor: 2 })?;
        self.add(wide, skip)
    }

    fn encoder_decoder(&mut self, widths: &EdgeWidths, classes: u16) -> Result<u8, PresetError> {
        let [c0, c1, c2, c3, full] = widths.segmentation;
        let [quarter_down, eighth_down, quarter_up, half_up] = widths.segmentation_blocks;
        let picture = self.input(InputSlot::Picture);
        let stem = self.conv(picture, c0, 3, 2, Padding::Same, Activation::Relu, true)?;
        let spread = self.depthwise(stem, 1)?;
        let half = self.pointwise(spread, c1, Activation::Relu)?;
        let spread = self.depthwise(half, 2)?;
        let quarter = self.pointwise(spread, c2, Activation::Relu)?;
        let quarter = self.residuals(quarter, c2, quarter_down)?;
        let spread = self.depthwise(quarter, 2)?;
        let eighth = self.pointwise(spread, c3, Activation::Relu)?;
        let eighth = self.residuals(eighth, c3, eighth_down)?;

        let up = self.rise(eighth, c2, quarter)?;
        let up = self.residuals(up, c2, quarter_up)?;
        let up = self.rise(up, c1, half)?;
        let up = self.residuals(up, c1, half_up)?;
        let colours = self.pointwise(picture, full, Activation::None)?;
        let up = self.rise(up, full, colours)?;
        let spread = self.depthwise(up, 1)?;
        self.conv(spread, classes, 1, 1, Padding::Same, Activation::None, false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const DEMO: Tasks = Tasks {
        classification: Some(RowTask { inputs: 10, classes: 2 }),
        segmentation: Some(PictureTask {
            height: 32,
            width: 32,
            classes: 3,
        }),
        regression: Some(5),
    };

    /// Parameters and multiplications that a head needs.
    fn cost(spec: &ModelSpec, head: Head) -> (usize, usize) {
        let shapes = spec.shapes().unwrap();
        let need = spec.heads_of_values();
        let base = spec.inputs.len();
        let of_head = (0..spec.layers.len()).filter(|i| need[base + i].contains(head));
        of_head.fold((0, 0), |(parameters, macs), i| {
            let layer = &spec.layers[i];
            let input = shapes[usize::from(layer.inputs[0])];
            (
                parameters + layer.layer.parameters(input),
                macs + layer.layer.macs(input, shapes[base + i]),
            )
        })
    }

    #[test]
    fn seed_has_the_original_parameter_counts() {
        let spec = seed(&DEMO).unwrap();
        let parameters: Vec<usize> = Head::ALL.into_iter().map(|head| cost(&spec, head).0).collect();
        assert_eq!(parameters, [2_817, 7_100_352, 2_497]);
        assert_eq!(parameters.iter().sum::<usize>(), 7_105_666);
    }

    #[test]
    fn edge_segmentation_is_small() {
        let spec = edge(&DEMO, &EdgeWidths::default()).unwrap();
        let (parameters, macs) = cost(&spec, Head::Segmentation);
        assert_eq!(parameters, 9_823);
        assert!(macs <= 800_000, "{macs} multiplications");
        let shapes = spec.shapes().unwrap();
        let value = spec
            .heads
            .iter()
            .find(|head| head.head == Head::Segmentation)
            .unwrap()
            .value;
        assert_eq!(shapes[usize::from(value)], Shape::new(32, 32, 3));
    }

    #[test]
    fn three_labels_have_three_logits() {
        let tasks = Tasks {
            classification: Some(RowTask { inputs: 4, classes: 3 }),
            ..Tasks::default()
        };
        let spec = edge(&tasks, &EdgeWidths::default()).unwrap();
        let last = spec.shapes().unwrap().last().copied();
        assert_eq!(last, Some(Shape::row(3)));
    }

    #[test]
    fn odd_sizes_are_refused_with_the_nearest_ones() {
        let tasks = |height, width| Tasks {
            segmentation: Some(PictureTask {
                height,
                width,
                classes: 3,
            }),
            ..Tasks::default()
        };
        let refuse = |height, width| {
            edge(&tasks(height, width), &EdgeWidths::default())
                .unwrap_err()
                .to_string()
        };
        assert!(refuse(50, 50).contains("48×48 and 56×56"), "{}", refuse(50, 50));
        assert!(refuse(60, 32).contains("56×32"), "{}", refuse(60, 32));
        for side in [48, 64] {
            edge(&tasks(side, side), &EdgeWidths::default()).unwrap();
        }
        assert!(matches!(seed(&tasks(4, 4)), Err(PresetError::Spec(_))));
    }
}
