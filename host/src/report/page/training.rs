//! The section of training curves.

use maud::{Markup, html};

use super::parts::{self, four, scrolling};
use crate::report::plot::{Axis, Ink, Mark, Plot, Tip, tick};
use crate::report::{Report, Training};

/// The most places of a curve at which its numbers are told.
const TIPS: usize = 120;
/// Curves of no more points show each of them: one alone makes no line.
const DOTS: usize = 12;

/// Curves per head, and figures per split.
pub fn body(report: &Report) -> Markup {
    html! {
        @for head in &report.summary.heads {
            @if let Some(training) = report.training.get(head.head) { (of_head(head.head, training)) }
        }
        (splits(report))
    }
}

fn of_head(head: &str, training: &Training) -> Markup {
    let epochs = training.epochs.len();
    html! {
        h3 { (head) }
        p.quiet {
            (parts::count(epochs)) @if epochs == 1 { " epoch" } @else { " epochs" }
            @if let Some(best) = training.best_epoch {
                "; those of epoch " (parts::count(best)) " were kept, by validation " (training.figure)
            } @else { "; no validation rows, so the last weights were kept" }
            "."
        }
        div.plots {
            (curve("Loss", "loss", training, true, |epoch| Some(epoch.loss), &[]))
            @if training.best_epoch.is_some() {
                @let name = format!("Validation {}", training.figure);
                @let best: Vec<u64> = training.best_epoch.into_iter().collect();
                (curve(&name, training.figure, training, !training.more_is_better, |epoch| epoch.validation, &best))
            }
            (curve("Learning rate", "learning rate", training, false, |epoch| Some(epoch.learning_rate), &[]))
        }
    }
}

fn curve(
    name: &str,
    label: &str,
    training: &Training,
    log: bool,
    of: impl Fn(&crate::report::training::Epoch) -> Option<f64>,
    spots: &[u64],
) -> Markup {
    let points: Vec<(f64, f64)> = training
        .epochs
        .iter()
        .filter_map(|epoch| Some((epoch.epoch as f64, of(epoch)?)))
        .collect();
    let values = points.iter().map(|point| point.1);
    let y = if log {
        Axis::log_around(label, values)
    } else {
        Axis::around(label, values)
    };
    let last = points.last().map_or(1.0, |point| point.0);
    let every = points.len().div_ceil(TIPS).max(1);
    let half = every as f64 / 2.0;
    let tip = |&(epoch, value): &(f64, f64)| {
        let band = [(epoch - half).max(1.0), (epoch + half).min(last.max(2.0))];
        Tip::Band(band, format!("epoch {epoch}: {label} {}", tick(value)))
    };
    let best: Vec<(f64, f64)> = points
        .iter()
        .copied()
        .filter(|point| spots.contains(&(point.0 as u64)))
        .collect();
    let mut tips: Vec<Tip> = points.iter().step_by(every).map(tip).collect();
    tips.extend(
        best.iter()
            .map(|&point| Tip::Spot(point, format!("epoch {}, the best: {label} {}", point.0, tick(point.1)))),
    );
    let plot = Plot {
        words: format!("{name} by epoch"),
        x: Axis::counting("epoch", 1.0, last.max(2.0)),
        y,
        marks: vec![
            Mark::Dots(
                Ink::Float,
                if points.len() <= DOTS {
                    points.clone()
                } else {
                    Vec::new()
                },
            ),
            Mark::Line(Ink::Float, points),
            Mark::Spots(Ink::Float, best),
        ],
        tips,
    };
    parts::plot(name, &plot, &[], "")
}

/// Figures of the float model per split: how much worse unseen rows are.
fn splits(report: &Report) -> Markup {
    let splits = &report.summary.splits;
    let names = ["train", "validation", "test"];
    let figure = |split: &str, head: &str| {
        let metrics = splits.get(split).and_then(|heads| heads.get(head));
        four(metrics.and_then(|metrics| crate::eval::leading(metrics).1))
    };
    html! {
        h3 { "Float figures per split" }
        (scrolling(html! {
            table {
                thead {
                    tr {
                        th scope="col" { "head" }
                        th scope="col" { "figure" }
                        @for name in names { th.number scope="col" { (name) } }
                    }
                }
                tbody {
                    @for head in &report.summary.heads {
                        tr {
                            th scope="row" { (head.head) }
                            td { (head.figure) }
                            @for name in names { td.number { (figure(name, head.head)) } }
                        }
                    }
                }
            }
        }))
    }
}
