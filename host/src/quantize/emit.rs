//! From a rewritten graph to what a blob carries: tensors in their places, nodes with scratch memory, parameters in the kernels' order.

use std::ops::RangeInclusive;

use trident::graph::{Element, NO_TABLE, Node, Op, Tensor};
use trident::layout::{depthwise, narrow, rows, tiles, upsample, winograd};

use super::LayerError;
use super::plain::{PlainGraph, PlainNode, Weights};
use super::plan::{ArenaPlan, Demand, plan};
use super::writer::ParameterWriter;

/// A graph ready to be packed.
#[derive(Clone, Debug)]
pub struct Emitted {
    /// Tensors, with their places in the arena.
    pub tensors: Vec<Tensor>,
    /// Nodes in execution order.
    pub nodes: Vec<Node>,
    /// Weights and tables.
    pub parameters: ParameterWriter,
    /// Where tensors lie, then the scratch memory of each band, by its first node.
    pub plan: ArenaPlan,
}

/// Places tensors that keep those rows, and writes the parameters.
///
/// # Errors
/// If the model has more tensors or nodes, or needs more memory, than a blob can say.
pub fn emit(graph: &PlainGraph, kept: &[u16]) -> Result<Emitted, LayerError> {
    let limits = graph.nodes.len() <= trident::graph::MAX_NODES && graph.tensors.len() <= trident::graph::MAX_TENSORS;
    if !limits {
        return Err(LayerError::TooLarge);
    }
    let mut tensors: Vec<Tensor> = (0..graph.tensors.len())
        .map(|tensor| graph.placed(tensor, 0, Some(kept[tensor])))
        .collect();
    let mut nodes: Vec<Node> = graph.nodes.iter().map(|plain| plain.node).collect();
    let bands = bands(&nodes, &tensors);
    let mut lives: Vec<(usize, usize)> = (0..tensors.len())
        .map(|tensor| {
            let written = graph.writer(tensor).unwrap_or(0);
            let read = graph.last_reader(tensor);
            (
                *bands[written].start(),
                bands.get(read).map_or(read, |band| *band.end()),
            )
        })
        .collect();
    let places = add_in_place(graph, &tensors, &bands, &mut nodes, &mut lives);
    let tensor_demands = (0..tensors.len()).map(|tensor| Demand {
        len: if places[tensor] == tensor {
            tensors[tensor].byte_len()
        } else {
            0
        },
        life: lives[tensor].0..=lives[tensor].1,
    });
    // Nodes of a band take turns at one piece of scratch memory, that of the band's first node.
    let scratch = |band: &RangeInclusive<usize>| band.clone().map(|number| graph.scratch_bytes(number)).max();
    let scratch_demands = (0..nodes.len()).map(|number| Demand {
        len: if *bands[number].start() == number {
            scratch(&bands[number]).unwrap_or(0)
        } else {
            0
        },
        life: bands[number].clone(),
    });
    let plan = plan(&tensor_demands.chain(scratch_demands).collect::<Vec<_>>());
    let place = |demand: usize| i32::try_from(plan.offsets[demand]).map_err(|_| LayerError::TooLarge);
    for (tensor, &of) in places.iter().enumerate() {
        tensors[tensor].offset = place(of)? as u32;
    }
    let mut parameters = ParameterWriter::default();
    for (number, (node, plain)) in nodes.iter_mut().zip(&graph.nodes).enumerate() {
        if graph.scratch_bytes(number) > 0 {
            node.p[0] = place(tensors.len() + bands[number].start())?;
        }
        write(node, plain, &tensors, &mut parameters);
    }
    Ok(Emitted {
        tensors,
        nodes,
        parameters,
        plan,
    })
}

/// The band of each node, itself if it runs alone.
fn bands(nodes: &[Node], tensors: &[Tensor]) -> Vec<RangeInclusive<usize>> {
    let mut bands = Vec::new();
    while bands.len() < nodes.len() {
        let first = bands.len();
        let streamed = |node: &Node| node.writes().is_some_and(|tensor| tensors[tensor].is_streamed());
        let last = (first..nodes.len())
            .find(|&number| !streamed(&nodes[number]))
            .unwrap_or(nodes.len() - 1);
        bands.extend((first..=last).map(|_| first..=last));
    }
    bands
}

/// Lets every addition whose first or second input is read for the last time write its sum in that input's place. Gives, per
/// tensor, the tensor whose place it takes; that one's life then covers both.
fn add_in_place(
    graph: &PlainGraph,
    tensors: &[Tensor],
    bands: &[RangeInclusive<usize>],
    nodes: &mut [Node],
    lives: &mut [(usize, usize)],
) -> Vec<usize> {
    let mut places: Vec<usize> = (0..tensors.len()).collect();
    for number in 0..nodes.len() {
        let node = &mut nodes[number];
        let output = usize::from(node.output);
        let alone = |&term: &usize| {
            let in_band = graph.readers(term).filter(|reader| bands[number].contains(reader));
            !tensors[term].is_streamed() && !tensors[output].is_streamed() && in_band.count() == 1
        };
        let Some(place) = graph.last_terms(number).find(alone) else {
            continue;
        };
        if place != usize::from(node.input) {
            std::mem::swap(&mut node.input, &mut node.second);
            node.p.swap(0, 1);
        }
        let of = places[place];
        places[output] = of;
        lives[of].1 = lives[of].1.max(lives[output].1);
    }
    places
}

fn write(node: &mut Node, plain: &PlainNode, tensors: &[Tensor], parameters: &mut ParameterWriter) {
    if let Some(weights) = &plain.weights {
        node.weights = parameters.push(&stream(node, weights, tensors));
    }
    if let Some(table) = &plain.table {
        node.table = parameters.push(table);
    }
    if let Some((inputs, segments)) = &plain.readings {
        node.weights = parameters.push(inputs);
        node.table = parameters.push(segments);
    }
    if node.op == Op::Probabilities {
        node.weights = parameters.push(&plain.scales);
    }
    debug_assert!(node.op != Op::Lut || node.table != NO_TABLE);
}

/// A layer's numbers in the order of its operator's kernel.
fn stream(node: &Node, weights: &Weights, tensors: &[Tensor]) -> Vec<u32> {
    let [input, output] = [node.input, node.output].map(|tensor| &tensors[usize::from(tensor)]);
    let channels = usize::from(input.shape.c);
    let plain = weights.plain();
    let mut words = Vec::with_capacity(trident::kernels::stream_words(node, input, output));
    let push = |word| words.push(word);
    match node.op {
        Op::Linear | Op::CompactConv2d => rows::pack(&plain, push),
        Op::NarrowLinear => narrow::pack(&plain, push),
        Op::Conv2d => tiles::pack(&plain, usize::from(node.kernel) * channels, push),
        Op::WinogradConv3x3 => winograd::pack(&plain, channels, push),
        Op::UpsampledConv3x3 => upsample::pack(&plain, channels, push),
        Op::DepthwiseConv3x3 => depthwise::pack_windows(&plain, push),
        Op::UpsampledDepthwiseConv3x3 => depthwise::pack_doubled(&plain, push),
        _ => {
            let mut bytes = weights.weights.clone();
            bytes.resize(bytes.len().next_multiple_of(4), 0);
            words.extend(bytemuck::pod_collect_to_vec::<i8, u32>(&bytes));
            words.extend(weights.bias.iter().chain(&weights.multipliers).map(|&word| word as u32));
        }
    }
    debug_assert!(output.element == Element::I8 || node.op.is_linear());
    words
}
