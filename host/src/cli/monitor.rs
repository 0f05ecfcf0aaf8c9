//! `trident monitor --on DEVICE`: how a device's heads fare, as long as one wants to watch.

use std::io::{IsTerminal, stdout};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::sleep;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use trident::Blob;
use trident::wire::Faults;

use super::blob_file::{self, printable};
use super::table::{table, whole};
use super::{interrupt, say};
use crate::config::Config;
use crate::data;
use crate::device::{Client, DeviceError, Target};
use crate::eval::{self, Rows};
use crate::monitor::{HeadLine, Names, Poll, Replay};
use crate::quantize::writer::AlignedBytes;
use crate::run::Run;

/// How often it is looked whether Ctrl-C was pressed.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Which device, how often, and what to run it on.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// qemu:BOARD[,uart][,flash=FILE] or serial:PORT[@BAUD]
    #[arg(long)]
    on: Target,
    /// Seconds between two looks
    #[arg(long, value_name = "SECONDS", default_value = "1", value_parser = seconds)]
    every: Duration,
    /// Look so many times, then end; otherwise Ctrl-C, or the last row, ends it
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..))]
    count: Option<u64>,
    /// Run the device on the test rows of this run meanwhile: an emulated one has no sensors
    #[arg(long, value_name = "RUN")]
    replay: Option<PathBuf>,
    /// Every row and picture of these files, in their order, instead of the run's test rows
    #[arg(long, value_name = "TOML", requires = "replay")]
    data: Option<PathBuf>,
}

fn seconds(words: &str) -> Result<Duration, String> {
    let duration = words
        .parse()
        .ok()
        .and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    let in_range = |every: &Duration| (Duration::from_millis(10)..=Duration::from_secs(86_400)).contains(every);
    duration
        .filter(in_range)
        .ok_or_else(|| "from 0.01 to 86400 seconds".into())
}

/// Watches a device. Ctrl-C is how that ends, and no failure.
///
/// # Errors
/// If the device does not answer, has no model, or the rows do not suit it.
pub fn run(args: &Args, json: bool) -> anyhow::Result<()> {
    let interrupted = interrupt::flag()?;
    let (mut client, names, mut replay) = connect(args)?;
    let mut screen = Screen::new(json);
    let begun = Instant::now();
    let mut looks: u64 = 0;
    // Asked of firmware that does not know it, it would count as a refusal at every look.
    let mut tells_faults = true;
    loop {
        match &mut replay {
            Some(replay) => replay.send(&mut client, begun + args.every * (looks as u32 + 1), &interrupted)?,
            None => wait(begun + args.every * looks as u32, &interrupted),
        }
        let health = client.health()?;
        let faults = match tells_faults.then(|| client.faults()) {
            None | Some(Err(DeviceError::TooOldForHealth)) => None,
            Some(other) => Some(other?),
        };
        tells_faults = faults.is_some();
        let said = (&health, client.statistics()?, faults, client.link());
        let sent = replay.as_ref().map(Replay::sent);
        let poll = Poll::new(args.on.to_string(), begun.elapsed().as_secs_f64(), sent, said, &names);
        screen.show(&poll)?;
        looks += 1;
        let enough = args.count.is_some_and(|count| looks >= count) || replay.as_ref().is_some_and(Replay::is_over);
        if enough || interrupted.load(Ordering::Relaxed) {
            return Ok(());
        }
    }
}

/// The device, what its readings are called as far as that is known, and what it is run on.
fn connect(args: &Args) -> anyhow::Result<(Client, Names, Option<Replay>)> {
    let Some(folder) = &args.replay else {
        let client = args.on.open(None)?;
        client.model()?;
        return Ok((client, Names::default(), None));
    };
    let run = Run::open(folder)?;
    let (path, bytes) = blob_file::checked(folder)?;
    let bytes = AlignedBytes::copy_of(&bytes);
    let blob = Blob::new_exact(bytes.as_ref()).with_context(|| format!("{} is refused", path.display()))?;
    let dataset = match &args.data {
        Some(path) => data::load_all(&Config::load(path)?, &run.record()?.description)?,
        None => run.dataset()?,
    };
    eval::refuse_apart(&run.spec()?, &dataset)?;
    let rows = Rows::test(&dataset);
    if rows.heads().next().is_none() {
        bail!("there are no rows to replay: the run's test split is empty; name other files with `--data`");
    }
    let client = args.on.connect(bytes.as_ref())?;
    Ok((client, Names::of(&blob), Some(Replay::new(dataset, &rows))))
}

fn wait(until: Instant, interrupted: &AtomicBool) {
    while !interrupted.load(Ordering::Relaxed) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        sleep(left.min(LOOK_EVERY));
    }
}

/// Where polls are shown: a table that is drawn anew on a terminal, a line each elsewhere.
enum Screen {
    Json,
    Lines,
    /// So many lines of it are there already.
    Live(usize),
}

impl Screen {
    fn new(json: bool) -> Self {
        match (json, stdout().is_terminal()) {
            (true, _) => Self::Json,
            (false, true) => Self::Live(0),
            (false, false) => Self::Lines,
        }
    }

    fn show(&mut self, poll: &Poll) -> anyhow::Result<()> {
        match self {
            Self::Json => say!("{}", serde_json::to_string(poll)?),
            Self::Lines => say!("{}", line(poll)),
            Self::Live(drawn) => {
                let text = page(poll);
                // Up to the table's first line, and everything from there on cleared.
                let back = match *drawn {
                    0 => String::new(),
                    lines => format!("\x1b[{lines}F\x1b[J"),
                };
                say!("{back}{text}");
                *drawn = text.lines().count();
            }
        }
        Ok(())
    }
}

fn drift(line: &HeadLine) -> String {
    match (line.drift, &line.reading) {
        (Some(score), Some(reading)) => format!("{score:.1} ({})", printable(reading)),
        _ => "–".into(),
    }
}

/// What has brought the device down, in a line.
fn down(faults: Option<&Faults>) -> String {
    match faults {
        None => "the firmware is too old to tell what brought it down".into(),
        Some(faults) if faults.total == 0 => "nothing has brought it down since power came on".into(),
        Some(faults) => format!(
            "brought down {} times since power came on, last by: {}",
            whole(faults.total.into()),
            printable(&faults.last)
        ),
    }
}

fn line(poll: &Poll) -> String {
    let heads = poll.heads.iter().map(|(head, line)| {
        let HeadLine {
            runs,
            faults,
            outside,
            saturated,
            verdict,
            ..
        } = line;
        let drift = drift(line);
        format!(
            "{head}: runs {runs}, faults {faults}, outside {outside}, saturated {saturated}, drift {drift} {verdict}"
        )
    });
    let heads = heads.collect::<Vec<_>>().join("; ");
    match &poll.faults {
        Some(faults) if faults.total > 0 => format!("{:.1} s; {heads}; {}", poll.seconds, down(Some(faults))),
        _ => format!("{:.1} s; {heads}", poll.seconds),
    }
}

fn page(poll: &Poll) -> String {
    let mut rows = table(&["head", "runs", "faults", "outside", "saturated", "drift", ""]);
    for (head, line) in &poll.heads {
        let counts = [line.runs, line.faults, line.outside, line.saturated].map(|count| whole(count.into()));
        rows.add_row([&[(*head).to_owned()][..], &counts, &[drift(line), line.verdict.clone()]].concat());
    }
    let sent = poll
        .rows_sent
        .map_or_else(String::new, |rows| format!(", {} rows sent", whole(rows as u64)));
    let device = &poll.device;
    format!(
        "{}, {:.0} s{sent}; Ctrl-C ends\n{rows}\n\
         device: {} runs, {} requests refused or damaged; stack at most {} of {} bytes, arena {} of {}\n\
         link: {} requests answered, {} sent again\n\
         {}\n\
         outside: readings beyond those of training; saturated: codes at the end of their range; drift: standard errors, {:.0} is drifting",
        poll.on,
        poll.seconds,
        whole(device.runs.into()),
        whole(device.faults.into()),
        whole(device.stack_high_water.into()),
        whole(device.stack_capacity.into()),
        whole(device.arena_used.into()),
        whole(device.arena_capacity.into()),
        whole(poll.link.answered),
        whole(poll.link.repeated),
        down(poll.faults.as_ref()),
        trident::health::DRIFTING,
    )
}
