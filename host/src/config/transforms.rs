//! `transforms`: how readings become model inputs.

use std::collections::BTreeMap;

use serde::de::{self, MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::sections::first_repeated;

/// How a reading becomes model inputs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TransformKind {
    /// Mean 0, standard deviation 1.
    Standardise,
    /// Logarithm of the reading plus an offset chosen from the data; for readings of one sign.
    Log,
    /// `sign(x) · ln(1 + |x|/unit)`; for readings of both signs.
    SignedLog,
    /// The normal quantile of the reading's rank.
    Quantile,
}

/// Which transforms: `"auto"`, `"standardise"`, or a table such as `{ speed = ["log", "quantile"], angle = "standardise" }`, in
/// which columns that it does not name are chosen automatically.
#[derive(Clone, Debug, Default, PartialEq)]
pub enum TransformChoice {
    /// Chosen per column from the training rows.
    #[default]
    Auto,
    /// Every reading standardised, nothing else.
    Standardise,
    /// Chosen here for the columns named.
    PerFeature(BTreeMap<String, Vec<TransformKind>>),
}

impl TransformChoice {
    /// What is asked for that column; `None` if it is to be chosen automatically.
    pub fn kinds(&self, feature: &str) -> Option<&[TransformKind]> {
        match self {
            Self::Auto => None,
            Self::Standardise => Some(&[TransformKind::Standardise]),
            Self::PerFeature(table) => table.get(feature).map(Vec::as_slice),
        }
    }
}

impl Serialize for TransformChoice {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Auto => serializer.serialize_str("auto"),
            Self::Standardise => serializer.serialize_str("standardise"),
            Self::PerFeature(table) => table.serialize(serializer),
        }
    }
}

impl<'de> Deserialize<'de> for TransformChoice {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(ChoiceVisitor)
    }
}

struct ChoiceVisitor;

impl<'de> Visitor<'de> for ChoiceVisitor {
    type Value = TransformChoice;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("\"auto\", \"standardise\" or a table from column names to transforms")
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<TransformChoice, E> {
        match text {
            "auto" => Ok(TransformChoice::Auto),
            "standardise" | "standardize" => Ok(TransformChoice::Standardise),
            _ => Err(E::invalid_value(de::Unexpected::Str(text), &self)),
        }
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<TransformChoice, A::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "a transform is one of standardise, log, signed_log, quantile, or a list of 1 to 3 of them"
        )]
        enum OneOrMore {
            One(TransformKind),
            More(Vec<TransformKind>),
        }
        let mut table = BTreeMap::new();
        while let Some((feature, kinds)) = map.next_entry::<String, OneOrMore>()? {
            let kinds = match kinds {
                OneOrMore::One(kind) => vec![kind],
                OneOrMore::More(kinds) => kinds,
            };
            if !(1..=trident::input::MAX_INPUTS_PER_READING).contains(&kinds.len()) || first_repeated(&kinds).is_some()
            {
                return Err(de::Error::custom(format!(
                    "`{feature}` needs 1 to 3 different transforms"
                )));
            }
            table.insert(feature, kinds);
        }
        Ok(TransformChoice::PerFeature(table))
    }
}
