//! Instructions that workloads took when somebody last looked, by target and compiler, and whether they grew since.
//!
//! `baselines/instructions.toml` holds them; `BLESS=1` writes the present figures for the present compiler into it and leaves those
//! of other compilers alone.

use std::collections::BTreeMap;
use std::path::PathBuf;

use crate::golden::workspace;

/// Growth that is let pass with the compiler of the baseline, in per cent.
const SAME_COMPILER: u64 = 1;
/// Growth that is let pass with another compiler, in per cent.
const OTHER_COMPILER: u64 = 15;

/// Instructions by workload.
pub type Counts = BTreeMap<String, u64>;

/// Instructions by target, compiler and workload.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Baselines(BTreeMap<String, BTreeMap<String, Counts>>);

impl Baselines {
    /// Reads the file.
    ///
    /// # Panics
    /// If it cannot be read.
    pub fn read() -> Self {
        let path = path();
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        Self(toml::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// Writes the file.
    ///
    /// # Panics
    /// If it cannot be written.
    pub fn write(&self) {
        let path = path();
        let text = toml::to_string(&self.0).expect("plain data always encode");
        let text =
            format!("# Instructions of `trident bench`, by target and compiler. BLESS=1 rewrites them.\n\n{text}");
        std::fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Puts these figures in place of what that compiler had.
    pub fn set(&mut self, target: &str, compiler: &str, counts: Counts) {
        let of_target = self.0.entry(target.to_owned()).or_default();
        of_target.insert(compiler.to_owned(), counts);
    }

    /// By how many per cent a fixed limit may be exceeded: by none with a compiler that has a baseline.
    pub fn slack(&self, target: &str, compiler: &str) -> u64 {
        let known = self
            .0
            .get(target)
            .is_some_and(|compilers| compilers.contains_key(compiler));
        if known { 0 } else { OTHER_COMPILER }
    }

    /// Compares with the baseline of that compiler, or, where there is none, of another one; says which it was.
    ///
    /// # Errors
    /// Workloads that grew too much or have no baseline, each in words.
    pub fn compare(&self, target: &str, compiler: &str, counts: &Counts) -> Result<String, String> {
        let of_target = self.0.get(target);
        let same = of_target.and_then(|compilers| compilers.get_key_value(compiler));
        let other = || of_target.and_then(|compilers| compilers.last_key_value());
        let Some((baseline, expected)) = same.or_else(other) else {
            return Err(format!("no baseline for {target}; BLESS=1 makes one"));
        };
        let allowed = if same.is_some() { SAME_COMPILER } else { OTHER_COMPILER };
        let compared = format!("compared with {baseline} on {target}, {allowed} % allowed");
        let fault = |(name, &count): (&String, &u64)| match expected.get(name) {
            None => Some(format!("{name} has no baseline")),
            Some(&before) if count * 100 > before * (100 + allowed) => {
                Some(format!("{name} takes {count} instructions, {before} before"))
            }
            Some(_) => None,
        };
        let faults: Vec<String> = counts.iter().filter_map(fault).collect();
        if faults.is_empty() {
            return Ok(compared);
        }
        Err(format!(
            "{}\n{compared} (this is {compiler}); if it is meant, run again with BLESS=1",
            faults.join("\n")
        ))
    }
}

fn path() -> PathBuf {
    workspace().join("tests/baselines/instructions.toml")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(count: u64) -> Counts {
        Counts::from([("W1".to_owned(), count)])
    }

    fn compare(compiler: &str, count: u64) -> Result<String, String> {
        let mut baselines = Baselines::default();
        baselines.set("m4", "rustc 1", counts(10_000));
        baselines.compare("m4", compiler, &counts(count))
    }

    #[test]
    fn fixed_limits_hold_for_compilers_with_a_baseline() {
        let mut baselines = Baselines::default();
        baselines.set("m4", "rustc 1", counts(10_000));
        assert_eq!(baselines.slack("m4", "rustc 1"), 0);
        assert_eq!(baselines.slack("m4", "rustc 2"), OTHER_COMPILER);
        assert_eq!(baselines.slack("m0", "rustc 1"), OTHER_COMPILER);
    }

    #[test]
    fn the_same_compiler_may_grow_by_one_per_cent() {
        assert!(compare("rustc 1", 10_100).unwrap().contains("rustc 1"));
        let refused = compare("rustc 1", 10_101).unwrap_err();
        assert!(
            refused.contains("W1 takes 10101 instructions, 10000 before"),
            "{refused}"
        );
        assert!(compare("rustc 1", 1).is_ok());
    }

    #[test]
    fn another_compiler_may_differ_by_more_and_is_named() {
        assert!(compare("rustc 2", 11_500).unwrap().contains("rustc 1"));
        let refused = compare("rustc 2", 11_501).unwrap_err();
        assert!(
            refused.contains("compared with rustc 1") && refused.contains("this is rustc 2"),
            "{refused}"
        );
    }

    #[test]
    fn what_has_no_baseline_fails() {
        let baselines = Baselines::default();
        assert!(baselines.compare("m4", "rustc 1", &counts(1)).is_err());
        let other = Counts::from([("W2".to_owned(), 1)]);
        let mut baselines = Baselines::default();
        baselines.set("m4", "rustc 1", counts(1));
        assert!(baselines.compare("m4", "rustc 1", &other).unwrap_err().contains("W2"));
    }
}
