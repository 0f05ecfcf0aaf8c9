//! `trident plan`: what lies where in the arena, as text, as JSON and as an SVG.

use serde_json::Value;

use crate::trained;

fn number(value: &Value) -> u64 {
    value.as_u64().unwrap_or_else(|| panic!("not a whole number: {value}"))
}

#[test]
fn a_run_is_shown_and_drawn() {
    let folder = trained();
    let said = folder.trident("plan run").succeeds();
    for phrase in [
        " Picture",
        "The arena takes ",
        "The most, ",
        "segmentation",
        "wrote run/plan.svg",
    ] {
        assert!(said.stdout.contains(phrase), "should say `{phrase}`: {said:#?}");
    }
    let widest = said.stdout.lines().map(|line| line.chars().count()).max();
    assert!(widest <= Some(120), "{widest:?} columns: {}", said.stdout);
    let svg = String::from_utf8(folder.read("run/plan.svg")).expect("text");
    assert!(
        svg.starts_with("<svg ") && svg.contains("<title id=\"arena-title\">"),
        "{svg}"
    );
    assert!(
        svg.contains("role=\"img\"") && svg.contains("prefers-color-scheme: dark"),
        "{svg}"
    );
}

#[test]
fn blocks_that_live_together_lie_apart_and_add_up_to_the_bound() {
    let folder = trained();
    let map = folder.trident("plan run --json").succeeds().json();
    let quantized: Value = serde_json::from_slice(&folder.read("run/quantize.json")).expect("JSON");
    assert_eq!(map["arena_bytes"], quantized["arena_bytes"]);
    let [arena, bound, gap] = ["arena_bytes", "lower_bound_bytes", "gap_bytes"].map(|key| number(&map[key]));
    assert_eq!(arena, bound + gap);
    // Our own plans aim at 5 %.
    assert!(gap * 20 <= bound, "{gap} bytes above {bound}");

    let blocks = map["blocks"].as_array().expect("a list");
    let of = |block: &Value| ["offset", "bytes", "first_step", "last_step"].map(|key| number(&block[key]));
    for (index, block) in blocks.iter().enumerate() {
        let [offset, bytes, first, last] = of(block);
        assert!(offset + bytes <= arena && first <= last, "{block}");
        for other in &blocks[..index] {
            let [other_offset, other_bytes, other_first, other_last] = of(other);
            let together = first <= other_last && other_first <= last;
            let apart = offset + bytes <= other_offset || other_offset + other_bytes <= offset;
            assert!(apart || !together, "{block} and {other} share bytes");
        }
    }
    let nodes = map["nodes"].as_array().expect("a list");
    let most = nodes.iter().map(|node| number(&node["live_bytes"])).max();
    assert_eq!(most, Some(bound));
    for head in map["heads"].as_array().expect("a list") {
        let [least, end] = ["lower_bound_bytes", "end_bytes"].map(|key| number(&head[key]));
        assert!(least <= end && end <= arena && least <= bound, "{head}");
    }
}

#[test]
fn a_blob_alone_is_drawn_only_where_a_file_is_named() {
    let folder = trained();
    folder.write("alone.tri", folder.read("run/model.tri"));
    let before = folder.files();
    let said = folder.trident("plan alone.tri").succeeds();
    assert!(!said.stdout.contains("wrote"), "{said:#?}");
    assert_eq!(folder.files(), before);
    folder.trident("plan alone.tri -o here.svg").succeeds();
    folder.trident("plan run -o there.svg").succeeds();
    assert_eq!(folder.read("here.svg"), folder.read("there.svg"));
    assert!(!folder.files().contains(&"run/plan.svg".to_owned()));
}

#[test]
fn what_is_no_blob_is_refused_with_a_way_out() {
    let folder = trained();
    folder
        .trident("plan nowhere.tri")
        .fails(&["cannot read nowhere.tri", "name a run folder or a blob"]);
    folder
        .trident("plan images/000.png")
        .fails(&["images/000.png is refused: not a trident blob", "trident quantize RUN"]);
    folder
        .trident("plan images")
        .fails(&["images: not a run folder", "trident train -o images"]);

    let mut blob = folder.read("run/model.tri");
    let middle = blob.len() / 2;
    blob[middle] ^= 4;
    folder.write("run/model.tri", &blob);
    folder.trident("plan run").fails(&[
        "run/model.tri is refused: damaged: CRC-32 stored",
        "`trident quantize run` writes it anew",
    ]);
    std::fs::remove_file(folder.path("run/model.tri")).expect("it was there");
    folder
        .trident("plan run")
        .fails(&["run has no model.tri yet; `trident quantize run` makes it"]);
}

#[test]
fn a_drawing_that_cannot_be_written_is_an_error() {
    let folder = trained();
    folder
        .trident("plan run -o nowhere/plan.svg")
        .fails(&["cannot write nowhere/plan.svg", "name another file with `-o`"]);
}
