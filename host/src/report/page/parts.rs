//! Pieces that several sections are made of: numbers in words, framed plots, tables that scroll by themselves.

use maud::{Markup, html};

use crate::cli::table::{figure, whole};
use crate::report::plot::{Ink, Plot};

/// A figure to four places, or a dash.
pub fn four(value: Option<f64>) -> String {
    figure(value).replace('-', "−")
}

/// A difference with its sign, or a dash.
pub fn signed(value: Option<f64>) -> String {
    match value {
        // No sign where four places show nothing.
        Some(value) if value.abs() < 0.00005 => "0.0000".into(),
        Some(value) => format!("{value:+.4}").replace('-', "−"),
        None => "–".into(),
    }
}

/// A number of the data, in as few digits as tell it.
pub fn reading(value: f32) -> String {
    let size = value.abs();
    let text = match size {
        0.0 => "0".into(),
        _ if (1e-4..1e6).contains(&size) => {
            let digits = (4.0 - size.log10().floor()).clamp(0.0, 8.0) as usize;
            let exact = format!("{value:.digits$}");
            match exact.contains('.') {
                true => exact.trim_end_matches('0').trim_end_matches('.').to_owned(),
                false => exact,
            }
        }
        _ => format!("{value:.4e}"),
    };
    text.replace('-', "−")
}

/// A share as per cent.
pub fn percent(share: f64) -> String {
    format!("{:.2} %", 100.0 * share)
}

/// Whole numbers that may be large.
pub fn count(number: impl TryInto<u64>) -> String {
    whole(number.try_into().unwrap_or(u64::MAX))
}

/// `[h, w, c]` in words; rows of numbers are told by their length alone.
pub fn shape([h, w, c]: [u16; 3]) -> String {
    match (h, w) {
        (1, 1) => c.to_string(),
        _ => format!("{h}×{w}×{c}"),
    }
}

/// A plot with its name above, what its inks mean, and a line of explanation below.
pub fn plot(name: &str, plot: &Plot, inks: &[(Ink, &str)], words: &str) -> Markup {
    html! {
        figure {
            figcaption.name {
                strong { (name) }
                @for (ink, meaning) in inks {
                    span.key { span class={ "swatch " (ink.class()) } {} (meaning) }
                }
            }
            (plot.draw())
            @if !words.is_empty() { figcaption.quiet { (words) } }
        }
    }
}

/// A table that scrolls by itself where it is wider than the page.
pub fn scrolling(table: Markup) -> Markup {
    html! { div.scroll tabindex="0" { (table) } }
}

/// A name that may break after each underscore.
pub fn breakable(name: &str) -> Markup {
    html! {
        @for part in name.split_inclusive('_') { (part) @if part.ends_with('_') { wbr; } }
    }
}

/// A number with a bar as long as its share of `most`.
pub fn bar(words: &str, number: f64, most: f64) -> Markup {
    let share = if most > 0.0 { number / most } else { 0.0 };
    html! {
        @if number > 0.0 {
            td.number.bar style={ "--share:" (format!("{share:.3}")) } { (words) }
        } @else {
            td.number.quiet { "–" }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_read_well() {
        assert_eq!(
            [Some(0.00432), Some(-0.25), Some(-1e-6), None].map(signed),
            ["+0.0043", "−0.2500", "0.0000", "–"]
        );
        assert_eq!(
            [0.0, 126.201, 0.00266337, -8.2, 1e-7, 6300.0].map(reading),
            ["0", "126.2", "0.0026634", "−8.2", "1.0000e−7", "6300"]
        );
        assert_eq!(shape([1, 1, 64]), "64");
        assert_eq!(shape([16, 8, 3]), "16×8×3");
    }
}
