//! The search itself: candidates are priced, those that may fit are trained, and models are made of the best.

use std::collections::BTreeMap;

use rayon::prelude::*;
use trident::spec::Head;

use super::children::{Children, Job};
use super::cost::{self, Cost, Limit, Pricing};
use super::front;
use super::report::{CandidateReport, Finalist, HeadReport, ModelReport, Report};
use super::runs::{CandidateRun, Judged, validation};
use super::space::Candidate;
use super::{Settings, SweepError};
use crate::cli::interrupt;
use crate::train::Recipe;

/// A sweep under way.
pub struct Sweep<'a> {
    settings: &'a Settings<'a>,
    pricing: &'a Pricing<'a>,
    heads: Vec<Priced>,
}

/// One head's candidates with what is known of them.
struct Priced {
    head: Head,
    candidates: Vec<CandidateReport>,
}

impl<'a> Sweep<'a> {
    /// Prices every candidate and marks those that break a budget.
    ///
    /// # Errors
    /// A network that cannot be made, or budgets that nothing keeps.
    pub fn price(
        settings: &'a Settings<'a>,
        pricing: &'a Pricing<'a>,
        tried: &[(Head, Vec<Candidate>)],
    ) -> Result<Self, SweepError> {
        let mut sweep = Self {
            settings,
            pricing,
            heads: Vec::new(),
        };
        for (head, candidates) in tried {
            sweep.heads.push(sweep.priced(*head, candidates)?);
        }
        sweep.check_budgets()?;
        Ok(sweep)
    }

    fn priced(&self, head: Head, candidates: &[Candidate]) -> Result<Priced, SweepError> {
        let mut step = self
            .settings
            .progress
            .step(&format!("{} costs", head.name()), candidates.len() as u64);
        let mut reports = Vec::new();
        for (done, candidate) in candidates.iter().enumerate() {
            interrupt::check(self.settings.interrupted).map_err(|_| SweepError::Interrupted)?;
            step.set(done as u64, &candidate.name());
            reports.push(CandidateReport {
                name: candidate.name(),
                cost: self.pricing.price(&[(head, candidate)], true)?,
                network: candidate.clone(),
                breaks: Vec::new(),
                validation: None,
                failed: None,
                front: false,
            });
        }
        step.finish(&format!("{} candidates", candidates.len()));
        Ok(Priced {
            head,
            candidates: reports,
        })
    }

    /// The cost of a model, its candidates given by index.
    fn price_of(&self, choice: &[usize]) -> Result<Cost, SweepError> {
        let chosen: Vec<(Head, &CandidateReport)> = self
            .heads
            .iter()
            .zip(choice)
            .map(|(priced, &index)| (priced.head, &priced.candidates[index]))
            .collect();
        if let [(_, alone)] = chosen[..] {
            return Ok(alone.cost);
        }
        let members: Vec<(Head, &Candidate)> = chosen.iter().map(|(head, report)| (*head, &report.network)).collect();
        Ok(Cost {
            instructions: chosen.iter().map(|(_, report)| report.cost.instructions).sum(),
            ..self.pricing.price(&members, false)?
        })
    }

    /// Marks candidates with every budget that a model with them breaks even if its other heads are the cheapest there are.
    fn check_budgets(&mut self) -> Result<(), SweepError> {
        for Limit { name, most, of, unit } in self.settings.budgets.limits() {
            let Some(limit) = most else { continue };
            let cheapest: Vec<usize> = self
                .heads
                .iter()
                .map(|priced| {
                    let costs = priced.candidates.iter().map(|report| of(&report.cost));
                    costs
                        .enumerate()
                        .min_by_key(|&(_, cost)| cost)
                        .map_or(0, |(index, _)| index)
                })
                .collect();
            let least = of(&self.price_of(&cheapest)?);
            if least > limit {
                let named = self.heads.iter().zip(&cheapest);
                let named =
                    named.map(|(priced, &index)| format!("{} {}", priced.head.name(), priced.candidates[index].name));
                return Err(SweepError::NothingFits {
                    budget: name,
                    limit,
                    cheapest: named.collect::<Vec<_>>().join(" + "),
                    needs: format!("{least} {unit}"),
                });
            }
            for head in 0..self.heads.len() {
                for index in 0..self.heads[head].candidates.len() {
                    let mut choice = cheapest.clone();
                    choice[head] = index;
                    if of(&self.price_of(&choice)?) > limit {
                        self.heads[head].candidates[index].breaks.push(name);
                    }
                }
            }
        }
        if self
            .heads
            .iter()
            .any(|priced| priced.candidates.iter().all(|report| !report.breaks.is_empty()))
        {
            return Err(SweepError::NothingFitsAll);
        }
        Ok(())
    }

    /// Trains every candidate that may fit, and marks each head's front.
    ///
    /// # Errors
    /// A head of which no candidate could be trained, a run folder that is in the way, or the interruption.
    pub fn train(&mut self) -> Result<(), SweepError> {
        let wanted: Vec<(usize, usize)> = self
            .heads
            .iter()
            .enumerate()
            .flat_map(|(head, priced)| (0..priced.candidates.len()).map(move |index| (head, index)))
            .filter(|&(head, index)| self.heads[head].candidates[index].breaks.is_empty())
            .collect();
        let runs = wanted
            .iter()
            .map(|&(head, index)| self.run_of(head, index, self.settings.epochs_share))
            .collect::<Result<Vec<_>, _>>()?;
        let results = self.train_runs("sweep", &runs)?;
        for ((&(head, index), run), result) in wanted.iter().zip(&runs).zip(results) {
            let priced = &mut self.heads[head];
            let report = &mut priced.candidates[index];
            match result {
                Ok(()) => report.validation = validation(priced.head, &run.folder)?,
                Err(reason) => report.failed = Some(reason),
            }
        }
        for priced in &mut self.heads {
            let judged = |report: &CandidateReport| report.validation.map(|figure| (figure, report.cost));
            let known: Vec<usize> = (0..priced.candidates.len())
                .filter(|&index| priced.candidates[index].validation.is_some())
                .collect();
            if known.is_empty() {
                let failed = priced.candidates.iter().find_map(|report| {
                    let reason = report.failed.clone()?;
                    Some((report.name.clone(), reason))
                });
                let (candidate, reason) = failed.unwrap_or_else(|| {
                    let reason = "there are no validation rows, or they define no figure; see [split]";
                    (priced.candidates[0].name.clone(), reason.to_owned())
                });
                return Err(SweepError::NothingTrained {
                    head: priced.head.name(),
                    candidate,
                    reason,
                });
            }
            let entries: Vec<(f64, Cost)> = priced.candidates.iter().filter_map(judged).collect();
            for (index, on_front) in known.into_iter().zip(front::front(&entries)) {
                priced.candidates[index].front = on_front;
            }
        }
        Ok(())
    }

    /// Every model of candidates on their heads' fronts that keeps the budgets, the best first.
    ///
    /// # Errors
    /// If there is none.
    pub fn models(&self) -> Result<Vec<ModelReport>, SweepError> {
        let fronts: Vec<Vec<usize>> = self
            .heads
            .iter()
            .map(|priced| {
                (0..priced.candidates.len())
                    .filter(|&i| priced.candidates[i].front)
                    .collect()
            })
            .collect();
        let lens: Vec<usize> = fronts.iter().map(Vec::len).collect();
        let choices: Vec<Vec<usize>> = front::choices(&lens)
            .into_iter()
            .map(|choice| choice.iter().zip(&fronts).map(|(&index, front)| front[index]).collect())
            .collect();
        let costs: Vec<Cost> = choices
            .par_iter()
            .map(|choice| self.price_of(choice))
            .collect::<Result<_, _>>()?;
        let priced = choices.iter().zip(costs);
        let fitting: Vec<(&Vec<usize>, f64, Cost)> = priced
            .filter(|(_, cost)| self.settings.budgets.broken(cost).is_empty())
            .map(|(choice, cost)| (choice, self.score(choice), cost))
            .collect();
        if fitting.is_empty() {
            return Err(SweepError::NothingFitsAll);
        }
        let entries: Vec<(f64, Cost)> = fitting.iter().map(|(_, score, cost)| (*score, *cost)).collect();
        let on_front = front::front(&entries);
        let named = |choice: &[usize]| {
            let heads = self.heads.iter().zip(choice);
            heads
                .map(|(priced, &index)| (priced.head.name(), priced.candidates[index].name.clone()))
                .collect()
        };
        let mut models: Vec<ModelReport> = fitting
            .iter()
            .zip(on_front)
            .map(|(&(choice, score, cost), front)| ModelReport {
                candidates: named(choice),
                cost,
                score,
                front,
                finalist: None,
            })
            .collect();
        models.sort_by(|a, b| {
            let cheaper = a.cost.blob_bytes.cmp(&b.cost.blob_bytes);
            b.score.total_cmp(&a.score).then(cheaper)
        });
        Ok(models)
    }

    fn score(&self, choice: &[usize]) -> f64 {
        let figures = self.heads.iter().zip(choice);
        let sum: f64 = figures
            .filter_map(|(priced, &index)| priced.candidates[index].validation)
            .sum();
        sum / self.heads.len() as f64
    }

    /// Trains the best models of the front for all their epochs, and judges them on the test rows, in float and in int8.
    ///
    /// # Errors
    /// A finalist that cannot be trained or quantised, or the interruption.
    pub fn finish(&self, models: &mut [ModelReport]) -> Result<(), SweepError> {
        let best: Vec<&mut ModelReport> = models
            .iter_mut()
            .filter(|model| model.front)
            .take(self.settings.finalists)
            .collect();
        let mut members: Vec<(usize, usize)> = Vec::new();
        for model in &best {
            for (head, priced) in self.heads.iter().enumerate() {
                let name = &model.candidates[priced.head.name()];
                let index = priced.candidates.iter().position(|report| &report.name == name);
                members.extend(index.map(|index| (head, index)));
            }
        }
        members.sort_unstable();
        members.dedup();
        let runs = members
            .iter()
            .map(|&(head, index)| self.run_of(head, index, 1.0))
            .collect::<Result<Vec<_>, _>>()?;
        let each_succeeded = |runs: &[CandidateRun], results: Vec<Result<(), String>>| {
            for (run, result) in runs.iter().zip(results) {
                result.map_err(|reason| SweepError::Finalist {
                    name: run.name.clone(),
                    reason,
                })?;
            }
            Ok::<_, SweepError>(())
        };
        each_succeeded(&runs, self.train_runs("finalists", &runs)?)?;
        each_succeeded(&runs, self.quantize_runs(&runs)?)?;
        let mut judged = BTreeMap::new();
        for (&(head, index), run) in members.iter().zip(&runs) {
            let priced = &self.heads[head];
            let key = (priced.head.name(), priced.candidates[index].name.clone());
            judged.insert(key, Judged::read(priced.head, &run.folder)?);
        }
        for model in best {
            let of = |(&head, name): (&&'static str, &String)| (head, &judged[&(head, name.clone())]);
            let heads: Vec<(&'static str, &Judged)> = model.candidates.iter().map(of).collect();
            let sum: f64 = heads.iter().map(|(_, judged)| judged.validation).sum();
            model.finalist = Some(Finalist {
                score: sum / heads.len() as f64,
                validation: heads.iter().map(|(head, judged)| (*head, judged.validation)).collect(),
                test: heads.iter().map(|(head, judged)| (*head, judged.test)).collect(),
                test_int8: heads.iter().map(|(head, judged)| (*head, judged.test_int8)).collect(),
            });
        }
        Ok(())
    }

    /// What is known so far.
    pub fn report(&self, models: Vec<ModelReport>) -> Report {
        let heads = self.heads.iter().map(|priced| HeadReport {
            head: priced.head.name(),
            figure: cost::figure_of(priced.head),
            candidates: priced.candidates.clone(),
        });
        Report {
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            budgets: self.settings.budgets,
            epochs_share: self.settings.epochs_share,
            board: self.settings.board.map(|board| board.name),
            heads: heads.collect(),
            models,
            best: None,
        }
    }

    /// The run folder of a candidate for a share of its epochs.
    fn run_of(&self, head: usize, index: usize, share: f64) -> Result<CandidateRun, SweepError> {
        let priced = &self.heads[head];
        let (head, candidate) = (priced.head, &priced.candidates[index]);
        let mut config = self.pricing.config(&[(head, &candidate.network)]);
        let whole = Recipe::new(&config.train, head).epochs;
        let epochs = ((whole as f64 * share).ceil() as usize).max(1);
        config.train.head_mut(head).epochs = Some(epochs);
        let folder = self.settings.folder.join("runs").join(head.name());
        let run = CandidateRun {
            name: format!("{} {}", head.name(), candidate.name),
            folder: folder.join(format!("{}-e{epochs}", candidate.name)),
            config,
            fingerprint: self.pricing.fingerprint(head, &candidate.network).to_owned(),
            macs: candidate.cost.macs,
        };
        run.check()?;
        Ok(run)
    }

    fn children(&self) -> Children<'_> {
        Children {
            program: self.settings.program,
            at_a_time: self.settings.jobs,
            interrupted: self.settings.interrupted,
        }
    }

    /// Trains what is not finished yet.
    fn train_runs(&self, label: &str, runs: &[CandidateRun]) -> Result<Vec<Result<(), String>>, SweepError> {
        let mut unfinished: Vec<usize> = (0..runs.len()).filter(|&run| !runs[run].is_trained()).collect();
        // The longest first, so that none is left to run alone at the end.
        unfinished.sort_by_key(|&run| std::cmp::Reverse(runs[run].macs));
        let jobs = unfinished
            .iter()
            .map(|&run| runs[run].training())
            .collect::<Result<Vec<_>, _>>()?;
        self.settings.progress.say(&format!(
            "{label}: {} trainings, {} of them finished before",
            runs.len(),
            runs.len() - jobs.len()
        ));
        let mut step = self.settings.progress.step(label, jobs.len() as u64);
        let results = self.children().run(&jobs, &mut step)?;
        step.finish(&format!(
            "{} trained",
            results.iter().filter(|result| result.is_ok()).count()
        ));
        let mut all = vec![Ok(()); runs.len()];
        unfinished
            .into_iter()
            .zip(results)
            .for_each(|(run, result)| all[run] = result);
        Ok(all)
    }

    /// Quantises what is not quantised yet.
    fn quantize_runs(&self, runs: &[CandidateRun]) -> Result<Vec<Result<(), String>>, SweepError> {
        let unfinished: Vec<usize> = (0..runs.len()).filter(|&run| !runs[run].is_quantized()).collect();
        let jobs: Vec<Job> = unfinished.iter().map(|&run| runs[run].quantizing()).collect();
        let mut step = self.settings.progress.step("quantise", jobs.len() as u64);
        let results = self.children().run(&jobs, &mut step)?;
        step.finish(&format!("{} runs", jobs.len()));
        let mut all = vec![Ok(()); runs.len()];
        unfinished
            .into_iter()
            .zip(results)
            .for_each(|(run, result)| all[run] = result);
        Ok(all)
    }
}
