//! The rules of a graph, checked once so that running it needs no check.
//!
//! What a graph that passed holds: every record decodes; every tensor lies in the arena, is written exactly once and before it is
//! read; shapes fit their operators; weights and tables lie inside the parameters and are aligned; tensors that live at the
//! same time do not overlap, but for an addition in place of its first input; a node's inputs are made for every head the node serves; work is bounded.

use crate::blob::{InputDescription, Metadata};
use crate::graph::{Element, Graph, MAX_TENSORS, Node, Op, Tensor};
use crate::input::{MAX_INPUTS_PER_READING, ModelInput, Segment};
use crate::parameters::Parameters;
use crate::spec::{Head, HeadSet, InputSlot, Shape};
use crate::{MAX_CLASSES, MAX_READINGS, arithmetic};

/// The most multiplications that one run may take: about an hour on a slow core, far above any model that fits a board.
pub const MAX_MACS: u64 = 1 << 32;

/// The most golden vectors a blob may carry: each is a whole run at boot.
pub const MAX_GOLDEN_VECTORS: usize = 16;

/// Which rule a graph breaks, and where.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum GraphError {
    /// A tensor's record is malformed, empty, misaligned or outside the arena.
    Tensor {
        /// Its number.
        tensor: usize,
    },
    /// A node's record names an unknown operator, head or tensor.
    Node {
        /// Its number.
        node: usize,
    },
    /// A node's shapes, windows or code range do not fit its operator.
    Shape {
        /// Its number.
        node: usize,
    },
    /// A node's weights or tables lie outside the parameters, are misaligned or hold a forbidden value.
    Parameters {
        /// Its number.
        node: usize,
    },
    /// A node reads what was not written, writes again, or serves a head that its inputs are not made for.
    Order {
        /// Its number.
        node: usize,
    },
    /// Two tensors that live at the same time share bytes of the arena.
    Overlap {
        /// The one.
        first: usize,
        /// The other.
        second: usize,
    },
    /// An accumulator or intermediate of a node could overflow 32 bits.
    Overflow {
        /// Its number.
        node: usize,
    },
    /// More than [`MAX_MACS`] multiplications per run.
    Work {
        /// How many.
        macs: u64,
    },
    /// Input, head or golden descriptions do not fit the graph.
    Description,
}

impl core::fmt::Display for GraphError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Tensor { tensor } => write!(f, "tensor {tensor} is malformed or outside the arena"),
            Self::Node { node } => write!(f, "node {node} names an unknown operator, head or tensor"),
            Self::Shape { node } => write!(f, "shapes of node {node} do not fit its operator"),
            Self::Parameters { node } => write!(f, "parameters of node {node} are outside, misaligned or out of range"),
            Self::Order { node } => write!(f, "node {node} reads or writes a tensor out of order"),
            Self::Overlap { first, second } => write!(f, "tensors {first} and {second} overlap while both live"),
            Self::Overflow { node } => write!(f, "an accumulator of node {node} could overflow"),
            Self::Work { macs } => write!(f, "{macs} multiplications per run, at most {MAX_MACS} are allowed"),
            Self::Description => write!(
                f,
                "descriptions of inputs, heads or golden vectors do not fit the graph"
            ),
        }
    }
}

impl core::error::Error for GraphError {}

/// Checks all rules that need no scan of the weights.
pub(crate) fn graph(graph: &Graph<'_>, parameters: &[u8]) -> Result<(), GraphError> {
    for index in 0..graph.tensor_count() {
        let fits = graph
            .tensor(index)
            .is_some_and(|tensor| tensor_fits(&tensor, graph.arena_len()));
        if !fits {
            return Err(GraphError::Tensor { tensor: index });
        }
    }
    let mut outputs = HeadSet::EMPTY;
    let mut inputs = [false; 3];
    for index in 0..graph.node_count() {
        let node = graph.node(index).ok_or(GraphError::Node { node: index })?;
        check_node(graph, index, &node, Parameters::new(parameters))?;
        if node.op.is_output() {
            if outputs.intersects(node.heads) {
                return Err(GraphError::Order { node: index });
            }
            outputs = outputs.union(node.heads);
        }
        if node.op.is_input() && core::mem::replace(&mut inputs[usize::from(node.input)], true) {
            return Err(GraphError::Order { node: index });
        }
    }
    let macs = graph.macs(HeadSet::ALL);
    if macs > MAX_MACS {
        return Err(GraphError::Work { macs });
    }
    check_lifetimes(graph)
}

fn tensor_fits(tensor: &Tensor, arena_len: usize) -> bool {
    let aligned = tensor.element == Element::I8 || tensor.offset.is_multiple_of(4);
    !tensor.shape.is_empty() && aligned && tensor.range().end <= arena_len
}

fn check_node(graph: &Graph<'_>, index: usize, node: &Node, parameters: Parameters<'_>) -> Result<(), GraphError> {
    let unknown = GraphError::Node { node: index };
    let tensor = |number: usize| graph.tensor(number).ok_or(unknown);
    if node.heads.is_empty() {
        return Err(unknown);
    }
    let mut read = [None; 2];
    for (slot, number) in read.iter_mut().zip(node.reads()) {
        *slot = Some(tensor(number)?);
    }
    let output = node.writes().map(tensor).transpose()?;
    let shapes_fit = match (read, output) {
        ([None, None], Some(output)) => input_fits(node, &output),
        ([Some(input), second], Some(output)) => operator_fits(node, &input, second.as_ref(), &output),
        ([Some(input), None], None) => output_fits(node, &input),
        _ => false,
    };
    if !shapes_fit {
        return Err(GraphError::Shape { node: index });
    }
    parameters_fit(node, read[0].as_ref(), output.as_ref(), parameters).ok_or(GraphError::Parameters { node: index })
}

fn input_fits(node: &Node, output: &Tensor) -> bool {
    let codes = output.element == Element::I8;
    match node.op {
        Op::Readings => {
            let row = (output.shape.h, output.shape.w) == (1, 1);
            let slot = [InputSlot::Classification as u8, InputSlot::Regression as u8].contains(&node.input);
            let few = output.shape.len() <= MAX_READINGS * MAX_INPUTS_PER_READING;
            codes && row && slot && few && (1..=MAX_READINGS as i32).contains(&node.p[2])
        }
        Op::Picture => codes && node.input == InputSlot::Picture as u8 && output.shape.c == 3,
        _ => false,
    }
}

fn output_fits(node: &Node, input: &Tensor) -> bool {
    let shape = input.shape;
    match node.op {
        Op::Probabilities => {
            let row = (shape.h, shape.w) == (1, 1) && usize::from(shape.c) <= MAX_CLASSES;
            node.heads == HeadSet::from(Head::Classification) && input.element == Element::I32 && row
        }
        Op::Logits => {
            let classes = (2..=MAX_CLASSES).contains(&usize::from(shape.c));
            node.heads == HeadSet::from(Head::Segmentation) && input.element == Element::I8 && classes
        }
        Op::Value => {
            let finite = node.p[..2].iter().all(|&bits| f32::from_bits(bits as u32).abs() < 1e20);
            node.heads == HeadSet::from(Head::Regression) && input.element == Element::I32 && shape.len() == 1 && finite
        }
        _ => false,
    }
}

fn operator_fits(node: &Node, input: &Tensor, second: Option<&Tensor>, output: &Tensor) -> bool {
    let codes = |tensor: &Tensor| tensor.element == Element::I8;
    let same_code = |other: &Tensor| input.zero_point == other.zero_point;
    let range = node.lo <= node.hi;
    let requantized = codes(output) && range && arithmetic::SHIFTS.contains(&node.right_shift);
    let side = node.kernel;
    codes(input)
        && match (node.op, second) {
            (Op::Linear, None) => requantized || output.element == Element::I32,
            (Op::Conv2d, None) => requantized && window_fits(node, input.shape, output.shape),
            (Op::DepthwiseConv2d, None) => {
                requantized && input.shape.c == output.shape.c && window_fits(node, input.shape, output.shape)
            }
            (Op::MaxPool2d, None) => {
                let s = u16::from(side);
                let pooled = |n: u16| n.checked_div(s);
                let (h, w) = (pooled(input.shape.h), pooled(input.shape.w));
                let fits = h == Some(output.shape.h) && w == Some(output.shape.w) && input.shape.c == output.shape.c;
                side >= 2 && fits && codes(output) && same_code(output)
            }
            (Op::Upsample2d, None) => {
                let grown = |n: u16| n.checked_mul(side.into());
                let (h, w) = (grown(input.shape.h), grown(input.shape.w));
                let fits = h == Some(output.shape.h) && w == Some(output.shape.w) && input.shape.c == output.shape.c;
                side >= 2 && fits && codes(output) && same_code(output)
            }
            (Op::Lut, None) => codes(output) && input.shape.len() == output.shape.len(),
            (Op::Add, Some(second)) => {
                let shapes = input.shape == second.shape && input.shape == output.shape;
                shapes && codes(second) && codes(output) && range && (1..=30).contains(&node.right_shift)
            }
            (Op::Concat, Some(second)) => {
                let sides = |shape: Shape| (shape.h, shape.w);
                let same = sides(input.shape) == sides(second.shape) && sides(input.shape) == sides(output.shape);
                let channels = input.shape.c.checked_add(second.shape.c) == Some(output.shape.c);
                same && channels && codes(second) && codes(output) && same_code(second) && same_code(output)
            }
            _ => false,
        }
}

/// Whether every window begins and ends at most one kernel outside the input.
fn window_fits(node: &Node, input: Shape, output: Shape) -> bool {
    let (k, s) = (u32::from(node.kernel), u32::from(node.stride));
    let side = |input: u16, output: u16, before: u8| {
        let last = (u32::from(output) - 1) * s; // the last window's start, counted from the padded border
        u32::from(before) < k && last < u32::from(input) + u32::from(before)
    };
    (1..=7).contains(&k)
        && (1..=2).contains(&s)
        && side(input.h, output.h, node.pad_top)
        && side(input.w, output.w, node.pad_left)
}

fn parameters_fit(
    node: &Node,
    input: Option<&Tensor>,
    output: Option<&Tensor>,
    parameters: Parameters<'_>,
) -> Option<()> {
    match node.op {
        Op::Readings => {
            let inputs = parameters.slice::<ModelInput>(node.weights, output?.shape.len())?;
            let segments = parameters.slice::<Segment>(node.channels, usize::try_from(node.p[0]).ok()?)?;
            let inverse_scale = f32::from_bits(node.p[1] as u32);
            (inverse_scale > 0.0 && inverse_scale < 1e20 && tables_fit(inputs, segments, node.p[2] as usize))
                .then_some(())
        }
        Op::Linear | Op::Conv2d | Op::DepthwiseConv2d => {
            let layer = Weighted::of(node, input?, output?);
            parameters.slice::<i8>(node.weights, layer.weights())?;
            let words = parameters.slice::<i32>(node.channels, layer.words())?;
            words
                .get(layer.channels..)?
                .iter()
                .all(|&multiplier| multiplier > 0)
                .then_some(())
        }
        Op::Lut => parameters.slice::<i8>(node.weights, 256).map(|_| ()),
        Op::Probabilities => {
            let scales = parameters.slice::<f32>(node.weights, input?.shape.len())?;
            scales.iter().all(|scale| *scale > 0.0 && *scale < 1e20).then_some(())
        }
        Op::Add => {
            let reach = node
                .p
                .iter()
                .zip([128, 128, 1])
                .map(|(&word, most)| i64::from(word).abs() * most);
            (reach.sum::<i64>() < 1 << 31).then_some(())
        }
        _ => Some(()),
    }
}

fn tables_fit(inputs: &[ModelInput], segments: &[Segment], readings: usize) -> bool {
    let finite = segments
        .iter()
        .all(|piece| piece.start.is_finite() && piece.base.is_finite() && piece.slope.is_finite());
    finite
        && inputs.iter().all(|input| {
            let first = input.first as usize;
            let table = first
                .checked_add(input.segments.into())
                .and_then(|end| segments.get(first..end));
            usize::from(input.feature) < readings
                && table.is_some_and(|table| !table.is_empty() && table.is_sorted_by(|a, b| a.start < b.start))
        })
}

/// Counts of a layer with weights.
pub(crate) struct Weighted {
    /// Output channels.
    pub channels: usize,
    /// Weights of one output channel.
    pub per_channel: usize,
    requantized: bool,
}

impl Weighted {
    pub(crate) fn of(node: &Node, input: &Tensor, output: &Tensor) -> Self {
        let window = usize::from(node.kernel) * usize::from(node.kernel);
        let (channels, per_channel) = match node.op {
            Op::Linear => (output.shape.len(), input.shape.len()),
            Op::Conv2d => (usize::from(output.shape.c), window * usize::from(input.shape.c)),
            _ => (usize::from(output.shape.c), window),
        };
        Self {
            channels,
            per_channel,
            requantized: output.element == Element::I8,
        }
    }

    pub(crate) fn weights(&self) -> usize {
        self.channels.saturating_mul(self.per_channel)
    }

    pub(crate) fn words(&self) -> usize {
        if self.requantized {
            self.channels.saturating_mul(2)
        } else {
            self.channels
        }
    }
}

/// Every tensor is written once, before it is read, for all heads that read it; tensors that live together do not overlap.
fn check_lifetimes(graph: &Graph<'_>) -> Result<(), GraphError> {
    const NEVER: u8 = u8::MAX;
    let mut written = [NEVER; MAX_TENSORS];
    let mut last_read = [0u8; MAX_TENSORS];
    let end = graph.node_count() as u8;
    for (index, node) in graph.nodes().enumerate() {
        for tensor in node.reads() {
            let writer = usize::from(written[tensor]);
            let made_for = graph.node(writer).map_or(HeadSet::EMPTY, |writer| writer.heads);
            if !made_for.contains_all(node.heads) {
                return Err(GraphError::Order { node: index });
            }
            // Codes of the segmentation head are read by the caller, after the last node.
            last_read[tensor] = last_read[tensor].max(if node.op == Op::Logits { end } else { index as u8 });
        }
        if let Some(tensor) = node.writes() {
            if written[tensor] != NEVER {
                return Err(GraphError::Order { node: index });
            }
            written[tensor] = index as u8;
            last_read[tensor] = index as u8;
        }
    }
    for second in 0..graph.tensor_count() {
        for first in 0..second {
            let lives = written[first] <= last_read[second] && written[second] <= last_read[first];
            let used = written[first] != NEVER && written[second] != NEVER;
            let in_place = || {
                adds_in_place(graph, written[second], first, second, &last_read)
                    || adds_in_place(graph, written[first], second, first, &last_read)
            };
            if used && lives && overlaps(graph, first, second) && !in_place() {
                return Err(GraphError::Overlap { first, second });
            }
        }
    }
    Ok(())
}

/// Whether `writer` is an addition that puts its result exactly where its first input lies, which nothing reads any more.
fn adds_in_place(graph: &Graph<'_>, writer: u8, read: usize, result: usize, last_read: &[u8]) -> bool {
    let offset = |tensor| graph.tensor(tensor).map(|tensor| tensor.offset);
    graph.node(writer.into()).is_some_and(|node| {
        node.op == Op::Add
            && node.input != node.second
            && usize::from(node.input) == read
            && usize::from(node.output) == result
            && last_read[read] == writer
            && offset(read) == offset(result)
    })
}

fn overlaps(graph: &Graph<'_>, first: usize, second: usize) -> bool {
    let (Some(a), Some(b)) = (graph.tensor(first), graph.tensor(second)) else {
        return true;
    };
    let (a, b) = (a.range(), b.range());
    a.start < b.end && b.start < a.end
}

/// Checks that inputs, heads and golden vectors are described as the graph has them.
pub(crate) fn descriptions(graph: &Graph<'_>, metadata: &Metadata<'_>, parameters: &[u8]) -> Result<(), GraphError> {
    let inputs = metadata.inputs.checked_len().is_some_and(|count| {
        let nodes = || graph.nodes().filter(|node| node.op.is_input());
        count == nodes().count()
            && nodes().all(|node| metadata.inputs.iter().any(|input| input_matches(graph, &node, &input)))
    });
    let heads = metadata.heads.checked_len().is_some_and(|count| {
        let nodes = || graph.nodes().filter(|node| node.op.is_output());
        count > 0
            && count == nodes().count()
            && nodes().all(|node| {
                metadata.heads.iter().any(|head| {
                    let classes = head.classes.checked_len();
                    HeadSet::from(head.head) == node.heads && classes == class_count(graph, &node)
                })
            })
    });
    let golden = metadata
        .golden
        .checked_len()
        .is_some_and(|count| count <= MAX_GOLDEN_VECTORS)
        && metadata.golden.iter().all(|golden| {
            let spans = golden.inputs.iter().chain([&golden.probabilities]);
            let inside = spans
                .clone()
                .all(|span| span.of(parameters).is_some() && span.offset.is_multiple_of(4));
            let sizes = metadata.inputs.iter().all(|input| {
                let element = if input.slot == InputSlot::Picture { 1 } else { 4 };
                golden.inputs[input.slot as usize].len as usize == input.shape.len().saturating_mul(element)
            });
            inside && sizes && golden.probabilities.len.is_multiple_of(4)
        });
    let metrics = metadata.provenance.metrics.checked_len().is_some();
    if inputs && heads && golden && metrics {
        Ok(())
    } else {
        Err(GraphError::Description)
    }
}

fn input_matches(graph: &Graph<'_>, node: &Node, input: &InputDescription<'_>) -> bool {
    let Some(tensor) = graph.tensor(node.output.into()) else {
        return false;
    };
    let shape = match node.op {
        Op::Picture => input.shape == tensor.shape,
        _ => input.shape == Shape::row(node.p[2] as u16),
    };
    let names = input.names.checked_len();
    let named = if node.op == Op::Picture {
        names == Some(0)
    } else {
        names == Some(input.shape.len())
    };
    input.slot as u8 == node.input && shape && named
}

/// Classes a head must name: two for one logit, none for regression.
fn class_count(graph: &Graph<'_>, node: &Node) -> Option<usize> {
    let channels = usize::from(graph.tensor(node.input.into())?.shape.c);
    Some(match node.op {
        Op::Value => 0,
        Op::Probabilities if channels == 1 => 2,
        _ => channels,
    })
}

/// Proves by one scan of the weights that no accumulator can overflow: `Σ|w| · 128 + |bias| < 2^31` for every channel, padded
/// borders included, and that no weight is −128.
pub(crate) fn accumulators(graph: &Graph<'_>, parameters: &[u8]) -> Result<(), GraphError> {
    let parameters = Parameters::new(parameters);
    for (index, node) in graph.nodes().enumerate().filter(|(_, node)| node.op.is_weighted()) {
        let fault = GraphError::Parameters { node: index };
        let (Some(input), Some(output)) = (graph.tensor(node.input.into()), graph.tensor(node.output.into())) else {
            return Err(fault);
        };
        let layer = Weighted::of(&node, &input, &output);
        let weights = parameters.slice::<i8>(node.weights, layer.weights()).ok_or(fault)?;
        let bias = parameters.slice::<i32>(node.channels, layer.channels).ok_or(fault)?;
        if weights.contains(&i8::MIN) {
            return Err(fault);
        }
        for (channel, bias) in bias.iter().enumerate() {
            let magnitude = |weight: &i8| u64::from(weight.unsigned_abs());
            let sum: u64 = if node.op == Op::DepthwiseConv2d {
                weights[channel..].iter().step_by(layer.channels).map(magnitude).sum()
            } else {
                weights[channel * layer.per_channel..][..layer.per_channel]
                    .iter()
                    .map(magnitude)
                    .sum()
            };
            if sum * 128 + u64::from(bias.unsigned_abs()) >= 1 << 31 {
                return Err(GraphError::Overflow { node: index });
            }
        }
    }
    Ok(())
}
