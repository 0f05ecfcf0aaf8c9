//! Long counts, with `TRIDENT_SOAK=1`.

use trident_tests::command::Folder;

use crate::TRIDENT;

/// Without `TRIDENT_SOAK=1` the same path is walked with a few rows, so that it cannot rot.
#[test]
fn the_test_split_of_the_built_in_data_goes_over_the_uart() {
    let soak = std::env::var_os("TRIDENT_SOAK").is_some_and(|value| value == "1");
    let limit = if soak { "" } else { "--limit 4" };
    let folder = Folder::new(TRIDENT);
    folder.write(
        "trident.toml",
        "[classification]\ncsv = 'builtin:magic'\nlabel = 'gamma'\n\
         [segmentation]\nimages = 'builtin:tiles'\nclasses = ['weed', 'crop', 'soil']\nsize = [32, 32]\n\
         [regression]\ncsv = 'builtin:airfoil'\ntarget = 'sound_pressure_level_db'\n",
    );
    folder.trident("train -o run --epochs 1").succeeds();
    folder.trident("quantize run").succeeds();
    let device = folder
        .trident(&format!("eval run --on qemu:mps2-an386,uart --json {limit}"))
        .succeeds()
        .json();
    let rows = |head: &str| device["samples"][head].as_u64().expect("rows");
    let values = rows("classification") + rows("segmentation") * 32 * 32 * 3 + rows("regression");
    println!("{values} values over the UART: {}", device["samples"]);
    assert_eq!(device["compared_values"], values);
    assert_eq!(device["differing_values"], 0);
    if soak {
        assert!(rows("classification") > 3_000 && rows("segmentation") == 240 && rows("regression") > 200);
    }
}
