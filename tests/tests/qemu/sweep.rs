//! What a sweep foretells a run to take is what the firmware counts when it serves, but for what watching over it takes.

use trident_tests::command::Folder;
use trident_tests::own_data::{THREE_HEADS, three_heads};

use crate::TRIDENT;

const GRID: &str = "
[sweep.regression]
widths = [[8], [32, 16]]
[train.regression]
epochs = 2
";

#[test]
fn instructions_are_those_of_the_device() {
    let folder = Folder::new(TRIDENT);
    three_heads(&folder);
    folder.write("trident.toml", format!("{THREE_HEADS}{GRID}"));
    let words = "sweep -o swept --heads regression --epochs-share 1 --instructions 1000000 --json";
    let report = folder.trident(words).succeeds().json();
    assert_eq!(report["board"], "mps2-an386");
    for candidate in report["heads"][0]["candidates"].as_array().unwrap() {
        let foretold = candidate["cost"]["instructions"].as_f64().unwrap();
        let run = format!("swept/runs/regression/{}-e2", candidate["name"].as_str().unwrap());
        folder.trident(&format!("quantize {run}")).succeeds();
        let words = format!("eval {run} --on qemu:mps2-an386 --json");
        let counted = folder.trident(&words).succeeds().json()["instructions"]["regression"]
            .as_f64()
            .unwrap();
        // The sweep foretells the network's run. The firmware watches over its readings and codes besides, some hundreds.
        assert!(
            (0.0..900.0).contains(&(counted - foretold)),
            "{foretold} foretold, {counted} counted"
        );
    }
    folder
        .trident("sweep -o none --heads regression --instructions 100")
        .fails(&["`--instructions 100`", "regression 8", "instructions"]);
}
