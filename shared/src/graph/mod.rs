//! The quantised graph: tensors in an arena, nodes in execution order.
//!
//! Both travel in the blob's metadata as tables of fixed-size little-endian records, and are decoded in place whenever a node
//! runs: the device keeps no copy. A graph begins with nodes that bring inputs into the arena and ends, for each head, with
//! a node that takes the result out.
//!
//! ```text
//! tensor  0 offset u32 │ 4 h u16 │ 6 w u16 │ 8 c u16 │ 10 kept u16 │ 12 zero_point i8 │ 13 element u8 │ 14 0 u16
//!         16 scale f32                                                                                                 20 bytes
//! node    0 op u8 │ 1 heads u8 │ 2 input u8 │ 3 second u8 │ 4 output u8 │ 5 right_shift u8 │ 6 lo i8 │ 7 hi i8
//!         8 kernel u8 │ 9 stride u8 │ 10 pad_top u8 │ 11 pad_left u8 │ 12 weights u32 │ 16 table u32
//!         20 p0 i32 │ 24 p1 i32 │ 28 p2 i32                                                                            32 bytes
//! ```
//!
//! A tensor may keep fewer rows than it has: row `y` then takes the place of row `y − kept`. The node that writes it and those that
//! read it run in turns, row by row, so that the whole tensor never exists; see [`schedule`](crate::schedule).

mod built_in;
mod op;

pub use built_in::{BUILT_IN, OpSet};
pub use op::Op;

use crate::spec::{HeadSet, Shape};

/// Bytes of a tensor record.
pub const TENSOR_LEN: usize = 20;
/// Bytes of a node record.
pub const NODE_LEN: usize = 32;
/// The most tensors a graph may have.
pub const MAX_TENSORS: usize = 128;
/// The most nodes a graph may have.
pub const MAX_NODES: usize = 128;
/// [`Node::table`] of a node without one.
pub const NO_TABLE: u32 = u32::MAX;

/// What an arena tensor holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Element {
    /// Codes, one byte each.
    I8 = 0,
    /// Accumulators, four bytes each, 4-byte aligned.
    I32 = 1,
    /// Codes of two bytes each, 4-byte aligned, as rows of weights read them: of each four `c0 c2 c1 c3`.
    I16 = 2,
}

impl Element {
    /// Bytes of one.
    pub const fn bytes(self) -> usize {
        match self {
            Self::I8 => 1,
            Self::I16 => 2,
            Self::I32 => 4,
        }
    }
}

/// A tensor: a place in the arena, a shape, and what its codes mean.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Tensor {
    /// Where it begins, in bytes from the arena's start.
    pub offset: u32,
    /// `[h, w, c]`, channels innermost.
    pub shape: Shape,
    /// Rows that the arena holds at a time, the latest; all of them unless it is streamed.
    pub kept: u16,
    /// The code of real zero.
    pub zero_point: i8,
    /// What it holds.
    pub element: Element,
    /// Real step per code; for reports only, no arithmetic on the device reads it.
    pub scale: f32,
}

impl Tensor {
    /// Whether fewer rows are kept than there are.
    pub const fn is_streamed(&self) -> bool {
        self.kept < self.shape.h
    }

    /// Elements of a row.
    pub const fn row_len(&self) -> usize {
        self.shape.w as usize * self.shape.c as usize
    }

    /// Bytes it takes in the arena: kernels write four elements at a time, and may reach beyond the last.
    pub const fn byte_len(&self) -> usize {
        let elements = (self.kept as usize).saturating_mul(self.row_len()).saturating_add(3) & !3;
        elements.saturating_mul(self.element.bytes())
    }

    /// Bytes of its elements, of a tensor whose rows are all kept.
    pub const fn elements(&self) -> core::ops::Range<usize> {
        let len = self.shape.len() * self.element.bytes();
        self.offset as usize..self.offset as usize + len
    }

    /// Its bytes in the arena.
    pub const fn range(&self) -> core::ops::Range<usize> {
        self.offset as usize..(self.offset as usize).saturating_add(self.byte_len())
    }

    /// As [`Tensor::range`], of one that is known to lie in the arena.
    #[inline(always)]
    pub(crate) const fn held(&self) -> core::ops::Range<usize> {
        let elements = (self.kept as usize * self.row_len()).wrapping_add(3) & !3;
        let start = self.offset as usize;
        start..start.wrapping_add(elements * self.element.bytes())
    }

    /// The bytes that rows of it take, of one that is known to lie in the arena and to keep them one behind the other.
    #[inline(always)]
    pub(crate) const fn place(&self, rows: core::ops::Range<usize>) -> core::ops::Range<usize> {
        let (kept, len) = (self.kept as usize, self.row_len() * self.element.bytes());
        let place = if self.is_streamed() {
            rows.start % kept
        } else {
            rows.start
        };
        let start = self.offset as usize + place * len;
        start..start + (rows.end - rows.start) * len
    }

    /// The record of [`TENSOR_LEN`] bytes.
    pub fn encode(&self) -> [u8; TENSOR_LEN] {
        let mut out = [0; TENSOR_LEN];
        out[0..4].copy_from_slice(&self.offset.to_le_bytes());
        out[4..6].copy_from_slice(&self.shape.h.to_le_bytes());
        out[6..8].copy_from_slice(&self.shape.w.to_le_bytes());
        out[8..10].copy_from_slice(&self.shape.c.to_le_bytes());
        out[10..12].copy_from_slice(&self.kept.to_le_bytes());
        out[12] = self.zero_point as u8;
        out[13] = self.element as u8;
        out[16..20].copy_from_slice(&self.scale.to_le_bytes());
        out
    }

    /// The tensor of a record; `None` if its element is unknown.
    pub fn decode(record: &[u8; TENSOR_LEN]) -> Option<Self> {
        Some(Self {
            offset: u32_at(record, 0),
            shape: Shape {
                h: u16_at(record, 4),
                w: u16_at(record, 6),
                c: u16_at(record, 8),
            },
            kept: u16_at(record, 10),
            zero_point: record[12] as i8,
            element: match record[13] {
                0 => Element::I8,
                1 => Element::I32,
                2 => Element::I16,
                _ => return None,
            },
            scale: f32::from_bits(u32_at(record, 16)),
        })
    }
}

/// Where a tensor lies whose rows are all kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// Where it begins, in bytes from the arena's start.
    pub offset: usize,
    /// How many elements it has.
    pub count: usize,
    /// Whether they are [`Element::I16`].
    pub wide: bool,
}

/// One step of the graph.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Node {
    /// What it does.
    pub op: Op,
    /// The heads that need it.
    pub heads: HeadSet,
    /// Tensor read, or the slot of an input node.
    pub input: u8,
    /// Second tensor read, by the operators that read two.
    pub second: u8,
    /// Tensor written; none by output nodes.
    pub output: u8,
    /// Right shift of an addition.
    pub right_shift: u8,
    /// Least output code.
    pub lo: i8,
    /// Largest output code.
    pub hi: i8,
    /// Side of a window, or a factor.
    pub kernel: u8,
    /// Step of a window.
    pub stride: u8,
    /// Rows of padding above.
    pub pad_top: u8,
    /// Columns of padding to the left.
    pub pad_left: u8,
    /// Where weights or tables begin, in bytes from the parameters' start.
    pub weights: u32,
    /// Where a table of 256 codes begins, likewise, or [`NO_TABLE`]; of readings, their segments.
    pub table: u32,
    /// The operator's own words.
    pub p: [i32; 3],
}

impl Node {
    /// A node of that operator for those heads, without a table, all else zero.
    pub const fn new(op: Op, heads: HeadSet) -> Self {
        Self {
            op,
            heads,
            input: 0,
            second: 0,
            output: 0,
            right_shift: 0,
            lo: 0,
            hi: 0,
            kernel: 0,
            stride: 0,
            pad_top: 0,
            pad_left: 0,
            weights: 0,
            table: NO_TABLE,
            p: [0; 3],
        }
    }

    /// Tensors read, in order.
    pub fn reads(&self) -> impl Iterator<Item = usize> {
        let count = if self.op.is_input() {
            0
        } else if self.op.is_binary() {
            2
        } else {
            1
        };
        [self.input, self.second].into_iter().take(count).map(usize::from)
    }

    /// Tensor written.
    pub fn writes(&self) -> Option<usize> {
        (!self.op.is_output()).then_some(usize::from(self.output))
    }

    /// The record of [`NODE_LEN`] bytes.
    pub fn encode(&self) -> [u8; NODE_LEN] {
        let mut out = [0; NODE_LEN];
        out[..12].copy_from_slice(&[
            self.op as u8,
            self.heads.bits(),
            self.input,
            self.second,
            self.output,
            self.right_shift,
            self.lo as u8,
            self.hi as u8,
            self.kernel,
            self.stride,
            self.pad_top,
            self.pad_left,
        ]);
        out[12..16].copy_from_slice(&self.weights.to_le_bytes());
        out[16..20].copy_from_slice(&self.table.to_le_bytes());
        for (bytes, word) in out[20..].chunks_exact_mut(4).zip(self.p) {
            bytes.copy_from_slice(&word.to_le_bytes());
        }
        out
    }

    /// The node of a record; `None` if its operator or heads are unknown.
    pub fn decode(record: &[u8; NODE_LEN]) -> Option<Self> {
        HeadSet::from_bits(record[1])?;
        Self::decode_checked(record)
    }

    /// As [`Node::decode`], of a record whose heads are known to be heads.
    #[inline(always)]
    pub(crate) fn decode_checked(record: &[u8; NODE_LEN]) -> Option<Self> {
        Some(Self::decode_as(Op::from_number(record[0])?, record))
    }

    /// As [`Node::decode`], of a record that is known to be one of that operator.
    #[inline(always)]
    pub(crate) fn decode_as(op: Op, record: &[u8; NODE_LEN]) -> Self {
        Self {
            op,
            heads: HeadSet::from_bits_truncated(record[1]),
            input: record[2],
            second: record[3],
            output: record[4],
            right_shift: record[5],
            lo: record[6] as i8,
            hi: record[7] as i8,
            kernel: record[8],
            stride: record[9],
            pad_top: record[10],
            pad_left: record[11],
            weights: u32_at(record, 12),
            table: u32_at(record, 16),
            p: [
                u32_at(record, 20) as i32,
                u32_at(record, 24) as i32,
                u32_at(record, 28) as i32,
            ],
        }
    }
}

/// The two tables, borrowed from a blob, and the arena they need.
#[derive(Clone, Copy, Debug)]
pub struct Graph<'a> {
    tensors: &'a [[u8; TENSOR_LEN]],
    nodes: &'a [[u8; NODE_LEN]],
    arena_len: u32,
}

impl<'a> Graph<'a> {
    /// A view of the two tables; `None` if a table is not whole records behind at most three zeros, is empty or beyond
    /// the limits.
    pub fn new(tensors: &'a [u8], nodes: &'a [u8], arena_len: u32) -> Option<Self> {
        let (tensors, nodes) = (records(tensors)?, records(nodes)?);
        let fits = (1..=MAX_TENSORS).contains(&tensors.len()) && (1..=MAX_NODES).contains(&nodes.len());
        fits.then_some(Self {
            tensors,
            nodes,
            arena_len,
        })
    }

    /// Bytes of arena that it needs.
    pub const fn arena_len(&self) -> usize {
        self.arena_len as usize
    }

    /// How many tensors there are.
    pub const fn tensor_count(&self) -> usize {
        self.tensors.len()
    }

    /// How many nodes there are.
    pub const fn node_count(&self) -> usize {
        self.nodes.len()
    }

    /// One tensor; `None` if there is none of that number or its record is malformed.
    #[inline(never)]
    pub fn tensor(&self, index: usize) -> Option<Tensor> {
        self.tensor_at_once(index)
    }

    /// As [`Graph::tensor`], for steps: decoded where it is used, as far as it is.
    #[inline(always)]
    pub(crate) fn tensor_at_once(&self, index: usize) -> Option<Tensor> {
        Tensor::decode(self.tensors.get(index)?)
    }

    /// Whether a tensor holds such elements; `false` if there is none of that number.
    #[inline(always)]
    pub(crate) fn holds(&self, element: Element, index: u8) -> bool {
        let record = self.tensors.get(usize::from(index));
        record.is_some_and(|record| record[13] == element as u8)
    }

    /// A tensor's place, without the rest of its record; `None` if there is none of that number.
    #[inline(always)]
    pub(crate) fn place(&self, index: u8) -> Option<Place> {
        let record = self.tensors.get(usize::from(index))?;
        let side = |at: usize| usize::from(u16_at(record, at));
        Some(Place {
            offset: u32_at(record, 0) as usize,
            count: side(4).wrapping_mul(side(6)).wrapping_mul(side(8)),
            wide: record[13] == Element::I16 as u8,
        })
    }

    /// One node; `None` if there is none of that number or its record is malformed.
    #[inline(never)]
    pub fn node(&self, index: usize) -> Option<Node> {
        Node::decode(self.nodes.get(index)?)
    }

    /// As [`Graph::node`], for steps: decoded where it is used, as far as it is; its heads are known to be heads.
    #[inline(always)]
    pub(crate) fn node_at_once(&self, index: usize) -> Option<Node> {
        Node::decode_checked(self.nodes.get(index)?)
    }

    /// Records of the nodes from a number on.
    ///
    /// # Panics
    /// If there are fewer nodes.
    #[inline(always)]
    pub(crate) fn records_from(&self, first: usize) -> &'a [[u8; NODE_LEN]] {
        &self.nodes[first..]
    }

    /// All tensors; a malformed record ends the iteration.
    pub fn tensors(&self) -> impl Iterator<Item = Tensor> + use<'a> {
        let graph = *self;
        (0..self.tensor_count()).map_while(move |index| graph.tensor(index))
    }

    /// All nodes; a malformed record ends the iteration.
    pub fn nodes(&self) -> impl Iterator<Item = Node> + use<'a> {
        let graph = *self;
        (0..self.node_count()).map_while(move |index| graph.node(index))
    }

    /// The heads whose results it takes out.
    pub fn heads(&self) -> HeadSet {
        let outputs = self.nodes().filter(|node| node.op.is_output());
        outputs.fold(HeadSet::EMPTY, |heads, node| heads.union(node.heads))
    }

    /// Multiplications of one run for those heads; windows at the border count in full.
    pub fn macs(&self, heads: HeadSet) -> u64 {
        self.nodes()
            .filter(|node| node.heads.intersects(heads))
            .map(|node| self.node_macs(&node))
            .sum()
    }

    /// Multiplications of one node as its layer is written: those that doubled pixels or Winograd's transform spare are counted too.
    pub fn node_macs(&self, node: &Node) -> u64 {
        let shape = |index: u8| self.tensor(index.into()).map_or(Shape::row(0), |tensor| tensor.shape);
        let (input, output) = (shape(node.input), shape(node.output));
        let window = u64::from(node.kernel) * u64::from(node.kernel);
        let outputs = output.len() as u64;
        match node.op {
            op if op.is_linear() => outputs * input.len() as u64,
            op if op.is_depthwise() => outputs * window,
            op if op.is_windowed() => outputs * window * u64::from(input.c),
            _ => 0,
        }
    }
}

/// A table's records. Up to three zeros may stand in front of them, so that they begin at a word: their fields are then loaded faster.
fn records<const N: usize>(table: &[u8]) -> Option<&[[u8; N]]> {
    let (zeros, records) = table.split_at(table.len() % N);
    let (records, []) = records.as_chunks() else {
        return None;
    };
    (zeros.len() <= 3 && zeros.iter().all(|&byte| byte == 0)).then_some(records)
}

/// Fields are taken as whole arrays, which compilers load as one.
#[inline(always)]
fn u16_at<const N: usize>(record: &[u8; N], at: usize) -> u16 {
    record[at..].first_chunk().map_or(0, |bytes| u16::from_le_bytes(*bytes))
}

#[inline(always)]
fn u32_at<const N: usize>(record: &[u8; N], at: usize) -> u32 {
    record[at..].first_chunk().map_or(0, |bytes| u32::from_le_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Head;

    const TENSOR: Tensor = Tensor {
        offset: 0x0403_0201,
        shape: Shape::new(0x0605, 0x0807, 0x0A09),
        kept: 0x0C0B,
        zero_point: -2,
        element: Element::I32,
        scale: 1.0,
    };
    const TENSOR_BYTES: [u8; TENSOR_LEN] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0xFE, 1, 0, 0, 0, 0, 0x80, 0x3F];

    const NODE: Node = Node {
        op: Op::Add,
        heads: HeadSet::ALL,
        input: 3,
        second: 4,
        output: 5,
        right_shift: 20,
        lo: -128,
        hi: 127,
        kernel: 6,
        stride: 7,
        pad_top: 8,
        pad_left: 9,
        weights: 0x0403_0201,
        table: 0x0807_0605,
        p: [1, -1, i32::MIN],
    };
    const NODE_BYTES: [u8; NODE_LEN] = [
        8, 7, 3, 4, 5, 20, 0x80, 0x7F, 6, 7, 8, 9, 1, 2, 3, 4, 5, 6, 7, 8, 1, 0, 0, 0, 0xFF, 0xFF, 0xFF, 0xFF, 0, 0, 0,
        0x80,
    ];

    #[test]
    fn records_are_these_bytes() {
        assert_eq!(TENSOR.encode(), TENSOR_BYTES);
        assert_eq!(Tensor::decode(&TENSOR_BYTES), Some(TENSOR));
        assert_eq!(NODE.encode(), NODE_BYTES);
        assert_eq!(Node::decode(&NODE_BYTES), Some(NODE));
    }

    #[test]
    fn operators_keep_their_numbers() {
        for (number, op) in Op::ALL.into_iter().enumerate() {
            assert_eq!(op as usize, number);
        }
    }

    #[test]
    fn unknown_elements_operators_and_heads_do_not_decode() {
        for element in 3..=255 {
            let mut bytes = TENSOR_BYTES;
            bytes[13] = element;
            assert_eq!(Tensor::decode(&bytes), None);
        }
        for op in Op::ALL.len() as u8..=255 {
            let mut bytes = NODE_BYTES;
            bytes[0] = op;
            assert_eq!(Node::decode(&bytes), None);
        }
        for heads in 8..=255 {
            let mut bytes = NODE_BYTES;
            bytes[1] = heads;
            assert_eq!(Node::decode(&bytes), None);
        }
    }

    #[test]
    fn sizes_saturate() {
        let mut tensor = TENSOR;
        tensor.shape = Shape::new(2, 3, 5);
        tensor.kept = 2;
        assert_eq!(tensor.byte_len(), 4 * 32); // thirty elements fill up to 32
        assert_eq!(tensor.range(), 0x0403_0201..0x0403_0201 + 128);
        assert_eq!(tensor.elements(), 0x0403_0201..0x0403_0201 + 120);
        tensor.element = Element::I8;
        assert_eq!(tensor.byte_len(), 32);
        tensor.kept = 1;
        assert_eq!(tensor.byte_len(), 16);
        tensor.shape = Shape::new(u16::MAX, u16::MAX, u16::MAX);
        tensor.kept = u16::MAX;
        assert!(tensor.byte_len() >= u32::MAX as usize);
    }

    #[test]
    fn tables_hold_whole_records_within_the_limits() {
        let tensors = [0; TENSOR_LEN * (MAX_TENSORS + 1)];
        let nodes = [0; NODE_LEN * (MAX_NODES + 1)];
        let graph = |t: usize, n: usize| Graph::new(&tensors[..t], &nodes[..n], 0).is_some();
        assert!(graph(TENSOR_LEN, NODE_LEN));
        assert!(graph(TENSOR_LEN * MAX_TENSORS, NODE_LEN * MAX_NODES));
        assert!(!graph(0, NODE_LEN) && !graph(TENSOR_LEN, 0));
        assert!(!graph(TENSOR_LEN - 1, NODE_LEN) && !graph(TENSOR_LEN, NODE_LEN + 4));
        // Up to three zeros may stand in front, nothing else.
        assert!(graph(TENSOR_LEN + 1, NODE_LEN + 3));
        let mut filled = [0; NODE_LEN + 1];
        filled[0] = 1;
        assert!(Graph::new(&tensors[..TENSOR_LEN], &filled, 0).is_none());
        assert!(!graph(tensors.len(), NODE_LEN) && !graph(TENSOR_LEN, nodes.len()));
    }

    #[test]
    fn multiplications_are_counted_per_head() {
        let tensor = |h, w, c| Tensor {
            shape: Shape::new(h, w, c),
            ..TENSOR
        };
        let node = |op, head: Head, kernel, input, output| Node {
            kernel,
            input,
            output,
            ..Node::new(op, head.into())
        };
        let tensors = [tensor(4, 4, 3), tensor(2, 2, 8), tensor(1, 1, 5)].map(|tensor| tensor.encode());
        let nodes = [
            node(Op::Conv2d, Head::Segmentation, 3, 0, 1), // 2·2·8 outputs of 3·3·3
            node(Op::DepthwiseConv2d, Head::Segmentation, 5, 1, 1), // 2·2·8 outputs of 5·5
            node(Op::Linear, Head::Regression, 0, 1, 2),   // 5 outputs of 32
            node(Op::MaxPool2d, Head::Regression, 2, 0, 1),
            node(Op::NarrowLinear, Head::Classification, 0, 2, 2), // 5 outputs of 5
        ];
        let nodes = nodes.map(|node| node.encode());
        let graph = Graph::new(tensors.as_flattened(), nodes.as_flattened(), 0).unwrap();
        assert_eq!(graph.macs(Head::Segmentation.into()), 32 * 27 + 32 * 25);
        assert_eq!(graph.macs(Head::Regression.into()), 160);
        assert_eq!(graph.macs(Head::Classification.into()), 25);
        assert_eq!(graph.macs(HeadSet::ALL), 32 * 27 + 32 * 25 + 160 + 25);
        assert_eq!(graph.macs(HeadSet::EMPTY), 0);
    }
}
