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

/// The most tensors that a node of this engine reads.
const MOST_READ: usize = {
    let (mut most, mut number) = (1, 0);
    while number < Op::ALL.len() {
        if Op::ALL[number].is_binary() {
            most = 2;
        }
        number += 1;
    }
    most
};

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
    match node.op.built_in() {
        Op::Linear | Op::NarrowLinear | Op::Readings => output.shape.h,
        Op::Lut if input.shape != output.shape => output.shape.h,
        Op::Upsample2d => node.kernel.into(),
        Op::WinogradConv3x3 | Op::UpsampledConv3x3 | Op::UpsampledDepthwiseConv3x3 => 2,
        _ => 1,
    }
}

/// Rows of an input that a step reads, as far as they lie inside, if it writes rows from `row` on.
pub fn rows_read(node: &Node, input: &Tensor, output: &Tensor, row: u16) -> Range<u16> {
    Reach::of(node, input, output).rows(row, input.shape.h)
}

/// Which rows of an input a step reads: those `from..to` behind a fraction of its own first row.
#[derive(Clone, Copy, Debug)]
struct Reach {
    numerator: u8,
    /// Zero if all rows are read.
    denominator: u8,
    from: i16,
    to: i16,
}

impl Reach {
    const ALL: Self = Self::new((0, 0), 0..0);
    /// Each row serves two.
    const HALVED: Self = Self::new((1, 2), 0..1);

    const fn new((numerator, denominator): (u8, u8), rows: Range<i16>) -> Self {
        Self {
            numerator,
            denominator,
            from: rows.start,
            to: rows.end,
        }
    }

    fn of(node: &Node, input: &Tensor, output: &Tensor) -> Self {
        let (kernel, above) = (i16::from(node.kernel), i16::from(node.pad_top));
        match node.op.built_in() {
            Op::Linear | Op::NarrowLinear => Self::ALL,
            Op::Lut if input.shape != output.shape => Self::ALL,
            Op::Conv2d | Op::CompactConv2d | Op::DepthwiseConv2d | Op::DepthwiseConv3x3 => {
                Self::new((node.stride, 1), -above..kernel - above)
            }
            Op::WinogradConv3x3 => Self::new((1, 1), -above..kernel + 1 - above),
            Op::UpsampledConv3x3 | Op::UpsampledDepthwiseConv3x3 => Self::new((1, 2), -1..2),
            Op::MaxPool2d => Self::new((node.kernel, 1), 0..kernel),
            Op::Upsample2d => Self::new((1, node.kernel), 0..1),
            Op::UpsampledAdd if input.shape.h != output.shape.h => Self::HALVED,
            _ => Self::new((1, 1), 0..1),
        }
    }

    fn rows(&self, row: u16, height: u16) -> Range<u16> {
        match (u32::from(row) * u32::from(self.numerator)).checked_div(self.denominator.into()) {
            Some(row) => {
                let behind = |rows: i16| (row as i32 + i32::from(rows)).clamp(0, height.into()) as u16;
                behind(self.from)..behind(self.to)
            }
            None => 0..height,
        }
    }
}

/// A step: which node, and the first row it writes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// The node's number.
    pub node: usize,
    /// The first row that it writes.
    pub row: u16,
    /// How many it writes, as far as there are so many.
    pub rows: u16,
}

/// The steps of one band, in order.
#[derive(Clone, Debug)]
pub struct Schedule<'a> {
    graph: Graph<'a>,
    band: Range<usize>,
    places: [Place; MAX_BAND],
    /// Nodes that wait for the one behind them, by their places; the last of them runs next.
    waiting: [u8; MAX_BAND],
    depth: u8,
}

/// A node of the band, at the place that it has counted from the first.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// Rows of its output.
    height: u16,
    /// Rows that a step writes; zero for all.
    rows: u8,
    /// One more than the places of what writes what the node reads first and second; zero if that is not in the band.
    writers: [u8; MOST_READ],
    /// Of what it reads first, and second unless that is halved.
    reach: Reach,
    /// Whether what it reads second has half its rows.
    halved: bool,
    /// Rows that it has written.
    done: u16,
}

impl Place {
    const NONE: Self = Self {
        height: 0,
        rows: 0,
        writers: [0; MOST_READ],
        reach: Reach::ALL,
        halved: false,
        done: 0,
    };
}

impl<'a> Schedule<'a> {
    /// The steps of a band from [`band`].
    #[inline(always)]
    pub fn new(graph: Graph<'a>, band: Range<usize>) -> Self {
        Self {
            graph,
            band,
            places: [Place::NONE; MAX_BAND],
            waiting: [0; MAX_BAND],
            depth: 0,
        }
    }

    /// Looks at each node of the band: not before the first step, when the schedule lies where it stays. Stacks are short.
    #[inline(never)]
    fn look(&mut self) {
        for (place, number) in self.places.iter_mut().zip(self.band.clone()) {
            if let Some(node) = Place::of(&self.graph, &self.band, number) {
                *place = node;
            }
        }
    }

    /// Rows of a node's output that are written by now.
    pub fn written(&self, node: usize) -> u16 {
        self.places[node - self.band.start].done
    }

    /// The number of the band's node that writes a tensor, if one does.
    pub fn writer(&self, tensor: usize) -> Option<usize> {
        writer(&self.graph, &self.band, tensor)
    }

    /// The place that one waits for before its next step, if it does.
    #[inline(always)]
    fn blocked(&self, place: &Place) -> Option<u8> {
        let halved = Op::UpsampledAdd.is_built_in() && place.halved;
        let mut writers = place.writers.iter().enumerate();
        writers.find_map(|(read, writer)| {
            let number = writer.checked_sub(1)?;
            let writer = self.places.get(usize::from(number))?;
            let reach = if halved && read == 1 {
                &Reach::HALVED
            } else {
                &place.reach
            };
            (reach.rows(place.done, writer.height).end > writer.done).then_some(number)
        })
    }
}

fn writer(graph: &Graph<'_>, band: &Range<usize>, tensor: usize) -> Option<usize> {
    let writes = |&node: &usize| {
        graph
            .node_at_once(node)
            .is_some_and(|node| node.writes() == Some(tensor))
    };
    band.clone().find(writes)
}

impl Place {
    /// What the schedule has to know of a node; `None` if it is malformed.
    fn of(graph: &Graph<'_>, band: &Range<usize>, number: usize) -> Option<Self> {
        let node = graph.node(number)?;
        let output = graph.tensor(node.writes()?)?;
        let input = if node.op.is_input() {
            output
        } else {
            graph.tensor(node.input.into())?
        };
        let mut writers = [0; MOST_READ];
        for (place, tensor) in writers.iter_mut().zip(node.reads()) {
            // What stands behind a node cannot be what it waits for.
            if let Some(inside) = writer(graph, band, tensor).filter(|&writer| writer < number) {
                *place = (inside - band.start) as u8 + 1;
            }
        }
        Some(Self {
            height: output.shape.h,
            rows: u8::try_from(rows_per_step(&node, &input, &output)).unwrap_or_default(),
            writers,
            reach: Reach::of(&node, &input, &output),
            halved: node.op == Op::UpsampledAdd,
            done: 0,
        })
    }
}

impl Iterator for Schedule<'_> {
    type Item = Turn;

    fn next(&mut self) -> Option<Turn> {
        if self.depth == 0 {
            let last = self.band.len() - 1;
            if self.places[last].height == 0 {
                self.look();
            }
            self.waiting[0] = last as u8;
            self.depth = 1;
        }
        loop {
            let number = usize::from(self.waiting[usize::from(self.depth) - 1]);
            let place = &self.places[number];
            let (row, height) = (place.done, place.height);
            if row >= height {
                return None;
            }
            let rows = if place.rows == 0 { height } else { place.rows.into() };
            if let Some(writer) = self.blocked(place) {
                // Each waits for one that stands before it, so that there are never more than nodes.
                self.waiting[usize::from(self.depth)] = writer;
                self.depth += 1;
                continue;
            }
            self.depth -= 1;
            self.places[number].done = row.saturating_add(rows).min(height);
            return Some(Turn {
                node: self.band.start + number,
                row,
                rows,
            });
        }
    }
}
