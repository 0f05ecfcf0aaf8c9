//! What a device said is kept in the run folder, and the report tells it as long as it is about the same blob.

use serde_json::Value;
use trident_tests::command::Folder;
use trident_tests::own_data::three_heads;

use crate::TRIDENT;

const FILE: &str = "run/evaluation-qemu-mps2-an386.json";

#[test]
fn the_report_tells_what_a_device_said_about_this_very_blob() {
    let folder = Folder::new(TRIDENT);
    three_heads(&folder);
    folder.trident("train -o run --epochs 1").succeeds();
    folder.trident("quantize run").succeeds();
    folder.write("other.toml", folder.read("trident.toml"));
    folder
        .trident("eval run --on qemu:mps2-an386 --data other.toml")
        .succeeds();
    assert!(
        !folder.files().contains(&FILE.to_owned()),
        "other data say nothing about the run's test rows"
    );
    let said = folder.trident("eval run --on qemu:mps2-an386 --json").succeeds().json();
    assert_eq!(said["kept"], FILE);

    let report = folder.trident("report run --json").succeeds().json();
    assert_eq!(report["devices"][0]["instructions"], said["instructions"]);
    assert_eq!(report["devices"][0]["heads"], said["heads"]);
    assert_eq!(report["missing"], Value::Array(Vec::new()));
    let page = String::from_utf8(folder.read("run/report.html")).expect("text");
    assert!(page.contains("instructions, qemu:mps2-an386") && page.contains("none differs from int8 on the host"));

    folder.trident("quantize run --sequence 2").succeeds();
    let report = folder.trident("report run --json").succeeds().json();
    assert_eq!(report["devices"], Value::Array(Vec::new()));
    let missing = report["missing"].as_array().expect("a list");
    assert_eq!(missing.len(), 1, "{missing:?}");
    assert_eq!(missing[0]["command"], "trident eval run --on qemu:mps2-an386");
}
