//! A loaded model: readings and pixels in, probabilities, class masks and values out.
//!
//! ```text
//! Blob::new_checked(bytes) ──► Network::load(blob, arena) ──► run(heads, inputs) ──► Outputs
//! ```
//!
//! The network copies nothing out of the blob but a few words; weights are read where they lie. The arena is the caller's, so
//! that its size is chosen where memory is laid out.

mod error;
mod step;

use core::ops::Range;

use crate::arithmetic;
use crate::blob::{ALIGNMENT, Blob, CRC};
use crate::check;
use crate::graph::{Element, NODE_LEN, Node, Op, Place, Tensor};
use crate::health::Watch;
use crate::input::InputStep;
use crate::kernels::micro::bytes;
use crate::pin::Pinned;
use crate::schedule::{self, Schedule, Turn};
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
            codes: bytemuck::cast_slice(&self.arena[tensor.elements()]),
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
/// inputs of the right length; of a pinned one, as far as its checksum tells that it is the blob that was checked.
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
        let arena = part_for(&blob, arena)?;
        check::accumulators(&blob.graph(), blob.parameters()).map_err(LoadError::Graph)?;
        Ok(Self::new(blob, blob.graph().heads(), arena))
    }

    /// As [`Network::load`], without the scan: the weights were scanned when the model was pinned.
    ///
    /// # Errors
    /// [`LoadError`]: the arena is too small or misaligned.
    pub fn load_pinned(pinned: Pinned<'a>, arena: &'a mut [u8]) -> Result<Self, LoadError> {
        let arena = part_for(pinned.blob(), arena)?;
        Ok(Self::new(*pinned.blob(), pinned.heads(), arena))
    }

    fn new(blob: Blob<'a>, heads: HeadSet, arena: &'a mut [u8]) -> Self {
        let results = Results {
            probabilities: [0.0; MAX_CLASSES],
            probability_count: 0,
            value: 0.0,
            logits: None,
        };
        Self {
            blob,
            arena,
            heads,
            last: HeadSet::EMPTY,
            results,
        }
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

    /// As [`Network::run`], and shows each step as soon as it is done. Nodes of a band take turns, in as many steps as
    /// [`schedule`] says; all others take one.
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
        if !self.heads.contains_all(heads) {
            let missing = heads.iter().find(|&head| !self.heads.contains(head));
            return missing.map_or_else(|| Ok(self.outputs()), |head| Err(RunError::NoSuchHead { head }));
        }
        let graph = self.blob.graph();
        let mut records = graph.records_from(0).iter();
        while let Some(record) = records.next() {
            let number = |behind: &[_]| graph.node_count() - behind.len() - 1;
            let is = |op: Op| op.is_built_in() && record[0] == op as u8;
            // All nodes of a band serve the same heads.
            if !HeadSet::from_bits_truncated(record[1]).intersects(heads) {
                continue;
            }
            if is(Op::Linear) {
                if graph.holds(Element::I32, record[4]) {
                    step::linear_sums(self.arena, &self.blob, record);
                } else {
                    step::linear(self.arena, &self.blob, record);
                }
            } else if is(Op::NarrowLinear) {
                step::narrow_linear(self.arena, &self.blob, record);
            } else if is(Op::Readings) {
                self.read_readings(record, inputs)?;
            } else if proven(Op::from_number(record[0])).is_output() {
                self.take_out(record);
            } else {
                let end = self.run_rows(number(records.as_slice()), inputs, &mut observe)?;
                records = graph.records_from(end).iter();
                continue;
            }
            observe(&Step {
                node: number(records.as_slice()),
                row: 0,
                bytes: self.written(record),
            });
        }
        self.last = heads;
        Ok(self.outputs())
    }

    /// What a node that takes one step has written. Nothing of this is left where nobody looks.
    #[inline(always)]
    fn written(&self, record: &[u8; NODE_LEN]) -> &[u8] {
        let tensor = Node::decode_checked(record).and_then(|node| self.blob.graph().tensor_at_once(node.writes()?));
        let bytes = tensor.and_then(|tensor| self.arena.get(tensor.elements()));
        bytes.unwrap_or_default()
    }

    /// As [`Network::run`], and counts saturated codes. The self-test runs by it too, so that an image which serves holds the engine once.
    ///
    /// # Errors
    /// As [`Network::run`].
    #[inline(never)]
    pub fn run_watched(
        &mut self,
        heads: HeadSet,
        inputs: &Inputs<'_>,
        watch: &mut Watch,
    ) -> Result<Outputs<'_>, RunError> {
        self.run_observed(heads, inputs, |step| watch.observe(step))
    }

    /// Runs a node whose output has rows, or the whole band that it begins; gives the number of the node behind.
    #[inline(never)]
    fn run_rows(
        &mut self,
        number: usize,
        inputs: &Inputs<'_>,
        observe: &mut impl FnMut(&Step<'_>),
    ) -> Result<usize, RunError> {
        let graph = self.blob.graph();
        let band = proven(schedule::band(&graph, number));
        let end = band.end;
        if band.len() == 1 {
            // Nobody waits for some rows of a node that is alone.
            let all = Turn {
                node: number,
                row: 0,
                rows: u16::MAX,
            };
            self.take_turn(&all, inputs, observe)?;
        } else {
            let mut schedule = Schedule::new(graph, band);
            #[expect(
                clippy::while_let_on_iterator,
                reason = "moved into a loop, it would take its memory twice"
            )]
            while let Some(turn) = schedule.next() {
                self.take_turn(&turn, inputs, observe)?;
            }
        }
        Ok(end)
    }

    /// Runs one step of a node whose output has rows.
    #[inline(never)]
    fn take_turn(
        &mut self,
        turn: &Turn,
        inputs: &Inputs<'_>,
        observe: &mut impl FnMut(&Step<'_>),
    ) -> Result<(), RunError> {
        let graph = self.blob.graph();
        let node = proven(graph.node_at_once(turn.node));
        let output = proven(graph.tensor_at_once(node.output.into()));
        let row = usize::from(turn.row);
        let rows = row..usize::from(output.shape.h).min(row + usize::from(turn.rows));
        let written = output.place(rows);
        if Op::Picture.is_built_in() && node.op == Op::Picture {
            self.read_picture(output.shape, row * output.row_len(), written.clone(), inputs)?;
        } else if node.op.is_binary() {
            step::combine(self.arena, &self.blob, turn.node, (row, written.clone()));
        } else {
            step::run(self.arena, &node, &output, (row, written.clone()), &self.blob);
        }
        observe(&Step {
            node: turn.node,
            row,
            bytes: &self.arena[written],
        });
        Ok(())
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
        let parameters = blob.typed_parameters();
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
            let mut watch = Watch::NOTHING;
            let outputs = self
                .run_watched(heads, &inputs, &mut watch)
                .map_err(SelfTestError::Run)?;
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

    #[inline(never)]
    fn read_readings(&mut self, record: &[u8; NODE_LEN], inputs: &Inputs<'_>) -> Result<(), RunError> {
        let node = proven(Node::decode_checked(record));
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
        let output = proven(self.blob.graph().tensor_at_once(node.output.into()));
        let parameters = self.blob.typed_parameters();
        let step = InputStep {
            inputs: parameters.proven(node.weights, output.shape.len()),
            segments: parameters.proven(node.table, node.p[0] as usize),
            inverse_scale: f32::from_bits(node.p[1] as u32),
            zero_point: output.zero_point,
        };
        step.apply(row, bytemuck::cast_slice_mut(&mut self.arena[output.elements()]));
        Ok(())
    }

    /// Puts bytes of the picture, from `first` on, where they are `written`.
    #[inline(never)]
    fn read_picture(
        &mut self,
        shape: Shape,
        first: usize,
        written: Range<usize>,
        inputs: &Inputs<'_>,
    ) -> Result<(), RunError> {
        let slot = InputSlot::Picture;
        let picture = inputs.picture.ok_or(RunError::MissingInput { slot })?;
        let expected = shape.len();
        if picture.len() != expected {
            return Err(RunError::InputLen {
                slot,
                expected,
                found: picture.len(),
            });
        }
        let pixels = &picture[first..][..written.len()];
        bytes::centre(pixels, bytemuck::cast_slice_mut(&mut self.arena[written]));
        Ok(())
    }

    /// Takes a head's result out.
    #[inline(never)]
    fn take_out(&mut self, record: &[u8; NODE_LEN]) {
        if !Op::Probabilities.is_built_in() || record[0] != Op::Probabilities as u8 {
            return self.take_other(record);
        }
        let node = Node::decode_as(Op::Probabilities, record);
        let Self {
            blob, arena, results, ..
        } = self;
        let sums = sums_of(arena, &proven(blob.graph().place(node.input)));
        let scales = blob.typed_parameters().words_from(node.weights);
        results.probability_count = sums.len() as u8;
        if let ([sum], [scale, ..]) = (sums, scales) {
            results.probabilities[0] = arithmetic::sigmoid(*sum as f32 * f32::from_bits(*scale));
        } else {
            softmax(sums, scales, &mut results.probabilities[..sums.len()]);
        }
    }

    /// Takes out what are no probabilities.
    #[inline(never)]
    fn take_other(&mut self, record: &[u8; NODE_LEN]) {
        let node = proven(Node::decode_checked(record));
        let graph = self.blob.graph();
        if node.op.built_in() == Op::Logits {
            self.results.logits = graph.tensor(node.input.into());
        } else {
            let [scale, offset] = [node.p[0], node.p[1]].map(|bits| f32::from_bits(bits as u32));
            self.results.value = sums_of(self.arena, &proven(graph.place(node.input)))[0] as f32 * scale + offset;
        }
    }
}

/// As much of the arena as a blob's graph needs.
fn part_for<'a>(blob: &Blob<'_>, arena: &'a mut [u8]) -> Result<&'a mut [u8], LoadError> {
    let needed = blob.graph().arena_len();
    if !(arena.as_ptr() as usize).is_multiple_of(ALIGNMENT) {
        return Err(LoadError::Misaligned);
    }
    let available = arena.len();
    arena.get_mut(..needed).ok_or(LoadError::Arena { needed, available })
}

/// A head's sums, still in the arena.
#[inline(always)]
fn sums_of<'s>(arena: &'s [u8], place: &Place) -> &'s [i32] {
    bytemuck::cast_slice(&arena[place.offset..place.offset + 4 * place.count])
}

/// Probabilities of several classes from sums and the bits of their scales.
#[inline(never)]
fn softmax(sums: &[i32], scales: &[u32], out: &mut [f32]) {
    for ((logit, &sum), &scale) in out.iter_mut().zip(sums).zip(scales) {
        *logit = sum as f32 * f32::from_bits(scale);
    }
    arithmetic::softmax(out);
}

/// One step of a node, done.
#[derive(Clone, Copy, Debug)]
pub struct Step<'s> {
    /// The node's number.
    pub node: usize,
    /// The first row of its output that was written.
    pub row: usize,
    /// The rows that were written; none by a node that takes a head's result out.
    pub bytes: &'s [u8],
}

/// What the blob's checks have proven to be there.
fn proven<T>(checked: Option<T>) -> T {
    match checked {
        Some(checked) => checked,
        None => unreachable!("checked when the blob was opened or pinned"),
    }
}

const _: () = assert!(MAX_READINGS <= u16::MAX as usize && MAX_CLASSES <= u8::MAX as usize);
