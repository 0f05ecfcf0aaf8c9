//! Pictures and masks that cannot be trained on.

use trident_tests::command::Folder;
use trident_tests::own_data::{Masks, pictures};

use crate::{folder, refuses_to_train};

const SEGMENTATION: &str = "[segmentation]
images = 'images'
masks = 'masks'
classes = ['ground', 'disc', 'bar']
size = [16, 16]
";

/// Pictures and masks that are in order.
fn good() -> Folder {
    let folder = folder();
    folder.write("trident.toml", SEGMENTATION);
    pictures(&folder, 20, [16, 16], Masks::OneHot, false);
    folder
}

#[test]
fn an_unpaired_file_is_named() {
    let folder = good();
    folder.picture("images/alone.png", [16, 16], |_, _| [1; 3]);
    refuses_to_train(&folder, &["images/alone.png: no file of that name in ", "masks"]);
    let folder = good();
    folder.picture("masks/alone.png", [16, 16], |_, _| [255, 0, 0]);
    refuses_to_train(&folder, &["masks/alone.png: no file of that name in ", "images"]);
}

#[test]
fn two_files_of_one_name_are_refused() {
    let folder = good();
    folder.picture("images/003.jpg", [16, 16], |_, _| [1; 3]);
    refuses_to_train(&folder, &["images/003.", "two files of one name"]);
}

#[test]
fn a_mask_of_another_size_is_named_with_both_sizes() {
    let folder = good();
    folder.picture("masks/007.png", [16, 24], |_, _| [255, 0, 0]);
    refuses_to_train(
        &folder,
        &["images/007.png: 16×16 pixels, but its mask ", "masks/007.png has 16×24"],
    );
}

#[test]
fn an_unknown_mask_colour_is_named_with_its_place() {
    let folder = good();
    let colour = |x, y| if (x, y) == (5, 3) { [9, 9, 9] } else { [0, 255, 0] };
    folder.picture("masks/004.png", [16, 16], colour);
    refuses_to_train(
        &folder,
        &["masks/004.png: the pixel at x = 5, y = 3 has the colour [9, 9, 9], which stands for no class"],
    );
}

#[test]
fn an_unknown_mask_index_is_named_with_its_place() {
    let folder = good();
    folder.indices("masks/004.png", [16, 16], |x, y| if (x, y) == (2, 9) { 3 } else { 0 });
    refuses_to_train(
        &folder,
        &["masks/004.png: the pixel at x = 2, y = 9 has the value 3, but classes are 0 to 2"],
    );
}

#[test]
fn a_class_that_no_pixel_has_is_named() {
    let folder = good();
    folder.write("trident.toml", SEGMENTATION.replace("'bar'", "'bar', 'sky'"));
    folder
        .files()
        .iter()
        .filter(|name| name.starts_with("masks/"))
        .for_each(|name| {
            folder.indices(name, [16, 16], |x, _| (x % 3) as u8);
        });
    refuses_to_train(&folder, &["no pixel of any mask has the class `sky`"]);
}

#[test]
fn a_damaged_picture_and_an_empty_folder_are_named() {
    let folder = good();
    let bytes = folder.read("images/002.png");
    folder.write("images/002.png", &bytes[..bytes.len() / 2]);
    refuses_to_train(&folder, &["images/002.png: cannot decode the picture"]);
    let folder = good();
    folder.write("trident.toml", SEGMENTATION.replace("'images'", "'pictures'"));
    refuses_to_train(&folder, &["pictures: cannot read it"]);
    std::fs::create_dir(folder.path("pictures")).unwrap();
    refuses_to_train(&folder, &["pictures: no PNG or JPEG files in this folder"]);
}

#[test]
fn a_picture_smaller_than_a_tile_is_named() {
    let folder = good();
    folder.write(
        "trident.toml",
        SEGMENTATION.replace("[16, 16]", "[24, 24]\nfit = 'tile'"),
    );
    refuses_to_train(&folder, &["images/000.png: 16×16 pixels are smaller than a tile"]);
}

#[test]
fn sides_that_the_preset_cannot_halve_name_the_nearest_sizes() {
    let folder = good();
    folder.write("trident.toml", SEGMENTATION.replace("[16, 16]", "[30, 30]"));
    refuses_to_train(
        &folder,
        &["divisible by 8, not 30×30", "nearest sizes are 24×24 and 32×32"],
    );
    folder.write("trident.toml", SEGMENTATION.replace("[16, 16]", "[30, 44]"));
    refuses_to_train(&folder, &["divisible by 8, not 30×44", "32×40 and multiples of 8"]);
}
