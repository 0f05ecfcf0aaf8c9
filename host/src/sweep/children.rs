//! Work in child processes of this program, some at a time.
//!
//! A process per training keeps trainings apart: one that fails or is killed takes no other with it. Each child has its share of
//! the cores; results do not depend on how many those are. What a child says goes into a log file.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::SweepError;
use crate::progress::Step;

/// How long the parent sleeps between two looks at its children.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// One call of this program.
#[derive(Clone, Debug)]
pub struct Job {
    /// What it works on, for progress.
    pub name: String,
    /// The words behind the program's name.
    pub words: Vec<OsString>,
    /// Where its standard error goes.
    pub log: PathBuf,
}

/// How children are run.
#[derive(Clone, Copy, Debug)]
pub struct Children<'a> {
    /// The program.
    pub program: &'a Path,
    /// How many run at a time.
    pub at_a_time: usize,
    /// Set from outside to stop them.
    pub interrupted: &'a AtomicBool,
}

/// Children under way; those that are left when it is dropped are asked to stop, and waited for.
#[derive(Default)]
struct Running(Vec<(usize, Child)>);

impl Children<'_> {
    /// Runs every job; per job nothing, or why it failed.
    ///
    /// # Errors
    /// A child that does not start, or the interruption: then every child has stopped, and what it did so far is kept.
    pub fn run(&self, jobs: &[Job], step: &mut Step) -> Result<Vec<Result<(), String>>, SweepError> {
        let mut results: Vec<Option<Result<(), String>>> = vec![None; jobs.len()];
        let mut waiting: VecDeque<usize> = (0..jobs.len()).collect();
        let mut running = Running::default();
        while !(waiting.is_empty() && running.0.is_empty()) {
            if self.interrupted.load(Ordering::Relaxed) {
                drop(running);
                return Err(SweepError::Interrupted);
            }
            while running.0.len() < self.at_a_time
                && let Some(index) = waiting.pop_front()
            {
                running.0.push((index, self.start(&jobs[index])?));
            }
            let finished = running.take_finished().map_err(SweepError::Child)?;
            for (index, success) in finished {
                // A child that the terminal's Ctrl-C stopped did not fail.
                if !success && self.interrupted.load(Ordering::Relaxed) {
                    continue;
                }
                results[index] = Some(if success {
                    Ok(())
                } else {
                    Err(last_words(&jobs[index].log))
                });
            }
            let done = results.iter().flatten().count();
            let names: Vec<&str> = running.0.iter().map(|(index, _)| jobs[*index].name.as_str()).collect();
            step.set(done as u64, &names.join(", "));
            if !running.0.is_empty() {
                std::thread::sleep(LOOK_EVERY);
            }
        }
        if self.interrupted.load(Ordering::Relaxed) {
            return Err(SweepError::Interrupted);
        }
        Ok(results.into_iter().flatten().collect())
    }

    fn start(&self, job: &Job) -> Result<Child, SweepError> {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        let log = File::create(&job.log).map_err(|source| SweepError::Write {
            path: job.log.clone(),
            source,
        })?;
        Command::new(self.program)
            .args(&job.words)
            .env("RAYON_NUM_THREADS", (cores / self.at_a_time).max(1).to_string())
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(log)
            .spawn()
            .map_err(SweepError::Child)
    }
}

impl Running {
    /// Takes out those that have ended: their jobs, and whether they succeeded.
    fn take_finished(&mut self) -> std::io::Result<Vec<(usize, bool)>> {
        let mut finished = Vec::new();
        let mut left = Vec::new();
        for (index, mut child) in std::mem::take(&mut self.0) {
            match child.try_wait() {
                Ok(Some(status)) => finished.push((index, status.success())),
                Ok(None) => left.push((index, child)),
                Err(error) => {
                    left.push((index, child));
                    self.0.append(&mut left);
                    return Err(error);
                }
            }
        }
        self.0 = left;
        Ok(finished)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // The same that Ctrl-C sends: a training writes its checkpoint first.
        for (_, child) in &self.0 {
            let _ = kill(Pid::from_raw(child.id() as i32), Signal::SIGINT);
        }
        for (_, child) in &mut self.0 {
            let _ = child.wait();
        }
    }
}

/// The error in a log, or where to look for it.
fn last_words(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let error = text.lines().rev().find_map(|line| line.strip_prefix("error: "));
    match error {
        Some(error) => error.to_owned(),
        None => format!("it was killed; see {}", log.display()),
    }
}
