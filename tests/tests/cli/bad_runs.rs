//! Run folders that cannot serve.

use trident_tests::own_data::{THREE_HEADS, three_heads};

use crate::{TRIDENT, folder, refuses_to_train, trained};

#[test]
fn a_run_folder_that_cannot_be_written_is_refused() {
    let folder = folder();
    three_heads(&folder);
    folder.write("file", "in the way");
    let before = folder.files();
    for run in ["file", "file/run", "/proc/trident/run"] {
        let phrase = format!("{run}: cannot write: ");
        folder
            .trident(&format!("train -o {run} --epochs 1"))
            .fails(&[&phrase, "choose a folder of yours with `-o`"]);
        assert_eq!(folder.files(), before);
    }
    assert_eq!(folder.read("file"), b"in the way");
}

#[test]
fn a_run_folder_that_holds_anything_is_left_alone() {
    let folder = folder();
    three_heads(&folder);
    folder.write("run/notes.txt", "mine");
    refuses_to_train(&folder, &["run: the run folder is not empty", "`--resume`", "`-o`"]);
    assert_eq!(folder.read("run/notes.txt"), b"mine");
}

#[test]
fn a_folder_without_a_run_says_how_one_is_made() {
    let folder = folder();
    for words in [
        "quantize run",
        "eval run",
        "eval run --on float",
        "train -o run --resume",
    ] {
        folder
            .trident(words)
            .fails(&["run: not a run folder", "`trident train -o run` makes one"]);
    }
    assert!(folder.files().is_empty());
}

#[test]
fn what_training_did_not_finish_is_not_quantised() {
    let folder = trained();
    std::fs::remove_file(folder.path("run/weights.bin")).unwrap();
    std::fs::remove_file(folder.path("run/model.tri")).unwrap();
    let hint = "finish training with `trident train -o run --resume`";
    folder
        .trident("quantize run")
        .fails(&["there is no weights.bin yet", hint]);
    folder
        .trident("eval run --on float")
        .fails(&["there is no weights.bin yet", hint]);
    assert!(!folder.path("run/model.tri").exists());
}

#[test]
fn a_run_that_is_not_quantised_has_no_int8_figures() {
    let folder = trained();
    std::fs::remove_file(folder.path("run/model.tri")).unwrap();
    folder
        .trident("eval run --on int8")
        .fails(&["cannot read run/model.tri", "`trident quantize run` makes it"]);
    folder.trident("eval run --on float").succeeds();
}

#[test]
fn data_that_changed_since_training_are_noticed() {
    let folder = trained();
    std::fs::remove_file(folder.path("run/model.tri")).unwrap();
    let csv = String::from_utf8(folder.read("levels.csv")).unwrap();
    folder.write("levels.csv", csv.replacen("\n", "\n1,2,3,104\n", 1));
    for words in ["quantize run", "eval run --on float", "train -o run --resume"] {
        folder.trident(words).fails(&[
            "the data have changed since this run was trained (fingerprint ",
            "train again",
        ]);
    }
    // A run without training for int8 to go on with looks at its checkpoints.
    folder
        .trident("train -o run --resume --no-qat")
        .fails(&["made with other data, settings or teachers; train into another folder with `-o`"]);
    assert!(!folder.path("run/model.tri").exists());
}

#[test]
fn damaged_files_of_a_run_are_noticed() {
    let folder = trained();
    let mut weights = folder.read("run/weights.bin");
    let middle = weights.len() / 2;
    weights[middle] ^= 1;
    folder.write("run/weights.bin", &weights);
    folder
        .trident("quantize run")
        .fails(&["run/weights.bin: it is damaged: its checksum does not fit"]);
    let folder = trained();
    folder.write("run/spec.json", "{");
    folder.trident("quantize run").fails(&["run/spec.json: "]);
}

#[test]
fn files_of_a_run_that_contradict_each_other_are_noticed() {
    let changes = [
        (
            "transforms.json",
            "\"feature\": 0",
            "\"feature\": 99",
            "transforms.json does not fit the Classification input",
        ),
        (
            "transforms.json",
            "\"sd\": ",
            "\"sd\": -",
            "transforms.json does not scale the target",
        ),
        (
            "spec.json",
            "\"head\": \"regression\"",
            "\"head\": \"classification\"",
            "",
        ),
    ];
    for (file, from, to, phrase) in changes {
        let folder = trained();
        let name = format!("run/{file}");
        let text = String::from_utf8(folder.read(&name)).unwrap();
        assert!(text.contains(from), "{text}");
        folder.write(&name, text.replacen(from, to, 1));
        for words in ["quantize run", "eval run --on float"] {
            folder.trident(words).fails(&[phrase]);
        }
    }
}

#[test]
fn a_blob_of_another_model_is_not_judged() {
    let folder = trained();
    folder.write("other.csv", "x,y,kind\n".to_owned() + &other_rows());
    folder.write(
        "other.toml",
        "[classification]\ncsv = \"other.csv\"\nlabel = \"kind\"\n",
    );
    folder.trident("train -c other.toml -o other --epochs 1").succeeds();
    folder.write("other/model.tri", folder.read("run/model.tri"));
    folder.trident("eval other").fails(&[
        "the blob's classification head tells [",
        "the data have [a, b, c]",
        "trident quantize",
    ]);
}

fn other_rows() -> String {
    let row = |i: usize| format!("{},{},{}\n", i, i * 7 % 13, ["a", "b", "c"][i % 3]);
    (4..80).map(row).collect()
}

#[test]
fn weights_that_went_to_infinity_are_an_error() {
    let folder = folder();
    three_heads(&folder);
    let wild = "[train.regression]\nlearning_rate = 1e20\nwarmup = 0.0\nema = 0.0\nbatch = 1000\n";
    folder.write("wild.toml", format!("{THREE_HEADS}\n{wild}"));
    folder
        .trident("train -c wild.toml -o run --epochs 1")
        .fails(&["the regression loss became infinite in epoch 1; lower `learning_rate`"]);
    assert!(!folder.path("run/weights.bin").exists());
}

#[test]
fn nothing_to_judge_is_no_success() {
    let folder = trained();
    folder
        .trident("eval run --limit 0")
        .fails(&["there are no rows to judge", "`--data`"]);
    folder.write("none.toml", format!("[split]\ntest = 0.0\n{THREE_HEADS}"));
    folder.trident("train -c none.toml -o none --epochs 1").succeeds();
    folder.trident("quantize none").succeeds();
    folder
        .trident("eval none --on qemu:mps2-an386")
        .fails(&["there are no rows to judge"]);
    folder.trident("eval none --data trident.toml").succeeds();
}

#[test]
fn a_run_finds_its_data_from_whatever_folder_it_was_made() {
    let folder = trained();
    std::fs::create_dir(folder.path("below")).unwrap();
    let below = |words: &str| {
        let mut command = folder.command(words);
        let output = command.current_dir(folder.path("below")).output().unwrap();
        assert!(output.status.success(), "{words}: {output:?}");
    };
    below("train -c ../trident.toml -o ../run2 --epochs 1");
    below("train -c ../trident.toml -o x/../run3 --epochs 1");
    below("quantize ../run2");
    folder.trident("quantize run2").succeeds();
    folder.trident("quantize below/run3").succeeds();
}

#[test]
fn a_run_moves_with_its_data() {
    // `trained` copies the folder to another place, which is a move.
    let folder = trained();
    folder.trident("quantize run").succeeds();
    folder.trident("eval run --on int8").succeeds();
}

/// A limit on the size of files stands for a full disk, which only root can make.
#[test]
fn a_training_without_room_says_so_and_goes_on_when_there_is_some() {
    let folder = folder();
    three_heads(&folder);
    let limited = format!("trap '' XFSZ; ulimit -f 40; exec {TRIDENT} train -o run --epochs 3");
    let output = std::process::Command::new("sh")
        .args(["-c", &limited])
        .current_dir(folder.path("."))
        .output();
    let output = output.expect("a shell");
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    assert!(said.contains("cannot write") && said.contains("make room"), "{said}");
    assert!(
        said.contains("`--resume`") && !said.contains("a folder of yours"),
        "{said}"
    );
    let files = folder.files();
    assert!(!files.iter().any(|name| name.contains(".writing")), "{files:?}");
    folder
        .trident("quantize run")
        .fails(&["there is no ", "`trident train -o run --resume`"]);
    folder.trident("train -o run --resume").succeeds();
    folder.trident("quantize run").succeeds();
}

#[test]
fn a_training_that_diverges_says_what_to_change_and_where_to_go() {
    let folder = folder();
    three_heads(&folder);
    let steep = "[train.classification]\nlearning_rate = 1e6\nepochs = 100\n";
    folder.write("trident.toml", format!("{THREE_HEADS}{steep}"));
    let phrases = [
        "classification loss became infinite",
        "lower `learning_rate`",
        "another folder with `-o`",
    ];
    folder.trident("train -o run").fails(&phrases);
    for words in ["quantize run", "report run", "eval run --on float"] {
        let said = folder.trident(words).fails(&phrases);
        assert!(
            said.stderr.contains("run: there is no ") && !said.stderr.contains("--resume"),
            "{said:#?}"
        );
    }
    // It would end there again, and says so.
    folder.trident("train -o run --resume").fails(&phrases);
    // What a run remembers ends with the next training.
    let toml = String::from_utf8(folder.read("run/trident.toml")).unwrap();
    let mended = toml
        .replace("epochs = 100", "epochs = 2")
        .replace("learning_rate = 1000000.0", "learning_rate = 0.001");
    assert_ne!(mended, toml);
    folder.write("run/trident.toml", mended);
    folder.trident("train -o run --resume").succeeds();
    assert!(!folder.path("run/diverged.json").exists());
    std::fs::remove_file(folder.path("run/weights.bin")).unwrap();
    folder
        .trident("quantize run")
        .fails(&["there is no weights.bin yet", "--resume"]);
}

/// Many rows, so that the fit of the process takes longer than the other head takes to fail.
#[test]
fn what_fails_has_the_only_word_while_a_process_is_fitted() {
    let folder = folder();
    three_heads(&folder);
    let rows = (0..1_500).map(|row: u32| {
        let readings = [3, 7, 11].map(|factor| row * row % (100 * factor + 3) + row % factor);
        format!(
            "{},{},{},{}\n",
            readings[0],
            readings[1],
            readings[2],
            readings[0] + 3 * readings[1]
        )
    });
    folder.write("levels.csv", format!("a,b,c,level\n{}", rows.collect::<String>()));
    let steep = "[train.classification]\nlearning_rate = 1e6\nepochs = 100\n";
    folder.write("trident.toml", format!("{THREE_HEADS}{steep}"));
    let said = folder
        .trident("train -o run")
        .fails(&["error: the classification loss became infinite"]);
    assert!(
        !said.stderr.contains("fitted") && !said.stderr.contains("interrupted"),
        "{said:#?}"
    );
}

#[test]
fn rounding_that_diverges_says_so_whatever_else_it_stopped() {
    let folder = folder();
    three_heads(&folder);
    let setting = |rate: &str| {
        format!(
            "{THREE_HEADS}[train.classification]\nqat_epochs = 5000\n[train.regression]\nqat_learning_rate = {rate}\n"
        )
    };
    folder.write("trident.toml", setting("1e25"));
    let said = folder.trident("train -o run --epochs 2 --qat").fails(&[
        "error: with int8's rounding the regression loss became infinite in epoch ",
        "lower `qat_learning_rate` under [train.regression] of run/trident.toml",
        "`trident train -o run --resume`",
        "`trident quantize run` takes the float weights",
    ]);
    assert!(!said.stderr.contains("interrupted"), "{said:#?}");
    // All that it says to do helps.
    folder.trident("quantize run").succeeds();
    let toml = String::from_utf8(folder.read("run/trident.toml")).unwrap();
    let mended: String = toml
        .lines()
        .map(|line| match line.split_once(" = ") {
            Some(("qat_learning_rate", _)) => "qat_learning_rate = 0.001\n".to_owned(),
            Some(("qat_epochs", _)) => "qat_epochs = 2\n".to_owned(),
            _ => format!("{line}\n"),
        })
        .collect();
    folder.write("run/trident.toml", mended);
    folder.trident("train -o run --resume").succeeds();
    folder.trident("quantize run").succeeds();
}

/// As a version wrote it whose files of this kind held less.
#[test]
fn rounding_of_another_version_says_how_to_go_on() {
    let folder = trained();
    let mut record: serde_json::Value = serde_json::from_slice(&folder.read("run/qat.json")).unwrap();
    record["groups"]["regression"]["kept"] = true.into();
    folder.write("run/qat.json", record.to_string());
    folder.trident("quantize run").succeeds();
    let whole = folder.read("run/qat-regression.bin");
    let kind = b"trident qat 1\n".len();
    let body = &whole[kind + 4..whole.len() - 9];
    let checksum = trident::blob::CRC.checksum(body).to_le_bytes();
    folder.write("run/qat-regression.bin", [&whole[..kind], &checksum, body].concat());
    for words in ["quantize run", "quantize run --search"] {
        folder.trident(words).fails(&[
            "run/qat-regression.bin: it is of another version",
            "`trident train -o run --resume` trains with int8's rounding again",
            "`trident quantize run --ranges mse` takes the float weights",
        ]);
    }
    folder.trident("quantize run --ranges mse").succeeds();
    // A checkpoint of other settings, or of a form that is not known any more, stands in nobody's way.
    folder.write("run/checkpoint-qat-regression.bin", "trident checkpoint 0\n");
    let said = folder.trident("train -o run --resume").succeeds();
    assert!(
        said.stderr
            .contains("qat-regression: its checkpoint is of other settings or another version"),
        "{said:#?}"
    );
    folder.trident("quantize run").succeeds();
    let again = folder.trident("train -o run --resume").succeeds();
    assert!(!again.stderr.contains("its checkpoint"), "{again:#?}");
}
