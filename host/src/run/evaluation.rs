//! What devices said about a run's test rows: one `evaluation-*.json` per device, kept by `trident eval`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use trident::wire::Statistics;

use super::{Run, RunError};
use crate::train::HeadMetrics;

/// How the files' names begin.
const PREFIX: &str = "evaluation-";

/// What one device said.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Evaluation {
    /// The device, as `--on` names it.
    pub on: String,
    /// The checksum that the blob carries: of another blob nothing is said here.
    pub blob_crc32: String,
    /// Rows per head.
    pub samples: BTreeMap<String, usize>,
    /// Figures per head.
    pub heads: BTreeMap<String, HeadMetrics>,
    /// Output values that were compared with the host's, bit for bit.
    pub compared_values: u64,
    /// Those that differ.
    pub differing_values: u64,
    /// Instructions of a run of each head, the largest over all rows; 0 where the device counts none.
    pub instructions: BTreeMap<String, u64>,
    /// What the device takes.
    pub device: Statistics,
}

impl Run {
    /// Keeps what a device said, in place of what the same device said before. Gives the file's name.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn keep_evaluation(&self, evaluation: &Evaluation) -> Result<String, RunError> {
        let name = file_name(&evaluation.on);
        self.write_json(&name, evaluation)?;
        Ok(name)
    }

    /// What devices said, in the order of their files' names.
    ///
    /// # Errors
    /// If a file cannot be read.
    pub fn evaluations(&self) -> Result<Vec<Evaluation>, RunError> {
        let entries = std::fs::read_dir(self.folder()).map_err(|source| RunError::Read {
            path: self.folder().to_owned(),
            source,
        })?;
        let names = entries
            .flatten()
            .map(|entry| entry.file_name().to_string_lossy().into_owned());
        let mut names: Vec<String> = names
            .filter(|name| name.starts_with(PREFIX) && name.ends_with(".json"))
            .collect();
        names.sort();
        names.iter().map(|name| self.read_json(name)).collect()
    }
}

/// A file name that says which device it is, whatever its name has in it.
fn file_name(on: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '-' };
    format!("{PREFIX}{}.json", on.chars().map(plain).collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_has_one_file() {
        assert_eq!(file_name("qemu:mps2-an386"), "evaluation-qemu-mps2-an386.json");
        assert_eq!(
            file_name("serial:/dev/ttyACM0@115200"),
            "evaluation-serial--dev-ttyACM0-115200.json"
        );
    }
}
