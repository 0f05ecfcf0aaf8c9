//! One operation, the shapes it reads and makes, and what it costs.

use serde::{Deserialize, Serialize};

/// Height, width and channels of a value, in elements.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Shape {
    /// Rows.
    pub h: u16,
    /// Columns.
    pub w: u16,
    /// Channels, innermost in memory.
    pub c: u16,
}

impl Shape {
    /// A picture or feature map.
    pub const fn new(h: u16, w: u16, c: u16) -> Self {
        Self { h, w, c }
    }

    /// A row of `n` values: `[1, 1, n]`.
    pub const fn row(n: u16) -> Self {
        Self { h: 1, w: 1, c: n }
    }

    /// How many elements it holds; no overflow for any `u16` sides on 64 bits, saturating on 32.
    pub const fn len(self) -> usize {
        (self.h as usize)
            .saturating_mul(self.w as usize)
            .saturating_mul(self.c as usize)
    }

    /// Whether a side is zero.
    pub const fn is_empty(self) -> bool {
        self.len() == 0
    }
}

/// What stands behind a layer's sum.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Activation {
    /// The sum itself.
    #[default]
    None,
    /// `max(0, x)`.
    Relu,
    /// `1 / (1 + e^-x)`, a 256-entry table on codes.
    Sigmoid,
}

/// How a window meets the border.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Padding {
    /// Only whole windows: output side `⌊(n − k) / s⌋ + 1`.
    Valid,
    /// Output side `⌈n / s⌉`; total padding `max((⌈n/s⌉ − 1)·s + k − n, 0)`, of which `⌊total / 2⌋` before (TensorFlow's rule).
    #[default]
    Same,
}

impl Padding {
    /// Output side, and padding before and after, of a window of `kernel` moved by `stride` over a side of `n`.
    ///
    /// `None` if the window does not fit or an argument is zero.
    pub const fn extent(self, n: u16, kernel: u8, stride: u8) -> Option<(u16, u8, u8)> {
        let (k, s) = (kernel as u32, stride as u32);
        let n = n as u32;
        if n == 0 || k == 0 || s == 0 {
            return None;
        }
        match self {
            Padding::Valid if n < k => None,
            Padding::Valid => Some((((n - k) / s + 1) as u16, 0, 0)),
            Padding::Same => {
                let out = n.div_ceil(s);
                let total = ((out - 1) * s + k).saturating_sub(n);
                Some((out as u16, (total / 2) as u8, (total - total / 2) as u8))
            }
        }
    }
}

/// One operation. Convolutions are followed by batch normalisation where `norm` says so; it is folded away before
/// quantising.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Layer {
    /// Every output is a weighted sum of all inputs.
    Linear {
        /// Output shape; its element count is the number of units.
        out: Shape,
        /// Behind the sum.
        #[serde(default)]
        activation: Activation,
    },
    /// A square convolution over all channels.
    Conv2d {
        /// Output channels.
        filters: u16,
        /// Side of the window, 1 to 7.
        kernel: u8,
        /// Step of the window, 1 or 2.
        stride: u8,
        /// Border rule.
        #[serde(default)]
        padding: Padding,
        /// Behind the sum.
        #[serde(default)]
        activation: Activation,
        /// Batch normalisation between sum and activation.
        #[serde(default)]
        norm: bool,
    },
    /// A square convolution of each channel with itself.
    DepthwiseConv2d {
        /// Side of the window, 1 to 7.
        kernel: u8,
        /// Step of the window, 1 or 2.
        stride: u8,
        /// Border rule.
        #[serde(default)]
        padding: Padding,
        /// Behind the sum.
        #[serde(default)]
        activation: Activation,
        /// Batch normalisation between sum and activation.
        #[serde(default)]
        norm: bool,
    },
    /// The largest of each `size × size` window, moved by `size`; what is left over at the far border is dropped.
    MaxPool2d {
        /// Side of the window.
        size: u8,
    },
    /// Each pixel repeated `factor × factor` times.
    Upsample2d {
        /// Repetitions along each side.
        factor: u8,
    },
    /// Element by element sum of two values of one shape.
    Add {
        /// Behind the sum.
        #[serde(default)]
        activation: Activation,
    },
    /// Channels of two values of one height and width, one behind the other.
    Concat,
}

impl Layer {
    /// The operation's name.
    pub const fn name(&self) -> &'static str {
        match self {
            Layer::Linear { .. } => "Linear",
            Layer::Conv2d { .. } => "Conv2d",
            Layer::DepthwiseConv2d { .. } => "DepthwiseConv2d",
            Layer::MaxPool2d { .. } => "MaxPool2d",
            Layer::Upsample2d { .. } => "Upsample2d",
            Layer::Add { .. } => "Add",
            Layer::Concat => "Concat",
        }
    }

    /// How many values it reads.
    pub const fn arity(&self) -> usize {
        match self {
            Layer::Add { .. } | Layer::Concat => 2,
            _ => 1,
        }
    }

    /// What stands behind its sum.
    pub const fn activation(&self) -> Activation {
        match *self {
            Layer::Linear { activation, .. }
            | Layer::Conv2d { activation, .. }
            | Layer::DepthwiseConv2d { activation, .. }
            | Layer::Add { activation } => activation,
            _ => Activation::None,
        }
    }

    /// Kernel, stride and padding of a convolution's window.
    pub const fn window(&self) -> Option<(u8, u8, Padding)> {
        match *self {
            Layer::Conv2d {
                kernel,
                stride,
                padding,
                ..
            }
            | Layer::DepthwiseConv2d {
                kernel,
                stride,
                padding,
                ..
            } => Some((kernel, stride, padding)),
            _ => None,
        }
    }

    /// The shape it makes of what it reads; `None` if it cannot read that.
    pub fn output(&self, inputs: &[Shape]) -> Option<Shape> {
        let &first = inputs.first()?;
        let window = |kernel: u8, stride: u8, padding: Padding, c: u16| {
            let (h, ..) = padding.extent(first.h, kernel, stride)?;
            let (w, ..) = padding.extent(first.w, kernel, stride)?;
            Some(Shape { h, w, c })
        };
        match *self {
            Layer::Linear { out, .. } => Some(out),
            Layer::Conv2d {
                filters,
                kernel,
                stride,
                padding,
                ..
            } => window(kernel, stride, padding, filters),
            Layer::DepthwiseConv2d {
                kernel,
                stride,
                padding,
                ..
            } => window(kernel, stride, padding, first.c),
            Layer::MaxPool2d { size } => window(size, size, Padding::Valid, first.c),
            Layer::Upsample2d { factor } => Some(Shape {
                h: first.h.checked_mul(factor.into())?,
                w: first.w.checked_mul(factor.into())?,
                c: first.c,
            }),
            Layer::Add { .. } => (first == *inputs.get(1)?).then_some(first),
            Layer::Concat => {
                let second = *inputs.get(1)?;
                ((first.h, first.w) == (second.h, second.w)).then_some(Shape {
                    c: first.c.checked_add(second.c)?,
                    ..first
                })
            }
        }
    }

    pub(super) fn parameters_in_range(&self) -> bool {
        let window = |kernel: u8, stride: u8| (1..=7).contains(&kernel) && (1..=2).contains(&stride);
        match *self {
            Layer::Linear { out, .. } => !out.is_empty(),
            Layer::Conv2d {
                filters,
                kernel,
                stride,
                ..
            } => filters > 0 && window(kernel, stride),
            Layer::DepthwiseConv2d { kernel, stride, .. } => window(kernel, stride),
            Layer::MaxPool2d { size: n } | Layer::Upsample2d { factor: n } => (2..=8).contains(&n),
            Layer::Add { .. } | Layer::Concat => true,
        }
    }

    /// Trainable numbers it holds for an input of that shape: weights and biases, batch normalisation folded.
    pub fn parameters(&self, input: Shape) -> usize {
        match *self {
            Layer::Linear { out, .. } => out.len() * (input.len() + 1),
            Layer::Conv2d { filters, kernel, .. } => {
                usize::from(filters) * (usize::from(kernel).pow(2) * usize::from(input.c) + 1)
            }
            Layer::DepthwiseConv2d { kernel, .. } => usize::from(input.c) * (usize::from(kernel).pow(2) + 1),
            _ => 0,
        }
    }

    /// Multiplications for one run, borders counted as if they were inside.
    pub fn macs(&self, input: Shape, output: Shape) -> usize {
        match *self {
            Layer::Linear { .. } => input.len() * output.len(),
            Layer::Conv2d { kernel, .. } => usize::from(kernel).pow(2) * usize::from(input.c) * output.len(),
            Layer::DepthwiseConv2d { kernel, .. } => usize::from(kernel).pow(2) * output.len(),
            _ => 0,
        }
    }
}
