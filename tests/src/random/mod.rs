//! Random graphs that obey every rule: any operator, any border, shared trunks, one to three heads.

use trident::graph::{Element, Node, Op};
use trident::input::Segment;
use trident::spec::{Head, HeadSet, InputSlot, Padding, Shape};

use crate::builder::Builder;
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
    random.builder
}

struct Random {
    noise: Noise,
    builder: Builder,
}

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
                .map(|_| (self.noise.index(readings) as u16, self.table()))
                .collect();
            let tables: Vec<(u16, &[Segment])> = tables.iter().map(|(feature, table)| (*feature, &table[..])).collect();
            let inverse_scale = 60.0 + 50.0 * self.noise.unit();
            let zero_point = self.zero_point();
            self.builder
                .readings((slot, &NAMES[..readings]), &tables, inverse_scale, zero_point);
        }
    }

    fn table(&mut self) -> Vec<Segment> {
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

    fn channels(&mut self) -> u16 {
        self.noise.int(1..=MAX_CHANNELS.into()) as u16
    }

    /// Few different ones, so that [`Op::Concat`] finds partners.
    fn zero_point(&mut self) -> i8 {
        [-128, -7, 31][self.noise.index(3)]
    }

    /// Any tensor of codes that was written, mostly a late one so that graphs grow deep; with its shape and zero point.
    fn pick(&mut self) -> (u8, Shape, i8) {
        let written: Vec<usize> = self.builder.nodes.iter().filter_map(Node::writes).collect();
        let codes: Vec<usize> = written
            .into_iter()
            .filter(|&tensor| self.builder.tensors[tensor].element == Element::I8)
            .collect();
        let recent = codes.len() - codes.len().min(3);
        let tensor = match self.noise.int(0..=3) {
            0 => codes[self.noise.index(codes.len())],
            _ => codes[recent + self.noise.index(codes.len() - recent)],
        };
        let found = self.builder.tensors[tensor];
        (tensor as u8, found.shape, found.zero_point)
    }

    /// Appends an operator, or nothing where its turn finds no partner.
    fn operator(&mut self) {
        let (input, shape, zero_point) = self.pick();
        let same = |op: Op| Node {
            input,
            ..Node::new(op, HeadSet::ALL)
        };
        match self.noise.int(0..=8) {
            0 => {
                let units = Shape::new(
                    self.noise.int(1..=6) as u16,
                    self.noise.int(1..=6) as u16,
                    self.channels(),
                );
                self.linear(input, shape, units);
            }
            1 | 2 => self.window(Op::Conv2d, input, shape),
            3 | 4 => self.window(Op::DepthwiseConv2d, input, shape),
            5 => {
                let kernel = self.noise.int(2..=3) as u8;
                let (h, w) = (shape.h / u16::from(kernel), shape.w / u16::from(kernel));
                if h > 0 && w > 0 {
                    let node = Node {
                        kernel,
                        ..same(Op::MaxPool2d)
                    };
                    self.builder.codes(node, Shape::new(h, w, shape.c), zero_point);
                }
            }
            6 => {
                let kernel = self.noise.int(2..=3) as u8;
                let (h, w) = (shape.h * u16::from(kernel), shape.w * u16::from(kernel));
                if h <= MAX_SIDE && w <= MAX_SIDE {
                    let node = Node {
                        kernel,
                        ..same(Op::Upsample2d)
                    };
                    self.builder.codes(node, Shape::new(h, w, shape.c), zero_point);
                }
            }
            7 => {
                let table: Vec<i8> = (0..256).map(|_| self.noise.code()).collect();
                let weights = self.builder.weights(&table);
                let node = Node {
                    weights,
                    ..same(Op::Lut)
                };
                let zero_point = self.zero_point();
                self.builder.codes(node, shape, zero_point);
            }
            _ => self.binary(input, shape, zero_point),
        }
    }

    /// [`Op::Add`] or [`Op::Concat`] with the first fitting partner of a few, at times with itself.
    fn binary(&mut self, input: u8, shape: Shape, zero_point: i8) {
        for _ in 0..4 {
            let (second, other, other_zero_point) = self.pick();
            let (op, out) = if (shape.h, shape.w) == (other.h, other.w)
                && zero_point == other_zero_point
                && shape.c + other.c <= 16
                && self.noise.int(0..=1) == 0
            {
                (Op::Concat, Shape::new(shape.h, shape.w, shape.c + other.c))
            } else if shape == other {
                (Op::Add, shape)
            } else {
                continue;
            };
            let mut node = Node {
                input,
                second,
                ..Node::new(op, HeadSet::ALL)
            };
            if op == Op::Concat {
                self.builder.codes(node, out, zero_point);
                return;
            }
            let most = 1 << 22;
            (node.lo, node.hi) = self.noise.code_range();
            node.right_shift = self.noise.int(1..=30) as u8;
            node.p = [(); 3].map(|()| self.noise.int(-most..=most) as i32);
            let out_zero_point = self.zero_point();
            self.builder.codes(node, out, out_zero_point);
            return;
        }
    }

    fn linear(&mut self, input: u8, shape: Shape, units: Shape) {
        let weights = self.noise.weights(shape.len() * units.len());
        let node = Node {
            weights: self.builder.weights(&weights),
            ..self.requantized(Op::Linear, input, units.len())
        };
        let zero_point = self.zero_point();
        self.builder.codes(node, units, zero_point);
    }

    fn window(&mut self, op: Op, input: u8, shape: Shape) {
        let kernel = self.noise.int(1..=7) as u8;
        let stride = self.noise.int(1..=2) as u8;
        let Some([(h, pad_top), (w, pad_left)]) = self.extents(shape, kernel, stride) else {
            return;
        };
        let (c, read) = match op {
            Op::Conv2d => (self.channels(), shape.c),
            _ => (shape.c, 1),
        };
        let count = usize::from(kernel).pow(2) * usize::from(read) * usize::from(c);
        let weights = self.noise.weights(count);
        let node = Node {
            kernel,
            stride,
            pad_top,
            pad_left,
            weights: self.builder.weights(&weights),
            ..self.requantized(op, input, c.into())
        };
        let zero_point = self.zero_point();
        self.builder.codes(node, Shape::new(h, w, c), zero_point);
    }

    /// Output side and padding before, for height and width: by a border rule, or any that the format allows.
    fn extents(&mut self, shape: Shape, kernel: u8, stride: u8) -> Option<[(u16, u8); 2]> {
        let rule = match self.noise.int(0..=3) {
            0 => Padding::Valid,
            1 | 2 => Padding::Same,
            _ => {
                let any = |random: &mut Self, n: u16| {
                    let before = random.noise.index(kernel.into()) as u8;
                    let most = (n + u16::from(before) - 1) / u16::from(stride) + 1;
                    (random.noise.int(1..=most.into()) as u16, before)
                };
                return Some([any(self, shape.h), any(self, shape.w)]);
            }
        };
        let side = |n: u16| rule.extent(n, kernel, stride).map(|(out, before, _)| (out, before));
        Some([side(shape.h)?, side(shape.w)?])
    }

    fn requantized(&mut self, op: Op, input: u8, channels: usize) -> Node {
        let mut words = self.noise.biases(channels);
        words.extend(self.noise.multipliers(channels));
        let (lo, hi) = self.noise.code_range();
        Node {
            input,
            right_shift: self.noise.int(32..=54).min(self.noise.int(32..=54)) as u8,
            lo,
            hi,
            channels: self.builder.words(&words),
            ..Node::new(op, HeadSet::ALL)
        }
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

    fn sums(&mut self, outputs: usize) -> u8 {
        let (input, shape, _) = self.pick();
        let weights = self.noise.weights(shape.len() * outputs);
        let bias = self.noise.biases(outputs);
        self.builder.sums(input, &weights, &bias)
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
            shape = Shape::row(3);
            let from = self.builder.tensors[usize::from(input)].shape;
            self.linear(input, from, shape);
            input = (self.builder.tensors.len() - 1) as u8;
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
}
