//! Tables for people.

use comfy_table::{CellAlignment, Table, presets};

/// A table with those column heads; all columns but the first are aligned to the right.
pub fn table(heads: &[&str]) -> Table {
    let mut table = Table::new();
    table
        .load_preset(presets::UTF8_BORDERS_ONLY)
        .set_header(heads.iter().copied());
    for column in table.column_iter_mut().skip(1) {
        column.set_cell_alignment(CellAlignment::Right);
    }
    table
}

/// A head's name, marked where its pictures were generated.
pub fn head_name(head: &str, generated: &[&str]) -> String {
    let mark = if generated.contains(&head) { " (generated)" } else { "" };
    format!("{head}{mark}")
}

/// A figure to four places, or a dash.
pub fn figure(value: Option<f64>) -> String {
    value.map_or_else(|| "–".into(), |value| format!("{value:.4}"))
}

/// A whole number with its thousands set apart.
pub fn whole(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn thousands_are_set_apart() {
        assert_eq!(
            [0, 999, 1000, 7_105_666].map(super::whole),
            ["0", "999", "1,000", "7,105,666"]
        );
    }
}
