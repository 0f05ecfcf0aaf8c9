//! Crops over neighbouring tiles of one photograph, in place of the tiles themselves.
//!
//! Photographs are cut into tiles, and plants do not keep to the cuts. Where two training tiles lie side by side, each crop that reaches
//! from one into the other is a picture that the photograph could have given as well, with its true mask: more pictures for nothing.

use std::collections::{BTreeMap, HashMap, HashSet};

use rand::Rng;
use rand::seq::IndexedRandom;
use rand_chacha::ChaCha8Rng;
use serde::Serialize;

use crate::data::{Place, SegmentationData};

/// Rows of the data, two above each other and two beside each other.
type Tiles = [[usize; 2]; 2];

/// Which training pictures lie beside each other.
#[derive(Clone, Debug, Default, Serialize)]
pub(super) struct Neighbours {
    /// The blocks of every picture that is in any.
    blocks: BTreeMap<usize, Vec<Block>>,
}

/// Two tiles, or four, that touch. Of two, each stands twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
struct Block {
    tiles: Tiles,
    /// Whether it is two tiles high, and two wide.
    reaches: [bool; 2],
}

/// A picture's size at some place of a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Crop {
    tiles: Tiles,
    /// Row and column of the block's first pixel.
    corner: [usize; 2],
}

impl Neighbours {
    /// Of these rows of the data. A photograph two of whose pictures lie at one place is none, and its pictures have no neighbours.
    pub fn of(data: &SegmentationData, rows: &[usize]) -> Self {
        let placed = || (rows.iter()).filter_map(|&row| Some((row, data.places.get(row).copied().flatten()?)));
        let mut at = HashMap::new();
        let mut muddled = HashSet::new();
        for (row, place) in placed() {
            if at.insert(place, row).is_some() {
                muddled.insert(place.photograph);
            }
        }
        let mut blocks = BTreeMap::new();
        for (row, place) in placed().filter(|(_, place)| !muddled.contains(&place.photograph)) {
            let of_row = Block::around(place, |place| at.get(&place).copied());
            if !of_row.is_empty() {
                blocks.insert(row, of_row);
            }
        }
        Self { blocks }
    }

    /// How many pictures have a neighbour.
    pub fn len(&self) -> usize {
        self.blocks.len()
    }

    /// Whether none has.
    pub fn is_empty(&self) -> bool {
        self.blocks.is_empty()
    }

    /// With the probability `share`, a crop that holds a part of picture `row` and of a neighbour, in pictures of `[h, w]`.
    pub fn draw(&self, row: usize, share: f32, [h, w]: [usize; 2], rng: &mut ChaCha8Rng) -> Option<Crop> {
        let block = self.blocks.get(&row)?.choose(rng)?;
        let corner = [rng.random_range(1..h), rng.random_range(1..w)];
        let wanted = rng.random::<f32>() < share;
        wanted.then(|| Crop {
            tiles: block.tiles,
            corner: std::array::from_fn(|axis| if block.reaches[axis] { corner[axis] } else { 0 }),
        })
    }
}

impl Block {
    /// The blocks that hold the picture at `place`, as far as their tiles are all there.
    fn around(place: Place, at: impl Fn(Place) -> Option<usize>) -> Vec<Self> {
        let shifts = [[true, false], [false, true], [true, true]];
        let mut blocks = Vec::new();
        for reaches in shifts {
            // The picture is the block's upper or lower tile, and its left or right one.
            let starts = |axis: usize| if reaches[axis] { vec![-1, 0] } else { vec![0] };
            for (down, right) in starts(0)
                .into_iter()
                .flat_map(|down| starts(1).into_iter().map(move |right| (down, right)))
            {
                let tile = |i: usize, j: usize| {
                    let steps = [
                        down + i64::from(reaches[0] && i == 1),
                        right + i64::from(reaches[1] && j == 1),
                    ];
                    at(Place {
                        corner: std::array::from_fn(|axis| place.corner[axis] + steps[axis] * place.size[axis]),
                        ..place
                    })
                };
                if let [[Some(a), Some(b)], [Some(c), Some(d)]] = [[tile(0, 0), tile(0, 1)], [tile(1, 0), tile(1, 1)]] {
                    let tiles = [[a, b], [c, d]];
                    blocks.push(Self { tiles, reaches });
                }
            }
        }
        blocks
    }
}

impl Crop {
    /// A picture as it is.
    pub fn whole(row: usize) -> Self {
        Self {
            tiles: [[row; 2]; 2],
            corner: [0, 0],
        }
    }

    /// Cuts it out of the tiles, `[h, w, channels]`, that `of` gives by their rows.
    pub fn cut<'t, T: Copy + 't>(&self, of: impl Fn(usize) -> &'t [T], [h, w]: [usize; 2], channels: usize) -> Vec<T> {
        let [top, left] = self.corner;
        let mut out = Vec::with_capacity(h * w * channels);
        for y in top..top + h {
            let [first, second] = self.tiles[y / h].map(&of);
            let line = |tile: &'t [T]| &tile[y % h * w * channels..][..w * channels];
            out.extend_from_slice(&line(first)[left * channels..]);
            out.extend_from_slice(&line(second)[..left * channels]);
        }
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::Split;
    use crate::train::random::{Draw, generator};
    use trident::spec::Head;

    const SIDE: usize = 8;

    fn place(photograph: usize, corner: [i64; 2]) -> Option<Place> {
        Some(Place {
            photograph,
            corner,
            size: [56, 56],
        })
    }

    /// A photograph of 3 × 3 tiles whose pixels tell where they are: row of the photograph, its column, and both together.
    fn photograph(places: Vec<Option<Place>>) -> SegmentationData {
        let mut data = SegmentationData {
            height: SIDE,
            width: SIDE,
            classes: vec!["a".into(), "b".into()],
            names: Vec::new(),
            pixels: Vec::new(),
            masks: Vec::new(),
            places,
            split: Split::default(),
            generated: false,
        };
        for place in &data.places {
            data.names.push(String::new());
            let [top, left] = place.map_or([0, 0], |place| place.corner.map(|pixel| pixel as usize / 7));
            for (y, x) in (top..top + SIDE).flat_map(|y| (left..left + SIDE).map(move |x| (y, x))) {
                data.pixels.extend([y as u8, x as u8, (y ^ x) as u8]);
                data.masks.push((y * 3 + x) as u8);
            }
        }
        data
    }

    fn all_nine() -> SegmentationData {
        photograph((0..9).map(|i| place(4, [i / 3 * 56, i % 3 * 56])).collect())
    }

    fn draws(neighbours: &Neighbours, row: usize, share: f32) -> Vec<Option<Crop>> {
        let mut rng = generator(1, Head::Segmentation, Draw::Crop, 0, 0);
        (0..500)
            .map(|_| neighbours.draw(row, share, [SIDE, SIDE], &mut rng))
            .collect()
    }

    /// Every pixel comes from the place in the photograph that it would have come from, had the tile been cut there.
    #[test]
    fn a_crop_is_what_the_photograph_shows_there() {
        let data = all_nine();
        let neighbours = Neighbours::of(&data, &(0..9).collect::<Vec<_>>());
        assert_eq!(neighbours.len(), 9);
        for row in 0..9 {
            let mut corners = HashSet::new();
            for crop in draws(&neighbours, row, 1.0) {
                let crop = crop.unwrap();
                let pixels = crop.cut(|row| data.picture(row), [SIDE, SIDE], 3);
                let mask = crop.cut(|row| data.mask(row), [SIDE, SIDE], 1);
                let [top, left] = [pixels[0], pixels[1]].map(usize::from);
                corners.insert([top, left]);
                for (i, (y, x)) in (top..top + SIDE)
                    .flat_map(|y| (left..left + SIDE).map(move |x| (y, x)))
                    .enumerate()
                {
                    assert_eq!(pixels[i * 3..i * 3 + 3], [y as u8, x as u8, (y ^ x) as u8]);
                    assert_eq!(mask[i], (y * 3 + x) as u8);
                }
                let own = [row / 3 * SIDE, row % 3 * SIDE];
                let shift: [usize; 2] = std::array::from_fn(|axis| [top, left][axis].abs_diff(own[axis]));
                assert!(
                    shift != [0, 0] && shift.iter().all(|&pixels| pixels < SIDE),
                    "{own:?} {top} {left}"
                );
            }
            // Aside, up or down, and over a corner.
            assert!(corners.len() > 50, "{row}: {corners:?}");
        }
    }

    #[test]
    fn crops_keep_to_the_rows_they_are_given() {
        let data = all_nine();
        // Of the cross, only its middle and its left arm; the corner block lacks a tile.
        let neighbours = Neighbours::of(&data, &[3, 4, 0]);
        assert_eq!(
            neighbours.blocks[&4],
            [Block {
                tiles: [[3, 4], [3, 4]],
                reaches: [false, true]
            }]
        );
        assert_eq!(
            neighbours.blocks[&0],
            [Block {
                tiles: [[0, 0], [3, 3]],
                reaches: [true, false]
            }]
        );
        assert_eq!(neighbours.len(), 3);
        assert!(Neighbours::of(&data, &[0, 4, 8]).is_empty());
        assert!(draws(&neighbours, 8, 1.0).iter().all(Option::is_none));
    }

    #[test]
    fn a_share_of_the_pictures_gives_way() {
        let neighbours = Neighbours::of(&all_nine(), &(0..9).collect::<Vec<_>>());
        let taken = draws(&neighbours, 4, 0.5).iter().flatten().count();
        assert!((200..300).contains(&taken), "{taken}");
        assert!(draws(&neighbours, 4, 0.0).iter().all(Option::is_none));
    }

    #[test]
    fn places_that_do_not_touch_are_no_neighbours() {
        let apart = |places: Vec<Option<Place>>| {
            let rows: Vec<usize> = (0..places.len()).collect();
            Neighbours::of(&photograph(places), &rows).is_empty()
        };
        assert!(!apart(vec![place(0, [0, 0]), place(0, [0, 56])]));
        assert!(apart(vec![place(0, [0, 0]), place(1, [0, 56])]));
        assert!(apart(vec![place(0, [0, 0]), place(0, [0, 55])]));
        assert!(apart(vec![place(0, [0, 0]), place(0, [7, 56])]));
        assert!(apart(vec![place(0, [0, 0]), None]));
        let larger = Place {
            size: [57, 56],
            ..place(0, [0, 56]).unwrap()
        };
        assert!(apart(vec![place(0, [0, 0]), Some(larger)]));
        // Two pictures at one place: the group is no photograph.
        assert!(apart(vec![place(0, [0, 0]), place(0, [0, 56]), place(0, [0, 56])]));
    }
}
