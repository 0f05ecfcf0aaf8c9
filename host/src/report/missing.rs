//! What a report lacks, and the command that makes it.

use serde::Serialize;

use crate::export::REPORT;

/// Something that is not there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missing {
    /// What, and why.
    pub what: String,
    /// What makes it; none if no command does.
    pub command: Option<String>,
}

/// What was there.
pub(super) struct Found {
    /// The run folder, as it was named.
    pub run: String,
    /// Whether the run was quantised.
    pub blob: bool,
    /// Whether the quantiser's report is of this blob.
    pub layer_errors: bool,
    /// Whether a device said something about this blob.
    pub device: bool,
    /// Devices that spoke of other blobs.
    pub other_devices: Vec<String>,
    /// Heads without test rows.
    pub unjudged: Vec<&'static str>,
}

impl Found {
    /// What to say about what was not.
    pub fn missing(&self) -> Vec<Missing> {
        let run = &self.run;
        let quantize = || Some(format!("trident quantize {run}"));
        let on_device = || Some(format!("trident eval {run} --on qemu:mps2-an386"));
        let mut missing = Vec::new();
        let mut note = |what: String, command| missing.push(Missing { what, command });
        for head in &self.unjudged {
            note(
                format!(
                    "The {head} head has no test rows, so nothing is said about what it is worth; `test` under [split] keeps some back."
                ),
                None,
            );
        }
        if !self.blob {
            note(
                "The run is not quantised yet: int8 figures, arena and costs are missing.".into(),
                quantize(),
            );
        } else if !self.layer_errors {
            note(
                format!("{REPORT} is not there or of another blob, so the int8 error per layer is missing."),
                quantize(),
            );
        }
        for on in self.other_devices.iter().filter(|_| self.blob) {
            note(
                format!("What {on} said was about another blob and is left out."),
                Some(format!("trident eval {run} --on {on}")),
            );
        }
        if self.blob && !self.device && self.other_devices.is_empty() {
            note(
                "No device has run this blob yet: instructions per head are missing.".into(),
                on_device(),
            );
        }
        missing
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found() -> Found {
        Found {
            run: "runs/a".into(),
            blob: true,
            layer_errors: true,
            device: true,
            other_devices: Vec::new(),
            unjudged: Vec::new(),
        }
    }

    #[test]
    fn what_is_missing_comes_with_the_command_that_makes_it() {
        let commands = |found: Found| -> Vec<String> {
            found
                .missing()
                .into_iter()
                .filter_map(|missing| missing.command)
                .collect()
        };
        assert_eq!(found().missing(), []);
        assert_eq!(commands(Found { blob: false, ..found() }), ["trident quantize runs/a"]);
        assert_eq!(
            commands(Found {
                layer_errors: false,
                ..found()
            }),
            ["trident quantize runs/a"]
        );
        let on = "trident eval runs/a --on qemu:mps2-an386";
        assert_eq!(
            commands(Found {
                device: false,
                ..found()
            }),
            [on]
        );
        let stale = Found {
            device: false,
            other_devices: vec!["serial:/dev/ttyACM0".into()],
            ..found()
        };
        assert_eq!(commands(stale), ["trident eval runs/a --on serial:/dev/ttyACM0"]);
        let unjudged = Found {
            unjudged: vec!["regression"],
            ..found()
        };
        assert_eq!(unjudged.missing().len(), 1);
    }
}
