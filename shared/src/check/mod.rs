//! The rules of a graph, checked once so that running it needs no check.
//!
//! What a graph that passed holds: every record decodes; this engine has its operators; every tensor lies in the arena, is written at most once and before it is
//! read; shapes fit their operators; weights and tables lie inside the parameters and are aligned; tensors that live at the
//! same time do not overlap, but for an addition in place of its first input; streamed tensors keep every row that is still read; a
//! node's inputs are made for every head the node serves; work is bounded.

mod accumulators;
mod descriptions;
mod lifetimes;
mod operators;

pub(crate) use accumulators::accumulators;
pub(crate) use descriptions::descriptions;
pub(crate) use lifetimes::lifetimes;

use crate::graph::{Element, Graph, Node, Op, Tensor};
use crate::parameters::Parameters;
use crate::spec::HeadSet;

/// The most multiplications that one run may take: about an hour on a slow core, far above any model that fits a board.
pub const MAX_MACS: u64 = 1 << 32;

/// The most steps that all bands together may take: a blob's checks follow every one.
pub const MAX_TURNS: u32 = 1 << 16;

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
    /// This engine was built without a node's operator: [`BUILT_IN`](crate::graph::BUILT_IN).
    NotBuiltIn {
        /// Its number.
        node: usize,
        /// The operator.
        operator: Op,
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
    /// A streamed tensor has no reader behind its writer, keeps too few rows for them, or has too many in all.
    Stream {
        /// The node that cannot run.
        node: usize,
    },
    /// A node's scratch memory lies outside the arena, is misaligned or shares bytes with a tensor that lives meanwhile.
    Scratch {
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
    /// Descriptions of inputs, heads, golden vectors or calibration statistics do not fit the graph.
    Description,
}

impl core::fmt::Display for GraphError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Tensor { tensor } => write!(f, "tensor {tensor} is malformed or outside the arena"),
            Self::Node { node } => write!(f, "node {node} names an unknown operator, head or tensor"),
            Self::NotBuiltIn { node, operator } => {
                write!(
                    f,
                    "node {node}: trident was built without its feature `{}`",
                    operator.feature()
                )
            }
            Self::Shape { node } => write!(f, "shapes of node {node} do not fit its operator"),
            Self::Parameters { node } => write!(f, "parameters of node {node} are outside, misaligned or out of range"),
            Self::Order { node } => write!(f, "node {node} reads or writes a tensor out of order"),
            Self::Stream { node } => write!(f, "node {node} cannot stream its rows"),
            Self::Scratch { node } => write!(f, "scratch memory of node {node} is outside, misaligned or in use"),
            Self::Overlap { first, second } => write!(f, "tensors {first} and {second} overlap while both live"),
            Self::Overflow { node } => write!(f, "an accumulator of node {node} could overflow"),
            Self::Work { macs } => write!(f, "{macs} multiplications per run, at most {MAX_MACS} are allowed"),
            Self::Description => write!(
                f,
                "descriptions of inputs, heads, golden vectors or calibration do not fit the graph"
            ),
        }
    }
}

impl core::error::Error for GraphError {}

/// Checks all rules that need no scan of the weights, but for those of [`lifetimes`].
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
        if !node.op.is_built_in() {
            let operator = node.op;
            return Err(GraphError::NotBuiltIn { node: index, operator });
        }
        check_node(graph, index, &node, Parameters::new(parameters))?;
        if node.op.is_output() {
            if outputs.intersects(node.heads) {
                return Err(GraphError::Order { node: index });
            }
            outputs = outputs.union(node.heads);
        }
        // A picture may be brought in again where it is needed again, instead of being kept.
        if node.op == Op::Readings && core::mem::replace(&mut inputs[usize::from(node.input)], true) {
            return Err(GraphError::Order { node: index });
        }
    }
    let macs = graph.macs(HeadSet::ALL);
    if macs > MAX_MACS {
        return Err(GraphError::Work { macs });
    }
    Ok(())
}

fn tensor_fits(tensor: &Tensor, arena_len: usize) -> bool {
    let aligned = tensor.element == Element::I8 || tensor.offset.is_multiple_of(4);
    let rows = (1..=tensor.shape.h).contains(&tensor.kept) && (tensor.element == Element::I8 || !tensor.is_streamed());
    !tensor.shape.is_empty() && aligned && rows && tensor.range().end <= arena_len
}

#[inline(never)]
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
        ([None, None], Some(output)) => operators::input_fits(node, &output),
        ([Some(input), second], Some(output)) => operators::operator_fits(node, &input, second.as_ref(), &output),
        ([Some(input), None], None) => operators::output_fits(node, &input),
        _ => false,
    };
    if !shapes_fit {
        return Err(GraphError::Shape { node: index });
    }
    operators::parameters_fit(node, read[0].as_ref(), output.as_ref(), parameters)
        .ok_or(GraphError::Parameters { node: index })
}
