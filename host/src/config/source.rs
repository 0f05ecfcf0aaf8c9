//! Where data come from: a file or folder of the user's, or what is built in.

use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A path, or `builtin:NAME`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// A CSV file or a folder of pictures.
    File(PathBuf),
    /// Data that come with the program.
    Builtin(Builtin),
}

/// Data that come with the program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Builtin {
    /// MAGIC gamma telescope: classification, 10 readings.
    Magic,
    /// Airfoil self-noise: regression, 5 readings.
    Airfoil,
    /// Generated crop/weed/soil tiles: segmentation.
    Tiles,
    /// Uniform random numbers with random labels, for any head.
    Random,
    /// Generated fields of which each shows a picture and two rows of readings that belong together, for any head.
    Aligned,
}

impl Builtin {
    const ALL: [Self; 5] = [Self::Magic, Self::Airfoil, Self::Tiles, Self::Random, Self::Aligned];

    /// As it stands in the configuration.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Magic => "builtin:magic",
            Self::Airfoil => "builtin:airfoil",
            Self::Tiles => "builtin:tiles",
            Self::Random => "builtin:random",
            Self::Aligned => "builtin:aligned",
        }
    }
}

impl From<Builtin> for Source {
    fn from(builtin: Builtin) -> Self {
        Self::Builtin(builtin)
    }
}

impl Serialize for Source {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::File(path) => path.serialize(serializer),
            Self::Builtin(builtin) => serializer.serialize_str(builtin.name()),
        }
    }
}

impl<'de> Deserialize<'de> for Source {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        if !text.starts_with("builtin:") {
            return Ok(Self::File(text.into()));
        }
        let known = Builtin::ALL.into_iter().find(|builtin| builtin.name() == text);
        known.map(Self::Builtin).ok_or_else(|| {
            let names = Builtin::ALL.map(Builtin::name).join(", ");
            serde::de::Error::custom(format!("`{text}` is not built in; there are {names}"))
        })
    }
}

/// `path` as seen from `folder`, without `.` and `..` where they can be resolved by name.
pub(super) fn resolve(folder: &Path, path: &Path) -> PathBuf {
    let mut resolved = PathBuf::new();
    for component in folder.join(path).components() {
        match component {
            Component::CurDir => {}
            Component::ParentDir if matches!(resolved.components().next_back(), Some(Component::Normal(_))) => {
                resolved.pop();
            }
            other => resolved.push(other),
        }
    }
    resolved
}

/// The way from `folder` to `path`, both absolute, if they share more than the root; else `path` itself.
pub(super) fn relative_to(folder: &Path, path: &Path) -> PathBuf {
    let shared = folder.components().zip(path.components()).take_while(|(a, b)| a == b);
    let shared = shared.filter(|(a, _)| matches!(a, Component::Normal(_))).count();
    if shared == 0 {
        return path.to_owned();
    }
    let normal = |path: &Path| -> Vec<PathBuf> {
        let names = path.components().filter(|c| matches!(c, Component::Normal(_)));
        names.map(|c| PathBuf::from(c.as_os_str())).collect()
    };
    let (from, to) = (normal(folder), normal(path));
    let up = from[shared..].iter().map(|_| PathBuf::from(".."));
    up.chain(to[shared..].iter().cloned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_resolved_and_made_relative() {
        let (data, run) = (Path::new("/home/a/data"), Path::new("/home/a/runs/1"));
        let csv = resolve(data, Path::new("../data/./x.csv"));
        assert_eq!(csv, Path::new("/home/a/data/x.csv"));
        assert_eq!(relative_to(run, &csv), Path::new("../../data/x.csv"));
        assert_eq!(relative_to(Path::new("/tmp/run"), &csv), csv);
        assert_eq!(resolve(data, Path::new("/srv/y.csv")), Path::new("/srv/y.csv"));
    }

    #[test]
    fn an_unknown_builtin_lists_those_there_are() {
        let error = serde_json::from_str::<Source>("\"builtin:moon\"")
            .unwrap_err()
            .to_string();
        assert!(error.contains("builtin:magic, builtin:airfoil"), "{error}");
    }
}
