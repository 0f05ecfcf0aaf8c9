//! Carrying a plan out: every group is trained, side by side, and what came of it is written into the run folder.

use std::sync::{Arc, Mutex};

use super::Plan;
use crate::data::Dataset;
use crate::model::{FoldedModel, Model, ModelState};
use crate::run::{self, History, Metrics, Run};
use crate::train::batch::HeadTraining;
use crate::train::checkpoint::{Checkpoint, Numbers};
use crate::train::evaluate::{judge, predict};
use crate::train::groups::Group;
use crate::train::session::{Outcome, Session};
use crate::train::teacher::by_process::{self, Pupil};
use crate::train::{Divergence, Options, TrainError, TrainSummary, aware};

impl<'d> Plan<'d> {
    /// Trains in float and, if the configuration says so, on with int8's rounding: see [`aware`].
    ///
    /// # Errors
    /// A folder that cannot be written, a loss that diverges, an interruption.
    pub fn train(&self, run: &Run, options: &Options) -> Result<TrainSummary, TrainError> {
        crate::allocator::keep_memory();
        if let Some(why) = &self.untaught {
            options.progress.say(&format!("no Gaussian process teaches {why}"));
        }
        if self.aware.is_empty() {
            return self.train_float(run, options);
        }
        let summary = match options.resume && run.is_trained() {
            true => self.summary(run)?,
            false => self.train_float(run, options)?,
        };
        let record = aware::train(self, run, options)?;
        Ok(TrainSummary {
            qat: Some(record),
            ..summary
        })
    }

    /// Trains every group, side by side, and writes the best weights and their figures. A run that ends without weights remembers why.
    fn train_float(&self, run: &Run, options: &Options) -> Result<TrainSummary, TrainError> {
        if let Some(training) = self.cropped() {
            let (some, all) = (training.neighbours.len(), training.data.split.train.len());
            options.progress.say(&format!(
                "{}: {some} of {all} training pictures lie beside others in their photograph, and crops reach over both",
                training.data.head.name(),
            ));
        }
        let _lock = run::lock(run.folder())?;
        run.note_divergence(None)?;
        let summary = self.train_groups(run, options);
        if let Err(TrainError::Diverged(divergence)) = &summary {
            run.note_divergence(Some(divergence))?;
        }
        summary
    }

    fn train_groups(&self, run: &Run, options: &Options) -> Result<TrainSummary, TrainError> {
        run.write_plan(&self.spec, &self.transforms, &self.record)?;
        let splits = self.heads.iter().map(|head| (head.data.head, &head.data.split));
        run.write("split.csv", run::split_table(splits).as_bytes())?;
        let history = Mutex::new(History::new());
        let results: Vec<Result<Option<Numbers>, TrainError>> = std::thread::scope(|scope| {
            let trainings: Vec<_> = self
                .groups
                .iter()
                .map(|group| scope.spawn(|| self.train_group(group, run, options, &history)))
                .collect();
            let join = |training: std::thread::ScopedJoinHandle<'_, _>| {
                training.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            };
            trainings.into_iter().map(join).collect()
        });
        let mut state = ModelState {
            spec: self.spec.clone(),
            layers: vec![None; self.spec.layers.len()],
        };
        let mut finished = true;
        for (group, result) in self.groups.iter().zip(results) {
            match result? {
                Some(numbers) => group.place(numbers, &mut state),
                None => finished = false,
            }
        }
        let history = history.into_inner().unwrap_or_else(std::sync::PoisonError::into_inner);
        if !finished {
            run.write_history(&history)?;
            return Err(TrainError::Interrupted {
                folder: run.folder().to_owned(),
            });
        }
        let folded = FoldedModel::from(&state);
        let metrics = self.judge(&Model::from_folded(&folded, &self.device), &history)?;
        run.write_result(&state, &metrics, &history)?;
        self.summary(run)
    }

    /// The head whose pictures crops may stand for.
    fn cropped(&self) -> Option<&HeadTraining<'d>> {
        self.heads.iter().find(|training| !training.neighbours.is_empty())
    }

    /// What a run's float training gave.
    fn summary(&self, run: &Run) -> Result<TrainSummary, TrainError> {
        let (folded, history) = (run.model()?, run.history()?);
        let weights = folded.layers.iter().flatten();
        Ok(TrainSummary {
            folder: run.folder().to_owned(),
            metrics: run.metrics()?,
            epochs: history
                .iter()
                .map(|(head, records)| (head.clone(), records.len() as u64))
                .collect(),
            parameters: weights.map(|layer| layer.weights.len() + layer.bias.len()).sum(),
            demonstration: self.demonstration,
            process: by_process::of_run(run)?,
            no_process: self.untaught.clone(),
            neighbours: self.cropped().map(|training| training.neighbours.len()),
            qat: None,
        })
    }

    /// `None` if it was interrupted.
    fn train_group(
        &self,
        group: &Group,
        run: &Run,
        options: &Options,
        history: &Mutex<History>,
    ) -> Result<Option<Numbers>, TrainError> {
        let Some(sources) = self.taught_sources(group, Some(run), options)? else {
            return Ok(None);
        };
        let mut session = self.session(group, sources);
        let outcome = drive(&mut session, run, options, &group.name())?;
        if !session.cosines().is_empty() {
            run.write_json(&format!("cosines-{}.json", group.name()), &session.cosines())?;
        }
        if let Ok(mut history) = history.lock() {
            history.extend(
                session
                    .history()
                    .map(|(head, records)| (head.name().to_owned(), records.to_vec())),
            );
        }
        Ok((outcome == Outcome::Finished).then(|| session.result()))
    }

    pub(super) fn session<'g>(&'g self, group: &'g Group, sources: Vec<HeadTraining<'g>>) -> Session<'g> {
        let balancing = self.config.train.balancing;
        Session::new(group, sources, balancing, &self.device, self.identity(group))
    }

    /// Every head whose rows a group reads, with the lesson of a Gaussian process where one teaches; `None` if its fit was
    /// interrupted.
    pub(in crate::train) fn taught_sources(
        &self,
        group: &Group,
        run: Option<&Run>,
        options: &Options,
    ) -> Result<Option<Vec<HeadTraining<'d>>>, TrainError> {
        let reads = |head: &&HeadTraining| group.spec.input(head.data.slot()).is_some();
        let mut sources: Vec<HeadTraining> = self.heads.iter().filter(reads).cloned().collect();
        for training in sources.iter_mut().filter(|training| training.recipe.process) {
            let lesson = self.pupil(training, group).lesson(run, options);
            if lesson.is_err() {
                options.fail();
            }
            let Some(lesson) = lesson? else { return Ok(None) };
            training.lesson = Some(Arc::new(lesson));
        }
        Ok(Some(sources))
    }

    /// Points that the Gaussian process labels for one of a group's heads to be judged by, as data of their own; `None` if its fit was
    /// interrupted.
    pub(in crate::train) fn exam(
        &self,
        training: &HeadTraining<'_>,
        group: &Group,
        run: &Run,
        options: &Options,
    ) -> Result<Option<Dataset>, TrainError> {
        Ok(self.pupil(training, group).exam(run, options)?)
    }

    fn pupil<'p>(&'p self, training: &'p HeadTraining<'p>, group: &Group) -> Pupil<'p> {
        let transform = self.transforms.regression.as_ref();
        Pupil {
            training,
            dataset: self.dataset,
            transform: transform.expect("the head of one number has its transform"),
            identity: self.identity(group),
        }
    }

    /// Figures per split and head of the model that this history led to.
    ///
    /// # Errors
    /// A figure that is not finite: where no validation rows watched, weights can have grown until then.
    pub(super) fn judge(&self, model: &Model, history: &History) -> Result<Metrics, TrainError> {
        let mut metrics = Metrics::new();
        let has = |head: &&HeadTraining| model.spec().heads.iter().any(|own| own.head == head.data.head);
        for head in self.heads.iter().filter(has) {
            let data = &head.data;
            let splits = [
                ("train", &data.split.train),
                ("validation", &data.split.validation),
                ("test", &data.split.test),
            ];
            for (name, rows) in splits {
                if !rows.is_empty() {
                    let figures = judge(&predict(model, data, rows), data, rows);
                    let head = data.head.name();
                    if !figures.figure().is_finite() {
                        let epoch = history.get(head).map_or(0, Vec::len) as u64;
                        let head = head.to_owned();
                        return Err(Divergence { head, epoch }.into());
                    }
                    metrics
                        .entry(name.to_owned())
                        .or_default()
                        .insert(head.to_owned(), figures);
                }
            }
        }
        Ok(metrics)
    }
}

/// A checkpoint is written at most this often, and whenever training stops.
const SAVE_EVERY: std::time::Duration = std::time::Duration::from_secs(20);

/// Where a session of that name stands.
pub(in crate::train) fn checkpoint_file(name: &str) -> String {
    format!("checkpoint-{name}.bin")
}

/// Runs a session to its end or an interruption, with progress, and with a checkpoint that it goes on from if told to.
pub(in crate::train) fn drive(
    session: &mut Session<'_>,
    run: &Run,
    options: &Options,
    name: &str,
) -> Result<Outcome, TrainError> {
    let file = checkpoint_file(name);
    if options.resume
        && let Some(checkpoint) = run.read_sealed_if_there::<Checkpoint>("checkpoint", &file)?
    {
        session.restore(checkpoint)?;
    }
    let save = |session: &Session| -> Result<(), TrainError> {
        Ok(run.write_sealed("checkpoint", &file, &session.checkpoint()?)?)
    };
    let mut step = options.progress.step(name, session.epochs());
    let mut saved = std::time::Instant::now();
    let outcome = session.run(options.interrupted, &mut step, |session| {
        if saved.elapsed() < SAVE_EVERY {
            return Ok(());
        }
        saved = std::time::Instant::now();
        save(session)
    });
    if outcome.is_err() {
        options.fail();
    }
    let outcome = outcome?;
    save(session)?;
    match outcome {
        Outcome::Finished => step.finish(&session.message()),
        Outcome::Interrupted => step.interrupted(),
    }
    Ok(outcome)
}
