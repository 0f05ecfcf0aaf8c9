//! `trident report`: one page that needs nothing else, and the numbers behind it.

use serde_json::Value;
use trident_tests::command::Folder;
use trident_tests::own_data::{Masks, by_sum, pictures, table};

use crate::{folder, trained};

fn page(folder: &Folder, name: &str) -> String {
    String::from_utf8(folder.read(name)).expect("text")
}

/// The section under that id.
#[track_caller]
fn section<'p>(page: &'p str, id: &str) -> &'p str {
    let start = page.find(&format!("<section id=\"{id}\">"));
    let rest = &page[start.unwrap_or_else(|| panic!("no section {id}"))..];
    &rest[..rest.find("</section>").expect("it ends")]
}

#[test]
fn a_run_has_a_page_with_every_section() {
    let folder = trained();
    let said = folder.trident("report run").succeeds();
    for phrase in ["classification", "mean IoU", "wrote run/report.html"] {
        assert!(said.stdout.contains(phrase), "should say `{phrase}`: {said:#?}");
    }
    let page = page(&folder, "run/report.html");
    for (id, words) in [
        ("summary", &["AUC", "parameters", "SHA-256", "CRC-32"][..]),
        (
            "training",
            &[
                "Loss",
                "Validation AUC",
                "no validation rows, so the last weights were kept",
                "Learning rate",
            ],
        ),
        (
            "classification",
            &["Receiver operating curve", "Calibration", "true ╲ taken for"],
        ),
        ("segmentation", &["IoU, int8", "disc", "data:image/png;base64,"]),
        (
            "regression",
            &["Predicted against true", "Residuals", "Rows missed by most"],
        ),
        ("int8", &["int8 against float", "decisions changed"]),
        ("layers", &["DepthwiseConv2d", "signal / noise", "worst"]),
        ("memory", &["arena-map", "where the most lives"]),
        ("costs", &["head alone", "nodes of the blob"]),
    ] {
        let section = section(&page, id);
        assert!(page.contains(&format!("href=\"#{id}\"")), "{id} is not in the contents");
        for word in words {
            assert!(section.contains(word), "{id} should hold `{word}`");
        }
    }
    assert!(
        page.contains("trident eval run --on qemu:mps2-an386"),
        "what no device said is not told"
    );
}

#[test]
fn the_page_loads_nothing_and_its_ids_are_its_own() {
    let folder = trained();
    folder.trident("report run -o page.html").succeeds();
    assert!(!folder.files().contains(&"run/report.html".to_owned()));
    let page = page(&folder, "page.html");
    assert!(page.contains("default-src 'none'"));
    for forbidden in ["<script", "<link", "<iframe", "@import", "javascript:"] {
        assert!(!page.contains(forbidden), "holds `{forbidden}`");
    }
    // Addresses are of this page or of data in it; a namespace is a name and loads nothing.
    for attribute in ["src=\"", "href=\"", "url("] {
        for rest in page.split(attribute).skip(1) {
            assert!(
                rest.starts_with('#') || rest.starts_with("data:"),
                "{attribute}{}",
                &rest[..40]
            );
        }
    }
    let without_names = page.replace("xmlns=\"http://www.w3.org/2000/svg\"", "");
    assert!(!without_names.contains("http://") && !without_names.contains("https://"));
    let mut ids: Vec<&str> = page
        .split(" id=\"")
        .skip(1)
        .filter_map(|rest| rest.split('"').next())
        .collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), all, "{ids:?}");
}

#[test]
fn the_figures_are_those_of_eval() {
    let folder = trained();
    let report = folder.trident("report run --json").succeeds().json();
    for (on, key) in [("float", "float"), ("int8", "int8")] {
        let judged = folder.trident(&format!("eval run --on {on} --json")).succeeds().json();
        let heads = report["summary"]["heads"].as_array().expect("a list");
        assert_eq!(heads.len(), 3);
        for head in heads {
            assert_eq!(head[key], judged["heads"][head["head"].as_str().expect("a name")]);
        }
    }
    let auc = &report["summary"]["heads"][0]["int8"]["auc"];
    let drawn = &report["classification"]["int8"]["roc"][0]["auc"];
    assert_eq!(auc, drawn);
}

#[test]
fn the_numbers_behind_every_plot_are_printed() {
    let folder = trained();
    let report = folder.trident("report run --json").succeeds().json();
    let length = |value: &Value| value.as_array().unwrap_or_else(|| panic!("no list: {value}")).len();
    for head in ["classification", "segmentation", "regression"] {
        assert_eq!(length(&report["training"][head]["epochs"]), 2);
        let rounding = &report["rounding"][head];
        let values = rounding["values"].as_u64().expect("a number") as usize;
        assert_eq!(length(&rounding["points"]), values);
        let bars = rounding["differences"]["counts"].as_array().expect("a list");
        let counted: u64 = bars.iter().filter_map(Value::as_u64).sum();
        assert_eq!(counted as usize, values);
    }
    for view in ["float", "int8"] {
        let classification = &report["classification"][view];
        let cells = classification["confusion"]
            .as_array()
            .expect("a table")
            .iter()
            .flat_map(|row| row.as_array().expect("a row"));
        let rows: u64 = cells.filter_map(Value::as_u64).sum();
        assert_eq!(Some(rows), report["classification"]["rows"].as_u64());
        let bins = classification["calibration"]["bins"].as_array().expect("a list");
        assert_eq!(bins.iter().filter_map(|bin| bin["cases"].as_u64()).sum::<u64>(), rows);
        assert_eq!(length(&report["segmentation"][view]["per_class"]), 3);
    }
    let layers = report["layers"].as_array().expect("a list");
    for head in ["classification", "segmentation", "regression"] {
        let of_head: Vec<&Value> = layers
            .iter()
            .filter(|layer| layer["heads"] == serde_json::json!([head]))
            .collect();
        let least = of_head
            .iter()
            .filter_map(|layer| layer["snr_db"].as_f64())
            .fold(f64::INFINITY, f64::min);
        let marked: Vec<Option<f64>> = of_head
            .iter()
            .filter(|layer| layer["worst"] == true)
            .map(|layer| layer["snr_db"].as_f64())
            .collect();
        assert_eq!(marked, [Some(least)], "{head}");
    }
    let tiles = report["segmentation"]["worst"].as_array().expect("a list");
    let wrong: Vec<u64> = tiles
        .iter()
        .filter_map(|tile| tile["int8"]["wrong_pixels"].as_u64())
        .collect();
    assert!(!wrong.is_empty() && wrong.is_sorted_by(|a, b| a >= b), "{wrong:?}");
    assert!(length(&report["regression"]["points"]) > 0 && length(&report["regression"]["worst"]) > 0);
    assert!(
        length(&report["layers"]) > 0
            && length(&report["costs"]["nodes"]) > 0
            && length(&report["arena"]["blocks"]) > 0
    );
    assert!(folder.files().contains(&"run/report.html".to_owned()));
}

#[test]
fn a_run_that_is_not_quantised_says_what_is_missing() {
    let folder = trained();
    std::fs::remove_file(folder.path("run/model.tri")).expect("it was there");
    let said = folder.trident("report run").succeeds();
    assert!(said.stdout.contains("`trident quantize run` makes it"), "{said:#?}");
    let page = page(&folder, "run/report.html");
    assert!(page.contains("not quantised yet") && page.contains("trident quantize run"));
    assert!(section(&page, "classification").contains("float") && !page.contains("id=\"memory\""));
    assert!(!section(&page, "layers").contains("signal / noise"));
    let report = folder.trident("report run --json").succeeds().json();
    assert_eq!(report["summary"]["heads"][0]["int8"], Value::Null);
    assert_eq!(report["regression"]["float_only"], true);
}

#[test]
fn layer_errors_of_another_blob_are_left_out() {
    let folder = trained();
    let mut report: Value = serde_json::from_slice(&folder.read("run/quantize.json")).expect("JSON");
    report["blob_bytes"] = 1.into();
    folder.write("run/quantize.json", report.to_string());
    folder.trident("report run").succeeds();
    let page = page(&folder, "run/report.html");
    assert!(
        page.contains("quantize.json is not there or of another blob"),
        "it is not told"
    );
    assert!(!section(&page, "layers").contains("signal / noise"));
}

#[test]
fn what_comes_from_data_stays_text() {
    let folder = folder();
    let names = ["<script>alert(1)</script>", "\"quoted\" & <b>", "plain"];
    let rows = table(300, &["a<i>", "b&c", "d"], "kind", by_sum(&names));
    // A field with quotation marks is quoted, and they are doubled.
    folder.write("rows.csv", rows.replace(names[1], "\"\"\"quoted\"\" & <b>\""));
    pictures(&folder, 40, [16, 16], Masks::Indices, false);
    std::fs::rename(folder.path("images/003.png"), folder.path("images/<img src=x>.png")).expect("it is renamed");
    std::fs::rename(folder.path("masks/003.png"), folder.path("masks/<img src=x>.png")).expect("it is renamed");
    folder.write(
        "trident.toml",
        "[split]\nvalidation = 0.2\ntest = 0.7\n[classification]\ncsv = \"rows.csv\"\nlabel = \"kind\"\n[segmentation]\nimages = \"images\"\n\
         masks = \"masks\"\nclasses = [\"<script>\", \"</style>\", \"c\"]\nsize = [16, 16]\n",
    );
    folder.trident("train -c trident.toml -o run --epochs 1").succeeds();
    folder.trident("quantize run").succeeds();
    folder.trident("report run").succeeds();
    let page = page(&folder, "run/report.html");
    for raw in ["<script", "<b>", "<i>", "<img src=x>"] {
        assert!(!page.contains(raw), "holds `{raw}`");
    }
    assert_eq!(
        page.matches("</style>").count(),
        1 + 1,
        "that of the page and that of the arena's drawing"
    );
    for escaped in [
        "&lt;script&gt;alert(1)&lt;/script&gt;",
        "&quot;quoted&quot; &amp; &lt;b&gt;",
        "&lt;/style&gt;",
    ] {
        assert!(page.contains(escaped), "should hold `{escaped}`");
    }
    // Three classes: each against the rest.
    assert!(section(&page, "classification").contains("each class against the rest"));
}

#[test]
fn without_test_rows_training_and_costs_are_left() {
    let folder = folder();
    folder.write("rows.csv", table(200, &["a", "b"], "kind", by_sum(&["no", "yes"])));
    folder.write(
        "trident.toml",
        "[split]\ntest = 0.0\n[classification]\ncsv = \"rows.csv\"\nlabel = \"kind\"\n",
    );
    folder.trident("train -c trident.toml -o run --epochs 1").succeeds();
    folder.trident("quantize run").succeeds();
    folder.trident("report run").succeeds();
    let page = page(&folder, "run/report.html");
    assert!(page.contains("has no test rows") && !page.contains("id=\"classification\""));
    assert!(section(&page, "training").contains("Loss") && section(&page, "costs").contains("classification"));
}

#[test]
fn a_report_that_cannot_be_made_says_why_and_leaves_nothing() {
    let folder = trained();
    let before = folder.files();
    folder
        .trident("report nowhere")
        .fails(&["nowhere: not a run folder", "trident train -o nowhere"]);
    folder
        .trident("report run -o nowhere/page.html")
        .fails(&["cannot write nowhere/page.html", "-o"]);
    let history = folder.read("run/history.json");
    folder.write("run/history.json", "{");
    folder.trident("report run").fails(&["run/history.json"]);
    folder.write("run/history.json", history);
    let levels = folder.read("levels.csv");
    std::fs::remove_file(folder.path("levels.csv")).expect("it was there");
    folder.trident("report run").fails(&["levels.csv"]);
    folder.write("levels.csv", [&levels[..], b"1,2,3,4\n"].concat());
    folder
        .trident("report run")
        .fails(&["the data have changed", "train again"]);
    std::fs::remove_file(folder.path("run/weights.bin")).expect("it was there");
    folder
        .trident("report run")
        .fails(&["weights.bin", "trident train -o run --resume"]);
    let after: Vec<String> = before.into_iter().filter(|name| name != "run/weights.bin").collect();
    assert_eq!(folder.files(), after, "something was left behind");
}

#[test]
fn a_damaged_blob_is_refused() {
    let folder = trained();
    let mut blob = folder.read("run/model.tri");
    let middle = blob.len() / 2;
    blob[middle] ^= 4;
    folder.write("run/model.tri", &blob);
    folder
        .trident("report run")
        .fails(&["run/model.tri is refused", "`trident quantize run` writes it anew"]);
}
