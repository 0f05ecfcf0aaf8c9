//! Random graphs that obey every rule: any operator, any border, shared trunks, bands, sums in place, one to three heads.

mod arena;
mod operators;

use trident::graph::{Element, Node, Op};
use trident::input::Segment;
use trident::layout::{narrow, rows};
use trident::spec::{Head, HeadSet, InputSlot, Shape};

use crate::builder::Builder;
use crate::layer::Layer;
use crate::noise::Noise;

const NAMES: [&str; 5] = ["a", "b", "c", "d", "e"];
const CLASSES: [&str; 16] = [
    "0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15",
];
/// Keeps tensors small, and with them a run of the oracle.
const MAX_SIDE: u16 = 12;
const MAX_CHANNELS: u16 = 9;

/// The random graph of that seed, as a blob's parts.
pub fn graph(seed: u64) -> Builder {
    let mut random = Random {
        noise: Noise::new(seed),
        builder: Builder::default(),
    };
    random.inputs();
    for _ in 0..random.noise.int(1..=20) {
        random.operator();
    }
    random.heads();
    random.builder.assign_heads();
    random.bands();
    random.builder.place();
    random.sums_in_place();
    random.builder
}

struct Random {
    noise: Noise,
    builder: Builder,
}

/// A tensor of codes: its number, shape and zero point.
type Codes = (u8, Shape, i8);

impl Random {
    fn inputs(&mut self) {
        let slots = self.noise.int(1..=7) | self.noise.int(0..=1) << 1;
        for slot in InputSlot::ALL.into_iter().filter(|&slot| slots >> slot as i64 & 1 == 1) {
            if slot == InputSlot::Picture {
                let (h, w) = (self.side(), self.side());
                self.builder.picture(h, w);
                continue;
            }
            let readings = self.noise.int(1..=5) as usize;
            let tables: Vec<(u16, Vec<Segment>)> = (0..self.noise.int(1..=8))
                .map(|_| (self.noise.index(readings) as u16, self.pieces()))
                .collect();
            let tables: Vec<(u16, &[Segment])> = tables.iter().map(|(feature, table)| (*feature, &table[..])).collect();
            let inverse_scale = 60.0 + 50.0 * self.noise.unit();
            let zero_point = self.zero_point();
            self.builder
                .readings((slot, &NAMES[..readings]), &tables, inverse_scale, zero_point);
        }
    }

    fn pieces(&mut self) -> Vec<Segment> {
        let mut start = self.noise.unit() * 3.0;
        (0..self.noise.int(1..=5))
            .map(|_| {
                start += 0.25 + self.noise.unit().abs();
                Segment {
                    start,
                    base: self.noise.unit() * 2.0,
                    slope: self.noise.unit(),
                }
            })
            .collect()
    }

    fn side(&mut self) -> u16 {
        self.noise.int(1..=MAX_SIDE.into()) as u16
    }

    /// Often whole quads, which some operators want.
    fn channels(&mut self) -> u16 {
        match self.noise.int(0..=2) {
            0 => self.noise.int(1..=MAX_CHANNELS.into()) as u16,
            1 => 4,
            _ => 8,
        }
    }

    /// Few different ones, so that [`Op::Concat`] finds partners.
    fn zero_point(&mut self) -> i8 {
        [-128, -7, 31][self.noise.index(3)]
    }

    /// Any tensor of codes that was written, mostly the last so that graphs grow deep.
    fn pick(&mut self) -> Codes {
        let written = self.builder.nodes.iter().filter_map(Node::writes);
        let codes: Vec<usize> = written
            .filter(|&tensor| self.builder.tensors[tensor].element == Element::I8)
            .collect();
        let from = match self.noise.int(0..=7) {
            0 => 0,
            1 | 2 => codes.len() - codes.len().min(3),
            _ => codes.len() - 1,
        };
        let tensor = codes[from + self.noise.index(codes.len() - from)];
        let found = self.builder.tensors[tensor];
        (tensor as u8, found.shape, found.zero_point)
    }

    fn heads(&mut self) {
        let asked = self.noise.int(1..=7);
        if asked & 1 == 1 {
            self.classification();
        }
        if asked & 2 == 2 {
            self.segmentation();
        }
        if asked & 4 == 4 {
            self.regression();
        }
    }

    /// A last layer, now and then of wide codes.
    fn sums(&mut self, outputs: usize) -> u8 {
        let wide = |tensor: &usize| self.builder.tensors[*tensor].element == Element::I16;
        let wide = self.builder.nodes.iter().filter_map(Node::writes).find(wide);
        let (input, shape) = match wide {
            Some(tensor) if self.noise.int(0..=3) == 0 => (tensor as u8, self.builder.tensors[tensor].shape),
            _ => {
                let (input, shape, _) = self.pick();
                (input, shape)
            }
        };
        let layer = Layer::random(&mut self.noise, outputs, shape.len());
        self.builder.sums(input, &layer.weights, &layer.bias)
    }

    fn classification(&mut self) {
        let logits = self.noise.int(1..=16) as usize;
        let input = self.sums(logits);
        let scales: Vec<f32> = (0..logits).map(|_| 1e-6 + 1e-4 * self.noise.unit().abs()).collect();
        let node = Node {
            input,
            weights: self.builder.words(&scales),
            ..Node::new(Op::Probabilities, Head::Classification.into())
        };
        self.builder.head(node, "label", &CLASSES[..logits.max(2)]);
    }

    fn segmentation(&mut self) {
        let (mut input, mut shape, _) = self.pick();
        if !(2..=16).contains(&shape.c) {
            let from = self.builder.tensors[usize::from(input)].shape;
            shape = Shape::row(3);
            input = self.linear(input, from, shape);
        }
        let node = Node {
            input,
            ..Node::new(Op::Logits, Head::Segmentation.into())
        };
        self.builder.head(node, "ground", &CLASSES[..shape.c.into()]);
    }

    fn regression(&mut self) {
        let [scale, offset] = [self.noise.unit(), 100.0 * self.noise.unit()].map(|real| real.to_bits() as i32);
        let node = Node {
            input: self.sums(1),
            p: [scale, offset, 0],
            ..Node::new(Op::Value, Head::Regression.into())
        };
        self.builder.head(node, "level", &[]);
    }

    /// A layer of so many units; of few inputs mostly behind a narrow one.
    fn linear(&mut self, mut input: u8, mut shape: Shape, units: Shape) -> u8 {
        if shape.len() <= narrow::COLUMNS && self.noise.int(0..=3) > 0 {
            let hidden = Shape::row(rows::WIDE as u16 * self.noise.int(1..=4) as u16);
            let layer = Layer::random(&mut self.noise, hidden.len(), shape.len());
            let node = Node {
                input,
                lo: -128,
                hi: 127,
                ..Node::new(Op::NarrowLinear, HeadSet::ALL)
            };
            let zero_point = self.zero_point();
            (input, shape) = (self.builder.weighted(node, &layer, hidden, zero_point), hidden);
        }
        let node = self.weighted(Op::Linear, input);
        let layer = Layer::random(&mut self.noise, units.len(), shape.len());
        let zero_point = self.zero_point();
        self.builder.weighted(node, &layer, units, zero_point)
    }

    /// A node with weights: any range of codes, at times a table.
    fn weighted(&mut self, op: Op, input: u8) -> Node {
        let (lo, hi) = self.noise.code_range();
        let mut node = Node {
            input,
            lo,
            hi,
            ..Node::new(op, HeadSet::ALL)
        };
        if self.noise.int(0..=3) == 0 {
            node.table = self.table();
            node.p[1] = self.noise.code().into();
        }
        node
    }

    /// A table of 256 codes.
    fn table(&mut self) -> u32 {
        let codes: Vec<i8> = (0..256).map(|_| self.noise.code()).collect();
        self.builder.table(&codes)
    }
}
