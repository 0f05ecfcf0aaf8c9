//! Operators without weights.

use proptest::prelude::*;
use trident::arithmetic::AddCodes;
use trident::graph::{Node, Op};
use trident::kernels::elementwise::concat;
use trident::kernels::micro::bytes::{add, add_in_place, centre, larger, larger_in_place, look_up};
use trident::kernels::{Rows, upsampled};
use trident::spec::{HeadSet, Shape};
use trident_tests::naive::{self, Map};
use trident_tests::noise::Noise;

use crate::steps::{run, tensor};

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(512) })]

    #[test]
    fn pooling_and_upsampling_equal_the_oracle(h in 1u16..=40, w in 1u16..=40, c in 1u16..=9, kernel in 2u8..=8, seed: u64) {
        let shape = Shape::new(h, w, c);
        let codes = Noise::new(seed).codes(shape.len());
        let map = Map::of_codes(shape, &codes);
        let (size, side) = (usize::from(kernel), u16::from(kernel));
        let engine = |op, shape| {
            let node = Node { kernel, ..Node::new(op, HeadSet::ALL) };
            run(&node, (&tensor(map_shape(&map), 0), &codes), &[], &tensor(shape, 0), None)
        };
        if h.min(w) >= side {
            let pooled = engine(Op::MaxPool2d, Shape::new(h / side, w / side, c));
            prop_assert_eq!(pooled, naive::max_pool2d(&map, size).codes());
        }
        let upsampled = engine(Op::Upsample2d, Shape::new(h * side, w * side, c));
        prop_assert_eq!(upsampled, naive::upsample2d(&map, size).codes());
    }

    #[test]
    fn concat_equals_the_oracle(h in 1u16..=9, w in 1u16..=9, channels in (1u16..=9, 1u16..=9), seed: u64) {
        let mut noise = Noise::new(seed);
        let shapes = [channels.0, channels.1].map(|c| Shape::new(h, w, c));
        let [a, b] = shapes.map(|shape| noise.codes(shape.len()));
        let expected = naive::concat(&Map::of_codes(shapes[0], &a), &Map::of_codes(shapes[1], &b)).codes();
        let mut out = vec![0; expected.len()];
        concat((&a, channels.0.into()), (&b, channels.1.into()), &mut out);
        prop_assert_eq!(out, expected);
    }

    #[test]
    fn add_equals_the_oracle(n in 1u16..=300, right_shift in 1u8..=30, seed: u64) {
        let mut noise = Noise::new(seed);
        let (mut a, b) = (noise.codes(n.into()), noise.codes(n.into()));
        // The largest that the blob's checks let pass: 128·|qa| + 128·|qb| + |bias| < 2^31.
        let most = 1 << noise.int(8..=22);
        let p = [(); 3].map(|()| noise.int(-most..=most) as i32);
        let (zero_point, (lo, hi)) = (noise.code(), noise.code_range());
        let rule = AddCodes { qa: p[0], qb: p[1], bias: p[2], right_shift, zero_point, lo, hi };
        let output = naive::Output { zero_point: zero_point.into(), lo: lo.into(), hi: hi.into(), table: None };
        let maps = [&a, &b].map(|codes| Map::of_codes(Shape::row(n), codes));
        let expected = naive::add(&maps[0], &maps[1], p, right_shift, &output).codes();
        let mut out = vec![0; n.into()];
        add(&a, &b, &rule, &mut out);
        prop_assert_eq!(&out, &expected);
        add_in_place(&mut a, &b, &rule);
        prop_assert_eq!(a, expected);
    }

    #[test]
    fn a_sum_with_doubled_pixels_equals_the_oracle(h in 1u16..=5, w in 1u16..=9, quads in 1u16..=5, right_shift in 15u8..=22, seed: u64) {
        let mut noise = Noise::new(seed);
        let (half, whole) = (Shape::new(h, w, 4 * quads), Shape::new(2 * h, 2 * w, 4 * quads));
        let (mut a, b) = (noise.codes(whole.len()), noise.codes(half.len()));
        let most = 1 << noise.int(8..=22);
        let p = [(); 3].map(|()| noise.int(-most..=most) as i32);
        let (zero_point, (lo, hi)) = (noise.code(), noise.code_range());
        let rule = AddCodes { qa: p[0], qb: p[1], bias: p[2], right_shift, zero_point, lo, hi };
        let output = naive::Output { zero_point: zero_point.into(), lo: lo.into(), hi: hi.into(), table: None };
        let doubled = naive::upsample2d(&Map::of_codes(half, &b), 2);
        let expected = naive::add(&Map::of_codes(whole, &a), &doubled, p, right_shift, &output).codes();
        let rows = Rows::of(&tensor(half, 0), &b);
        let mut out = vec![0; whole.len()];
        upsampled::add((&a, 0), &rows, &rule, &mut out);
        prop_assert_eq!(&out, &expected);
        // From a row on, an odd one too.
        let (row, row_len) = (noise.index(usize::from(whole.h)), usize::from(whole.w * whole.c));
        upsampled::add_in_place((&mut a[row * row_len..], row), &rows, &rule);
        prop_assert_eq!(&a[row * row_len..], &expected[row * row_len..]);
    }

    #[test]
    fn the_larger_of_two_is_taken(n in 1usize..=300, seed: u64) {
        let mut noise = Noise::new(seed);
        let (mut a, b) = (noise.codes(n), noise.codes(n));
        let expected: Vec<i8> = a.iter().zip(&b).map(|(&a, &b)| if a < b { b } else { a }).collect();
        let mut out = vec![0; n];
        larger(&a, &b, &mut out);
        prop_assert_eq!(&out, &expected);
        larger_in_place(&mut a, &b);
        prop_assert_eq!(a, expected);
    }

    #[test]
    fn look_up_equals_the_oracle(n in 1u16..=300, seed: u64) {
        let mut noise = Noise::new(seed);
        let (mut codes, table) = (noise.codes(n.into()), [(); 256].map(|()| noise.code()));
        let expected = naive::lut(&Map::of_codes(Shape::row(n), &codes), &table).codes();
        look_up(&table, &mut codes);
        prop_assert_eq!(codes, expected);
    }
}

#[test]
fn pixels_become_codes() {
    let bytes: Vec<u8> = (0..=255).collect();
    let mut codes = [0; 256];
    centre(&bytes, &mut codes);
    assert!(codes.into_iter().eq(-128..=127));
}

fn map_shape(map: &Map) -> Shape {
    Shape::new(map.h as u16, map.w as u16, map.c as u16)
}
