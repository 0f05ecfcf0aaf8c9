//! In which order rows are computed.
//!
//! A node computes its output some rows at a time: one *step*. Most nodes take a single one, of all rows. Where a tensor
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

/// Rows of its output that one step of a node writes in a band; the last step writes what is left.
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
    /// The node of the band, counted from its first, that writes what each node reads first and second.
    writers: [[u8; 2]; MAX_BAND],
    /// Nodes that wait for the one behind them, likewise counted; the last of them runs next.
    waiting: [u8; MAX_BAND],
    depth: u8,
}

/// In place of a writer that is not in the band.
const OUTSIDE: u8 = u8::MAX;

impl<'a> Schedule<'a> {
    /// The steps of a band from [`band`].
    pub fn new(graph: Graph<'a>, band: Range<usize>) -> Self {
        let mut schedule = Self {
            graph,
            band,
            done: [0; MAX_BAND],
            writers: [[OUTSIDE; 2]; MAX_BAND],
            waiting: [0; MAX_BAND],
            depth: 0,
        };
        for (place, number) in schedule.band.clone().enumerate() {
            for (operand, tensor) in graph.node(number).iter().flat_map(Node::reads).enumerate() {
                // What stands behind a node cannot be what it waits for.
                let writer = schedule.writer(tensor).filter(|&writer| writer < number);
                if let Some(writer) = writer {
                    schedule.writers[place][operand] = (writer - schedule.band.start) as u8;
                }
            }
        }
        schedule
    }

    /// Rows of a node's output that are written by now.
    pub fn written(&self, node: usize) -> u16 {
        self.done[node - self.band.start]
    }

    /// The number of the band's node that writes a tensor, if one does.
    pub fn writer(&self, tensor: usize) -> Option<usize> {
        let writes = |&node: &usize| self.graph.node(node).is_some_and(|node| node.writes() == Some(tensor));
        self.band.clone().find(writes)
    }

    /// The node that one waits for before its next step, if it does.
    fn blocked(&self, place: usize, node: &Node, output: &Tensor) -> Option<u8> {
        let row = self.done[place];
        let operands = [node.input, node.second].into_iter().zip(self.writers[place]);
        let mut inside = operands.filter(|(_, writer)| *writer != OUTSIDE);
        let blocking = inside.find(|(tensor, writer)| {
            let input = self.graph.tensor((*tensor).into());
            let end = input.map_or(0, |input| rows_read(node, &input, output, row).end);
            end > self.done[usize::from(*writer)]
        });
        blocking.map(|(_, writer)| writer)
    }
}

impl Iterator for Schedule<'_> {
    type Item = Turn;

    fn next(&mut self) -> Option<Turn> {
        if self.depth == 0 {
            self.waiting[0] = (self.band.len() - 1) as u8;
            self.depth = 1;
        }
        loop {
            let place = usize::from(self.waiting[usize::from(self.depth) - 1]);
            let number = self.band.start + place;
            let node = self.graph.node(number)?;
            let output = self.graph.tensor(node.writes()?)?;
            let row = self.done[place];
            if row >= output.shape.h {
                return None;
            }
            if let Some(writer) = self.blocked(place, &node, &output) {
                // Each waits for one that stands before it, so that there are never more than nodes.
                self.waiting[usize::from(self.depth)] = writer;
                self.depth += 1;
                continue;
            }
            self.depth -= 1;
            let input = if node.op.is_input() {
                output
            } else {
                self.graph.tensor(node.input.into())?
            };
            let rows = rows_per_step(&node, &input, &output);
            self.done[place] = row.saturating_add(rows).min(output.shape.h);
            return Some(Turn { node: number, row });
        }
    }
}
