//! What can be wrong with a CSV file.

use std::path::PathBuf;

use super::{MAX_LABELS, MAX_READINGS};

/// Why a CSV file cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TableError {
    /// The file cannot be read.
    #[error("{}: cannot read the file: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The file is not CSV in UTF-8.
    #[error("{}:{line}: not a CSV file in UTF-8: {message}", path.display())]
    Csv {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// What is wrong.
        message: String,
    },
    /// Nothing is in it.
    #[error("{}: the file is empty; it needs a header row and rows of values", path.display())]
    Empty {
        /// The file.
        path: PathBuf,
    },
    /// There is only a header.
    #[error("{}: no rows below the header", path.display())]
    HeaderOnly {
        /// The file.
        path: PathBuf,
    },
    /// A row is shorter or longer than the header.
    #[error("{}:{line}: {found} values where the header names {expected} columns", path.display())]
    Ragged {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// Columns in the header.
        expected: usize,
        /// Values in the row.
        found: usize,
    },
    /// Two columns have one name, or one has none.
    #[error("{}:1: the column name `{column}` stands {count} times; each must stand once", path.display())]
    DuplicateColumn {
        /// The file.
        path: PathBuf,
        /// The name.
        column: String,
        /// How often it stands.
        count: usize,
    },
    /// A column that the configuration names is not there.
    #[error("{}:1: no column `{column}`; there are: {}{}", path.display(), columns.join(", "), separator(columns))]
    MissingColumn {
        /// The file.
        path: PathBuf,
        /// The name sought.
        column: String,
        /// The names there are.
        columns: Vec<String>,
    },
    /// A cell is empty.
    #[error("{}:{line}: column `{column}` is empty; fill it in, or remove the row", path.display())]
    MissingValue {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The column.
        column: String,
    },
    /// A cell holds something else than a number.
    #[error("{}:{line}: column `{column}` holds `{text}`, which is not a number; name the column in `drop` if it is no reading", path.display())]
    NotANumber {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The column.
        column: String,
        /// What it holds.
        text: String,
    },
    /// A cell holds NaN, infinity, or a number beyond 3.4e38.
    #[error("{}:{line}: column `{column}` holds `{text}`, which is not a finite 32-bit number; remove or repair the row", path.display())]
    NotFinite {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The column.
        column: String,
        /// What it holds.
        text: String,
    },
    /// All rows have the same value there.
    #[error("{}: column `{column}` is {value} in every row and tells nothing; name it in `drop`", path.display())]
    Constant {
        /// The file.
        path: PathBuf,
        /// The column.
        column: String,
        /// The value.
        value: f32,
    },
    /// All rows have the same label.
    #[error("{}: every row has the label `{label}` in column `{column}`; there must be two or more", path.display())]
    OneClass {
        /// The file.
        path: PathBuf,
        /// The label column.
        column: String,
        /// The label.
        label: String,
    },
    /// A label holds a line break or another control character.
    #[error("{}:{line}: column `{column}` holds a label with a line break or control character; is a quotation mark missing?", path.display())]
    LabelText {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The label column.
        column: String,
    },
    /// There are more labels than the device can hold.
    #[error("{}: column `{column}` has {count} different labels, at most {MAX_LABELS} are possible; is it a class?", path.display())]
    TooManyLabels {
        /// The file.
        path: PathBuf,
        /// The label column.
        column: String,
        /// How many there are.
        count: usize,
    },
    /// A label that the run does not know.
    #[error("{}:{line}: column `{column}` holds the label `{label}`; the model knows: {}", path.display(), classes.join(", "))]
    UnknownLabel {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The label column.
        column: String,
        /// The label.
        label: String,
        /// The labels known.
        classes: Vec<String>,
    },
    /// No column, or too many, are left as readings.
    #[error("{}:1: {count} columns are readings; there must be 1 to {MAX_READINGS}", path.display())]
    ReadingCount {
        /// The file.
        path: PathBuf,
        /// How many there are.
        count: usize,
    },
}

/// A hint where the only column's name looks like several.
fn separator(columns: &[String]) -> &'static str {
    match columns {
        [one] if one.contains([';', '\t', '|']) => "; columns must be separated by commas",
        _ => "",
    }
}
