//! Why a teacher cannot teach.

use std::path::PathBuf;

use crate::data::Mismatch;
use crate::data::tabular::TableError;
use crate::run::RunError;

/// Why a teacher cannot teach.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TeacherError {
    /// There is nothing of that name.
    #[error("teacher {}: there is no such run folder or CSV file", path.display())]
    Absent {
        /// The path.
        path: PathBuf,
    },
    /// The run cannot serve.
    #[error("teacher {}: {source}", path.display())]
    Run {
        /// The run folder.
        path: PathBuf,
        /// Why.
        source: Box<RunError>,
    },
    /// The run knows other readings, classes, sizes or targets.
    #[error("teacher {}: {source}", path.display())]
    Mismatch {
        /// The run folder.
        path: PathBuf,
        /// How they differ.
        source: Box<Mismatch>,
    },
    /// The run has learnt from rows that are to judge its pupil.
    #[error(
        "teacher {}: it was trained on {rows} rows that this [split] holds out to judge the {head} head, whose figures would be \
         worth nothing; train the teacher with this [split] and these groups", path.display()
    )]
    HeldOut {
        /// The run folder.
        path: PathBuf,
        /// The head.
        head: &'static str,
        /// How many rows.
        rows: usize,
    },
    /// A point of a table is a row that is to judge its pupil.
    #[error(
        "teacher {}:{line}: its readings are those of a row that this [split] holds out to judge the {head} head; leave such \
         rows out, or, where there is one row for every row of the data, the columns of readings", path.display()
    )]
    HeldOutPoint {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The head.
        head: &'static str,
    },
    /// It has nothing for any head.
    #[error("teacher {}: it teaches none of the heads that are trained here: {}", path.display(), heads.join(", "))]
    NoHead {
        /// The run folder or file.
        path: PathBuf,
        /// The heads.
        heads: Vec<&'static str>,
    },
    /// The table has columns for no head.
    #[error("teacher {}: its columns ({}) teach no head that is trained here; needed: {}", path.display(), found.join(", "), needed.join("; "))]
    Columns {
        /// The file.
        path: PathBuf,
        /// Its columns.
        found: Vec<String>,
        /// What each head needs.
        needed: Vec<String>,
    },
    /// The table cannot be read, or lacks a column.
    #[error("teacher {source}")]
    Table {
        /// What is wrong.
        source: Box<TableError>,
    },
    /// The table has another number of rows than the data.
    #[error("teacher {}: {found} rows, but the {head} data have {expected}; it needs one for each, in their order", path.display())]
    Rows {
        /// The file.
        path: PathBuf,
        /// The head.
        head: &'static str,
        /// Rows of the data.
        expected: usize,
        /// Rows of the table.
        found: usize,
    },
    /// A cell that is no probability.
    #[error("teacher {}:{line}: column `{column}` holds {value}, which is not a probability from 0 to 1", path.display())]
    Probability {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The column.
        column: String,
        /// The value.
        value: f32,
    },
    /// Probabilities that are not all there is.
    #[error("teacher {}:{line}: the probabilities of {} add up to {sum}, not to 1", path.display(), columns.join(", "))]
    Sum {
        /// The file.
        path: PathBuf,
        /// Line, from 1.
        line: u64,
        /// The columns.
        columns: Vec<String>,
        /// Their sum.
        sum: f64,
    },
    /// The data are the original demo's, where nothing can be learnt.
    #[error(
        "the original demo's labels are random, and its inputs their own targets: there is nothing to teach; take data of your own"
    )]
    Demonstration,
}

impl From<TableError> for TeacherError {
    fn from(source: TableError) -> Self {
        Self::Table {
            source: Box::new(source),
        }
    }
}
