//! The quantiser's entry: a trained model and the rows it is calibrated on become a blob.

use trident::blob::{CRC, Calibration, Golden, HeadDescription, InputDescription, Metadata, ReadingStatistics};
use trident::blob::{Provenance, Sequence, Span};
use trident::spec::{Head, InputSlot, Shape};
use trident::{Blob, Inputs, Network, arithmetic};

use super::QuantizeError;
use super::emit::{Emitted, emit};
use super::lower::lower;
use super::optimize::{self, Optimize};
use super::plain::PlainGraph;
use super::prepare::Prepared;
use super::ranges::Ranges;
use super::writer::{AlignedBytes, ParameterWriter, blob, on_words, sequence};
use crate::data::Description;
use crate::model::FoldedModel;
use crate::run::Transforms;

/// One row of every input, as a user hands it over.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sample {
    /// Readings to classify.
    pub classification: Option<Vec<f32>>,
    /// RGB picture, `[h, w, 3]`.
    pub picture: Option<Vec<u8>>,
    /// Readings to regress on.
    pub regression: Option<Vec<f32>>,
}

impl Sample {
    /// As a network takes it.
    pub fn inputs(&self) -> Inputs<'_> {
        Inputs {
            classification: self.classification.as_deref(),
            picture: self.picture.as_deref(),
            regression: self.regression.as_deref(),
        }
    }
}

/// All that a blob is made of.
#[derive(Clone, Debug)]
pub struct Source<'a> {
    /// Weights and ranges.
    pub prepared: &'a Prepared,
    /// Input tables and the target's unit.
    pub transforms: &'a Transforms,
    /// Names of features, classes and target.
    pub description: &'a Description,
    /// Name of the label that is told.
    pub label: &'a str,
    /// Rows for the boot self-test.
    pub golden: &'a [Sample],
    /// What the readings of each slot were like in training; those that the model does not read are left out.
    pub statistics: &'a [(InputSlot, Vec<ReadingStatistics>)],
    /// The model's name.
    pub name: &'a str,
    /// How each head was made ready for int8, in words.
    pub methods: &'a str,
    /// SHA-256 of the data.
    pub data_sha256: [u8; 32],
    /// The model's sequence number.
    pub sequence: u32,
    /// What counts where flash and speed pull apart.
    pub optimize: Optimize,
}

/// A quantised model, ready to be packed.
#[derive(Debug)]
pub struct Quantized {
    /// The graph before any rewrite; every rewrite leaves its results as they are.
    pub plain: PlainGraph,
    /// The graph as it was rewritten.
    pub graph: PlainGraph,
    /// The same as a blob carries it.
    pub emitted: Emitted,
    /// The ranges, widened where a multiplier asked for it.
    pub ranges: Ranges,
    /// Float weights it was made from.
    pub folded: FoldedModel,
}

/// Lowers a prepared model and makes it fast and small.
///
/// # Errors
/// If a layer cannot be expressed in int8.
pub fn quantize(source: &Source<'_>) -> Result<Quantized, QuantizeError> {
    let folded = source.prepared.folded.clone();
    let lowered = lower(&folded, source.prepared.ranges.clone(), source.transforms)?;
    let mut graph = lowered.graph.clone();
    optimize::rewrite(&mut graph, source.optimize);
    let kept = optimize::stream::kept_rows(&graph);
    let emitted = emit(&graph, &kept).map_err(|error| error.at(folded.spec.layers.len() - 1))?;
    Ok(Quantized {
        plain: lowered.graph,
        graph,
        emitted,
        ranges: lowered.ranges,
        folded,
    })
}

impl Quantized {
    /// The same before any rewrite, so that every value of the model exists whole.
    ///
    /// # Errors
    /// If that is larger than a blob can say.
    pub fn unrewritten(&self) -> Result<Self, QuantizeError> {
        let whole: Vec<u16> = self.plain.tensors.iter().map(|tensor| tensor.shape.h).collect();
        Ok(Self {
            plain: self.plain.clone(),
            graph: self.plain.clone(),
            emitted: emit(&self.plain, &whole).map_err(|error| error.at(self.folded.spec.layers.len() - 1))?,
            ranges: self.ranges.clone(),
            folded: self.folded.clone(),
        })
    }

    /// The blob, with golden vectors answered by the engine itself and the given figures as provenance.
    ///
    /// # Errors
    /// If the engine refuses the model: an accumulator could overflow.
    pub fn pack(&self, source: &Source<'_>, metrics: &[(String, f32)]) -> Result<AlignedBytes, QuantizeError> {
        let mut parameters = self.emitted.parameters.clone();
        let mut golden: Vec<Golden> = source
            .golden
            .iter()
            .map(|sample| self.golden_inputs(sample, &mut parameters))
            .collect();
        let calibrations: Vec<Calibration> = source
            .statistics
            .iter()
            .filter(|(slot, _)| self.folded.spec.input(*slot).is_some())
            .map(|(slot, statistics)| Calibration {
                slot: *slot,
                readings: parameters.span(statistics),
            })
            .collect();
        let draft = self.assemble(source, &parameters, (&[], &calibrations), metrics);
        let refused = |error: &dyn std::fmt::Display| QuantizeError::Refused(error.to_string());
        let draft = Blob::new_exact(draft.as_ref()).map_err(|error| refused(&error))?;
        let mut arena = AlignedBytes::zeroed(draft.graph().arena_len());
        let mut network = Network::load(draft, arena.as_mut()).map_err(|error| refused(&error))?;
        for (golden, sample) in golden.iter_mut().zip(source.golden) {
            let heads = network.heads();
            let outputs = network.run(heads, &sample.inputs()).map_err(|error| refused(&error))?;
            golden.probabilities = parameters.span(outputs.classification().unwrap_or_default());
            golden.logits_crc = outputs
                .segmentation()
                .map(|logits| CRC.checksum(bytemuck::cast_slice(logits.codes)));
            golden.value_bits = outputs.regression().map(f32::to_bits);
        }
        Ok(self.assemble(source, &parameters, (&golden, &calibrations), metrics))
    }

    fn golden_inputs(&self, sample: &Sample, parameters: &mut ParameterWriter) -> Golden {
        let wants = |slot| self.folded.spec.input(slot).is_some();
        let mut readings = |slot, row: &Option<Vec<f32>>| match row {
            Some(row) if wants(slot) => parameters.span(row),
            _ => Span::default(),
        };
        let classification = readings(InputSlot::Classification, &sample.classification);
        let regression = readings(InputSlot::Regression, &sample.regression);
        let picture = match &sample.picture {
            Some(picture) if wants(InputSlot::Picture) => parameters.span(picture),
            _ => Span::default(),
        };
        Golden {
            inputs: [classification, picture, regression],
            probabilities: Span::default(),
            logits_crc: None,
            value_bits: None,
        }
    }

    fn assemble(
        &self,
        source: &Source<'_>,
        parameters: &ParameterWriter,
        (golden, calibrations): (&[Golden], &[Calibration]),
        metrics: &[(String, f32)],
    ) -> AlignedBytes {
        let encode = |names: &[String]| sequence(names.iter().map(String::as_str));
        let description = source.description;
        let features = |slot| match slot {
            InputSlot::Classification => description
                .classification
                .as_ref()
                .map_or(&[][..], |data| &data.features),
            InputSlot::Picture => &[],
            InputSlot::Regression => description.regression.as_ref().map_or(&[][..], |data| &data.features),
        };
        let spec = &self.folded.spec;
        let features: Vec<Vec<u8>> = spec.inputs.iter().map(|input| encode(features(input.slot))).collect();
        let inputs = spec.inputs.iter().zip(&features).map(|(input, names)| {
            let readings = match input.slot {
                InputSlot::Classification => source.transforms.classification.as_ref(),
                InputSlot::Picture => None,
                InputSlot::Regression => source.transforms.regression.as_ref(),
            };
            InputDescription {
                slot: input.slot,
                shape: readings.map_or(input.shape, |transform| Shape::row(transform.readings as u16)),
                pixels: input.pixels,
                names: Sequence::new(names),
            }
        });
        let classes: Vec<Vec<u8>> = spec
            .heads
            .iter()
            .map(|head| encode(class_names(description, head.head)))
            .collect();
        let heads = spec.heads.iter().zip(&classes).map(|(head, classes)| HeadDescription {
            head: head.head,
            name: match head.head {
                Head::Classification => source.label,
                Head::Segmentation => "class",
                Head::Regression => description.regression.as_ref().map_or("", |data| &data.target),
            },
            classes: Sequence::new(classes),
            threshold: 0.5,
        });
        let version = concat!("trident ", env!("CARGO_PKG_VERSION"));
        let tool = match source.methods {
            "" => version.to_owned(),
            methods => format!("{version}; {methods}"),
        };
        let [inputs, heads] = [sequence(inputs), sequence(heads)];
        let [golden, metrics] = [sequence(golden), sequence(metrics)];
        let arena_len = self.emitted.plan.len as u32;
        let tensors = self.emitted.tensors.iter().flat_map(|tensor| tensor.encode());
        let tensors = on_words(&(arithmetic::NAME, arena_len), tensors.collect());
        let nodes = self.emitted.nodes.iter().flat_map(|node| node.encode());
        let nodes = on_words(&(arithmetic::NAME, arena_len, &tensors), nodes.collect());
        let metadata = Metadata {
            arithmetic: arithmetic::NAME,
            arena_len,
            tensors: &tensors,
            nodes: &nodes,
            inputs: Sequence::new(&inputs),
            heads: Sequence::new(&heads),
            golden: Sequence::new(&golden),
            provenance: Provenance {
                tool: &tool,
                model: source.name,
                data_sha256: source.data_sha256,
                metrics: Sequence::new(&metrics),
            },
        };
        blob(&metadata, calibrations, parameters.bytes(), source.sequence)
    }
}

fn class_names(description: &Description, head: Head) -> &[String] {
    match head {
        Head::Classification => description.classification.as_ref().map_or(&[], |data| &data.classes),
        Head::Segmentation => description.segmentation.as_ref().map_or(&[], |data| &data.classes),
        Head::Regression => &[],
    }
}
