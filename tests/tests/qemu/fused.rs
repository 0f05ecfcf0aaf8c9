//! One trunk for three heads: trained, quantised, and bit for bit on the device, where every head reads every input.

use serde_json::Value;
use trident_tests::command::Folder;

use crate::TRIDENT;

/// Fields whose picture and readings belong together, few enough to train in seconds.
const FIELDS: &str = r#"
[split]
aligned = true
[classification]
csv = "builtin:aligned"
label = "advice"
[segmentation]
images = "builtin:aligned"
classes = ["weed", "crop", "soil"]
size = [16, 16]
count = 150
[regression]
csv = "builtin:aligned"
target = "yield_loss_percent"
[train]
preset = "fused"
balancing = "uncertainty"
"#;

#[test]
fn a_shared_trunk_gives_the_same_bits_on_the_device() {
    let folder = Folder::new(TRIDENT);
    folder.write("trident.toml", FIELDS);
    folder.trident("train -o run --epochs 12").succeeds();
    let report = folder.trident("quantize run --json").succeeds().json();
    let all = serde_json::json!(["classification", "segmentation", "regression"]);
    let layers = report["layers"].as_array().expect("layers");
    assert!(
        layers.iter().filter(|layer| layer["heads"] == all).count() > 12,
        "{report:#}"
    );
    // Few rows leave figures coarse: one row of 30 changing sides moves them more than rounding should.
    for (head, figure) in [
        ("classification", "auc"),
        ("segmentation", "miou"),
        ("regression", "r2"),
    ] {
        let [float, int8] = ["float", "int8"].map(|of| report[of][head][figure].as_f64().expect("a figure"));
        assert!((float - int8).abs() < 0.03, "{head}: float {float}, int8 {int8}");
    }

    let device = folder.trident("eval run --on qemu:mps2-an386 --json").succeeds().json();
    let rows = device["samples"]["regression"].as_u64().expect("a number");
    assert!(rows >= 25, "{device:#}");
    assert_eq!(device["compared_values"].as_u64(), Some(rows * (1 + 16 * 16 * 3 + 1)));
    assert_eq!(device["differing_values"], 0);
    assert_eq!(device["device"]["arena_used"], report["arena_bytes"]);
    for head in ["classification", "segmentation", "regression"] {
        assert_eq!(device["heads"][head], report["int8"][head], "{head}");
        assert!(device["instructions"][head].as_u64() > Some(10_000), "{device:#}");
    }
    folder.trident("inspect run/model.tri --verify").succeeds();

    // Other rows have to belong together too.
    folder.write("apart.toml", FIELDS.replace("aligned = true", "seed = 1"));
    for place in ["float", "int8"] {
        folder
            .trident(&format!("eval run --data apart.toml --on {place}"))
            .fails(&["reads inputs of other heads", "aligned = true"]);
    }
    folder.write("other.toml", FIELDS);
    let float: Value = folder
        .trident("eval run --data other.toml --on float --json")
        .succeeds()
        .json();
    assert_eq!(float["samples"]["segmentation"], 150);
}
