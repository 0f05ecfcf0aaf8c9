//! What a run's blob can be made of, and what each of that is worth.

use std::collections::BTreeMap;
use std::fmt;

use burn::tensor::Device;
use serde::{Serialize, Serializer};
use trident::blob::ReadingStatistics;
use trident::spec::{Head, InputSlot};

use super::{ExportError, GOLDEN_VECTORS, samples, statistics};
use crate::data::Dataset;
use crate::eval::{self, Figures, Rows};
use crate::hex;
use crate::model::{FoldedModel, HostInputs, Model};
use crate::quantize::QuantizeError;
use crate::quantize::method::PostTraining;
use crate::quantize::optimize::Optimize;
use crate::quantize::pack::{Sample, Source, quantize};
use crate::quantize::prepare::{Calibrated, Prepared};
use crate::quantize::readings::ReadingCodes;
use crate::quantize::writer::AlignedBytes;
use crate::run::{Record, Run, Transforms};
use crate::train::HeadData;
use crate::train::aware;
use crate::train::evaluate::{joint_inputs, joint_readings};
use crate::train::groups::{Group, partition};

/// The most training pictures that ranges are fitted to; readings serve whole.
const CALIBRATION_PICTURES: usize = 512;
/// The most values of the model that calibration on pictures holds in memory, four bytes each.
const CALIBRATION_VALUES: usize = 700_000_000;

/// How a head is made ready for int8.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Way {
    /// From its float weights.
    PostTraining(PostTraining),
    /// By quantisation-aware training.
    Aware,
}

/// A finished run with all that its blob can be made of.
#[derive(Debug)]
pub struct Candidates<'d> {
    run: &'d Run,
    dataset: &'d Dataset,
    /// The float model and what readings become for it.
    model: Model,
    transforms: Transforms,
    /// The same for int8, whose readings have codes of their own.
    codes: ReadingCodes,
    stretched: FoldedModel,
    stretched_transforms: Transforms,
    record: Record,
    calibration: Vec<HostInputs>,
    golden: Vec<Sample>,
    statistics: Vec<(InputSlot, Vec<ReadingStatistics>)>,
    groups: Vec<Group>,
    aware: Vec<Option<aware::Kept>>,
    device: Device,
}

impl Way {
    /// What a search calls its cost: training again costs more than any method that needs none.
    pub fn steps(&self) -> u32 {
        match self {
            Self::PostTraining(method) => method.steps(),
            Self::Aware => u32::MAX,
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PostTraining(method) => method.fmt(f),
            Self::Aware => f.write_str("qat"),
        }
    }
}

impl Serialize for Way {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'d> Candidates<'d> {
    /// Reads a run.
    ///
    /// # Errors
    /// If it is unfinished.
    pub fn new(run: &'d Run, dataset: &'d Dataset) -> Result<Self, ExportError> {
        let folded = run.model()?;
        let (transforms, record) = (run.transforms()?, run.record()?);
        let device = crate::train::device(run.config().train.backend);
        let model = Model::from_folded(&folded, &device);
        let readers = readers(&model, dataset, &transforms);
        let mut calibration = calibration(&model, &readers);
        let codes = ReadingCodes::fit(&folded.spec, &readings(&model, &readers));
        calibration.iter_mut().for_each(|rows| codes.stretch(rows));
        let groups = partition(&folded.spec, false);
        Ok(Self {
            aware: aware::kept(run, &groups)?,
            golden: samples(dataset, &Rows::of(dataset, |split| &split.train), GOLDEN_VECTORS),
            statistics: statistics(dataset),
            run,
            dataset,
            stretched: codes.fold(&folded),
            stretched_transforms: codes.transforms(&transforms),
            codes,
            model,
            transforms,
            record,
            calibration,
            groups,
            device,
        })
    }

    /// Heads that share layers are made ready alike.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// The float model.
    pub fn model(&self) -> &Model {
        &self.model
    }

    /// How the float model's numbers relate to the user's units.
    pub fn transforms(&self) -> &Transforms {
        &self.transforms
    }

    /// How readings are stretched for int8.
    pub(crate) fn codes(&self) -> &ReadingCodes {
        &self.codes
    }

    /// Per group: what quantisation-aware training gave, where it was kept; else the default method.
    pub fn best(&self) -> Vec<Way> {
        let best = |aware: &Option<aware::Kept>| match aware {
            Some(_) => Way::Aware,
            None => Way::PostTraining(PostTraining::default()),
        };
        self.aware.iter().map(best).collect()
    }

    /// Whether quantisation-aware training gave something for a group that was kept.
    pub fn has_aware(&self, group: usize) -> bool {
        self.aware[group].is_some()
    }

    /// A way per group as a way per head.
    pub fn by_head(&self, ways: &[Way]) -> BTreeMap<&'static str, Way> {
        let heads =
            |(group, way): (&Group, &Way)| group.heads.iter().map(|head| (head.name(), *way)).collect::<Vec<_>>();
        self.groups.iter().zip(ways).flat_map(heads).collect()
    }

    /// The whole model by each of some methods.
    ///
    /// # Errors
    /// If a slot has no calibration rows, or a layer cannot be expressed in int8.
    pub fn post_training(&self, methods: &[PostTraining]) -> Result<Vec<Prepared>, QuantizeError> {
        let plain = Calibrated::new(self.stretched.clone(), &self.calibration, &self.device)?;
        let plain = plain.with_stretched(self.codes.values(&self.stretched.spec));
        let equalized = methods
            .iter()
            .any(|method| method.equalize)
            .then(|| plain.equalized())
            .transpose()?;
        let prepare = |method: &PostTraining| {
            let calibrated = equalized.as_ref().filter(|_| method.equalize).unwrap_or(&plain);
            calibrated.prepare(method.ranges, method.correct_bias)
        };
        methods.iter().map(prepare).collect()
    }

    /// The model with each group made ready in its own way.
    ///
    /// # Errors
    /// As [`Candidates::post_training`]; or if the files of quantisation-aware training are damaged.
    pub fn assemble(&self, ways: &[Way]) -> Result<Prepared, ExportError> {
        let mut methods = vec![PostTraining::default()];
        for way in ways {
            match way {
                Way::PostTraining(method) if !methods.contains(method) => methods.push(*method),
                _ => {}
            }
        }
        let whole = self.post_training(&methods)?;
        let mut assembled = whole[0].clone();
        for ((group, way), aware) in self.groups.iter().zip(ways).zip(&self.aware) {
            let part = match way {
                Way::PostTraining(method) => {
                    let number = methods.iter().position(|own| own == method).unwrap_or(0);
                    whole[number].part(&group.spec, &group.values)
                }
                Way::Aware => {
                    let base = whole[0].part(&group.spec, &group.values);
                    aware.as_ref().map_or(Ok(base.clone()), |kept| {
                        kept.prepared(self.run, group, &base, &self.codes)
                    })?
                }
            };
            assembled.place(&part, &group.values);
        }
        Ok(assembled)
    }

    /// All that a blob is made of, with the default sequence number and optimisation.
    pub fn source<'s>(&'s self, prepared: &'s Prepared) -> Source<'s> {
        let config = self.run.config();
        Source {
            prepared,
            transforms: &self.stretched_transforms,
            description: &self.record.description,
            label: config.classification.as_ref().map_or("", |section| &section.label),
            golden: &self.golden,
            statistics: &self.statistics,
            name: config.train.preset.name(),
            methods: "",
            data_sha256: hex::decode(&self.record.data),
            sequence: 1,
            optimize: Optimize::default(),
        }
    }

    /// The rows that choose: those of validation, or of training for a head that has none.
    pub fn choosing_rows(&self) -> Rows {
        Rows::of(self.dataset, |split| match split.validation.is_empty() {
            true => &split.train,
            false => &split.validation,
        })
    }

    /// Whether a head has validation rows, from which it has not learnt.
    pub fn is_validated(&self, head: Head) -> bool {
        let recipe = self.record.recipes.get(head.name());
        !recipe.is_some_and(|recipe| recipe.train_on_validation)
            && !Rows::of(self.dataset, |split| &split.validation).head(head).is_empty()
    }

    /// The run's data.
    pub fn dataset(&self) -> &'d Dataset {
        self.dataset
    }

    /// Figures of the float model on rows of the run's data, or of others that its heads can read.
    pub fn float_figures(&self, dataset: &Dataset, rows: &Rows) -> Figures {
        eval::float_figures(&self.model, &self.transforms, dataset, rows)
    }

    /// Figures that the integer engine gives for them.
    ///
    /// # Errors
    /// If the model cannot be expressed in int8.
    pub fn int8_figures(&self, prepared: &Prepared, dataset: &Dataset, rows: &Rows) -> Result<Figures, ExportError> {
        let blob = self.blob(prepared, Optimize::default())?;
        let outputs = eval::int8(blob.as_ref(), dataset, rows)?;
        Ok(eval::figures(&outputs, &self.transforms, dataset, rows))
    }

    /// A blob without figures in it.
    ///
    /// # Errors
    /// If the model cannot be expressed in int8.
    pub fn blob(&self, prepared: &Prepared, optimize: Optimize) -> Result<AlignedBytes, ExportError> {
        let source = Source {
            optimize,
            ..self.source(prepared)
        };
        Ok(quantize(&source)?.pack(&source, &[])?)
    }
}

/// Heads with all that they read; those that read the same are named once.
fn readers<'d>(model: &Model, dataset: &'d Dataset, transforms: &Transforms) -> Vec<(HeadData<'d>, Vec<InputSlot>)> {
    let mut readers: Vec<(HeadData<'d>, Vec<InputSlot>)> = Vec::new();
    for head in model.spec().heads.iter().map(|spec| spec.head) {
        let Some(data) = HeadData::with_transforms(dataset, head, transforms) else {
            continue;
        };
        let slots = data.slots(model.spec());
        if !readers
            .iter()
            .any(|(_, read)| slots.iter().all(|slot| read.contains(slot)))
        {
            readers.push((data, slots));
        }
    }
    readers
}

/// Training rows that ranges are fitted to.
fn calibration(model: &Model, readers: &[(HeadData<'_>, Vec<InputSlot>)]) -> Vec<HostInputs> {
    let rows = |(data, slots): &(HeadData<'_>, Vec<InputSlot>)| {
        let rows = calibration_rows(model, slots.contains(&InputSlot::Picture), &data.split.train);
        joint_inputs(data, &rows, model.spec())
    };
    readers.iter().map(rows).collect()
}

/// The readings of all training rows, those beside a picture too.
fn readings(model: &Model, readers: &[(HeadData<'_>, Vec<InputSlot>)]) -> Vec<HostInputs> {
    let rows = |(data, _): &(HeadData<'_>, Vec<InputSlot>)| joint_readings(data, &data.split.train, model.spec());
    readers.iter().map(rows).collect()
}

/// All readings, or evenly spread pictures: fewer where they are so large that the model's values would fill the memory.
fn calibration_rows(model: &Model, pictures: bool, train: &[usize]) -> Vec<usize> {
    let most = if pictures {
        let values: usize = model.shapes().iter().map(|shape| shape.len()).sum();
        CALIBRATION_PICTURES.min((CALIBRATION_VALUES / values.max(1)).max(1))
    } else {
        usize::MAX
    };
    let step = train.len().div_ceil(most).max(1);
    train.iter().copied().step_by(step).collect()
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::config::Config;
    use crate::progress::Progress;
    use crate::train::{Options, train};

    /// Pictures that calibrate are few; a reading may be off the rest in a row beside none of them.
    #[test]
    fn readings_beside_pictures_have_codes_for_every_training_row() {
        let mut config = Config::aligned();
        for head in Head::ALL {
            config.train.head_mut(head).epochs = Some(1);
        }
        let mut dataset = crate::data::load(&config).unwrap();
        let regression = dataset.regression.as_mut().unwrap();
        let train_rows = regression.split.train.clone();
        assert!(train_rows.len() > CALIBRATION_PICTURES);
        let rare = train_rows[1];
        let width = regression.readings.features.len();
        regression.readings.values[rare * width] *= 100.0;
        let folder = tempfile::tempdir().unwrap();
        let run = Run::create(&folder.path().join("run"), &config).unwrap();
        let options = Options {
            resume: false,
            interrupted: &AtomicBool::new(false),
            progress: Progress::silent(),
        };
        train(&config, &dataset, &run, &options).unwrap();
        let candidates = Candidates::new(&run, &dataset).unwrap();
        let readers = readers(candidates.model(), &dataset, candidates.transforms());
        for mut rows in readings(candidates.model(), &readers) {
            candidates.codes().stretch(&mut rows);
            let stretched = rows.regression.unwrap();
            let (least, most) = stretched
                .iter()
                .fold((f32::MAX, f32::MIN), |(a, b), &x| (a.min(x), b.max(x)));
            assert!(least > -1.0 && most < 127.0 / 128.0, "{least} to {most}");
        }
    }
}
