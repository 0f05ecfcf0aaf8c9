//! In which order rows are computed.
//!
//! A node computes its output some rows at a time: one *step*. Most nodes take all their steps one after the other. Where a tensor
//! keeps fewer rows than it has, the node that writes it and those behind it, up to the first that writes a whole tensor, form a
//! *band* and take turns: the last node wants a row, and whoever writes rows that it lacks runs first. Every row is computed once.
//!
//! The quantiser finds out by the same schedule how many rows a tensor must keep, and the blob's checks that it keeps enough.

use core::ops::Range;

use crate::graph::{Graph, Node, Op, Tensor};

/// The most nodes a band may have.
pub const MAX_BAND: usize = 16;

/// The band that begins with a node, its end exclusive; `None` if it has no end or more than [`MAX_BAND`] nodes.
pub fn band(graph: &Graph<'_>, first: usize) -> Option<Range<usize>> {
    let mut last = first;
    loop {
        let node = graph.node(last)?;
        let streamed = node
            .writes()
            .is_some_and(|tensor| graph.tensor(tensor).is_some_and(|tensor| tensor.is_streamed()));
        if !streamed {
            return Some(first..last + 1);
        }
        last += 1;
        if last - first == MAX_BAND {
            return None;
        }
    }
}

/// Rows of its output that one step of a node writes; the last step writes what is left.
pub fn rows_per_step(node: &Node, input: &Tensor, output: &Tensor) -> u16 {
    match node.op {
        Op::Linear | Op::NarrowLinear | Op::Readings => output.shape.h,
        Op::Lut if input.shape != output.shape => output.shape.h,
        Op::Upsample2d => node.kernel.into(),
        Op::WinogradConv3x3 | Op::UpsampledConv3x3 | Op::UpsampledDepthwiseConv3x3 => 2,
        _ => 1,
    }
}

/// Rows of an input that a step reads, as far as they lie inside, if it writes rows from `row` on.
pub fn rows_read(node: &Node, input: &Tensor, output: &Tensor, row: u16) -> Range<u16> {
    let (row, height) = (i32::from(row), i32::from(input.shape.h));
    let (kernel, stride, above) = (i32::from(node.kernel), i32::from(node.stride), i32::from(node.pad_top));
    let rows = match node.op {
        Op::Linear | Op::NarrowLinear => 0..height,
        Op::Lut if input.shape != output.shape => 0..height,
        Op::Conv2d | Op::CompactConv2d | Op::DepthwiseConv2d | Op::DepthwiseConv3x3 => {
            row * stride - above..row * stride - above + kernel
        }
        Op::WinogradConv3x3 => row - above..row - above + kernel + 1,
        Op::UpsampledConv3x3 | Op::UpsampledDepthwiseConv3x3 => row / 2 - 1..row / 2 + 2,
        Op::MaxPool2d => row * kernel..(row + 1) * kernel,
        Op::Upsample2d => row / kernel..row / kernel + 1,
        _ => row..row + 1,
    };
    rows.start.clamp(0, height) as u16..rows.end.clamp(0, height) as u16
}

/// A step: which node, and the first row it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The node's number.
    pub node: usize,
    /// The first row that it writes.
    pub row: u16,
}

/// The steps of one band, in order.
#[derive(Clone, Debug)]
pub struct Schedule<'a> {
    graph: Graph<'a>,
    band: Range<usize>,
    /// Rows that each node has written.
    done: [u16; MAX_BAND],
}

impl<'a> Schedule<'a> {
    /// The steps of a band from [`band`].
    pub const fn new(graph: Graph<'a>, band: Range<usize>) -> Self {
        let done = [0; MAX_BAND];
        Self { graph, band, done }
    }

    /// Rows of a node's output that are written by now.
    pub fn written(&self, node: usize) -> u16 {
        self.done[node - self.band.start]
    }

    /// The number of the band's node that writes a tensor, if one does.
    pub fn writer(&self, tensor: usize) -> Option<usize> {
        self.band
            .clone()
            .find(|&node| self.graph.node(node).is_some_and(|node| node.writes() == Some(tensor)))
    }

    /// The tensor that a node reads or writes, decoded; `None` beyond the graph.
    fn output(&self, node: &Node) -> Option<Tensor> {
        self.graph.tensor(node.writes()?)
    }

    /// The node that must run next so that a node can take its next step: itself, or one that it waits for.
    fn runnable(&self, mut number: usize) -> Option<Turn> {
        'waiting: loop {
            let row = self.written(number);
            let node = self.graph.node(number)?;
            let output = self.output(&node)?;
            for tensor in node.reads() {
                let Some(writer) = self.writer(tensor).filter(|&writer| writer < number) else {
                    continue;
                };
                let input = self.graph.tensor(tensor)?;
                if rows_read(&node, &input, &output, row).end > self.written(writer) {
                    number = writer;
                    continue 'waiting;
                }
            }
            return Some(Turn { node: number, row });
        }
    }
}

impl Iterator for Schedule<'_> {
    type Item = Turn;

    fn next(&mut self) -> Option<Turn> {
        let last = self.band.end - 1;
        let height = self.output(&self.graph.node(last)?)?.shape.h;
        if self.written(last) >= height {
            return None;
        }
        let turn = self.runnable(last)?;
        let node = self.graph.node(turn.node)?;
        let output = self.output(&node)?;
        let input = self.graph.tensor(node.reads().next().unwrap_or(0))?;
        let rows = rows_per_step(&node, &input, &output).min(output.shape.h - turn.row);
        self.done[turn.node - self.band.start] = turn.row + rows;
        Some(turn)
    }
}
