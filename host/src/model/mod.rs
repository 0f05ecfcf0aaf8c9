//! The trainable model, made from a [`ModelSpec`] alone.
//!
//! [`ModelState`] holds a model's numbers, [`Model`] runs and trains them with Burn, [`FoldedModel`] hands them to the
//! quantiser in the device's order. Inside [`Model`] pictures are `[n, c, h, w]`; whatever leaves it through
//! [`Model::values`] has the device's order, `[h, w, c]`.

mod convolution;
pub mod folded;
mod layer;
pub mod presets;
pub(crate) mod rounding;
pub mod state;
mod walk;

use burn::module::{Module, ParamId, list_param_ids};
use burn::tensor::activation::{relu, sigmoid};
use burn::tensor::module::{interpolate, max_pool2d};
use burn::tensor::ops::{InterpolateMode, InterpolateOptions, MaxPoolOptions};
use burn::tensor::{Device, Tensor, TensorData};
use trident::spec::{Activation, HeadSet, InputSlot, InputSpec, Layer, ModelSpec, Shape};

use crate::quantize::ranges::Ranges;
use convolution::Window;
pub use folded::{FoldedModel, LayerWeights};
pub use layer::BatchStatistics;
pub(crate) use layer::numbers;
use layer::{Block, Conv, Linear, Parameters};
use rounding::Rounding;
pub use state::{Initializer, LayerState, ModelState, NormState};
pub(crate) use walk::Walk;

/// How many rows [`Model::values`] computes at a time.
pub(crate) const ROWS_AT_ONCE: usize = 64;

/// A model as a Burn module: one entry per layer of its spec.
#[derive(Module, Debug)]
pub struct Model {
    #[module(skip)]
    spec: ModelSpec,
    #[module(skip)]
    shapes: Vec<Shape>,
    blocks: Vec<Option<Block>>,
    /// Of a model that computes with int8's numbers.
    rounding: Option<Rounding>,
}

/// A value inside the model.
#[derive(Clone, Debug)]
pub enum Value {
    /// `[n, features]`.
    Row(Tensor<2>),
    /// `[n, c, h, w]`.
    Map(Tensor<4>),
}

/// Tensors for a forward pass; a value that needs an absent one is absent too.
#[derive(Clone, Debug, Default)]
pub struct ModelInputs {
    /// `[n, inputs]`.
    pub classification: Option<Tensor<2>>,
    /// `[n, 3, h, w]`, in the real numbers that pixels stand for.
    pub picture: Option<Tensor<4>>,
    /// `[n, inputs]`.
    pub regression: Option<Tensor<2>>,
}

/// Rows in plain memory.
#[derive(Clone, Debug, Default)]
pub struct HostInputs {
    /// How many rows.
    pub rows: usize,
    /// `rows × inputs` model inputs, after the feature transforms.
    pub classification: Option<Vec<f32>>,
    /// `rows × [h, w, 3]` bytes.
    pub picture: Option<Vec<u8>>,
    /// `rows × inputs` model inputs, after the feature transforms.
    pub regression: Option<Vec<f32>>,
}

/// Which hidden units a training step leaves out.
pub trait Dropout {
    /// Multipliers for `rows × units` outputs of layer `layer`: zero, or the inverse of the share that is kept.
    fn mask(&self, layer: usize, rows: usize, units: usize) -> Vec<f32>;
}

/// What a pass is for.
#[derive(Clone, Copy, Default)]
pub enum Pass<'a> {
    /// Batch normalisation by running statistics.
    #[default]
    Evaluate,
    /// Batch normalisation by the batch, and dropout behind hidden linear layers if there is one.
    Train(Option<&'a dyn Dropout>),
}

impl Model {
    /// Loads a state onto a device; on an autodiff device the weights are trainable.
    ///
    /// # Panics
    /// If the state does not belong to a valid spec.
    pub fn new(state: &ModelState, device: &Device) -> Self {
        Self::with_parameters(state, &mut Parameters::new(device))
    }

    fn with_parameters(state: &ModelState, parameters: &mut Parameters) -> Self {
        let shapes = state.spec.shapes().expect("a valid model").to_vec();
        let inputs = state.spec.inputs.len();
        let blocks = state
            .layers
            .iter()
            .enumerate()
            .map(|(index, numbers)| {
                let numbers = numbers.as_ref()?;
                let out = shapes[inputs + index];
                Some(match window(&state.spec.layers[index].layer) {
                    Some(window) => Block::Conv(Conv::new(numbers, out.c.into(), window, parameters)),
                    None => Block::Linear(Linear::new(numbers, out.len(), parameters)),
                })
            })
            .collect();
        Self {
            spec: state.spec.clone(),
            shapes,
            blocks,
            rounding: None,
        }
    }

    /// Loads a folded model, to evaluate it in float.
    pub fn from_folded(folded: &FoldedModel, device: &Device) -> Self {
        Self::new(&folded.to_state(), device)
    }

    /// Loads a folded model that computes, in float, with the numbers that int8 rounds to. `growth` has one number per slot of
    /// `ranges`: how far training has widened it, as a natural logarithm; empty if it has not.
    pub fn rounded(folded: &FoldedModel, ranges: &Ranges, growth: &[f32], device: &Device) -> Self {
        let mut parameters = Parameters::new(device);
        let model = Self::with_parameters(&folded.to_state(), &mut parameters);
        Self {
            rounding: Some(Rounding::new(ranges, growth, &mut parameters)),
            ..model
        }
    }

    /// How far training has widened each range of a model that rounds; empty for any other.
    pub fn growth(&self) -> Vec<f32> {
        self.rounding.as_ref().map_or_else(Vec::new, Rounding::growth)
    }

    /// What it was made from.
    pub fn spec(&self) -> &ModelSpec {
        &self.spec
    }

    /// Every value's shape, inputs first.
    pub fn shapes(&self) -> &[Shape] {
        &self.shapes
    }

    /// The numbers as they stand.
    pub fn state(&self) -> ModelState {
        ModelState {
            spec: self.spec.clone(),
            layers: self
                .blocks
                .iter()
                .map(|block| block.as_ref().map(Block::state))
                .collect(),
        }
    }

    /// The weights in the device's order, batch normalisation folded.
    pub fn folded(&self) -> FoldedModel {
        FoldedModel::from(&self.state())
    }

    /// Every value, inputs first, and the batch statistics that [`Model::absorb`] takes after a training step.
    pub fn forward(&self, inputs: &ModelInputs, pass: Pass) -> (Vec<Option<Value>>, Vec<BatchStatistics>) {
        self.forward_for(HeadSet::ALL, inputs, pass)
    }

    /// As [`Model::forward`], without the layers that none of `heads` needs.
    pub fn forward_for(
        &self,
        heads: HeadSet,
        inputs: &ModelInputs,
        pass: Pass,
    ) -> (Vec<Option<Value>>, Vec<BatchStatistics>) {
        let need = self.spec.heads_of_values();
        let first = self.spec.inputs.len();
        let mut walk = self.walk(inputs, pass);
        for layer in 0..self.spec.layers.len() {
            let needed = heads == HeadSet::ALL || need[first + layer].intersects(heads);
            let sum = if needed { walk.sum(layer) } else { None };
            walk.push(layer, sum);
        }
        walk.end()
    }

    /// A forward pass that its caller takes layer by layer.
    pub(crate) fn walk<'m>(&'m self, inputs: &ModelInputs, pass: Pass<'m>) -> Walk<'m> {
        let inputs = self.spec.inputs.iter().map(|input| inputs.value(input.slot)).collect();
        let rounding = self.rounding.as_ref().map(|rounding| rounding.settle(&self.folded()));
        Walk::new(self, inputs, pass, rounding)
    }

    /// Moves the running statistics of batch normalisation towards those of a batch.
    pub fn absorb(&mut self, statistics: Vec<BatchStatistics>) {
        for batch in statistics {
            if let Some(block) = &mut self.blocks[batch.layer] {
                block.absorb(batch);
            }
        }
    }

    /// Every value of every row, after its activation, in the device's order.
    ///
    /// # Shapes
    /// Per value `rows × [h, w, c]`; `None` where an input is absent.
    pub fn values(&self, inputs: &HostInputs) -> Vec<Option<Vec<f32>>> {
        let mut all: Vec<Option<Vec<f32>>> = vec![None; self.shapes.len()];
        let mut start = 0;
        while start < inputs.rows {
            let end = inputs.rows.min(start + ROWS_AT_ONCE);
            let tensors = inputs.tensors(&self.spec, start..end, &self.device());
            let (values, _) = self.forward(&tensors, Pass::Evaluate);
            for (all, value) in all.iter_mut().zip(values) {
                if let Some(value) = value {
                    all.get_or_insert_default().extend(value.into_numbers());
                }
            }
            start = end;
        }
        all
    }

    /// One value of every row: see [`Model::values`].
    ///
    /// # Panics
    /// If the value's input is absent.
    pub fn value(&self, number: usize, inputs: &HostInputs) -> Vec<f32> {
        let mut all = Vec::with_capacity(inputs.rows * self.shapes[number].len());
        let readers = self.spec.heads.iter().filter(|head| usize::from(head.value) == number);
        let readers = readers.fold(HeadSet::EMPTY, |heads, head| heads.with(head.head));
        let heads = if readers.is_empty() { HeadSet::ALL } else { readers };
        let mut start = 0;
        while start < inputs.rows {
            let end = inputs.rows.min(start + ROWS_AT_ONCE);
            let tensors = inputs.tensors(&self.spec, start..end, &self.device());
            let (mut values, _) = self.forward_for(heads, &tensors, Pass::Evaluate);
            all.extend(values.swap_remove(number).expect("the input is given").into_numbers());
            start = end;
        }
        all
    }

    /// Names of a layer's parameters.
    pub(crate) fn parameter_ids(&self, layer: usize) -> Vec<ParamId> {
        self.blocks[layer].as_ref().map(list_param_ids).unwrap_or_default()
    }

    /// Where it computes.
    pub(crate) fn device(&self) -> Device {
        self.devices().first().cloned().unwrap_or_else(Device::flex)
    }

    /// A layer with weights, a pooling or an upsampling, before its activation. `change` is added to weights and bias.
    fn apply(
        &self,
        index: usize,
        layer: &Layer,
        value: Value,
        change: Option<&LayerState>,
        pass: Pass,
        statistics: &mut Vec<BatchStatistics>,
    ) -> Value {
        match (layer, &self.blocks[index]) {
            (Layer::Linear { out, activation }, Some(Block::Linear(linear))) => {
                let rows = linear.forward(value.into_rows(), change);
                let hidden = *activation == Activation::Relu;
                Value::Row(rows).with_shape(*out).dropped(index, pass, hidden)
            }
            (&Layer::MaxPool2d { size }, _) => Value::Map(max_pool2d(
                value.into_map(),
                MaxPoolOptions::new([usize::from(size); 2]),
            )),
            (&Layer::Upsample2d { factor }, _) => Value::Map(upsample(value.into_map(), factor.into())),
            (layer, Some(Block::Conv(conv))) => {
                let window = window(layer).expect("a convolution");
                let (map, batch) = conv.forward(value.into_map(), window, change, matches!(pass, Pass::Train(_)));
                statistics.extend(batch.map(|batch| BatchStatistics::new(index, batch)));
                Value::Map(map)
            }
            _ => unreachable!("every layer with weights has its block"),
        }
    }
}

impl Value {
    /// `[n, features]`, a picture flattened in the order h, w, c.
    pub fn into_rows(self) -> Tensor<2> {
        match self {
            Value::Row(rows) => rows,
            Value::Map(map) => {
                let [n, c, h, w] = map.dims();
                map.permute([0, 2, 3, 1]).reshape([n, h * w * c])
            }
        }
    }

    /// `[n, c, h, w]`; a row becomes one pixel.
    pub fn into_map(self) -> Tensor<4> {
        match self {
            Value::Map(map) => map,
            Value::Row(rows) => {
                let [n, features] = rows.dims();
                rows.reshape([n, features, 1, 1])
            }
        }
    }

    /// `n` of its rows.
    pub fn narrow(self, first: usize, n: usize) -> Self {
        match self {
            Value::Row(rows) => Value::Row(rows.narrow(0, first, n)),
            Value::Map(map) => Value::Map(map.narrow(0, first, n)),
        }
    }

    /// Row-major `n × [h, w, c]`.
    pub fn into_numbers(self) -> Vec<f32> {
        numbers(self.into_rows())
    }

    fn with_shape(self, shape: Shape) -> Self {
        match self {
            Value::Row(rows) if (shape.h, shape.w) != (1, 1) => {
                let [n, _] = rows.dims();
                let [h, w, c] = [shape.h, shape.w, shape.c].map(usize::from);
                Value::Map(rows.reshape([n, h, w, c]).permute([0, 3, 1, 2]))
            }
            value => value,
        }
    }

    fn dropped(self, layer: usize, pass: Pass, hidden: bool) -> Self {
        match (self, pass) {
            (Value::Row(rows), Pass::Train(Some(dropout))) if hidden => {
                let [n, units] = rows.dims();
                let mask = TensorData::new(dropout.mask(layer, n, units), [n, units]);
                let mask = Tensor::from_data(mask, &rows.device());
                Value::Row(rows * mask)
            }
            (value, _) => value,
        }
    }
}

impl ModelInputs {
    fn value(&self, slot: InputSlot) -> Option<Value> {
        match slot {
            InputSlot::Classification => self.classification.clone().map(Value::Row),
            InputSlot::Picture => self.picture.clone().map(Value::Map),
            InputSlot::Regression => self.regression.clone().map(Value::Row),
        }
    }
}

impl HostInputs {
    /// Some rows as tensors.
    pub(crate) fn tensors(&self, spec: &ModelSpec, rows: std::ops::Range<usize>, device: &Device) -> ModelInputs {
        let input = |slot: InputSlot| spec.inputs.iter().find(|input| input.slot == slot);
        let readings = |slot: InputSlot, all: &Option<Vec<f32>>| {
            let n = input(slot)?.shape.len();
            let part = all.as_ref()?[rows.start * n..rows.end * n].to_vec();
            Some(Tensor::from_data(TensorData::new(part, [rows.len(), n]), device))
        };
        let picture = || {
            let input = input(InputSlot::Picture)?;
            let n = input.shape.len();
            let bytes = &self.picture.as_ref()?[rows.start * n..rows.end * n];
            Some(picture_tensor(bytes, input, device))
        };
        ModelInputs {
            classification: readings(InputSlot::Classification, &self.classification),
            picture: picture(),
            regression: readings(InputSlot::Regression, &self.regression),
        }
    }
}

/// Pictures as a tensor of the real numbers that their bytes stand for.
///
/// # Shapes
/// From `n × [h, w, c]` bytes to `[n, c, h, w]`.
pub fn picture_tensor(bytes: &[u8], input: &InputSpec, device: &Device) -> Tensor<4> {
    let [h, w, c] = [input.shape.h, input.shape.w, input.shape.c].map(usize::from);
    let (scale, zero_point) = input.pixels.quantization();
    let real: Vec<f32> = (0..=255u8)
        .map(|byte| (f32::from(byte) - 128.0 - f32::from(zero_point)) * scale)
        .collect();
    let mut numbers = Vec::with_capacity(bytes.len());
    for picture in bytes.chunks_exact(h * w * c) {
        for channel in 0..c {
            numbers.extend(
                picture
                    .iter()
                    .skip(channel)
                    .step_by(c)
                    .map(|&byte| real[usize::from(byte)]),
            );
        }
    }
    let n = bytes.len() / (h * w * c);
    Tensor::from_data(TensorData::new(numbers, [n, c, h, w]), device)
}

fn window(layer: &Layer) -> Option<Window> {
    let (kernel, stride, padding) = layer.window()?;
    Some(Window {
        kernel,
        stride,
        padding,
        depthwise: matches!(layer, Layer::DepthwiseConv2d { .. }),
    })
}

fn activate(value: Value, activation: Activation) -> Value {
    match (activation, value) {
        (Activation::None, value) => value,
        (Activation::Relu, Value::Row(rows)) => Value::Row(relu(rows)),
        (Activation::Relu, Value::Map(map)) => Value::Map(relu(map)),
        (Activation::Sigmoid, Value::Row(rows)) => Value::Row(sigmoid(rows)),
        (Activation::Sigmoid, Value::Map(map)) => Value::Map(sigmoid(map)),
    }
}

fn add(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Row(one), Value::Row(other)) => Value::Row(one + other),
        (one, other) => Value::Map(one.into_map() + other.into_map()),
    }
}

fn concat(one: Value, other: Value) -> Value {
    match (one, other) {
        (Value::Row(one), Value::Row(other)) => Value::Row(Tensor::cat(vec![one, other], 1)),
        (one, other) => Value::Map(Tensor::cat(vec![one.into_map(), other.into_map()], 1)),
    }
}

fn upsample(map: Tensor<4>, factor: usize) -> Tensor<4> {
    let [_, _, h, w] = map.dims();
    let options = InterpolateOptions::new(InterpolateMode::Nearest).with_output_size([h * factor, w * factor]);
    interpolate(map, options)
}

#[cfg(test)]
mod gradients;
#[cfg(test)]
mod plain;
#[cfg(test)]
mod tests;
