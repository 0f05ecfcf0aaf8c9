//! The page: one HTML file that needs nothing else.
//!
//! Its policy forbids scripts and loading; pictures and plots lie inside. Colours are variables of the style sheet, so that light,
//! dark and paper are three lists of values. Whatever comes from data is escaped by maud.

mod classification;
mod confusion;
mod costs;
mod layers;
mod memory;
mod parts;
mod regression;
mod reliability;
mod rounding;
mod segmentation;
mod summary;
mod training;

use maud::{DOCTYPE, Markup, PreEscaped, html};

use super::Report;

const STYLE: &str = include_str!("style.css");
/// Nothing may be loaded; pictures and styles come with the page.
const POLICY: &str =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/// A section of the page: where it is, its name, what it shows.
struct Section {
    id: &'static str,
    name: &'static str,
    body: Markup,
}

/// The whole page.
pub fn page(report: &Report) -> String {
    let title = format!("{} · trident report", report.name);
    let sections = sections(report);
    let page = html! {
        (DOCTYPE)
        html lang="en" {
            head {
                meta charset="utf-8";
                meta name="viewport" content="width=device-width, initial-scale=1";
                meta name="color-scheme" content="light dark";
                meta http-equiv="Content-Security-Policy" content=(POLICY);
                title { (title) }
                style { (PreEscaped(STYLE)) }
            }
            body {
                nav aria-label="Contents" {
                    @for section in &sections {
                        a href={ "#" (section.id) } { (section.name) }
                    }
                }
                main {
                    header {
                        p.quiet.eyebrow { "trident report" }
                        h1 { (report.name) }
                        p.quiet { (summary::subtitle(report)) }
                    }
                    (missing(report))
                    @for section in &sections {
                        section id=(section.id) {
                            h2 { (section.name) }
                            (section.body)
                        }
                    }
                    footer.quiet {
                        "Written by " code { "trident report " (report.run) } "; the numbers behind every plot: "
                        code { "trident report " (report.run) " --json" } "."
                    }
                }
            }
        }
    };
    page.into_string()
}

fn sections(report: &Report) -> Vec<Section> {
    let mut sections = Vec::new();
    let mut add = |id, name, body: Option<Markup>| sections.extend(body.map(|body| Section { id, name, body }));
    add("summary", "Summary", Some(summary::body(report)));
    add("training", "Training", Some(training::body(report)));
    add(
        "classification",
        "Classification",
        report.classification.as_ref().map(classification::body),
    );
    add(
        "segmentation",
        "Segmentation",
        report.segmentation.as_ref().map(segmentation::body),
    );
    add(
        "regression",
        "Regression",
        report.regression.as_ref().map(regression::body),
    );
    add(
        "int8",
        "int8 against float",
        (!report.rounding.is_empty()).then(|| rounding::body(report)),
    );
    add("layers", "Layers", Some(layers::body(&report.layers)));
    add("memory", "Memory", report.arena.as_ref().map(memory::body));
    add(
        "costs",
        "What runs, what it costs",
        report.costs.as_ref().map(|costs| costs::body(costs, &report.devices)),
    );
    sections
}

fn missing(report: &Report) -> Markup {
    html! {
        @if report.summary.demonstration {
            p.note.strong {
                "Labels were coin flips and inputs their own targets: these figures show that the program runs, not that a model has \
                 learnt anything."
            }
        }
        @for missing in &report.missing {
            p.note {
                (missing.what)
                @if let Some(command) = &missing.command { " " code { (command) } " makes it." }
            }
        }
    }
}
