//! The one definition of a layer and of a model.
//!
//! A [`ModelSpec`] lists inputs, layers and heads. The host makes two things from it: trainable modules, and, with
//! weights and ranges, the quantised graph that travels inside the blob. Values are numbered: first the inputs, then one per
//! layer, in order; a layer may only read values numbered before its own.
//!
//! Shapes are `[height, width, channels]`; a row of readings is `[1, 1, n]`. A [`Layer::Linear`] reads any shape, flattened
//! in that order.

mod interface;
mod layer;

use heapless::Vec;
use serde::{Deserialize, Serialize};

pub use interface::{Head, HeadSet, HeadSpec, InputSlot, InputSpec, PixelScale};
pub use layer::{Activation, Layer, Padding, Shape};

/// The most layers a model may have.
pub const MAX_LAYERS: usize = 96;

/// A layer and the values it reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LayerSpec {
    /// Numbers of the values read: two for [`Layer::Add`] and [`Layer::Concat`], else one.
    pub inputs: Vec<u8, 2>,
    /// The operation.
    pub layer: Layer,
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
