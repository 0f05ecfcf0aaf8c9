//! Random windows.

use proptest::prelude::*;
use trident::graph::{Node, Op, Tensor};
use trident::spec::{HeadSet, Padding, Shape};
use trident_tests::layer::Layer;
use trident_tests::naive::{self, Map};
use trident_tests::noise::Noise;

use crate::steps::{run, tensor};

/// A window over one side: input side, output side, padding before.
#[derive(Clone, Copy, Debug)]
pub struct Side {
    pub n: u16,
    pub out: u16,
    pub before: u8,
}

/// A node with windows, and the seed of all numbers in it.
#[derive(Clone, Copy, Debug)]
pub struct Case {
    pub op: Op,
    pub kernel: u8,
    pub stride: u8,
    pub rows: Side,
    pub columns: Side,
    pub channels: u16,
    pub filters: u16,
    pub seed: u64,
}

/// Mostly small, up to 40.
fn length() -> impl Strategy<Value = u16> {
    prop_oneof![4 => 1u16..=11, 1 => 12u16..=40]
}

/// Sides by the two border rules, and any other that the format allows: fewer windows, more padding before.
fn side(kernel: u8, stride: u8) -> impl Strategy<Value = Side> {
    (length(), 0..4, 0..kernel, 0.0..1.0f64).prop_map(move |(n, rule, before, part)| {
        let rule = [Padding::Valid, Padding::Same].get(rule as usize);
        if let Some((out, before, _)) = rule.and_then(|rule| rule.extent(n, kernel, stride)) {
            return Side { n, out, before };
        }
        let most = (n + u16::from(before) - 1) / u16::from(stride) + 1;
        let out = 1 + (f64::from(most - 1) * part).round() as u16;
        Side { n, out, before }
    })
}

/// Doubled, then a window of 3×3.
fn doubled() -> impl Strategy<Value = Side> {
    length().prop_map(|n| Side {
        n,
        out: 2 * n,
        before: 1,
    })
}

/// Any channels, or whole quads of them.
fn channels(quads: bool) -> impl Strategy<Value = u16> {
    let any = prop_oneof![3 => 1u16..=13, 1 => Just(16), 1 => Just(32)];
    any.prop_map(move |channels| if quads { channels.next_multiple_of(4) } else { channels })
}

/// A window that an operator takes.
pub fn case(op: Op) -> impl Strategy<Value = Case> {
    let kernel = match op {
        Op::Conv2d | Op::CompactConv2d | Op::DepthwiseConv2d => 1..=7,
        _ => 3..=3u8,
    };
    let stride = match op {
        Op::Conv2d | Op::CompactConv2d | Op::DepthwiseConv2d | Op::DepthwiseConv3x3 => 1..=2,
        _ => 1..=1u8,
    };
    (kernel, stride).prop_flat_map(move |(kernel, stride)| {
        let side = || {
            if op.is_upsampled() {
                doubled().boxed()
            } else {
                side(kernel, stride).boxed()
            }
        };
        let quads = !matches!(op, Op::Conv2d | Op::CompactConv2d | Op::DepthwiseConv2d);
        let rest = (channels(quads), channels(op == Op::WinogradConv3x3), any::<u64>());
        (side(), side(), rest).prop_map(move |(rows, columns, (channels, filters, seed))| Case {
            op,
            kernel,
            stride,
            rows,
            columns,
            channels,
            filters: if op.is_depthwise() { channels } else { filters },
            seed,
        })
    })
}

/// All numbers of a case.
pub struct Numbers {
    pub node: Node,
    pub input: Tensor,
    pub codes: Vec<i8>,
    pub layer: Layer,
    pub output: Tensor,
    pub table: Option<[i8; 256]>,
}

impl Case {
    /// Draws them; `columns` of the layer count as few as the operator has.
    pub fn numbers(&self) -> Numbers {
        let mut noise = Noise::new(self.seed);
        let input = tensor(Shape::new(self.rows.n, self.columns.n, self.channels), noise.code());
        let output = tensor(Shape::new(self.rows.out, self.columns.out, self.filters), noise.code());
        let read = if self.op.is_depthwise() { 1 } else { self.channels };
        let columns = usize::from(self.kernel).pow(2) * usize::from(read);
        let table = (noise.int(0..=3) == 0).then(|| [(); 256].map(|()| noise.code()));
        let (lo, hi) = noise.code_range();
        let node = Node {
            lo,
            hi,
            kernel: self.kernel,
            stride: self.stride,
            pad_top: self.rows.before,
            pad_left: self.columns.before,
            table: if table.is_some() { 0 } else { trident::graph::NO_TABLE },
            ..Node::new(self.op, HeadSet::ALL)
        };
        let codes = noise.codes(input.shape.len());
        let layer = Layer::random(&mut noise, self.filters.into(), columns);
        Numbers {
            node,
            input,
            codes,
            layer,
            output,
            table,
        }
    }
}

impl Numbers {
    /// What the engine makes of them.
    pub fn engine(&self) -> Vec<i8> {
        let stream = self.stream();
        run(
            &self.node,
            (&self.input, &self.codes),
            &stream,
            &self.output,
            self.table.as_ref(),
        )
    }

    /// The layer's stream.
    pub fn stream(&self) -> Vec<u32> {
        self.layer
            .stream(self.node.op, self.node.kernel.into(), self.input.shape.c.into())
    }

    /// What the oracle makes of them.
    pub fn oracle(&self) -> Vec<i8> {
        let window = naive::Window {
            kernel: self.node.kernel.into(),
            stride: self.node.stride.into(),
            top: self.node.pad_top.into(),
            left: self.node.pad_left.into(),
        };
        let output = naive::Output {
            zero_point: self.output.zero_point.into(),
            lo: self.node.lo.into(),
            hi: self.node.hi.into(),
            table: self.table.map(|table| table.to_vec()),
        };
        let map = Map::of_codes(self.input.shape, &self.codes);
        let (border, shape) = (self.input.zero_point.into(), self.output.shape);
        let sides = (shape.h.into(), shape.w.into());
        naive::windows(self.node.op, &map, border, window, &self.layer, &output, sides).codes()
    }
}
