//! Operators on any tensor that fits them.

use trident::graph::{Node, Op};
use trident::spec::{HeadSet, InputSlot, Padding, Shape};

use super::{Codes, MAX_SIDE, Random};
use crate::layer::Layer;

/// Output side and padding before.
type Side = (u16, u8);

impl Random {
    /// Appends an operator, or nothing where its turn finds no partner.
    pub(super) fn operator(&mut self) {
        let codes = self.pick();
        let (input, shape, zero_point) = codes;
        let quads = shape.c.is_multiple_of(4);
        match self.noise.int(0..=19) {
            0 => {
                let [h, w] = [(); 2].map(|()| self.noise.int(1..=6) as u16);
                let units = Shape::new(h, w, self.channels());
                self.linear(input, shape, units);
            }
            1 | 2 => self.window(Op::Conv2d, codes),
            3 | 4 => self.window(Op::CompactConv2d, codes),
            5 => self.window(Op::DepthwiseConv2d, codes),
            6..=8 if quads => self.window(Op::DepthwiseConv3x3, codes),
            9 | 10 if quads => self.window(Op::WinogradConv3x3, codes),
            11 if quads => self.upsampled(Op::UpsampledConv3x3, codes),
            12 if quads => self.upsampled(Op::UpsampledDepthwiseConv3x3, codes),
            13 => {
                let kernel = self.noise.int(2..=3) as u8;
                let (h, w) = (shape.h / u16::from(kernel), shape.w / u16::from(kernel));
                self.resized(Op::MaxPool2d, codes, kernel, (h, w));
            }
            14 => {
                let kernel = self.noise.int(2..=3) as u8;
                let (h, w) = (shape.h * u16::from(kernel), shape.w * u16::from(kernel));
                self.resized(Op::Upsample2d, codes, kernel, (h, w));
            }
            15 => {
                let node = Node {
                    input,
                    table: self.table(),
                    ..Node::new(Op::Lut, HeadSet::ALL)
                };
                // At times as many codes in another shape.
                let shape = match self.noise.int(0..=2) {
                    0 => Shape::new(shape.w, shape.c, shape.h),
                    _ => shape,
                };
                let zero_point = self.zero_point();
                self.builder.codes(node, shape, zero_point);
            }
            16 => self.picture_again(),
            17 if quads => self.sum_with_doubled(codes),
            _ => self.binary((input, shape, zero_point)),
        }
    }

    /// Brings the picture in once more.
    fn picture_again(&mut self) {
        let Some(node) = self.builder.nodes.iter().find(|node| node.op == Op::Picture).copied() else {
            return;
        };
        let shape = self.builder.tensors[usize::from(node.output)].shape;
        let again = Node {
            input: InputSlot::Picture as u8,
            ..Node::new(Op::Picture, HeadSet::ALL)
        };
        self.builder.codes(again, shape, 0);
    }

    fn resized(&mut self, op: Op, (input, shape, zero_point): Codes, kernel: u8, (h, w): (u16, u16)) {
        if (1..=MAX_SIDE).contains(&h) && (1..=MAX_SIDE).contains(&w) {
            let node = Node {
                input,
                kernel,
                ..Node::new(op, HeadSet::ALL)
            };
            self.builder.codes(node, Shape::new(h, w, shape.c), zero_point);
        }
    }

    /// [`Op::Add`] or [`Op::Concat`] with the first fitting partner of a few, at times with itself.
    fn binary(&mut self, (input, shape, zero_point): Codes) {
        for _ in 0..8 {
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
            if op == Op::Concat {
                let node = Node {
                    input,
                    second,
                    ..Node::new(op, HeadSet::ALL)
                };
                self.builder.codes(node, out, zero_point);
            } else {
                self.sum(op, [input, second], out);
            }
            return;
        }
    }

    /// [`Op::UpsampledAdd`] of a tensor and of what is pooled from it, or of a doubled one and itself.
    fn sum_with_doubled(&mut self, (input, shape, zero_point): Codes) {
        let [half, doubled] =
            [(shape.h / 2, shape.w / 2), (2 * shape.h, 2 * shape.w)].map(|(h, w)| Shape::new(h, w, shape.c));
        let resize = |op| Node {
            input,
            kernel: 2,
            ..Node::new(op, HeadSet::ALL)
        };
        if (2 * half.h, 2 * half.w) == (shape.h, shape.w) {
            let pooled = self.builder.codes(resize(Op::MaxPool2d), half, zero_point);
            self.sum(Op::UpsampledAdd, [input, pooled], shape);
        } else if doubled.h.max(doubled.w) <= MAX_SIDE {
            let up = self.builder.codes(resize(Op::Upsample2d), doubled, zero_point);
            self.sum(Op::UpsampledAdd, [up, input], doubled);
        }
    }

    fn sum(&mut self, op: Op, [input, second]: [u8; 2], shape: Shape) {
        let most = 1 << 22;
        let (lo, hi) = self.noise.code_range();
        let node = Node {
            input,
            second,
            lo,
            hi,
            right_shift: self.noise.int(1..=30) as u8,
            p: [(); 3].map(|()| self.noise.int(-most..=most) as i32),
            ..Node::new(op, HeadSet::ALL)
        };
        let zero_point = self.zero_point();
        self.builder.codes(node, shape, zero_point);
    }

    fn upsampled(&mut self, op: Op, (input, shape, _): Codes) {
        let (h, w) = (2 * shape.h, 2 * shape.w);
        if h <= MAX_SIDE && w <= MAX_SIDE {
            self.slide(op, input, shape, (3, 1), [(h, 1), (w, 1)]);
        }
    }

    fn window(&mut self, op: Op, (input, shape, _): Codes) {
        let kernel = match op {
            Op::DepthwiseConv3x3 | Op::WinogradConv3x3 => 3,
            // Often one pixel, as layers between depthwise ones have it.
            _ => [1, 1, self.noise.int(1..=7) as u8][self.noise.index(3)],
        };
        let stride = match op {
            Op::WinogradConv3x3 => 1,
            _ => self.noise.int(1..=2) as u8,
        };
        if let Some(sides) = self.extents(shape, kernel, stride) {
            self.slide(op, input, shape, (kernel, stride), sides);
        }
    }

    fn slide(
        &mut self,
        op: Op,
        input: u8,
        shape: Shape,
        (kernel, stride): (u8, u8),
        [(h, pad_top), (w, pad_left)]: [Side; 2],
    ) {
        let (c, read) = match op {
            _ if op.is_depthwise() => (shape.c, 1),
            Op::WinogradConv3x3 => ([4, 8][self.noise.index(2)], shape.c),
            _ => (self.channels(), shape.c),
        };
        let node = Node {
            kernel,
            stride,
            pad_top,
            pad_left,
            ..self.weighted(op, input)
        };
        let columns = usize::from(kernel).pow(2) * usize::from(read);
        let layer = Layer::random(&mut self.noise, c.into(), columns);
        let zero_point = self.zero_point();
        self.builder.weighted(node, &layer, Shape::new(h, w, c), zero_point);
    }

    /// Output side and padding before, for height and width: by a border rule, or any that the format allows.
    fn extents(&mut self, shape: Shape, kernel: u8, stride: u8) -> Option<[Side; 2]> {
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
}
