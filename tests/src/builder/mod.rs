//! Blobs laid out by hand: tensors without reuse of the arena, parameters one behind the other.
//!
//! Every part is public, so that a test can break exactly one rule and pack the result: [`Builder::pack`] checks nothing.

mod encode;

use trident::blob::{Calibration, Golden, ReadingStatistics, Span};
use trident::graph::{Element, NO_TABLE, Node, Op, Tensor};
use trident::input::{ModelInput, Segment};
use trident::kernels;
use trident::spec::{Head, HeadSet, InputSlot, Shape};

use crate::layer::Layer;

pub use encode::seal;

/// The description of an input, owned.
#[derive(Clone, Debug)]
pub struct Input {
    /// The slot.
    pub slot: InputSlot,
    /// What the caller hands over.
    pub shape: Shape,
    /// Names of the readings.
    pub names: Vec<&'static str>,
}

/// The description of a head, owned.
#[derive(Clone, Debug)]
pub struct Output {
    /// The head.
    pub head: Head,
    /// What it tells.
    pub name: &'static str,
    /// Class names.
    pub classes: Vec<&'static str>,
}

/// All parts of a blob.
#[derive(Clone, Debug)]
pub struct Builder {
    /// The model sequence number.
    pub sequence: u32,
    /// Name of the arithmetic.
    pub arithmetic: &'static str,
    /// Bytes of arena.
    pub arena_len: u32,
    /// Tensors.
    pub tensors: Vec<Tensor>,
    /// Nodes.
    pub nodes: Vec<Node>,
    /// Input descriptions.
    pub inputs: Vec<Input>,
    /// Head descriptions.
    pub heads: Vec<Output>,
    /// Golden vectors.
    pub golden: Vec<Golden>,
    /// Where calibration statistics lie.
    pub calibrations: Vec<Calibration>,
    /// Metrics.
    pub metrics: Vec<(&'static str, f32)>,
    /// Weights and tables.
    pub parameters: Vec<u8>,
}

impl Default for Builder {
    fn default() -> Self {
        Self {
            sequence: 1,
            arithmetic: trident::arithmetic::NAME,
            arena_len: 0,
            tensors: Vec::new(),
            nodes: Vec::new(),
            inputs: Vec::new(),
            heads: Vec::new(),
            golden: Vec::new(),
            calibrations: Vec::new(),
            metrics: Vec::new(),
            parameters: Vec::new(),
        }
    }
}

impl Builder {
    /// A tensor behind all others, on a 4-byte boundary, every row of it kept.
    pub fn tensor(&mut self, shape: Shape, zero_point: i8, element: Element) -> u8 {
        let tensor = Tensor {
            offset: self.arena_len.next_multiple_of(4),
            shape,
            kept: shape.h,
            zero_point,
            element,
            scale: 1.0,
        };
        self.arena_len = tensor.range().end as u32;
        self.tensors.push(tensor);
        (self.tensors.len() - 1) as u8
    }

    /// Appends parameters on a boundary of that many bytes; gives their offset.
    pub fn bytes(&mut self, alignment: usize, bytes: &[u8]) -> u32 {
        self.parameters
            .resize(self.parameters.len().next_multiple_of(alignment), 0);
        self.parameters.extend_from_slice(bytes);
        (self.parameters.len() - bytes.len()) as u32
    }

    /// Appends parameters of 4-byte elements.
    pub fn words<T: bytemuck::NoUninit>(&mut self, words: &[T]) -> u32 {
        self.bytes(4, bytemuck::cast_slice(words))
    }

    /// Appends a table of 256 codes.
    pub fn table(&mut self, codes: &[i8]) -> u32 {
        self.bytes(1, bytemuck::cast_slice(codes))
    }

    /// An input step: one table per model input, each from a reading.
    pub fn readings(
        &mut self,
        (slot, names): (InputSlot, &[&'static str]),
        tables: &[(u16, &[Segment])],
        inverse_scale: f32,
        zero_point: i8,
    ) -> u8 {
        let output = self.tensor(Shape::row(tables.len() as u16), zero_point, Element::I8);
        let (mut inputs, mut segments) = (Vec::new(), Vec::new());
        for &(feature, table) in tables {
            inputs.push(ModelInput {
                feature,
                segments: table.len() as u16,
                first: segments.len() as u32,
            });
            segments.extend_from_slice(table);
        }
        let node = Node {
            input: slot as u8,
            output,
            weights: self.words(&inputs),
            table: self.words(&segments),
            p: [
                segments.len() as i32,
                inverse_scale.to_bits() as i32,
                names.len() as i32,
            ],
            ..Node::new(Op::Readings, HeadSet::ALL)
        };
        self.nodes.push(node);
        self.inputs.push(Input {
            slot,
            shape: Shape::row(names.len() as u16),
            names: names.to_vec(),
        });
        output
    }

    /// A picture of that size.
    pub fn picture(&mut self, h: u16, w: u16) -> u8 {
        let shape = Shape::new(h, w, 3);
        let output = self.tensor(shape, 0, Element::I8);
        self.nodes.push(Node {
            input: InputSlot::Picture as u8,
            output,
            ..Node::new(Op::Picture, HeadSet::ALL)
        });
        self.inputs.push(Input {
            slot: InputSlot::Picture,
            shape,
            names: Vec::new(),
        });
        output
    }

    /// A node that writes a new tensor of codes.
    pub fn codes(&mut self, mut node: Node, shape: Shape, zero_point: i8) -> u8 {
        node.output = self.tensor(shape, zero_point, Element::I8);
        self.nodes.push(node);
        node.output
    }

    /// A node with weights, and its scratch memory: it writes a new tensor, of codes unless the layer keeps its sums. Requantisation adds
    /// the output's zero point, or where a table follows, `p1` of the node.
    pub fn weighted(&mut self, node: Node, layer: &Layer, shape: Shape, zero_point: i8) -> u8 {
        let input = self.tensors[usize::from(node.input)];
        let stream = layer.stream(node.op, node.kernel.into(), input.shape.c.into());
        let element = match node.op {
            Op::NarrowLinear => Element::I16,
            _ if layer.multipliers.is_empty() => Element::I32,
            _ => Element::I8,
        };
        let mut node = Node {
            weights: self.words(&stream),
            output: self.tensor(shape, zero_point, element),
            ..node
        };
        node.p[0] = self.arena_len.next_multiple_of(4) as i32;
        if node.table == NO_TABLE {
            node.p[1] = zero_point.into();
        }
        self.reach(&node);
        self.nodes.push(node);
        node.output
    }

    /// Lets the arena reach to the end of a node's scratch memory.
    fn reach(&mut self, node: &Node) {
        let [input, output] = [node.input, node.output].map(|tensor| self.tensors[usize::from(tensor)]);
        let scratch = kernels::scratch(node, &input, &output);
        self.arena_len = self.arena_len.max(scratch.end as u32);
    }

    /// Lays the arena out anew: tensors one behind the other, of each the rows that it keeps, then scratch memory that all nodes share.
    pub fn place(&mut self) {
        self.arena_len = 0;
        for tensor in &mut self.tensors {
            tensor.offset = self.arena_len.next_multiple_of(4);
            self.arena_len = tensor.range().end as u32;
        }
        let scratch = self.arena_len.next_multiple_of(4);
        for number in 0..self.nodes.len() {
            if self.nodes[number].op.is_weighted() {
                self.nodes[number].p[0] = scratch as i32;
                let node = self.nodes[number];
                self.reach(&node);
            }
        }
    }

    /// A last layer, `bias.len()` accumulators of all of `input`.
    pub fn sums(&mut self, input: u8, weights: &[i8], bias: &[i32]) -> u8 {
        let node = Node {
            input,
            ..Node::new(Op::Linear, HeadSet::ALL)
        };
        let shape = Shape::row(bias.len() as u16);
        self.weighted(node, &Layer::of_sums(weights, bias), shape, 0)
    }

    /// A head's last node and its description.
    pub fn head(&mut self, node: Node, name: &'static str, classes: &[&'static str]) {
        let head = node.heads.iter().next().expect("an output node serves one head");
        self.nodes.push(node);
        self.heads.push(Output {
            head,
            name,
            classes: classes.to_vec(),
        });
    }

    /// Gives every node the heads that need it, drops those that none needs, and with them their input descriptions.
    pub fn assign_heads(&mut self) {
        let mut needed = vec![HeadSet::EMPTY; self.tensors.len()];
        for node in self.nodes.iter_mut().rev() {
            if let Some(output) = node.writes() {
                node.heads = needed[output];
            }
            for tensor in node.reads() {
                needed[tensor] = needed[tensor].union(node.heads);
            }
        }
        self.nodes.retain(|node| !node.heads.is_empty());
        let nodes = &self.nodes;
        self.inputs.retain(|input| {
            nodes
                .iter()
                .any(|node| node.op.is_input() && node.input == input.slot as u8)
        });
    }

    /// The statistics of a slot's readings.
    pub fn calibrate(&mut self, slot: InputSlot, readings: &[ReadingStatistics]) {
        let readings = self.span(readings);
        self.calibrations.push(Calibration { slot, readings });
    }

    /// A span of parameters appended on a 4-byte boundary.
    pub fn span<T: bytemuck::NoUninit>(&mut self, elements: &[T]) -> Span {
        Span {
            offset: self.bytes(4, bytemuck::cast_slice(elements)),
            len: size_of_val(elements) as u32,
        }
    }
}
