//! The graph before it is made fast and small: every operator plain, every tensor whole, weights in plain order.

use trident::graph::{Element, Node, Op, Tensor};
use trident::input::{ModelInput, Segment};
use trident::kernels;
use trident::layout::Plain;
use trident::spec::Shape;

/// A tensor without a place.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PlainTensor {
    /// `[h, w, c]`.
    pub shape: Shape,
    /// The code of real zero.
    pub zero_point: i8,
    /// What it holds.
    pub element: Element,
    /// Real step per code.
    pub scale: f32,
}

/// Whole numbers of a layer; see [`Plain`] for their order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Weights {
    /// Weights, in −127..=127.
    pub weights: Vec<i8>,
    /// Per output channel, the input's zero point folded in.
    pub bias: Vec<i32>,
    /// Per output channel; none where sums are kept.
    pub multipliers: Vec<i32>,
}

impl Weights {
    /// As packers take them.
    pub fn plain(&self) -> Plain<'_> {
        Plain {
            weights: &self.weights,
            bias: &self.bias,
            multipliers: &self.multipliers,
        }
    }
}

/// A node and its numbers; what the node's record says of parameters is filled in when they are written.
#[derive(Clone, Debug)]
pub struct PlainNode {
    /// Operator, tensors, window, rule.
    pub node: Node,
    /// Of an operator with weights.
    pub weights: Option<Weights>,
    /// 256 codes that each output code is looked up in.
    pub table: Option<Vec<i8>>,
    /// The input step's tables.
    pub readings: Option<(Vec<ModelInput>, Vec<Segment>)>,
    /// Real step of each logit.
    pub scales: Vec<f32>,
}

impl PlainNode {
    /// A node without numbers.
    pub const fn new(node: Node) -> Self {
        Self {
            node,
            weights: None,
            table: None,
            readings: None,
            scales: Vec::new(),
        }
    }
}

/// Tensors and nodes in execution order.
#[derive(Clone, Debug, Default)]
pub struct PlainGraph {
    /// Tensors; nodes name them by number.
    pub tensors: Vec<PlainTensor>,
    /// Nodes.
    pub nodes: Vec<PlainNode>,
    /// Per value of the spec, the tensor that holds it; none if no head needs it, or if it never exists whole or at all.
    pub tensor_of_value: Vec<Option<usize>>,
}

impl PlainGraph {
    /// Numbers of the nodes that read a tensor.
    pub fn readers(&self, tensor: usize) -> impl Iterator<Item = usize> + '_ {
        let reads = move |plain: &PlainNode| plain.node.reads().any(|read| read == tensor);
        self.nodes
            .iter()
            .enumerate()
            .filter(move |(_, plain)| reads(plain))
            .map(|(number, _)| number)
    }

    /// The node that alone reads a tensor.
    pub fn only_reader(&self, tensor: usize) -> Option<usize> {
        let mut readers = self.readers(tensor);
        readers.next().filter(|_| readers.next().is_none())
    }

    /// The node that writes a tensor.
    pub fn writer(&self, tensor: usize) -> Option<usize> {
        self.nodes.iter().position(|plain| plain.node.writes() == Some(tensor))
    }

    /// The last node that reads a tensor: one beyond all nodes for the codes of the segmentation head, which the caller reads.
    pub fn last_reader(&self, tensor: usize) -> usize {
        let last = |number: usize| match self.nodes[number].node.op {
            Op::Logits => self.nodes.len(),
            _ => number,
        };
        let read = self.readers(tensor).map(last).max();
        read.or_else(|| self.writer(tensor)).unwrap_or(0)
    }

    /// The first tensor that a node reads; of an input node the one it writes.
    pub fn input_of(&self, node: &Node) -> usize {
        usize::from(if node.op.is_input() { node.output } else { node.input })
    }

    /// A tensor at some place, all its rows kept unless told otherwise.
    pub fn placed(&self, tensor: usize, offset: u32, kept: Option<u16>) -> Tensor {
        let plain = self.tensors[tensor];
        Tensor {
            offset,
            shape: plain.shape,
            kept: kept.unwrap_or(plain.shape.h),
            zero_point: plain.zero_point,
            element: plain.element,
            scale: plain.scale,
        }
    }

    /// Bytes of scratch memory that a node's steps need.
    pub fn scratch_bytes(&self, number: usize) -> usize {
        let node = &self.nodes[number].node;
        if !node.op.is_weighted() {
            return 0;
        }
        let [input, output] = [node.input, node.output].map(|tensor| self.placed(tensor.into(), 0, None));
        4 * kernels::scratch_words(node, &input, &output)
    }

    /// The terms of an addition that nothing reads later: its sum may take the place of one, unless that is half as large.
    pub fn last_terms(&self, number: usize) -> impl Iterator<Item = usize> + '_ {
        let node = &self.nodes[number].node;
        let places = match node.op {
            Op::Add if node.input != node.second => 2,
            Op::UpsampledAdd => 1,
            _ => 0,
        };
        let terms = [node.input, node.second].into_iter().take(places).map(usize::from);
        terms.filter(move |&tensor| self.last_reader(tensor) == number)
    }

    /// Records of tensors without a place, and of nodes.
    pub fn records(&self) -> (Vec<u8>, Vec<u8>) {
        let tensors = (0..self.tensors.len()).flat_map(|tensor| self.placed(tensor, 0, None).encode());
        (
            tensors.collect(),
            self.nodes.iter().flat_map(|plain| plain.node.encode()).collect(),
        )
    }

    /// Lets a tensor stand for no value of the spec any more.
    pub fn forget(&mut self, tensor: usize) {
        self.tensor_of_value
            .iter_mut()
            .filter(|of| **of == Some(tensor))
            .for_each(|of| *of = None);
    }

    /// Drops tensors that no node writes and numbers the others anew.
    pub fn drop_unwritten(&mut self) {
        let kept: Vec<usize> = (0..self.tensors.len())
            .filter(|&tensor| self.writer(tensor).is_some())
            .collect();
        let number = |tensor: usize| kept.iter().position(|&old| old == tensor);
        for plain in &mut self.nodes {
            let node = &mut plain.node;
            let [reads, writes, two] = [!node.op.is_input(), !node.op.is_output(), node.op.is_binary()];
            for (named, tensor) in [
                (reads, &mut node.input),
                (writes, &mut node.output),
                (two, &mut node.second),
            ] {
                if named {
                    *tensor = number((*tensor).into()).map_or(*tensor, |number| number as u8);
                }
            }
        }
        for tensor in &mut self.tensor_of_value {
            *tensor = tensor.and_then(number);
        }
        self.tensors = kept.iter().map(|&tensor| self.tensors[tensor]).collect();
    }
}
