//! Images for the board that run one workload in a peer's engine: what they are made of, and how they are built.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::device::Board;
use crate::toolchain::{Compiler, Toolchain};

/// The function that does one inference.
pub(super) const SYMBOL: &str = "trident_peer_run";
/// Its call that is traced: in the first an engine may set itself up.
pub(super) const TRACED_CALL: u32 = 2;

/// An engine that is a crate.
pub(super) struct Engine {
    /// Its name and version.
    pub name: &'static str,
    package: &'static str,
    /// Features of the package besides the workload's.
    features: &'static [&'static str],
    /// Whether it compiles TensorFlow Lite's files.
    pub reads_tflite: bool,
    manifest: &'static str,
    sources: &'static [(&'static str, &'static str)],
    /// What it does of each workload.
    pub shapes: &'static [Shape],
}

/// A workload in an engine.
pub(super) struct Shape {
    /// The workload.
    pub workload: &'static str,
    feature: &'static str,
    /// What is not quite the same.
    pub note: Option<&'static str>,
    /// Why it cannot be built.
    pub cannot: Option<&'static str>,
}

impl Shape {
    const fn new(workload: &'static str, feature: &'static str) -> Self {
        Self {
            workload,
            feature,
            note: None,
            cannot: None,
        }
    }

    const fn but(mut self, note: &'static str) -> Self {
        self.note = Some(note);
        self
    }

    const fn cannot(mut self, reason: &'static str) -> Self {
        self.cannot = Some(reason);
        self
    }
}

const W1: Shape = Shape::new("W1", "w1");
const W2: Shape = Shape::new("W2", "w2");
const W3: Shape = Shape::new("W3", "w3");
const W4: Shape = Shape::new("W4", "w4");

/// All files of all images, as they lie beside this one.
macro_rules! sources {
    ($($file:literal from $folder:literal),* $(,)?) => {
        &[$(($file, include_str!(concat!("images/", $folder, "/", $file)))),*]
    };
}

const COMMON: &[(&str, &str)] = &[
    ("build.rs", include_str!("images/build.rs")),
    ("memory.x", include_str!("images/memory.x")),
    ("src/main.rs", include_str!("images/main.rs")),
    ("src/start.rs", include_str!("images/start.rs")),
];

const BURN_SHAPES: &[Shape] = &[W1, W2, W3.cannot("28 MB of f32 weights, and the board has 16 MB"), W4];
const BURN_MANIFEST: &str = include_str!("images/burn/Cargo.toml.in");
const BURN_SOURCES: &[(&str, &str)] =
    sources!["layers.rs" from "burn", "perceptron.rs" from "burn", "w4.rs" from "burn"];

/// The engines, each with every workload.
pub(super) const ENGINES: &[Engine] = &[
    Engine {
        name: "microflow 0.1.3",
        package: "peer-microflow",
        features: &[],
        reads_tflite: true,
        manifest: include_str!("images/microflow/Cargo.toml.in"),
        sources: sources!["layers.rs" from "microflow", "perceptron.rs" from "microflow"],
        shapes: &[
            W1.but("without the sigmoid, which it lacks"),
            W2.but("without the sigmoid, which it lacks"),
            W3.cannot("it has no max-pooling"),
            W4.cannot("it has no upsampling"),
        ],
    },
    Engine {
        name: "embedded-nn 0.2.3",
        package: "peer-embedded-nn",
        features: &[],
        reads_tflite: false,
        manifest: include_str!("images/embedded-nn/Cargo.toml.in"),
        sources: sources![
            "layers.rs" from "embedded-nn", "perceptron.rs" from "embedded-nn", "w3.rs" from "embedded-nn",
            "w4.rs" from "embedded-nn",
        ],
        shapes: &[W1, W2, W3, W4.but("the upsampling, which it lacks, by a plain loop")],
    },
    Engine {
        name: "burn-flex 0.22.1, f32",
        package: "peer-burn",
        features: &["flex"],
        reads_tflite: false,
        manifest: BURN_MANIFEST,
        sources: BURN_SOURCES,
        shapes: BURN_SHAPES,
    },
    Engine {
        name: "burn-ndarray 0.22.1, f32",
        package: "peer-burn",
        features: &["ndarray"],
        reads_tflite: false,
        manifest: BURN_MANIFEST,
        sources: BURN_SOURCES,
        shapes: BURN_SHAPES,
    },
];

/// Writes the package, builds it for a workload and gives its ELF file, or why there is none.
///
/// `models` are files that belong beside its manifest.
pub(super) fn build(
    engine: &Engine,
    shape: &Shape,
    models: &[PathBuf],
    folder: &Path,
    toolchain: &Toolchain,
    board: &Board,
) -> Result<PathBuf, String> {
    let package = folder.join([&[engine.package], engine.features].concat().join("-"));
    write_package(engine, models, &package).map_err(|error| format!("cannot write {}: {error}", package.display()))?;
    let compiler = toolchain.compiler(board.target).map_err(|error| error.to_string())?;
    let mut command = compiler.cargo("build", board.target);
    if matches!(compiler, Compiler::Distribution { .. }) {
        // Cargo takes the last such argument; most engines allocate.
        command.arg("-Zbuild-std=core,alloc");
    }
    let features = [&[shape.feature], engine.features].concat().join(",");
    let target_folder = folder.join("build");
    command
        .current_dir(&package)
        .args(["--release", "--features", &features, "--target-dir"])
        .arg(&target_folder)
        .stdin(Stdio::null());
    let output = command.output().map_err(|error| format!("cannot run Cargo: {error}"))?;
    if !output.status.success() {
        return Err(format!(
            "it does not build: {}",
            first_error(&String::from_utf8_lossy(&output.stderr))
        ));
    }
    Ok(target_folder.join(board.target).join("release").join(engine.package))
}

fn write_package(engine: &Engine, models: &[PathBuf], package: &Path) -> std::io::Result<()> {
    fs::create_dir_all(package.join("src"))?;
    write(&package.join("Cargo.toml"), engine.manifest.as_bytes())?;
    for (file, text) in COMMON {
        write(&package.join(file), text.as_bytes())?;
    }
    for (file, text) in engine.sources {
        write(&package.join("src").join(file), text.as_bytes())?;
    }
    for model in models {
        write(&package.join(model.file_name().unwrap_or_default()), &fs::read(model)?)?;
    }
    Ok(())
}

/// Leaves a file alone that is as it should be, so that Cargo does not build anew.
fn write(path: &Path, bytes: &[u8]) -> std::io::Result<()> {
    match fs::read(path) {
        Ok(old) if old == bytes => Ok(()),
        _ => fs::write(path, bytes),
    }
}

/// The first error that Cargo or the compiler tells, or all of it if none is marked as one.
fn first_error(output: &str) -> &str {
    output
        .lines()
        .find(|line| line.starts_with("error"))
        .unwrap_or(output)
        .trim()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bench::Workload;

    #[test]
    fn every_engine_has_every_workload_or_says_why_not() {
        for engine in ENGINES {
            let workloads: Vec<&str> = engine.shapes.iter().map(|shape| shape.workload).collect();
            assert_eq!(workloads, ["W1", "W2", "W3", "W4"], "{}", engine.name);
            for shape in engine.shapes.iter().filter(|shape| shape.cannot.is_none()) {
                assert!(Workload::named(shape.workload).is_some(), "{}", shape.workload);
                let file = match shape.feature {
                    "w1" | "w2" => "perceptron.rs".to_owned(),
                    feature => format!("{feature}.rs"),
                };
                let has = engine.sources.iter().any(|(name, _)| *name == file);
                assert!(has, "{} on {}", engine.name, shape.workload);
            }
        }
    }

    #[test]
    fn the_reason_is_the_compilers_first_error() {
        let output =
            "   Compiling x v0.0.0\nwarning: unused\nerror[E0433]: cannot find type `Model`\nerror: could not compile";
        assert_eq!(first_error(output), "error[E0433]: cannot find type `Model`");
        assert_eq!(first_error("no network\n"), "no network");
    }
}
