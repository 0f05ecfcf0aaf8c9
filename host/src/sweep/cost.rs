//! What a network costs, from its spec alone: it is quantised with drawn weights, by the real quantiser.

use std::collections::HashMap;

use serde::Serialize;
use trident::Blob;
use trident::blob::ReadingStatistics;
use trident::spec::{Head, InputSlot};

use super::SweepError;
use super::space::{Candidate, restricted};
use crate::bench::{Bench, BenchError, CALIBRATION_ROWS, drawn};
use crate::config::Config;
use crate::data::{self, Dataset, Description};
use crate::eval;
use crate::export::{GOLDEN_VECTORS, samples, statistics};
use crate::model::HostInputs;
use crate::model::presets::{self, Tasks};
use crate::quantize::method::PostTraining;
use crate::quantize::optimize::Optimize;
use crate::quantize::pack::{Sample, Source, quantize};
use crate::quantize::prepare::Prepared;
use crate::quantize::writer::AlignedBytes;
use crate::run::{self, Transforms};
use crate::train::evaluate::host_inputs;
use crate::train::{HeadData, Plan, TrainError, device, widths};

/// What a network costs on a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Cost {
    /// Flash: the blob, to within some bytes, since small numbers are stored shorter than large ones.
    pub blob_bytes: u64,
    /// RAM for the arena.
    pub arena_bytes: u64,
    /// Multiplications of one run of all its heads.
    pub macs: u64,
    /// Instructions of one run of all its heads, measured under QEMU; `None` if nothing was measured.
    pub instructions: Option<u64>,
    /// Trained numbers, batch normalisation folded.
    pub parameters: u64,
}

/// The most that a model may cost; `None` sets no limit.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Budgets {
    /// Of the blob.
    pub flash_bytes: Option<u64>,
    /// Of the arena.
    pub arena_bytes: Option<u64>,
    /// Of one run.
    pub instructions: Option<u64>,
}

impl Cost {
    /// The work of a run: measured instructions if there are any, else multiplications.
    pub fn work(&self) -> u64 {
        self.instructions.unwrap_or(self.macs)
    }

    /// Whether it is no more than `other` in flash, arena and work.
    pub fn within(&self, other: &Self) -> bool {
        self.blob_bytes <= other.blob_bytes && self.arena_bytes <= other.arena_bytes && self.work() <= other.work()
    }
}

/// One of the budgets.
pub struct Limit {
    /// Its name on the command line.
    pub name: &'static str,
    /// The most; `None` sets no limit.
    pub most: Option<u64>,
    /// What it limits.
    pub of: fn(&Cost) -> u64,
    /// What that is counted in.
    pub unit: &'static str,
}

impl Budgets {
    /// All of them.
    pub fn limits(&self) -> [Limit; 3] {
        [
            Limit {
                name: "flash",
                most: self.flash_bytes,
                of: |cost| cost.blob_bytes,
                unit: "bytes of flash",
            },
            Limit {
                name: "arena",
                most: self.arena_bytes,
                of: |cost| cost.arena_bytes,
                unit: "bytes of arena",
            },
            Limit {
                name: "instructions",
                most: self.instructions,
                of: |cost| cost.instructions.unwrap_or(0),
                unit: "instructions",
            },
        ]
    }

    /// The budgets that a cost breaks, by their names.
    pub fn broken(&self, cost: &Cost) -> Vec<&'static str> {
        let broken = |limit: &Limit| limit.most.is_some_and(|most| (limit.of)(cost) > most);
        self.limits()
            .into_iter()
            .filter(broken)
            .map(|limit| limit.name)
            .collect()
    }
}

/// All that candidates are priced with: data are read, and transforms fitted, once per size of picture.
#[derive(Debug)]
pub struct Pricing<'a> {
    config: &'a Config,
    sizes: HashMap<[usize; 2], Rows>,
    bench: Option<&'a Bench>,
}

/// What a model of one size of picture is made for, and the rows that its ranges are fitted to.
#[derive(Debug)]
struct Rows {
    tasks: Tasks,
    transforms: Transforms,
    description: Description,
    calibration: Vec<(Head, HostInputs)>,
    golden: Vec<Sample>,
    statistics: Vec<(InputSlot, Vec<ReadingStatistics>)>,
    fingerprints: HashMap<Head, String>,
}

impl<'a> Pricing<'a> {
    /// Reads the data that the candidates need.
    ///
    /// # Errors
    /// If the data cannot be read at one of the sizes, or no model can be made for them.
    pub fn new<'c>(
        config: &'a Config,
        candidates: impl Iterator<Item = (Head, &'c Candidate)>,
        bench: Option<&'a Bench>,
    ) -> Result<Self, SweepError> {
        let mut sizes = HashMap::from([(own_size(config), Rows::new(config)?)]);
        for (head, candidate) in candidates {
            if let Some(size) = candidate.size()
                && !sizes.contains_key(&size)
            {
                let mut sized = config.clone();
                candidate.apply(head, &mut sized);
                sizes.insert(size, Rows::new(&sized)?);
            }
        }
        Ok(Self { config, sizes, bench })
    }

    /// The configuration of a model with those candidates.
    pub fn config(&self, members: &[(Head, &Candidate)]) -> Config {
        let heads: Vec<Head> = members.iter().map(|(head, _)| *head).collect();
        let mut config = restricted(self.config, &heads);
        members
            .iter()
            .for_each(|(head, candidate)| candidate.apply(*head, &mut config));
        config
    }

    /// What the data of a head alone are known by in a run folder.
    pub fn fingerprint(&self, head: Head, candidate: &Candidate) -> &str {
        &self.rows(&[(head, candidate)]).fingerprints[&head]
    }

    /// What a model with those candidates costs. Its instructions are measured if there is a bench and `measure` asks for it.
    ///
    /// # Errors
    /// If the widths make no valid model, it cannot be expressed in int8, or the emulated board does not take it.
    pub fn price(&self, members: &[(Head, &Candidate)], measure: bool) -> Result<Cost, SweepError> {
        let name = members
            .iter()
            .map(|(_, candidate)| candidate.name())
            .collect::<Vec<_>>()
            .join(" + ");
        let failed = |source: BenchError| SweepError::Price {
            candidate: name.clone(),
            source: Box::new(source),
        };
        let blob = self.blob(members).map_err(failed)?;
        let mut cost = blob.cost;
        if let Some(bench) = self.bench.filter(|_| measure) {
            let counted = bench.count(&name, blob.bytes.as_ref()).map_err(failed)?;
            cost.instructions = Some(counted.run_instructions);
        }
        Ok(cost)
    }

    fn rows(&self, members: &[(Head, &Candidate)]) -> &Rows {
        let size = members.iter().find_map(|(_, candidate)| candidate.size());
        &self.sizes[&size.unwrap_or_else(|| own_size(self.config))]
    }

    fn blob(&self, members: &[(Head, &Candidate)]) -> Result<Draft, BenchError> {
        let (rows, config) = (self.rows(members), self.config(members));
        let has = |head: Head| members.iter().any(|(member, _)| *member == head);
        let tasks = Tasks {
            classification: rows.tasks.classification.filter(|_| has(Head::Classification)),
            segmentation: rows.tasks.segmentation.filter(|_| has(Head::Segmentation)),
            regression: rows.tasks.regression.filter(|_| has(Head::Regression)),
        };
        let spec = presets::edge(&tasks, &widths(&config)?).map_err(TrainError::from)?;
        let folded = drawn(&spec);
        let calibration: Vec<HostInputs> = rows
            .calibration
            .iter()
            .filter(|(head, _)| has(*head))
            .map(|(_, inputs)| inputs.clone())
            .collect();
        let method = PostTraining::default();
        let prepared = Prepared::new(&folded, &calibration, method, &device(config.train.backend))?;
        // What quantiser and export write of themselves stands in the blob too: as many words and figures as there will be.
        let methods: Vec<String> = members
            .iter()
            .map(|(head, _)| format!("{}: {method}", head.name()))
            .collect();
        let source = Source {
            prepared: &prepared,
            transforms: &rows.transforms,
            description: &rows.description,
            label: config.classification.as_ref().map_or("", |section| &section.label),
            golden: &rows.golden,
            statistics: &rows.statistics,
            name: config.train.preset.name(),
            methods: &methods.join(", "),
            data_sha256: [0; 32],
            sequence: 1,
            optimize: Optimize::default(),
        };
        let figures: Vec<(String, f32)> = members
            .iter()
            .map(|(head, _)| (format!("{} {}", head.name(), figure_of(*head)), 0.0))
            .collect();
        let bytes = quantize(&source)?.pack(&source, &figures)?;
        let numbers = folded.layers.iter().flatten();
        let parameters = numbers
            .map(|layer| layer.weights.len() + layer.bias.len())
            .sum::<usize>();
        let blob = Blob::new_exact(bytes.as_ref()).map_err(|error| BenchError::Report(error.to_string()))?;
        let graph = blob.graph();
        let cost = Cost {
            blob_bytes: bytes.as_ref().len() as u64,
            arena_bytes: graph.arena_len() as u64,
            macs: graph.nodes().map(|node| graph.node_macs(&node)).sum(),
            instructions: None,
            parameters: parameters as u64,
        };
        Ok(Draft { bytes, cost })
    }
}

/// A blob with drawn weights.
struct Draft {
    bytes: AlignedBytes,
    cost: Cost,
}

impl Rows {
    fn new(config: &Config) -> Result<Self, SweepError> {
        let dataset = data::load(config)?;
        let plan = Plan::new(config, &dataset)?;
        let heads = Head::ALL.into_iter().filter_map(|head| plan.data(head));
        let calibration = heads.clone().map(|data| {
            let rows = &data.split.train[..data.split.train.len().min(CALIBRATION_ROWS)];
            (data.head, host_inputs(data, rows))
        });
        let of_head = |data: &HeadData<'_>| (data.head, run::fingerprint(&only(&dataset, data.head)));
        Ok(Self {
            tasks: plan.tasks(),
            transforms: plan.transforms().clone(),
            description: dataset.description(),
            calibration: calibration.collect(),
            golden: samples(
                &dataset,
                &eval::Rows::of(&dataset, |split| &split.train),
                GOLDEN_VECTORS,
            ),
            statistics: statistics(&dataset),
            fingerprints: heads.map(of_head).collect(),
        })
    }
}

/// The data of one head.
fn only(dataset: &Dataset, head: Head) -> Dataset {
    Dataset {
        classification: dataset.classification.clone().filter(|_| head == Head::Classification),
        segmentation: dataset.segmentation.clone().filter(|_| head == Head::Segmentation),
        regression: dataset.regression.clone().filter(|_| head == Head::Regression),
        inputs_as_targets: dataset.inputs_as_targets,
        aligned: dataset.aligned,
    }
}

/// What the leading figure of a head is called, as [`eval::leading`] has it.
pub fn figure_of(head: Head) -> &'static str {
    match head {
        Head::Classification => "AUC",
        Head::Segmentation => "mean IoU",
        Head::Regression => "R²",
    }
}

fn own_size(config: &Config) -> [usize; 2] {
    config.segmentation.as_ref().map_or([0, 0], |section| section.size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_budget_is_broken_by_more_than_it_allows() {
        let cost = Cost {
            blob_bytes: 100,
            arena_bytes: 50,
            macs: 7,
            instructions: Some(20),
            parameters: 1,
        };
        let budgets = Budgets {
            flash_bytes: Some(100),
            arena_bytes: Some(49),
            instructions: Some(19),
        };
        assert_eq!(budgets.broken(&cost), ["arena", "instructions"]);
        assert!(Budgets::default().broken(&cost).is_empty());
        assert_eq!(cost.work(), 20);
    }
}
