//! The one definition of a layer and of a model.
//!
//! A [`ModelSpec`] lists inputs, layers and heads. The host makes two things from it: trainable modules, and, with
//! weights and ranges, the quantised graph that travels inside the blob. Values are numbered: first the inputs, then one per
//! layer, in order; a layer may only read values numbered before its own.
//!
//! Shapes are `[height, width, channels]`; a row of readings is `[1, 1, n]`. A [`Layer::Linear`] reads any shape, flattened
//! in that order.

use heapless::Vec;
use serde::{Deserialize, Serialize};

/// The most layers a model may have.
pub const MAX_LAYERS: usize = 96;

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

/// A layer and the values it reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerSpec {
    /// Numbers of the values read: two for [`Layer::Add`] and [`Layer::Concat`], else one.
    pub inputs: Vec<u8, 2>,
    /// The operation.
    pub layer: Layer,
}

/// Where a model input comes from. Each may stand once in a model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[repr(u8)]
pub enum InputSlot {
    /// The row of readings that is classified.
    Classification = 0,
    /// The RGB picture that is segmented.
    Picture = 1,
    /// The row of readings a value is regressed on.
    Regression = 2,
}

impl InputSlot {
    /// All slots, in order of their numbers.
    pub const ALL: [Self; 3] = [Self::Classification, Self::Picture, Self::Regression];
}

/// What real number a pixel's byte stands for.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum PixelScale {
    /// `(byte − 128) / 128`: centred, so that a padded border is mid grey.
    #[default]
    Centred,
    /// `byte / 255`.
    Unit,
}

impl PixelScale {
    /// Scale and zero point of the codes `byte − 128`.
    pub const fn quantization(self) -> (f32, i8) {
        match self {
            PixelScale::Centred => (1.0 / 128.0, 0),
            PixelScale::Unit => (1.0 / 255.0, -128),
        }
    }
}

/// One model input. A row's length counts *model inputs*, after the feature transforms: one to three per reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct InputSpec {
    /// Where it comes from.
    pub slot: InputSlot,
    /// Its shape.
    pub shape: Shape,
    /// What a pixel stands for; without meaning for readings.
    #[serde(default)]
    pub pixels: PixelScale,
}

/// The three tasks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[repr(u8)]
pub enum Head {
    /// A class per row.
    Classification = 0,
    /// A class per pixel.
    Segmentation = 1,
    /// A number per row.
    Regression = 2,
}

impl Head {
    /// All heads, in order of their numbers.
    pub const ALL: [Self; 3] = [Self::Classification, Self::Segmentation, Self::Regression];

    /// The word for it in files and tables.
    pub const fn name(self) -> &'static str {
        match self {
            Head::Classification => "classification",
            Head::Segmentation => "segmentation",
            Head::Regression => "regression",
        }
    }
}

/// A set of heads.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct HeadSet(u8);

impl HeadSet {
    /// No head.
    pub const EMPTY: Self = Self(0);
    /// All three.
    pub const ALL: Self = Self(7);

    /// The set whose bit `i` stands for the head numbered `i`; `None` if another bit is set.
    pub const fn from_bits(bits: u8) -> Option<Self> {
        if bits & !7 == 0 { Some(Self(bits)) } else { None }
    }

    /// Bit `i` stands for the head numbered `i`.
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// With one more head.
    pub const fn with(self, head: Head) -> Self {
        Self(self.0 | 1 << head as u8)
    }

    /// Heads of either.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether `head` is in it.
    pub const fn contains(self, head: Head) -> bool {
        self.0 & (1 << head as u8) != 0
    }

    /// Whether every head of `other` is in it.
    pub const fn contains_all(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }

    /// Whether some head is in both.
    pub const fn intersects(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Whether it holds none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its heads, in order of their numbers.
    pub fn iter(self) -> impl Iterator<Item = Head> {
        Head::ALL.into_iter().filter(move |&head| self.contains(head))
    }
}

impl From<Head> for HeadSet {
    fn from(head: Head) -> Self {
        Self::EMPTY.with(head)
    }
}

/// One head: which value it reads and what it gives.
///
/// The value holds logits (classification: one for two labels, else one per label; segmentation: `[h, w, classes]`) or one
/// standardised number (regression). A segmentation value that ends in [`Activation::Sigmoid`] holds one probability per class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadSpec {
    /// The task.
    pub head: Head,
    /// The number of the value it reads.
    pub value: u8,
}

/// A whole model.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelSpec {
    /// Inputs, each slot at most once.
    pub inputs: Vec<InputSpec, 3>,
    /// Layers in execution order.
    pub layers: Vec<LayerSpec, MAX_LAYERS>,
    /// Heads, each at most once.
    pub heads: Vec<HeadSpec, 3>,
}

/// Why a model is not one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum SpecError {
    /// Layer `layer` reads a value that does not stand before it.
    UnknownValue {
        /// Index of the layer.
        layer: usize,
        /// The number it names.
        value: u8,
    },
    /// Layer `layer` has the wrong number of inputs.
    InputCount {
        /// Index of the layer.
        layer: usize,
    },
    /// The shapes that layer `layer` reads do not fit it.
    Shape {
        /// Index of the layer.
        layer: usize,
        /// The shape of its first input.
        shape: Shape,
    },
    /// A kernel, stride, factor or width of layer `layer` is zero or too large.
    Parameter {
        /// Index of the layer.
        layer: usize,
    },
    /// A slot or head stands twice, or there is no head.
    Duplicate,
    /// A head reads a value that is missing or has the wrong shape.
    HeadValue {
        /// The head.
        head: Head,
    },
    /// More than [`MAX_LAYERS`] layers.
    TooManyLayers,
}

impl core::fmt::Display for SpecError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::UnknownValue { layer, value } => {
                write!(f, "layer {layer} reads value {value}, which does not stand before it")
            }
            Self::InputCount { layer } => write!(f, "layer {layer} has the wrong number of inputs"),
            Self::Shape { layer, shape } => {
                write!(
                    f,
                    "layer {layer} cannot read the shape {}×{}×{}",
                    shape.h, shape.w, shape.c
                )
            }
            Self::Parameter { layer } => write!(f, "layer {layer} has a kernel, stride, factor or width out of range"),
            Self::Duplicate => write!(f, "an input slot or head stands twice, or there is no head"),
            Self::HeadValue { head } => write!(
                f,
                "the {} head reads a value that is missing or of the wrong shape",
                head.name()
            ),
            Self::TooManyLayers => write!(f, "more than {MAX_LAYERS} layers"),
        }
    }
}

impl core::error::Error for SpecError {}

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

    fn parameters_in_range(&self) -> bool {
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

impl ModelSpec {
    /// The most values a model may have.
    pub const MAX_VALUES: usize = MAX_LAYERS + 3;

    /// Checks the model and gives every value's shape, inputs first.
    ///
    /// # Errors
    /// The first fault met, in order: inputs, layers, heads.
    pub fn shapes(&self) -> Result<Vec<Shape, { Self::MAX_VALUES }>, SpecError> {
        let mut shapes = Vec::new();
        for (i, input) in self.inputs.iter().enumerate() {
            if self.inputs[..i].iter().any(|other| other.slot == input.slot) {
                return Err(SpecError::Duplicate);
            }
            shapes.push(input.shape).map_err(|_| SpecError::TooManyLayers)?;
        }
        for (index, spec) in self.layers.iter().enumerate() {
            if spec.inputs.len() != spec.layer.arity() {
                return Err(SpecError::InputCount { layer: index });
            }
            let mut read = [Shape::row(0); 2];
            for (slot, &value) in read.iter_mut().zip(&spec.inputs) {
                *slot = *shapes
                    .get(usize::from(value))
                    .ok_or(SpecError::UnknownValue { layer: index, value })?;
            }
            if !spec.layer.parameters_in_range() {
                return Err(SpecError::Parameter { layer: index });
            }
            let shape = spec
                .layer
                .output(&read[..spec.inputs.len()])
                .filter(|shape| !shape.is_empty())
                .ok_or(SpecError::Shape {
                    layer: index,
                    shape: read[0],
                })?;
            shapes.push(shape).map_err(|_| SpecError::TooManyLayers)?;
        }
        self.check_heads(&shapes)?;
        Ok(shapes)
    }

    fn check_heads(&self, shapes: &[Shape]) -> Result<(), SpecError> {
        if self.heads.is_empty() {
            return Err(SpecError::Duplicate);
        }
        for (i, head) in self.heads.iter().enumerate() {
            if self.heads[..i].iter().any(|other| other.head == head.head) {
                return Err(SpecError::Duplicate);
            }
            let fits = usize::from(head.value) >= self.inputs.len()
                && shapes
                    .get(usize::from(head.value))
                    .is_some_and(|shape| match head.head {
                        Head::Classification => (shape.h, shape.w) == (1, 1),
                        Head::Regression => shape.len() == 1,
                        Head::Segmentation => shape.c >= 2,
                    });
            if !fits {
                return Err(SpecError::HeadValue { head: head.head });
            }
        }
        Ok(())
    }

    /// For every value, the heads that need it.
    pub fn heads_of_values(&self) -> Vec<HeadSet, { Self::MAX_VALUES }> {
        let mut need = Vec::new();
        need.resize(self.inputs.len() + self.layers.len(), HeadSet::EMPTY).ok();
        for head in &self.heads {
            need[usize::from(head.value)] = need[usize::from(head.value)].with(head.head);
        }
        for (index, layer) in self.layers.iter().enumerate().rev() {
            let own = need[self.inputs.len() + index];
            for &value in &layer.inputs {
                need[usize::from(value)] = need[usize::from(value)].union(own);
            }
        }
        need
    }

    /// The shape of the input in that slot.
    pub fn input(&self, slot: InputSlot) -> Option<Shape> {
        self.inputs
            .iter()
            .find(|input| input.slot == slot)
            .map(|input| input.shape)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// TensorFlow writes the rule for "same" as a remainder: `max(k − s, 0)` if `s` divides `n`, else `max(k − n mod s, 0)`.
    #[test]
    fn extents_follow_tensorflow() {
        for n in 1u16..=70 {
            for kernel in 1u8..=7 {
                for stride in 1u8..=3 {
                    let (k, s) = (u16::from(kernel), u16::from(stride));
                    let total = match n % s {
                        0 => k.saturating_sub(s),
                        rest => k.saturating_sub(rest),
                    };
                    let (before, out) = (total / 2, n.div_ceil(s));
                    let same = (out, before as u8, (total - before) as u8);
                    assert_eq!(Padding::Same.extent(n, kernel, stride), Some(same));
                    // Whole windows, counted one by one.
                    let whole = (0..n).step_by(s.into()).filter(|start| start + k <= n).count() as u16;
                    let valid = (whole > 0).then_some((whole, 0, 0));
                    assert_eq!(Padding::Valid.extent(n, kernel, stride), valid, "{n} {k} {s}");
                }
            }
        }
        // By hand: 5 pixels, window 3, step 2 → 3 outputs reaching over (3 − 1)·2 + 3 = 7, one pixel on each side.
        assert_eq!(Padding::Same.extent(5, 3, 2), Some((3, 1, 1)));
        // 4 pixels, window 3, step 2 → 2 outputs over 5: the odd pixel goes behind.
        assert_eq!(Padding::Same.extent(4, 3, 2), Some((2, 0, 1)));
        assert_eq!(Padding::Same.extent(u16::MAX, 1, 1), Some((u16::MAX, 0, 0)));
        for (n, kernel, stride) in [(0, 1, 1), (1, 0, 1), (1, 1, 0)] {
            assert_eq!(Padding::Same.extent(n, kernel, stride), None);
            assert_eq!(Padding::Valid.extent(n, kernel, stride), None);
        }
    }

    #[test]
    fn head_sets_are_sets() {
        let both = HeadSet::from(Head::Classification).with(Head::Regression);
        assert_eq!(both.bits(), 0b101);
        assert!(both.iter().eq([Head::Classification, Head::Regression]));
        assert!(both.contains(Head::Regression) && !both.contains(Head::Segmentation));
        assert!(HeadSet::ALL.contains_all(both) && !both.contains_all(HeadSet::ALL));
        assert!(both.intersects(Head::Regression.into()) && !both.intersects(Head::Segmentation.into()));
        assert!(!both.intersects(HeadSet::EMPTY) && both.contains_all(HeadSet::EMPTY));
        assert_eq!(both.union(Head::Segmentation.into()), HeadSet::ALL);
        assert_eq!(
            (HeadSet::from_bits(7), HeadSet::from_bits(8)),
            (Some(HeadSet::ALL), None)
        );
    }

    const CONV: Layer = Layer::Conv2d {
        filters: 4,
        kernel: 3,
        stride: 2,
        padding: Padding::Same,
        activation: Activation::Relu,
        norm: true,
    };

    #[test]
    fn layers_tell_shapes_and_costs() {
        let picture = Shape::new(9, 8, 3);
        let out = CONV.output(&[picture]).unwrap();
        assert_eq!(out, Shape::new(5, 4, 4));
        assert_eq!(CONV.parameters(picture), 4 * (9 * 3 + 1));
        assert_eq!(CONV.macs(picture, out), 5 * 4 * 4 * 27);
        let pool = Layer::MaxPool2d { size: 2 };
        assert_eq!(pool.output(&[picture]), Some(Shape::new(4, 4, 3)));
        let up = Layer::Upsample2d { factor: 3 };
        assert_eq!(up.output(&[picture]), Some(Shape::new(27, 24, 3)));
        assert_eq!(up.output(&[Shape::new(30_000, 1, 1)]), None);
        let other = Shape::new(9, 8, 5);
        assert_eq!(Layer::Concat.output(&[picture, other]), Some(Shape::new(9, 8, 8)));
        let add = Layer::Add {
            activation: Activation::None,
        };
        assert_eq!(add.output(&[picture, other]), None);
        assert_eq!(add.output(&[picture, picture]), Some(picture));
    }

    fn layer(inputs: &[u8], layer: Layer) -> LayerSpec {
        LayerSpec {
            inputs: Vec::from_slice(inputs).unwrap(),
            layer,
        }
    }

    fn linear(units: u16) -> Layer {
        Layer::Linear {
            out: Shape::row(units),
            activation: Activation::None,
        }
    }

    /// Two towers: a row to one value, a picture to two classes per pixel.
    fn model() -> ModelSpec {
        let input = |slot, shape| InputSpec {
            slot,
            shape,
            pixels: PixelScale::Centred,
        };
        let head = |head, value| HeadSpec { head, value };
        let inputs = [
            input(InputSlot::Picture, Shape::new(8, 8, 3)),
            input(InputSlot::Regression, Shape::row(5)),
        ];
        let layers = [
            layer(&[0], CONV),
            layer(&[2, 2], Layer::Concat),
            layer(&[1], linear(6)),
            layer(&[4], linear(1)),
        ];
        ModelSpec {
            inputs: Vec::from_slice(&inputs).unwrap(),
            layers: Vec::from_slice(&layers).unwrap(),
            heads: Vec::from_slice(&[head(Head::Segmentation, 3), head(Head::Regression, 5)]).unwrap(),
        }
    }

    #[test]
    fn models_tell_every_shape_and_who_needs_it() {
        let shapes = [
            Shape::new(8, 8, 3),
            Shape::row(5),
            Shape::new(4, 4, 4),
            Shape::new(4, 4, 8),
            Shape::row(6),
            Shape::row(1),
        ];
        assert_eq!(model().shapes().unwrap(), shapes);
        let (picture, row) = (HeadSet::from(Head::Segmentation), HeadSet::from(Head::Regression));
        assert_eq!(model().heads_of_values(), [picture, row, picture, picture, row, row]);
    }

    #[test]
    fn faults_in_models_are_named() {
        let fault = |change: fn(&mut ModelSpec)| {
            let mut model = model();
            change(&mut model);
            model.shapes().unwrap_err()
        };
        assert_eq!(fault(|m| m.inputs[1].slot = InputSlot::Picture), SpecError::Duplicate);
        assert_eq!(fault(|m| m.heads.clear()), SpecError::Duplicate);
        assert_eq!(fault(|m| m.heads[1].head = Head::Segmentation), SpecError::Duplicate);
        let unknown = SpecError::UnknownValue { layer: 2, value: 4 };
        assert_eq!(fault(|m| m.layers[2].inputs[0] = 4), unknown, "its own value");
        assert_eq!(
            fault(|m| m.layers[0] = layer(&[0, 0], CONV)),
            SpecError::InputCount { layer: 0 }
        );
        assert_eq!(
            fault(|m| m.layers[3].layer = linear(0)),
            SpecError::Parameter { layer: 3 }
        );
        let shape = Shape::new(4, 4, 4);
        assert_eq!(
            fault(|m| m.layers[1].inputs[1] = 0),
            SpecError::Shape { layer: 1, shape }
        );
        let head = Head::Regression;
        assert_eq!(
            fault(|m| m.heads[1].value = 4),
            SpecError::HeadValue { head },
            "six values"
        );
        assert_eq!(fault(|m| m.heads[1].value = 99), SpecError::HeadValue { head });
        let head = Head::Segmentation;
        assert_eq!(
            fault(|m| m.heads[0].value = 0),
            SpecError::HeadValue { head },
            "an input"
        );
    }
}
