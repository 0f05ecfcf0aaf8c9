//! What a data set looks like from outside, and which bytes it is.
//!
//! A [`Description`] travels with a run; other files are checked against it before they are evaluated. [`fingerprint`] names
//! the very data, for provenance.

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use trident::Head;

use super::{Dataset, Split};

/// Names and sizes of each head's data.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Description {
    /// Of the classification head.
    pub classification: Option<ClassificationDescription>,
    /// Of the segmentation head.
    pub segmentation: Option<SegmentationDescription>,
    /// Of the regression head.
    pub regression: Option<RegressionDescription>,
}

/// What rows with a class look like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ClassificationDescription {
    /// Names of the readings, in order.
    pub features: Vec<String>,
    /// Class names, in order.
    pub classes: Vec<String>,
}

/// What pictures with masks look like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SegmentationDescription {
    /// Height and width.
    pub size: [usize; 2],
    /// Class names, in order.
    pub classes: Vec<String>,
    /// Whether the pictures were generated rather than photographed.
    pub generated: bool,
}

/// What rows with a number look like.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RegressionDescription {
    /// Names of the readings, in order.
    pub features: Vec<String>,
    /// The target's name.
    pub target: String,
}

/// How other data differ from what a model was made for.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Mismatch {
    /// There is data for a head that the model lacks.
    #[error("there are {head} data, but the model has no such head; remove the section [{head}]")]
    NoHead {
        /// The head.
        head: &'static str,
    },
    /// There is data for no head.
    #[error("no data for any head of the model")]
    NoData,
    /// The readings have other names.
    #[error("{head}: the columns differ from the model's: {}", difference(missing, unknown))]
    Features {
        /// The head.
        head: &'static str,
        /// Columns that the model needs.
        missing: Vec<String>,
        /// Columns that the model does not know.
        unknown: Vec<String>,
    },
    /// The classes have other names or another order.
    #[error("{head}: classes are [{}]; they must be [{}]", found.join(", "), expected.join(", "))]
    Classes {
        /// The head.
        head: &'static str,
        /// What they must be.
        expected: Vec<String>,
        /// Of the data.
        found: Vec<String>,
    },
    /// The pictures have another size.
    #[error("segmentation: `size` is {}×{}, the model reads {}×{}", found[0], found[1], expected[0], expected[1])]
    Size {
        /// Of the model.
        expected: [usize; 2],
        /// Of the data.
        found: [usize; 2],
    },
    /// The target has another name.
    #[error("regression: the target is `{found}`, the model's is `{expected}`")]
    Target {
        /// Of the model.
        expected: String,
        /// Of the data.
        found: String,
    },
}

fn difference(missing: &[String], unknown: &[String]) -> String {
    let list = |what: &str, names: &[String]| (!names.is_empty()).then(|| format!("{what}: {}", names.join(", ")));
    let parts = [list("missing", missing), list("unknown (name them in `drop`)", unknown)];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

impl Description {
    /// Checks that `found` data mean what these do, for every head that both have. Columns may stand in another order.
    ///
    /// # Errors
    /// The first difference.
    pub fn check(&self, found: &Self) -> Result<(), Mismatch> {
        if let (Some(own), Some(other)) = (&self.classification, &found.classification) {
            let head = Head::Classification.name();
            check_features(head, &own.features, &other.features)?;
            check_classes(head, &own.classes, &other.classes)?;
        }
        if let (Some(own), Some(other)) = (&self.segmentation, &found.segmentation) {
            check_classes(Head::Segmentation.name(), &own.classes, &other.classes)?;
            if own.size != other.size {
                return Err(Mismatch::Size {
                    expected: own.size,
                    found: other.size,
                });
            }
        }
        if let (Some(own), Some(other)) = (&self.regression, &found.regression) {
            check_features(Head::Regression.name(), &own.features, &other.features)?;
            if own.target != other.target {
                return Err(Mismatch::Target {
                    expected: own.target.clone(),
                    found: other.target.clone(),
                });
            }
        }
        Ok(())
    }
}

fn check_classes(head: &'static str, expected: &[String], found: &[String]) -> Result<(), Mismatch> {
    if expected == found {
        return Ok(());
    }
    Err(Mismatch::Classes {
        head,
        expected: expected.to_vec(),
        found: found.to_vec(),
    })
}

/// Checks that the same names are there, in any order.
pub(super) fn check_features(head: &'static str, expected: &[String], found: &[String]) -> Result<(), Mismatch> {
    let without = |names: &[String], others: &[String]| -> Vec<String> {
        names.iter().filter(|name| !others.contains(name)).cloned().collect()
    };
    let (missing, unknown) = (without(expected, found), without(found, expected));
    if missing.is_empty() && unknown.is_empty() {
        return Ok(());
    }
    Err(Mismatch::Features { head, missing, unknown })
}

impl Dataset {
    /// Names of heads whose pictures were generated, not photographed.
    pub fn generated(&self) -> Vec<&'static str> {
        let pictures = self.segmentation.iter().filter(|data| data.generated);
        pictures.map(|_| Head::Segmentation.name()).collect()
    }

    /// Names and sizes.
    pub fn description(&self) -> Description {
        Description {
            classification: self.classification.as_ref().map(|data| ClassificationDescription {
                features: data.readings.features.clone(),
                classes: data.classes.clone(),
            }),
            segmentation: self.segmentation.as_ref().map(|data| SegmentationDescription {
                size: [data.height, data.width],
                classes: data.classes.clone(),
                generated: data.generated,
            }),
            regression: self.regression.as_ref().map(|data| RegressionDescription {
                features: data.readings.features.clone(),
                target: data.target.clone(),
            }),
        }
    }
}

/// SHA-256 over names, values, targets and split. Picture names do not count: the same pictures elsewhere are the same data.
pub fn fingerprint(dataset: &Dataset) -> [u8; 32] {
    let mut hash = Fields(Sha256::new());
    hash.bytes(b"trident data 1");
    if let Some(data) = &dataset.classification {
        hash.bytes(b"classification");
        hash.names(&data.readings.features);
        hash.names(&data.classes);
        hash.numbers(&data.readings.values);
        hash.indices(&data.labels.iter().map(|&label| label.into()).collect::<Vec<_>>());
        hash.split(&data.split);
    }
    if let Some(data) = &dataset.segmentation {
        hash.bytes(b"segmentation");
        hash.names(&data.classes);
        hash.indices(&[data.height, data.width]);
        hash.bytes(&data.pixels);
        hash.bytes(&data.masks);
        hash.split(&data.split);
    }
    if let Some(data) = &dataset.regression {
        hash.bytes(b"regression");
        hash.names(&data.readings.features);
        hash.bytes(data.target.as_bytes());
        hash.numbers(&data.readings.values);
        hash.numbers(&data.targets);
        hash.split(&data.split);
    }
    hash.0.finalize().into()
}

/// Hashes fields one behind the other, each with its length before it.
struct Fields(Sha256);

impl Fields {
    fn bytes(&mut self, bytes: &[u8]) {
        self.0.update((bytes.len() as u64).to_le_bytes());
        self.0.update(bytes);
    }

    fn names(&mut self, names: &[String]) {
        self.indices(&[names.len()]);
        names.iter().for_each(|name| self.bytes(name.as_bytes()));
    }

    fn numbers(&mut self, values: &[f32]) {
        self.indices(&[values.len()]);
        values.iter().for_each(|value| self.0.update(value.to_le_bytes()));
    }

    fn indices(&mut self, values: &[usize]) {
        self.0.update((values.len() as u64).to_le_bytes());
        values
            .iter()
            .for_each(|&value| self.0.update((value as u64).to_le_bytes()));
    }

    fn split(&mut self, split: &Split) {
        [&split.train, &split.validation, &split.test]
            .into_iter()
            .for_each(|part| self.indices(part));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{ClassificationData, Readings};

    fn dataset() -> Dataset {
        Dataset {
            classification: Some(ClassificationData {
                readings: Readings {
                    features: vec!["a".into(), "b".into()],
                    values: vec![1.0, 2.0, 3.0, 4.0],
                },
                classes: vec!["p".into(), "q".into()],
                labels: vec![0, 1],
                split: Split::default(),
            }),
            ..Dataset::default()
        }
    }

    #[test]
    fn every_change_changes_the_fingerprint() {
        let base = fingerprint(&dataset());
        assert_eq!(base, fingerprint(&dataset()));
        let changed = |change: fn(&mut ClassificationData)| {
            let mut other = dataset();
            change(other.classification.as_mut().unwrap());
            fingerprint(&other)
        };
        assert_ne!(base, changed(|data| data.readings.values[3] = 4.5));
        assert_ne!(base, changed(|data| data.labels[0] = 1));
        assert_ne!(base, changed(|data| data.classes[0] = "r".into()));
        assert_ne!(base, changed(|data| data.split.test.push(0)));
        assert_ne!(base, fingerprint(&Dataset::default()));
    }

    #[test]
    fn a_difference_is_named() {
        let names = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(check_features("regression", &names("a b"), &names("b a")), Ok(()));
        let error = check_features("regression", &names("a b"), &names("a c"))
            .unwrap_err()
            .to_string();
        assert_eq!(
            error,
            "regression: the columns differ from the model's: missing: b; unknown (name them in `drop`): c"
        );
    }
}
