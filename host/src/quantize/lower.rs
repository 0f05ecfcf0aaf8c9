//! From a folded float model and its ranges to a plain graph: a node per layer, weights in plain order.
//!
//! Layers are lowered in order; an input enters the arena right before its first reader and a head's result leaves it right
//! behind its last layer, so that nothing lives longer than it must. What makes the graph fast and small comes after, in
//! [`optimize`](super::optimize), and changes no result.

use trident::graph::{Element, Node, Op};
use trident::input::{ModelInput, Segment};
use trident::spec::{Activation, Head, HeadSet, InputSlot, Layer, ModelSpec, Padding, Shape};

use super::multipliers::{add_rule, bias_code, channel_of, requantization, weight_codes, weight_scales};
use super::plain::{PlainGraph, PlainNode, PlainTensor, Weights};
use super::range::Quantization;
use super::ranges::Ranges;
use super::{LayerError, QuantizeError};
use crate::model::{FoldedModel, LayerWeights};
use crate::run::Transforms;

/// A lowered model.
#[derive(Clone, Debug)]
pub struct Lowered {
    /// Tensors and nodes.
    pub graph: PlainGraph,
    /// The ranges, widened where a multiplier asked for it.
    pub ranges: Ranges,
}

/// How much coarser the codes of a term may be than those of the sum. A sum that cancels, or that ReLU makes zero, on all
/// calibration rows would otherwise ask for multipliers beyond 32 bits.
const MOST_ADD_RATIO: f32 = 1024.0;

/// Lowers a model.
///
/// # Errors
/// If a layer cannot be expressed in int8, naming it.
pub fn lower(model: &FoldedModel, mut ranges: Ranges, transforms: &Transforms) -> Result<Lowered, QuantizeError> {
    let spec = &model.spec;
    widen_ranges(model, &mut ranges)?;
    let mut lowering = Lowering {
        spec,
        shapes: spec.shapes()?.to_vec(),
        heads: spec.heads_of_values().to_vec(),
        ranges,
        graph: PlainGraph::default(),
        tensor_of_value: vec![None; spec.inputs.len() + spec.layers.len()],
    };
    for (index, layer) in spec.layers.iter().enumerate() {
        if lowering.heads[spec.inputs.len() + index].is_empty() {
            continue;
        }
        for &value in &layer.inputs {
            lowering.bring_in(value.into(), transforms)?;
        }
        lowering
            .layer(index, model.layers[index].as_ref())
            .map_err(|error| error.at(index))?;
        lowering
            .take_out(index, model.layers[index].as_ref(), transforms)
            .map_err(|error| error.at(index))?;
    }
    let of_value = |tensor: Option<u8>| tensor.map(usize::from);
    lowering.graph.tensor_of_value = lowering.tensor_of_value.into_iter().map(of_value).collect();
    Ok(Lowered {
        graph: lowering.graph,
        ranges: lowering.ranges,
    })
}

/// A requantisation multiplier must stay below one half, one of an addition far below what 32 bits hold: where it would not, the
/// output's range is widened. Wider inputs make for larger multipliers behind them, so that layers are visited until nothing
/// changes.
pub(crate) fn widen_ranges(model: &FoldedModel, ranges: &mut Ranges) -> Result<(), QuantizeError> {
    let spec = &model.spec;
    let mut widened = None;
    // Without a cycle of shared ranges, each pass settles at least one more layer.
    for _ in 0..=spec.layers.len() {
        widened = None;
        for (layer, weights) in model.layers.iter().enumerate() {
            let least = if let Layer::Add { .. } = spec.layers[layer].layer {
                let term = |&value: &u8| ranges.of(value.into()).quantization.scale;
                spec.layers[layer].inputs.iter().map(term).fold(0.0, f32::max) / MOST_ADD_RATIO
            } else if let Some(weights) = weights.as_ref().filter(|_| !is_head_sum(spec, layer)) {
                let input = ranges.of(spec.layers[layer].inputs[0].into()).quantization.scale;
                let scales = weight_scales(&spec.layers[layer].layer, weights, input);
                2.0 * input * scales.iter().copied().fold(0.0, f32::max)
            } else {
                continue;
            };
            if ranges.widen(layer, least) {
                widened = Some(layer);
            }
        }
        if widened.is_none() {
            break;
        }
    }
    widened.map_or(Ok(()), |layer| Err(LayerError::NeverWideEnough.at(layer)))
}

/// Whether a layer's sums leave the graph as accumulators.
pub(crate) fn is_head_sum(spec: &ModelSpec, layer: usize) -> bool {
    let value = spec.inputs.len() + layer;
    spec.heads
        .iter()
        .any(|head| head.head != Head::Segmentation && usize::from(head.value) == value)
}

struct Lowering<'m> {
    spec: &'m ModelSpec,
    shapes: Vec<Shape>,
    heads: Vec<HeadSet>,
    ranges: Ranges,
    graph: PlainGraph,
    tensor_of_value: Vec<Option<u8>>,
}

impl Lowering<'_> {
    fn tensor(&mut self, shape: Shape, range: Quantization, element: Element) -> Result<u8, LayerError> {
        self.graph.tensors.push(PlainTensor {
            shape,
            zero_point: range.zero_point,
            element,
            scale: range.scale,
        });
        u8::try_from(self.graph.tensors.len() - 1)
            .ok()
            .filter(|&t| t < 128)
            .ok_or(LayerError::TooLarge)
    }

    /// Emits the input node of a value, if it is an input that no node has brought in yet.
    fn bring_in(&mut self, value: usize, transforms: &Transforms) -> Result<(), QuantizeError> {
        let Some(&input) = self
            .spec
            .inputs
            .get(value)
            .filter(|_| self.tensor_of_value[value].is_none())
        else {
            return Ok(());
        };
        let range = self.ranges.of(value).quantization;
        let output = self
            .tensor(input.shape, range, Element::I8)
            .map_err(|error| error.at(0))?;
        self.tensor_of_value[value] = Some(output);
        let op = if input.slot == InputSlot::Picture {
            Op::Picture
        } else {
            Op::Readings
        };
        let mut plain = PlainNode::new(Node {
            input: input.slot as u8,
            output,
            ..Node::new(op, self.heads[value])
        });
        let transform = match input.slot {
            InputSlot::Classification => transforms.classification.as_ref(),
            InputSlot::Picture => None,
            InputSlot::Regression => transforms.regression.as_ref(),
        };
        if op == Op::Readings {
            let transform = transform.ok_or(QuantizeError::NoTransform { slot: input.slot })?;
            let mut segments: Vec<Segment> = Vec::new();
            let inputs: Vec<ModelInput> = transform
                .inputs
                .iter()
                .map(|input| {
                    let first = segments.len() as u32;
                    segments.extend_from_slice(&input.segments);
                    ModelInput {
                        feature: input.feature as u16,
                        segments: input.segments.len() as u16,
                        first,
                    }
                })
                .collect();
            plain.node.p = [
                segments.len() as i32,
                (1.0 / range.scale).to_bits() as i32,
                transform.readings as i32,
            ];
            plain.readings = Some((inputs, segments));
        }
        self.graph.nodes.push(plain);
        Ok(())
    }

    fn layer(&mut self, index: usize, weights: Option<&LayerWeights>) -> Result<(), LayerError> {
        let spec = &self.spec.layers[index];
        let value = self.spec.inputs.len() + index;
        let input_value = usize::from(spec.inputs[0]);
        let read = |i: usize| self.tensor_of_value[usize::from(spec.inputs[i])];
        let input = read(0).ok_or(LayerError::TooLarge)?;
        let second = if spec.inputs.len() > 1 {
            read(1).ok_or(LayerError::TooLarge)?
        } else {
            0
        };
        let (shape, heads) = (self.shapes[value], self.heads[value]);
        let sum_range = self.ranges.of_sum(index).quantization;
        let mut node = Node {
            input,
            second,
            ..Node::new(operator(&spec.layer), heads)
        };
        (node.lo, node.hi) = match spec.layer.activation() {
            Activation::Relu => (sum_range.zero_point, 127),
            Activation::None | Activation::Sigmoid => (-128, 127),
        };
        let mut element = Element::I8;
        let mut plain = None;
        match spec.layer {
            Layer::Linear { .. } | Layer::Conv2d { .. } | Layer::DepthwiseConv2d { .. } => {
                let weights = weights.ok_or(LayerError::NoWeights)?;
                if is_head_sum(self.spec, index) {
                    element = Element::I32;
                    if !matches!(
                        spec.layer,
                        Layer::Linear {
                            activation: Activation::None,
                            ..
                        }
                    ) {
                        return Err(LayerError::HeadLayer);
                    }
                }
                let input_range = self.ranges.of(input_value).quantization;
                let output = (element == Element::I8).then_some(sum_range);
                if element == Element::I8 {
                    node.p[1] = sum_range.zero_point.into();
                }
                plain = Some(quantized(&spec.layer, weights, input_range, output)?);
                self.window(&mut node, &spec.layer, self.shapes[input_value]);
            }
            Layer::MaxPool2d { size: side } | Layer::Upsample2d { factor: side } => node.kernel = side,
            Layer::Add { .. } => {
                let terms = [0, 1].map(|i| self.ranges.of(spec.inputs[i].into()).quantization);
                add_rule(&mut node, terms, sum_range);
            }
            Layer::Concat => {}
        }
        if element == Element::I32 || !(node.op.is_weighted() || node.op == Op::Add) {
            (node.lo, node.hi) = (0, 0);
        }
        node.output = self.tensor(shape, sum_range, element)?;
        let mut output = node.output;
        self.graph.nodes.push(PlainNode {
            weights: plain,
            ..PlainNode::new(node)
        });
        if spec.layer.activation() == Activation::Sigmoid {
            output = self.sigmoid(output, value)?;
        }
        self.tensor_of_value[value] = Some(output);
        Ok(())
    }

    fn window(&self, node: &mut Node, layer: &Layer, input: Shape) {
        let Some((kernel, stride, padding)) = layer.window() else {
            return;
        };
        (node.kernel, node.stride) = (kernel, stride);
        let before = |n| Padding::extent(padding, n, kernel, stride).map_or(0, |(_, before, _)| before);
        (node.pad_top, node.pad_left) = (before(input.h), before(input.w));
    }

    fn sigmoid(&mut self, input: u8, value: usize) -> Result<u8, LayerError> {
        let from = self.graph.tensors[usize::from(input)];
        let from = Quantization {
            scale: from.scale,
            zero_point: from.zero_point,
        };
        let to = self.ranges.of(value).quantization;
        let table = (-128..=127i8)
            .map(|code| to.code((1.0 / (1.0 + (-f64::from(from.real(code))).exp())) as f32))
            .collect();
        let output = self.tensor(self.shapes[value], to, Element::I8)?;
        let node = Node {
            input,
            output,
            ..Node::new(Op::Lut, self.heads[value])
        };
        self.graph.nodes.push(PlainNode {
            table: Some(table),
            ..PlainNode::new(node)
        });
        Ok(output)
    }

    /// Emits the output nodes of the heads that read a layer's value.
    fn take_out(
        &mut self,
        index: usize,
        weights: Option<&LayerWeights>,
        transforms: &Transforms,
    ) -> Result<(), LayerError> {
        let value = self.spec.inputs.len() + index;
        let Some(input) = self.tensor_of_value[value] else {
            return Ok(());
        };
        for head in self.spec.heads.iter().filter(|head| usize::from(head.value) == value) {
            let steps = || -> Result<Vec<f32>, LayerError> {
                let step = self
                    .ranges
                    .of(self.spec.layers[index].inputs[0].into())
                    .quantization
                    .scale;
                let scales = weight_scales(
                    &self.spec.layers[index].layer,
                    weights.ok_or(LayerError::HeadLayer)?,
                    step,
                );
                Ok(scales.iter().map(|scale| scale * step).collect())
            };
            let mut node = Node {
                input,
                ..Node::new(Op::Logits, head.head.into())
            };
            let mut scales = Vec::new();
            match head.head {
                Head::Classification => {
                    scales = steps()?;
                    node.op = Op::Probabilities;
                }
                Head::Segmentation => {}
                Head::Regression => {
                    let target = transforms.target.ok_or(LayerError::HeadLayer)?;
                    let scale = (f64::from(steps()?[0]) * f64::from(target.sd)) as f32;
                    node.op = Op::Value;
                    node.p = [scale.to_bits() as i32, target.mean.to_bits() as i32, 0];
                }
            }
            self.graph.nodes.push(PlainNode {
                scales,
                ..PlainNode::new(node)
            });
        }
        Ok(())
    }
}

/// Weights, biases and multipliers as whole numbers. Without an output range the sums are kept, and nothing is requantised.
fn quantized(
    layer: &Layer,
    weights: &LayerWeights,
    input: Quantization,
    output: Option<Quantization>,
) -> Result<Weights, LayerError> {
    let scales = weight_scales(layer, weights, input.scale);
    let channels = scales.len();
    let codes = weight_codes(layer, &weights.weights, &scales);
    let mut sums = vec![0i64; channels];
    for (index, &code) in codes.iter().enumerate() {
        sums[channel_of(layer, index, codes.len(), channels)] += i64::from(code);
    }
    let bias = |channel: usize| {
        let own = bias_code(weights.bias[channel], input.scale, scales[channel]);
        i32::try_from(own - i64::from(input.zero_point) * sums[channel]).map_err(|_| LayerError::Bias { channel })
    };
    let real = |output: Quantization, scale: &f32| f64::from(input.scale) * f64::from(*scale) / f64::from(output.scale);
    let multiplier = |output| {
        scales
            .iter()
            .map(move |scale| requantization(real(output, scale)))
            .collect()
    };
    Ok(Weights {
        weights: codes,
        bias: (0..channels).map(bias).collect::<Result<Vec<i32>, _>>()?,
        multipliers: output.map_or_else(Vec::new, multiplier),
    })
}

fn operator(layer: &Layer) -> Op {
    match layer {
        Layer::Linear { .. } => Op::Linear,
        Layer::Conv2d { .. } => Op::Conv2d,
        Layer::DepthwiseConv2d { .. } => Op::DepthwiseConv2d,
        Layer::MaxPool2d { .. } => Op::MaxPool2d,
        Layer::Upsample2d { .. } => Op::Upsample2d,
        Layer::Add { .. } => Op::Add,
        Layer::Concat => Op::Concat,
    }
}
