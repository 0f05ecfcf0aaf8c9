//! Data as a user may have them, made from a seed: tables with any number of columns, pictures of any size.

use std::fmt::Write;

use crate::command::Folder;
use crate::noise::Noise;

/// A CSV table of `rows` random readings per column, and a last column that `tell` makes of them.
pub fn table(rows: usize, columns: &[&str], last: &str, mut tell: impl FnMut(&[f32]) -> String) -> String {
    let mut noise = Noise::new(columns.len() as u64);
    let mut text = format!("{},{last}\n", columns.join(","));
    for _ in 0..rows {
        let readings: Vec<f32> = columns
            .iter()
            .map(|_| (noise.unit() * 1000.0).round() / 100.0)
            .collect();
        readings.iter().for_each(|reading| {
            let _ = write!(text, "{reading},");
        });
        text.push_str(&tell(&readings));
        text.push('\n');
    }
    text
}

/// One of those names, by the sum of the readings: every name stands for a share of the range.
pub fn by_sum<'n>(names: &'n [&'n str]) -> impl FnMut(&[f32]) -> String + 'n {
    move |readings| {
        let sum: f32 = readings.iter().sum();
        let share = (sum / (4.0 * (readings.len() as f32).sqrt()) + 1.5) / 3.0;
        let index = (share * names.len() as f32)
            .floor()
            .clamp(0.0, names.len() as f32 - 1.0);
        names[index as usize].to_owned()
    }
}

/// A number by the first two readings.
pub fn by_product(readings: &[f32]) -> String {
    format!("{:.3}", 100.0 + 2.0 * readings[0] + 0.5 * readings[0] * readings[1])
}

/// How masks are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Masks {
    /// Pure red, green and blue for the classes 0, 1 and 2.
    OneHot,
    /// Class numbers.
    Indices,
}

/// Pictures of a bright disc (class 1) and a dark bar (class 2) on a textured ground (class 0), in `images`, with a mask each in
/// `masks`; every second picture a JPEG if there is to be any.
pub fn pictures(folder: &Folder, count: u64, size: [u32; 2], masks: Masks, jpeg: bool) {
    for number in 0..count {
        let mut noise = Noise::new(number + 1);
        let mut place = |side: u32| noise.index(side as usize) as i64;
        let (disc, bar) = ([place(size[0]), place(size[1])], place(size[1]));
        let radius = i64::from(size[0].min(size[1])) / 3;
        let class = |x: u32, y: u32| {
            let (dx, dy) = (i64::from(x) - disc[0], i64::from(y) - disc[1]);
            match () {
                () if dx * dx + dy * dy < radius * radius => 1u8,
                () if (i64::from(y) - bar).abs() < radius / 2 => 2,
                () => 0,
            }
        };
        let pixel = |x: u32, y: u32| {
            let grain = ((x * 7 + y * 13 + number as u32 * 5) % 23) as u8;
            [[90 + grain, 80, 60], [200, 210 - grain, 190], [30, 40 + grain, 20]][usize::from(class(x, y))]
        };
        let extension = if jpeg && number % 2 == 1 { "jpg" } else { "png" };
        folder.picture(&format!("images/{number:03}.{extension}"), size, pixel);
        let mask = format!("masks/{number:03}.png");
        match masks {
            Masks::Indices => folder.indices(&mask, size, class),
            Masks::OneHot => folder.picture(&mask, size, |x, y| {
                let mut colour = [0; 3];
                colour[usize::from(class(x, y))] = 255;
                colour
            }),
        }
    }
}

/// Three small heads: four readings with two labels, 16×16 pictures, three readings with a number; and a `trident.toml` that
/// names them, trained in a second or two.
pub fn three_heads(folder: &Folder) {
    folder.write(
        "rows.csv",
        table(300, &["a", "b", "c", "d"], "kind", by_sum(&["no", "yes"])),
    );
    folder.write("levels.csv", table(200, &["x", "y", "z"], "level", by_product));
    pictures(folder, 40, [16, 16], Masks::OneHot, false);
    folder.write("trident.toml", THREE_HEADS);
}

/// The configuration of [`three_heads`].
pub const THREE_HEADS: &str = r#"
[classification]
csv = "rows.csv"
label = "kind"
[segmentation]
images = "images"
masks = "masks"
classes = ["ground", "disc", "bar"]
size = [16, 16]
[regression]
csv = "levels.csv"
target = "level"
"#;
