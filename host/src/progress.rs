//! How far a long step has come, on standard error: a bar on a terminal, a line now and then elsewhere.

use std::io::{IsTerminal, Write, stderr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressStyle};

/// Prints a line to standard error. Unlike `eprintln!` it goes on where nobody reads any more: the work is worth more than its log.
macro_rules! tell {
    ($($words:tt)*) => {
        $crate::progress::line(format_args!($($words)*))
    };
}
pub(crate) use tell;

pub(crate) fn line(words: std::fmt::Arguments<'_>) {
    let _ = stderr().lock().write_fmt(format_args!("{words}\n"));
}

/// How long a log stays silent between two lines of one step.
const LINE_EVERY: Duration = Duration::from_secs(10);

/// Where steps report to. Steps that run side by side share one, so that their bars do not overwrite each other.
#[derive(Clone, Debug)]
pub struct Progress {
    kind: Kind,
    failed: Arc<AtomicBool>,
}

#[derive(Clone, Debug)]
enum Kind {
    Silent,
    Lines,
    Bars(MultiProgress),
}

/// One step under way.
#[derive(Debug)]
pub struct Step {
    label: String,
    total: u64,
    started: Instant,
    said: Instant,
    bar: Option<ProgressBar>,
    silent: bool,
    failed: Arc<AtomicBool>,
}

impl Default for Progress {
    fn default() -> Self {
        Self::new()
    }
}

impl Progress {
    /// Bars if standard error is a terminal, else lines.
    pub fn new() -> Self {
        let kind = if stderr().is_terminal() {
            Kind::Bars(MultiProgress::new())
        } else {
            Kind::Lines
        };
        Self::of(kind)
    }

    /// Says nothing at all.
    pub fn silent() -> Self {
        Self::of(Kind::Silent)
    }

    fn of(kind: Kind) -> Self {
        Self {
            kind,
            failed: Arc::default(),
        }
    }

    /// A step has failed: the others, which are stopped for it, leave the last word to its error.
    pub fn fail(&self) {
        self.failed.store(true, Ordering::SeqCst);
    }

    /// Begins a step of `total` parts.
    pub fn step(&self, label: &str, total: u64) -> Step {
        let bar = match &self.kind {
            Kind::Bars(bars) => {
                let style = ProgressStyle::with_template("{prefix:16} [{bar:28}] {pos}/{len} {eta:>4} {msg}")
                    .unwrap_or_else(|_| ProgressStyle::default_bar())
                    .progress_chars("=> ");
                let bar = bars.add(ProgressBar::new(total).with_style(style));
                bar.set_prefix(label.to_owned());
                Some(bar)
            }
            Kind::Lines | Kind::Silent => None,
        };
        let now = Instant::now();
        Step {
            label: label.to_owned(),
            total,
            started: now,
            said: now,
            bar,
            silent: matches!(self.kind, Kind::Silent),
            failed: Arc::clone(&self.failed),
        }
    }

    /// A line of its own, above the bars.
    pub fn say(&self, line: &str) {
        match &self.kind {
            Kind::Silent => {}
            Kind::Lines => tell!("{line}"),
            Kind::Bars(bars) => {
                // A terminal that went away is no reason to stop the work.
                bars.println(line).ok();
            }
        }
    }
}

impl Step {
    /// `done` parts of the total are done; `message` says how it goes.
    pub fn set(&mut self, done: u64, message: &str) {
        if let Some(bar) = &self.bar {
            bar.set_position(done);
            bar.set_message(message.to_owned());
        } else if !self.silent && self.said.elapsed() >= LINE_EVERY {
            self.said = Instant::now();
            tell!("{}: {done}/{} {message}", self.label, self.total);
        }
    }

    /// Ends the step where it was told to stop. Says so unless another one's failure was the reason.
    pub fn interrupted(mut self) {
        self.silent |= self.failed.load(Ordering::SeqCst);
        match self.bar.take_if(|_| self.silent) {
            Some(bar) => bar.finish_and_clear(),
            None => self.finish("interrupted"),
        }
    }

    /// Ends the step with a line that stays.
    pub fn finish(self, message: &str) {
        let seconds = self.started.elapsed().as_secs_f64();
        let line = format!("{}: {message} ({seconds:.1} s)", self.label);
        if let Some(bar) = self.bar {
            bar.finish_and_clear();
            bar.suspend(|| tell!("{line}"));
        } else if !self.silent {
            tell!("{line}");
        }
    }
}
