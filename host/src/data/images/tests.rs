//! Small folders of pictures and masks, made by hand.

use std::fs::File;

use image::{GrayImage, Luma, Rgb};

use super::*;
use crate::config::{Fit, GroupFile};

struct Folder {
    folder: tempfile::TempDir,
    config: SegmentationConfig,
}

impl Folder {
    fn new(classes: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = |name: &str| folder.path().join(name);
        std::fs::create_dir_all(path("i")).unwrap();
        std::fs::create_dir_all(path("m")).unwrap();
        let mut config = SegmentationConfig::new(Source::File(path("i")), classes, [8, 8]);
        config.masks = Some(path("m"));
        Self { folder, config }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn picture(&self, name: &str, width: u32, height: u32, pixel: impl Fn(u32, u32) -> [u8; 3]) {
        RgbImage::from_fn(width, height, |x, y| Rgb(pixel(x, y)))
            .save(self.path(name))
            .unwrap();
    }

    fn palette_mask(&self, name: &str, palette: &[u8], indices: &[u8]) {
        let mut encoder = png::Encoder::new(File::create(self.path(name)).unwrap(), 8, 8);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(palette);
        encoder.write_header().unwrap().write_image_data(indices).unwrap();
    }

    fn read(&self) -> SegmentationData {
        read(&self.config).unwrap().0
    }

    fn error(&self) -> String {
        read(&self.config)
            .unwrap_err()
            .to_string()
            .replace(&self.path("").display().to_string(), "")
    }
}

const RED: [u8; 3] = [255, 0, 0];
const GREEN: [u8; 3] = [0, 255, 0];

fn halves(x: u32, _: u32) -> [u8; 3] {
    if x < 4 { RED } else { GREEN }
}

#[test]
fn one_hot_masks_are_read_in_order_of_names() {
    let folder = Folder::new(&["a", "b"]);
    folder.picture("i/2.png", 8, 8, |_, _| [2; 3]);
    folder.picture("i/1.PNG", 8, 8, |x, y| [x as u8, y as u8, 7]);
    folder.picture("m/1.png", 8, 8, halves);
    folder.picture("m/2.png", 8, 8, |_, _| GREEN);
    std::fs::write(folder.path("i/notes.txt"), "not a picture").unwrap();
    let data = folder.read();
    assert_eq!(data.names, ["1", "2"]);
    assert_eq!(data.picture(0)[..6], [0, 0, 7, 1, 0, 7]);
    assert_eq!(data.mask(0)[..8], [0, 0, 0, 0, 1, 1, 1, 1]);
    assert!(data.mask(1).iter().all(|&class| class == 1));
}

#[test]
fn grey_and_palette_masks_hold_indices() {
    let folder = Folder::new(&["a", "b", "c", "d"]);
    folder.picture("i/1.png", 8, 8, |_, _| [0; 3]);
    GrayImage::from_fn(8, 8, |x, _| Luma([x as u8 / 2]))
        .save(folder.path("m/1.png"))
        .unwrap();
    assert_eq!(folder.read().mask(0)[..8], [0, 0, 1, 1, 2, 2, 3, 3]);
    let indices: Vec<u8> = (0..64).map(|i| i % 8 / 2).collect();
    folder.palette_mask("m/1.png", &[0, 0, 0, 128, 0, 0, 0, 128, 0, 128, 128, 0], &indices);
    assert_eq!(folder.read().mask(0)[..8], [0, 0, 1, 1, 2, 2, 3, 3]);
    // A palette of one-hot colours in another order is read by colour.
    folder.palette_mask("m/1.png", &[0, 0, 255, 0, 255, 0, 255, 0, 0, 9, 9, 9], &[2; 64]);
    assert!(folder.read().mask(0).iter().all(|&class| class == 0));
    GrayImage::from_pixel(8, 8, Luma([4]))
        .save(folder.path("m/1.png"))
        .unwrap();
    assert_eq!(
        folder.error(),
        "m/1.png: the pixel at x = 0, y = 0 has the value 4, but classes are 0 to 3"
    );
}

#[test]
fn listed_colours_stand_for_classes() {
    let mut folder = Folder::new(&["a", "b"]);
    folder.config.colours = Some(vec![[1, 2, 3], RED]);
    folder.picture("i/1.png", 8, 8, |_, _| [0; 3]);
    folder.picture("m/1.png", 8, 8, |x, _| if x == 0 { RED } else { [1, 2, 3] });
    assert_eq!(folder.read().mask(0)[..3], [1, 0, 0]);
    folder.picture("m/1.png", 8, 8, |x, y| if (x, y) == (5, 6) { GREEN } else { RED });
    let error = folder.error();
    assert!(
        error.starts_with("m/1.png: the pixel at x = 5, y = 6 has the colour [0, 255, 0]"),
        "{error}"
    );
    assert!(error.contains("a [1, 2, 3], b [255, 0, 0]"), "{error}");
}

#[test]
fn a_jpeg_mask_is_refused_with_advice() {
    let folder = Folder::new(&["a", "b"]);
    folder.picture("i/1.jpg", 8, 8, |_, _| [100; 3]);
    folder.picture("m/1.jpg", 8, 8, |x, _| if x < 3 { RED } else { GREEN });
    assert!(folder.error().ends_with("save masks as PNG"), "{}", folder.error());
}

#[test]
fn pictures_are_resized_or_tiled() {
    let mut folder = Folder::new(&["a", "b"]);
    folder.picture("i/1.png", 17, 16, |x, _| [if x < 8 { 0 } else { 200 }; 3]);
    folder.picture("m/1.png", 17, 16, |x, _| if x < 8 { RED } else { GREEN });
    let resized = folder.read();
    assert_eq!(resized.len(), 1);
    assert_eq!(resized.mask(0)[..8], [0, 0, 0, 0, 1, 1, 1, 1]);
    assert_eq!((resized.picture(0)[0], resized.picture(0)[21]), (0, 200));
    folder.config.fit = Fit::Tile;
    let (tiled, groups) = read(&folder.config).unwrap();
    assert_eq!(tiled.names, ["1 at 0,0", "1 at 8,0", "1 at 0,8", "1 at 8,8"]);
    assert_eq!(groups, [0; 4]);
    assert!(tiled.mask(0).iter().all(|&class| class == 0) && tiled.mask(1).iter().all(|&class| class == 1));
    folder.config.size = [32, 8];
    assert_eq!(
        folder.error(),
        "i/1.png: 17×16 pixels are smaller than a tile; use fit = \"resize\""
    );
}

#[test]
fn files_must_pair() {
    let folder = Folder::new(&["a", "b"]);
    assert_eq!(folder.error(), "i: no PNG or JPEG files in this folder");
    folder.picture("i/1.png", 8, 8, halves);
    folder.picture("m/2.png", 8, 8, halves);
    let error = folder.error();
    assert_eq!(
        error,
        "i/1.png: no file of that name in m (and 1 more files stand alone)"
    );
    std::fs::remove_file(folder.path("m/2.png")).unwrap();
    folder.picture("m/1.png", 9, 8, halves);
    assert_eq!(folder.error(), "i/1.png: 8×8 pixels, but its mask m/1.png has 9×8");
    folder.picture("i/1.jpg", 8, 8, halves);
    assert_eq!(folder.error(), "i/1.jpg and i/1.png: two files of one name; remove one");
    std::fs::remove_file(folder.path("i/1.jpg")).unwrap();
    std::fs::write(folder.path("m/1.png"), b"\x89PNG\r\n\x1a\nshort").unwrap();
    assert!(folder.error().starts_with("m/1.png: cannot decode the picture"));
}

#[test]
fn groups_come_from_their_file() {
    let mut folder = Folder::new(&["a", "b"]);
    for name in ["1", "2", "3"] {
        folder.picture(&format!("i/{name}.png"), 8, 8, halves);
        folder.picture(&format!("m/{name}.png"), 8, 8, halves);
    }
    std::fs::write(folder.path("g.csv"), "file,photo\n3.png,x\n1.png,x\n2.png,y\n").unwrap();
    folder.config.groups = Some(GroupFile {
        file: folder.path("g.csv"),
        column: "photo".into(),
    });
    assert_eq!(read(&folder.config).unwrap().1, [0, 1, 0]);
    std::fs::write(folder.path("g.csv"), "file,photo\n3.png,x\n1.png,x\n").unwrap();
    assert_eq!(folder.error(), "g.csv: no row for the picture i/2.png in column `file`");
    std::fs::write(folder.path("g.csv"), "file,day\n3.png,x\n").unwrap();
    assert!(folder.error().ends_with("no column `photo`; there are: file, day"));
}

#[test]
fn places_come_from_the_file_of_groups_or_from_cutting() {
    let mut folder = Folder::new(&["a", "b"]);
    for name in ["1", "2", "3"] {
        folder.picture(&format!("i/{name}.png"), 8, 8, halves);
        folder.picture(&format!("m/{name}.png"), 8, 8, halves);
    }
    assert_eq!(folder.read().places, [None; 3]);
    let mut table = |text: &str| {
        std::fs::write(folder.path("g.csv"), text).unwrap();
        folder.config.groups = Some(GroupFile {
            file: folder.path("g.csv"),
            column: "photo".into(),
        });
        read(&folder.config).map(|read| read.0.places)
    };
    let place = |photograph, corner| {
        Some(Place {
            photograph,
            corner,
            size: [56; 2],
        })
    };
    let told = table("file,photo,x,y,tile_px\n3.png,p,60,4,56\n1.png,p,4,4,56\n2.png,q,4,60,56\n").unwrap();
    assert_eq!(told, [place(0, [4, 4]), place(1, [60, 4]), place(0, [4, 60])]);
    // Two of the three columns tell nothing.
    assert_eq!(table("file,photo,x,y\n1,p,-,0\n2,p,0,0\n3,p,0,0\n").unwrap(), [None; 3]);
    let error = table("file,photo,x,y,tile_px\n1,p,0,0,8\n2,p,left,0,8\n3,p,0,0,8\n")
        .unwrap_err()
        .to_string();
    assert!(
        error.contains("g.csv:3") && error.contains("`x`") && error.contains("left"),
        "{error}"
    );

    for (told, word) in [
        ("0,0,0", "tile_px = 0"),
        ("0.5,0,8", "x = 0.5"),
        ("0,3e9,8", "y = 3000000000"),
    ] {
        let error = table(&format!("file,photo,x,y,tile_px\n1,p,0,0,8\n2,p,{told}\n3,p,0,0,8\n"))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("no place for the picture 2") && error.contains(word),
            "{error}"
        );
    }

    let mut folder = Folder::new(&["a", "b"]);
    folder.config.fit = Fit::Tile;
    folder.picture("i/1.png", 17, 16, halves);
    folder.picture("m/1.png", 17, 16, halves);
    folder.picture("i/2.png", 8, 8, halves);
    folder.picture("m/2.png", 8, 8, halves);
    let cut = |corner| {
        Some(Place {
            photograph: 2,
            corner,
            size: [8; 2],
        })
    };
    // The second picture is a tile already.
    assert_eq!(
        folder.read().places,
        [cut([0, 0]), cut([0, 8]), cut([8, 0]), cut([8, 8]), None]
    );
}

#[test]
fn an_absent_class_is_named() {
    let folder = Folder::new(&["a", "b", "c"]);
    folder.picture("i/1.png", 8, 8, |_, _| [0; 3]);
    folder.picture("m/1.png", 8, 8, halves);
    assert!(
        refuse_absent(&folder.read())
            .unwrap_err()
            .to_string()
            .contains("the class `c`")
    );
}

#[test]
fn a_mask_that_claims_to_be_huge_is_refused_before_it_is_unfolded() {
    let folder = Folder::new(&["a", "b"]);
    folder.picture("i/p.png", 8, 8, halves);
    folder.palette_mask("m/p.png", &[255, 0, 0, 0, 255, 0], &[0; 64]);
    let mut bytes = std::fs::read(folder.path("m/p.png")).unwrap();
    // Width and height stand behind the signature, the first chunk's length and its name; the chunk's CRC follows it.
    bytes[16..20].copy_from_slice(&200_000u32.to_be_bytes());
    bytes[20..24].copy_from_slice(&200_000u32.to_be_bytes());
    let crc = trident::blob::CRC.checksum(&bytes[12..29]);
    bytes[29..33].copy_from_slice(&crc.to_be_bytes());
    std::fs::write(folder.path("m/p.png"), bytes).unwrap();
    let error = folder.error();
    assert!(
        error.contains("m/p.png: cannot decode the picture: too large"),
        "{error}"
    );
}
