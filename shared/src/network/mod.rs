//! A loaded model: readings and pixels in, probabilities, class masks and values out.
//!
//! ```text
//! Blob::new_checked(bytes) ──► Network::load(blob, arena) ──► run(heads, inputs) ──► Outputs
//! ```
//!
//! The network copies nothing out of the blob but a few words; weights are read where they lie. The arena is the caller's, so
//! that its size is chosen where memory is laid out.

mod error;

use crate::arithmetic::{self, AddCodes, Requantize};
use crate::blob::{ALIGNMENT, Blob, CRC};
use crate::check;
use crate::graph::{Element, Graph, Node, Op, Tensor};
use crate::input::InputStep;
use crate::kernels::conv2d::{Window, conv2d};
use crate::kernels::depthwise::depthwise;
use crate::kernels::elementwise::{add, add_in_place, concat, lut};
use crate::kernels::linear::{linear, linear_sums};
use crate::kernels::resample::{max_pool2d, upsample2d};
use crate::parameters::Parameters;
use crate::spec::{Head, HeadSet, InputSlot, Shape};
use crate::{MAX_CLASSES, MAX_READINGS};

pub use error::{LoadError, RunError, SelfTestError};

/// What is handed to a run, in the user's units. Slots that the heads asked for do not need may be left out.
#[derive(Clone, Copy, Debug, Default)]
pub struct Inputs<'i> {
    /// Readings to classify.
    pub classification: Option<&'i [f32]>,
    /// RGB picture, `[h, w, 3]`.
    pub picture: Option<&'i [u8]>,
    /// Readings to regress on.
    pub regression: Option<&'i [f32]>,
}

/// The segmentation head's codes, still in the arena.
#[derive(Clone, Copy, Debug)]
pub struct Logits<'n> {
    /// `[h, w, classes]`.
    pub shape: Shape,
    /// One code per class and pixel.
    pub codes: &'n [i8],
}

impl Logits<'_> {
    /// The class of each pixel, row by row: the largest code, the lowest class where several are equal.
    pub fn classes(&self) -> impl Iterator<Item = u8> + '_ {
        self.codes
            .chunks_exact(usize::from(self.shape.c).max(1))
            .map(|pixel| arithmetic::argmax(pixel) as u8)
    }

    /// Writes the class of each pixel into `mask`, as far as it reaches.
    pub fn mask(&self, mask: &mut [u8]) {
        mask.iter_mut()
            .zip(self.classes())
            .for_each(|(out, class)| *out = class);
    }
}

/// A part of a run: some rows of what a node makes, or what an output node takes out.
#[derive(Clone, Copy, Debug)]
pub struct Step<'s> {
    /// The node's number, in the graph's order.
    pub node: usize,
    /// The first row written.
    pub row: usize,
    /// The rows written, as they stand in the arena; none by output nodes.
    pub bytes: &'s [u8],
}

/// What the last run gave, in the user's units. A head that was not asked for gives `None`.
#[derive(Clone, Copy, Debug)]
pub struct Outputs<'n> {
    heads: HeadSet,
    results: &'n Results,
    arena: &'n [u8],
}

impl<'n> Outputs<'n> {
    /// Probabilities: of the second class if there are two, else of every class.
    pub fn classification(&self) -> Option<&'n [f32]> {
        let count = usize::from(self.results.probability_count);
        self.heads
            .contains(Head::Classification)
            .then(|| &self.results.probabilities[..count])
    }

    /// Codes per class and pixel.
    pub fn segmentation(&self) -> Option<Logits<'n>> {
        let tensor = self
            .results
            .logits
            .filter(|_| self.heads.contains(Head::Segmentation))?;
        Some(Logits {
            shape: tensor.shape,
            codes: bytemuck::cast_slice(&self.arena[tensor.range()]),
        })
    }

    /// The value, in the target's unit.
    pub fn regression(&self) -> Option<f32> {
        self.heads.contains(Head::Regression).then_some(self.results.value)
    }
}

#[derive(Clone, Copy, Debug)]
struct Results {
    probabilities: [f32; MAX_CLASSES],
    probability_count: u8,
    value: f32,
    logits: Option<Tensor>,
}

/// A model that is ready to run. Holding one proves that no run of it can overflow, leave its memory or fail on finite
/// inputs of the right length.
#[derive(Debug)]
pub struct Network<'a> {
    blob: Blob<'a>,
    arena: &'a mut [u8],
    heads: HeadSet,
    last: HeadSet,
    results: Results,
}

impl<'a> Network<'a> {
    /// Takes the arena and scans the weights once.
    ///
    /// # Errors
    /// [`LoadError`]: the arena is too small or misaligned, or weights could overflow an accumulator.
    pub fn load(blob: Blob<'a>, arena: &'a mut [u8]) -> Result<Self, LoadError> {
        let needed = blob.graph().arena_len();
        if !(arena.as_ptr() as usize).is_multiple_of(ALIGNMENT) {
            return Err(LoadError::Misaligned);
        }
        let available = arena.len();
        let arena = arena.get_mut(..needed).ok_or(LoadError::Arena { needed, available })?;
        check::accumulators(&blob.graph(), blob.parameters()).map_err(LoadError::Graph)?;
        let outputs = blob.graph().nodes().filter(|node| node.op.is_output());
        let heads = outputs.fold(HeadSet::EMPTY, |heads, node| heads.union(node.heads));
        let results = Results {
            probabilities: [0.0; MAX_CLASSES],
            probability_count: 0,
            value: 0.0,
            logits: None,
        };
        Ok(Self {
            blob,
            arena,
            heads,
            last: HeadSet::EMPTY,
            results,
        })
    }

    /// The blob it was loaded from.
    pub const fn blob(&self) -> Blob<'a> {
        self.blob
    }

    /// The heads it has.
    pub const fn heads(&self) -> HeadSet {
        self.heads
    }

    /// Bytes of arena it uses.
    pub const fn arena_len(&self) -> usize {
        self.arena.len()
    }

    /// Runs exactly the nodes that those heads need.
    ///
    /// # Errors
    /// [`RunError`]; the network stays usable, its last outputs are gone.
    pub fn run(&mut self, heads: HeadSet, inputs: &Inputs<'_>) -> Result<Outputs<'_>, RunError> {
        self.run_observed(heads, inputs, |_| ())
    }

    /// As [`Network::run`], and shows every step as soon as it is done.
    ///
    /// # Errors
    /// As [`Network::run`].
    pub fn run_observed(
        &mut self,
        heads: HeadSet,
        inputs: &Inputs<'_>,
        mut observe: impl FnMut(&Step<'_>),
    ) -> Result<Outputs<'_>, RunError> {
        self.last = HeadSet::EMPTY;
        if let Some(head) = heads.iter().find(|&head| !self.heads.contains(head)) {
            return Err(RunError::NoSuchHead { head });
        }
        let graph = self.blob.graph();
        for (number, node) in graph.nodes().enumerate() {
            if !node.heads.intersects(heads) {
                continue;
            }
            self.step(&graph, &node, inputs)?;
            let written = node.writes().map(|output| proven(graph.tensor(output)).range());
            observe(&Step {
                node: number,
                row: 0,
                bytes: &self.arena[written.unwrap_or(0..0)],
            });
        }
        self.last = heads;
        Ok(self.outputs())
    }

    /// What the last run gave; nothing before the first and after a failed one.
    pub fn outputs(&self) -> Outputs<'_> {
        Outputs {
            heads: self.last,
            results: &self.results,
            arena: self.arena,
        }
    }

    /// Runs the golden vectors that the blob carries and compares every answer bit for bit.
    ///
    /// # Errors
    /// [`SelfTestError`] names the first difference.
    pub fn self_test(&mut self) -> Result<(), SelfTestError> {
        let blob = self.blob;
        let parameters = Parameters::new(blob.parameters());
        for (vector, golden) in blob.metadata().golden.iter().enumerate() {
            let readings = |slot: InputSlot| {
                let span = golden.inputs[slot as usize];
                Some(parameters.proven::<f32>(span.offset, span.len as usize / 4)).filter(|row| !row.is_empty())
            };
            let picture = golden.inputs[InputSlot::Picture as usize];
            let inputs = Inputs {
                classification: readings(InputSlot::Classification),
                picture: picture.of(blob.parameters()).filter(|pixels| !pixels.is_empty()),
                regression: readings(InputSlot::Regression),
            };
            let heads = self.heads;
            let outputs = self.run(heads, &inputs).map_err(SelfTestError::Run)?;
            let expected = golden.probabilities;
            let expected = parameters.proven::<f32>(expected.offset, expected.len as usize / 4);
            let probabilities = outputs.classification().unwrap_or_default();
            let equal = |a: &f32, b: &f32| a.to_bits() == b.to_bits();
            let logits_crc = outputs
                .segmentation()
                .map(|logits| CRC.checksum(bytemuck::cast_slice(logits.codes)));
            let differs = |head| Err(SelfTestError::Differs { vector, head });
            if probabilities.len() != expected.len() || !probabilities.iter().zip(expected).all(|(a, b)| equal(a, b)) {
                return differs(Head::Classification);
            }
            if logits_crc != golden.logits_crc {
                return differs(Head::Segmentation);
            }
            if outputs.regression().map(f32::to_bits) != golden.value_bits {
                return differs(Head::Regression);
            }
        }
        Ok(())
    }

    fn step(&mut self, graph: &Graph<'a>, node: &Node, inputs: &Inputs<'_>) -> Result<(), RunError> {
        let parameters = Parameters::new(self.blob.parameters());
        match node.op {
            Op::Readings => self.read_readings(&proven(graph.tensor(node.output.into())), node, inputs)?,
            Op::Picture => self.read_picture(&proven(graph.tensor(node.output.into())), inputs)?,
            Op::Probabilities | Op::Logits | Op::Value => {
                self.take_out(&proven(graph.tensor(node.input.into())), node, parameters);
            }
            Op::Concat | Op::Add => {
                let [a, b, output] = [node.input, node.second, node.output].map(|t| proven(graph.tensor(t.into())));
                combine(self.arena, node, [&a, &b], &output);
            }
            _ => {
                let [input, output] = [node.input, node.output].map(|t| proven(graph.tensor(t.into())));
                transform(self.arena, node, &input, &output, parameters);
            }
        }
        Ok(())
    }

    #[inline(never)]
    fn read_readings(&mut self, output: &Tensor, node: &Node, inputs: &Inputs<'_>) -> Result<(), RunError> {
        let (slot, row) = match node.input {
            0 => (InputSlot::Classification, inputs.classification),
            _ => (InputSlot::Regression, inputs.regression),
        };
        let row = row.ok_or(RunError::MissingInput { slot })?;
        let expected = node.p[2] as usize;
        if row.len() != expected {
            return Err(RunError::InputLen {
                slot,
                expected,
                found: row.len(),
            });
        }
        if let Some(feature) = row.iter().position(|reading| !reading.is_finite()) {
            return Err(RunError::NotFinite { slot, feature });
        }
        let parameters = Parameters::new(self.blob.parameters());
        let step = InputStep {
            inputs: parameters.proven(node.weights, output.shape.len()),
            segments: parameters.proven(node.channels, node.p[0] as usize),
            inverse_scale: f32::from_bits(node.p[1] as u32),
            zero_point: output.zero_point,
        };
        step.apply(row, codes_mut(&mut self.arena[output.range()]));
        Ok(())
    }

    #[inline(never)]
    fn read_picture(&mut self, output: &Tensor, inputs: &Inputs<'_>) -> Result<(), RunError> {
        let slot = InputSlot::Picture;
        let picture = inputs.picture.ok_or(RunError::MissingInput { slot })?;
        let expected = output.shape.len();
        if picture.len() != expected {
            return Err(RunError::InputLen {
                slot,
                expected,
                found: picture.len(),
            });
        }
        for (code, byte) in self.arena[output.range()].iter_mut().zip(picture) {
            *code = byte ^ 0x80; // byte − 128 as a code
        }
        Ok(())
    }

    fn take_out(&mut self, input: &Tensor, node: &Node, parameters: Parameters<'_>) {
        if node.op == Op::Logits {
            self.results.logits = Some(*input);
            return;
        }
        let sums: &[i32] = bytemuck::cast_slice(&self.arena[input.range()]);
        if node.op == Op::Value {
            let [scale, offset] = [node.p[0], node.p[1]].map(|bits| f32::from_bits(bits as u32));
            self.results.value = sums[0] as f32 * scale + offset;
            return;
        }
        let scales = parameters.proven::<f32>(node.weights, sums.len());
        let logits = &mut self.results.probabilities[..sums.len()];
        for ((logit, &sum), &scale) in logits.iter_mut().zip(sums).zip(scales) {
            *logit = sum as f32 * scale;
        }
        match logits {
            [logit] => *logit = arithmetic::sigmoid(*logit),
            logits => arithmetic::softmax(logits),
        }
        self.results.probability_count = sums.len() as u8;
    }
}

/// Runs a node that reads one tensor.
fn transform(arena: &mut [u8], node: &Node, input: &Tensor, output: &Tensor, parameters: Parameters<'_>) {
    let [from, to] = disjoint(arena, [input.range(), output.range()]);
    let codes = codes(from);
    if node.op.is_weighted() {
        let layer = check::Weighted::of(node, input, output);
        let weights = parameters.proven::<i8>(node.weights, layer.weights());
        let (bias, multipliers) = parameters
            .proven::<i32>(node.channels, layer.words())
            .split_at(layer.channels);
        if output.element == Element::I32 {
            return linear_sums(codes, weights, bias, bytemuck::cast_slice_mut(to));
        }
        let requantize = Requantize {
            multipliers,
            right_shift: node.right_shift,
            zero_point: output.zero_point,
            lo: node.lo,
            hi: node.hi,
        };
        let window = Window {
            kernel: node.kernel.into(),
            stride: node.stride.into(),
            pad_top: node.pad_top.into(),
            pad_left: node.pad_left.into(),
            pad_code: input.zero_point,
        };
        let (from, to) = ((codes, input.shape), codes_mut(to));
        match node.op {
            Op::Linear => linear(codes, weights, bias, &requantize, to),
            Op::Conv2d => conv2d(from, &window, weights, bias, &requantize, (to, output.shape)),
            _ => depthwise(from, &window, weights, bias, &requantize, (to, output.shape)),
        }
        return;
    }
    let (to, side) = (codes_mut(to), usize::from(node.kernel));
    match node.op {
        Op::MaxPool2d => max_pool2d((codes, input.shape), side, to),
        Op::Upsample2d => upsample2d((codes, input.shape), side, to),
        Op::Lut => lut(codes, parameters.proven(node.weights, 256), to),
        _ => unreachable!("every operator that reads one tensor stands above"),
    }
}

/// Runs a node that reads two tensors, or one of them twice.
fn combine(arena: &mut [u8], node: &Node, [a, b]: [&Tensor; 2], output: &Tensor) {
    let rule = AddCodes {
        qa: node.p[0],
        qb: node.p[1],
        bias: node.p[2],
        right_shift: node.right_shift,
        zero_point: output.zero_point,
        lo: node.lo,
        hi: node.hi,
    };
    if node.op == Op::Add && a.offset == output.offset {
        let [to, from] = disjoint(arena, [output.range(), b.range()]);
        return add_in_place(codes_mut(to), codes(from), &rule);
    }
    let (from_a, from_b, to): (&[u8], &[u8], &mut [u8]) = if node.input == node.second {
        let [from, to] = disjoint(arena, [a.range(), output.range()]);
        (from, from, to)
    } else {
        let [from_a, from_b, to] = disjoint(arena, [a.range(), b.range(), output.range()]);
        (from_a, from_b, to)
    };
    let (from_a, from_b, to) = (codes(from_a), codes(from_b), codes_mut(to));
    match node.op {
        Op::Concat => concat((from_a, a.shape.c.into()), (from_b, b.shape.c.into()), to),
        _ => add(from_a, from_b, &rule, to),
    }
}

/// Parts of the arena that the blob's checks have proven not to overlap.
fn disjoint<const N: usize>(arena: &mut [u8], ranges: [core::ops::Range<usize>; N]) -> [&mut [u8]; N] {
    match arena.get_disjoint_mut(ranges) {
        Ok(parts) => parts,
        Err(_) => unreachable!("live tensors do not overlap: checked when the blob was opened"),
    }
}

fn codes(bytes: &[u8]) -> &[i8] {
    bytemuck::cast_slice(bytes)
}

fn codes_mut(bytes: &mut [u8]) -> &mut [i8] {
    bytemuck::cast_slice_mut(bytes)
}

fn proven(tensor: Option<Tensor>) -> Tensor {
    match tensor {
        Some(tensor) => tensor,
        None => unreachable!("every tensor was decoded when the blob was opened"),
    }
}

const _: () = assert!(MAX_READINGS <= u16::MAX as usize && MAX_CLASSES <= u8::MAX as usize);
