//! Confusion as a table: a row per true class, a column per class that cases were taken for, tinted by the row's shares.

use maud::{Markup, html};

use super::parts::{count, percent, scrolling};

/// One model's counts.
pub fn table(name: &str, classes: &[String], counts: &[Vec<u64>]) -> Markup {
    scrolling(html! {
        table.confusion {
            caption { (name) }
            thead {
                tr {
                    th scope="col" { "true ╲ taken for" }
                    @for class in classes { th scope="col" { (class) } }
                }
            }
            tbody {
                @for (truth, row) in counts.iter().enumerate() {
                    @let all: u64 = row.iter().sum();
                    tr {
                        th scope="row" { (classes[truth]) }
                        @for (taken, &cases) in row.iter().enumerate() {
                            @let share = cases as f64 / all.max(1) as f64;
                            td class=(if truth == taken { "number right" } else { "number wrong" })
                                style={ "--tint:" (format!("{:.1}%", 70.0 * share)) }
                                title={ (classes[truth]) " taken for " (classes[taken]) ": " (count(cases)) " of " (count(all)) } {
                                (count(cases)) br; span.quiet { (percent(share)) }
                            }
                        }
                    }
                }
            }
        }
    })
}
