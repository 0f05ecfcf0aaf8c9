//! CSV files with a header row.
//!
//! Start with [`Table::read`]; then take [`Table::readings`] and one of [`Table::labels`] and [`Table::numbers`]. Numbers are
//! decimal with a point, finite, within the range of `f32`. Every error names the file, and the line and column if there is one.

mod error;

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::Readings;
pub use error::TableError;

/// The most readings that a row may have; the device's limit.
pub const MAX_READINGS: usize = 64;

/// The most different labels that a column may have; the device's limit.
pub const MAX_LABELS: usize = 16;

/// A CSV file in memory: unique column names, one or more rows of as many cells.
#[derive(Clone, Debug)]
pub struct Table {
    path: PathBuf,
    sha256: String,
    columns: Vec<String>,
    rows: Vec<Row>,
}

#[derive(Clone, Debug)]
struct Row {
    /// Where it begins, from 1.
    line: u64,
    cells: csv::StringRecord,
}

impl Table {
    /// Reads a file.
    ///
    /// # Errors
    /// An unreadable or empty file, a ragged row, a column name that stands twice.
    pub fn read(path: &Path) -> Result<Self, TableError> {
        let bytes = std::fs::read(path).map_err(|source| TableError::Read {
            path: path.to_owned(),
            source,
        })?;
        Self::parse(path, &bytes)
    }

    /// Reads a text; `path` only serves error messages.
    ///
    /// # Errors
    /// An empty text, a ragged row, a column name that stands twice.
    pub fn parse(path: &Path, bytes: &[u8]) -> Result<Self, TableError> {
        let path = path.to_owned();
        let sha256 = crate::hex::encode(&Sha256::digest(bytes));
        let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
        if bytes.trim_ascii().is_empty() {
            return Err(TableError::Empty { path });
        }
        let mut reader = csv::ReaderBuilder::new().trim(csv::Trim::All).from_reader(bytes);
        let columns: Vec<String> = match reader.headers() {
            Ok(header) => header.iter().map(str::to_owned).collect(),
            Err(error) => return Err(csv_error(path, bytes, &error)),
        };
        for column in &columns {
            let count = columns.iter().filter(|other| *other == column).count();
            if count > 1 {
                let column = column.clone();
                return Err(TableError::DuplicateColumn { path, column, count });
            }
        }
        let row = |cells: csv::StringRecord| Row {
            line: line(bytes, cells.position()),
            cells,
        };
        let rows: Vec<Row> = match reader.records().map(|cells| cells.map(row)).collect() {
            Ok(rows) => rows,
            Err(error) => return Err(csv_error(path, bytes, &error)),
        };
        if rows.is_empty() {
            return Err(TableError::HeaderOnly { path });
        }
        Ok(Self {
            path,
            sha256,
            columns,
            rows,
        })
    }

    /// The file's path, for messages.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// SHA-256 of the file, in hexadecimal.
    pub fn sha256(&self) -> &str {
        &self.sha256
    }

    /// How many rows stand below the header.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Never: a table has a row.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// The line at which a row begins, from 1.
    ///
    /// # Panics
    /// If there is no such row.
    pub fn line(&self, row: usize) -> u64 {
        self.rows[row].line
    }

    /// The column names, in order.
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The index of a column.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn column(&self, name: &str) -> Result<usize, TableError> {
        let found = self.columns.iter().position(|column| column == name);
        found.ok_or_else(|| TableError::MissingColumn {
            path: self.path.clone(),
            column: name.to_owned(),
            columns: self.columns.clone(),
        })
    }

    /// The cells of a column.
    ///
    /// # Errors
    /// There is none of that name.
    pub fn cells(&self, name: &str) -> Result<impl Iterator<Item = &str>, TableError> {
        let index = self.column(name)?;
        Ok(self.rows.iter().map(move |row| &row.cells[index]))
    }

    /// The names of all columns but these.
    ///
    /// # Errors
    /// A name that is no column; none or more than [`MAX_READINGS`] left.
    pub fn columns_except(&self, others: &[&str]) -> Result<Vec<String>, TableError> {
        for name in others {
            self.column(name)?;
        }
        let left = self.columns.iter().filter(|column| !others.contains(&column.as_str()));
        let left: Vec<String> = left.cloned().collect();
        match left.len() {
            1..=MAX_READINGS => Ok(left),
            count => Err(TableError::ReadingCount {
                path: self.path.clone(),
                count,
            }),
        }
    }

    /// The values of these columns, row by row.
    ///
    /// # Errors
    /// A missing column; a cell that is empty, not a number or not finite.
    pub fn readings(&self, features: Vec<String>) -> Result<Readings, TableError> {
        let indices = features
            .iter()
            .map(|name| self.column(name))
            .collect::<Result<Vec<_>, _>>()?;
        let mut values = Vec::with_capacity(indices.len() * self.rows.len());
        for row in &self.rows {
            for &index in &indices {
                values.push(self.number(row, index)?);
            }
        }
        Ok(Readings { features, values })
    }

    /// Refuses readings of which a column never changes.
    ///
    /// # Errors
    /// The first such column.
    pub fn refuse_constant(&self, readings: &Readings) -> Result<(), TableError> {
        for (feature, column) in readings.features.iter().enumerate() {
            let first = readings.row(0)[feature];
            if (1..readings.rows()).all(|row| readings.row(row)[feature] == first) {
                return Err(TableError::Constant {
                    path: self.path.clone(),
                    column: column.clone(),
                    value: first,
                });
            }
        }
        Ok(())
    }

    /// The values of one column.
    ///
    /// # Errors
    /// As [`Table::readings`].
    pub fn numbers(&self, name: &str) -> Result<Vec<f32>, TableError> {
        Ok(self.readings(vec![name.to_owned()])?.values)
    }

    /// The labels of a column: their names, sorted (numbers by value, else by text), and the index of each row's.
    ///
    /// # Errors
    /// A missing column, an empty cell, a line break in a label, fewer than two or more than [`MAX_LABELS`] different labels.
    pub fn labels(&self, name: &str) -> Result<(Vec<String>, Vec<u16>), TableError> {
        let column = self.column(name)?;
        if let Some(row) = self
            .rows
            .iter()
            .find(|row| row.cells[column].contains(char::is_control))
        {
            return Err(TableError::LabelText {
                path: self.path.clone(),
                line: row.line,
                column: name.to_owned(),
            });
        }
        let mut classes: Vec<String> = self.cells(name)?.map(str::to_owned).collect();
        classes.sort_unstable();
        classes.dedup();
        let numeric: Option<Vec<f64>> = classes.iter().map(|class| class.parse().ok()).collect();
        if numeric.is_some_and(|values: Vec<f64>| values.iter().all(|value| value.is_finite())) {
            let value = |class: &String| class.parse::<f64>().unwrap_or(0.0);
            classes.sort_by(|a, b| value(a).total_cmp(&value(b)));
        }
        let labels = self.labels_among(name, &classes)?;
        match classes.len() {
            2..=MAX_LABELS => Ok((classes, labels)),
            1 => Err(TableError::OneClass {
                path: self.path.clone(),
                column: name.to_owned(),
                label: classes[0].clone(),
            }),
            count => Err(TableError::TooManyLabels {
                path: self.path.clone(),
                column: name.to_owned(),
                count,
            }),
        }
    }

    /// The index of each row's label among names that are known already.
    ///
    /// # Errors
    /// A missing column, an empty cell, a label that is not among them.
    pub fn labels_among(&self, name: &str, classes: &[String]) -> Result<Vec<u16>, TableError> {
        let column = self.column(name)?;
        let index: HashMap<&str, u16> = (0..).zip(classes).map(|(i, class)| (class.as_str(), i)).collect();
        let label = |row: &Row| {
            let text = &row.cells[column];
            if text.is_empty() {
                return Err(self.missing_value(row, column));
            }
            index.get(text).copied().ok_or_else(|| TableError::UnknownLabel {
                path: self.path.clone(),
                line: row.line,
                column: name.to_owned(),
                label: text.to_owned(),
                classes: classes.to_vec(),
            })
        };
        self.rows.iter().map(label).collect()
    }

    /// A number per row, equal where all of these columns hold equal text; `None` without columns.
    ///
    /// # Errors
    /// A missing column.
    pub fn groups(&self, names: &[String]) -> Result<Option<Vec<usize>>, TableError> {
        if names.is_empty() {
            return Ok(None);
        }
        let columns = names
            .iter()
            .map(|name| self.column(name))
            .collect::<Result<Vec<_>, _>>()?;
        let mut seen = HashMap::new();
        let mut number = |row: &Row| {
            let key: Vec<String> = columns.iter().map(|&column| row.cells[column].to_owned()).collect();
            let next = seen.len();
            *seen.entry(key).or_insert(next)
        };
        Ok(Some(self.rows.iter().map(&mut number).collect()))
    }

    fn number(&self, row: &Row, column: usize) -> Result<f32, TableError> {
        let text = &row.cells[column];
        match text.parse::<f32>() {
            // Adding zero turns −0 into 0, so that equal rows have equal bits.
            Ok(value) if value.is_finite() => Ok(value + 0.0),
            Ok(_) => Err(TableError::NotFinite {
                path: self.path.clone(),
                line: row.line,
                column: self.columns[column].clone(),
                text: text.to_owned(),
            }),
            Err(_) if text.is_empty() => Err(self.missing_value(row, column)),
            Err(_) => Err(TableError::NotANumber {
                path: self.path.clone(),
                line: row.line,
                column: self.columns[column].clone(),
                text: text.to_owned(),
            }),
        }
    }

    fn missing_value(&self, row: &Row, column: usize) -> TableError {
        TableError::MissingValue {
            path: self.path.clone(),
            line: row.line,
            column: self.columns[column].clone(),
        }
    }
}

/// The line of a record. The reader counts empty lines before a record as part of it; here they are passed over.
fn line(bytes: &[u8], position: Option<&csv::Position>) -> u64 {
    position.map_or(1, |position| {
        let rest = usize::try_from(position.byte())
            .ok()
            .and_then(|start| bytes.get(start..))
            .unwrap_or_default();
        let empty = rest.iter().take_while(|&&byte| byte == b'\n' || byte == b'\r');
        position.line() + empty.filter(|&&byte| byte == b'\n').count() as u64
    })
}

fn csv_error(path: PathBuf, bytes: &[u8], error: &csv::Error) -> TableError {
    let line = line(bytes, error.position());
    match error.kind() {
        csv::ErrorKind::UnequalLengths { expected_len, len, .. } => TableError::Ragged {
            path,
            line,
            expected: usize::try_from(*expected_len).unwrap_or(usize::MAX),
            found: usize::try_from(*len).unwrap_or(usize::MAX),
        },
        csv::ErrorKind::Utf8 { err, .. } => TableError::Csv {
            path,
            line,
            message: err.to_string(),
        },
        _ => TableError::Csv {
            path,
            line,
            message: error.to_string(),
        },
    }
}

#[cfg(test)]
mod tests;
