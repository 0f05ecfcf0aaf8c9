//! Machine code as GNU as makes it, against what it means and what it costs.

use super::counts::Count;
use super::decode::Class::{self, *};
use super::decode::{Registers, decode};
use super::pricing::{Unpriced, price};
use super::{FunctionCost, Trace};

fn registers(numbers: &[u32]) -> Registers {
    numbers
        .iter()
        .fold(Registers::NONE, |all, number| all.and(Registers(1 << number)))
}

#[track_caller]
fn means(text: &str, code: [u16; 2], class: Class, writes: &[u32], address: &[u32]) {
    let found = decode(code).unwrap_or_else(|| panic!("{text} is not known"));
    assert_eq!(found.class, class, "{text}");
    assert_eq!(found.writes, registers(writes), "{text} writes");
    assert_eq!(found.address, registers(address), "{text} addresses");
}

#[test]
fn data_processing_is_told_by_its_result() {
    for (text, code, writes) in [
        ("smlad r1, r2, r3, r4", [0xfb22, 0x4103], &[1][..]),
        ("smmlar r1, r2, r3, r4", [0xfb52, 0x4113], &[1]),
        ("smulwb r1, r2, r3", [0xfb32, 0xf103], &[1]),
        ("smlald r1, r2, r3, r4", [0xfbc3, 0x12c4], &[1, 2]),
        ("smlsld r1, r2, r3, r4", [0xfbd3, 0x12c4], &[1, 2]),
        ("umull r1, r2, r3, r4", [0xfba3, 0x1204], &[1, 2]),
        ("umaal r1, r2, r3, r4", [0xfbe3, 0x1264], &[1, 2]),
        ("mla r1, r2, r3, r4", [0xfb02, 0x4103], &[1]),
        ("sxtab16 r1, r2, r3, ror #8", [0xfa22, 0xf193], &[1]),
        ("sxtb16 r1, r2, ror #8", [0xfa2f, 0xf192], &[1]),
        ("sxth r1, r2", [0xb211, 0], &[1]),
        ("ssat r1, #8, r2, asr #4", [0xf322, 0x1107], &[1]),
        ("usat16 r1, #8, r2", [0xf3a2, 0x0108], &[1]),
        ("pkhtb r1, r2, r3, asr #16", [0xeac2, 0x4123], &[1]),
        ("ssub8 r1, r2, r3", [0xfac2, 0xf103], &[1]),
        ("qdsub r1, r2, r3", [0xfa83, 0xf1b2], &[1]),
        ("sel r1, r2, r3", [0xfaa2, 0xf183], &[1]),
        ("bfi r1, r2, #3, #4", [0xf362, 0x01c6], &[1]),
        ("rev16 r1, r2", [0xba51, 0], &[1]),
        ("movw r1, #1234", [0xf240, 0x41d2], &[1]),
        ("mvn.w r1, r9", [0xea6f, 0x0109], &[1]),
        ("adds r1, r2, #3", [0x1cd1, 0], &[1]),
        ("negs r1, r2", [0x4251, 0], &[1]),
        ("mov r9, r2", [0x4691, 0], &[9]),
        ("add r1, sp, #4", [0xa901, 0], &[1]),
        ("sub sp, #8", [0xb082, 0], &[13]),
        ("sub.w sp, sp, #1024", [0xf5ad, 0x6d80], &[13]),
        ("mrs r1, PRIMASK", [0xf3ef, 0x8110], &[1]),
        ("cmp.w r9, #4", [0xf1b9, 0x0f04], &[]),
        ("cmn.w r2, r9", [0xeb12, 0x0f09], &[]),
        ("tst r2, r3", [0x421a, 0], &[]),
        ("cmp r9, r3", [0x4599, 0], &[]),
        ("msr PRIMASK, r1", [0xf381, 0x8810], &[]),
        ("dsb sy", [0xf3bf, 0x8f4f], &[]),
        ("nop.w", [0xf3af, 0x8000], &[]),
        ("bkpt 0x0001", [0xbe01, 0], &[]),
        ("svc 1", [0xdf01, 0], &[]),
        ("pld [r1, #4]", [0xf891, 0xf004], &[]),
    ] {
        means(text, code, Simple, writes, &[]);
    }
    means("sdiv r1, r2, r3", [0xfb92, 0xf1f3], Divide, &[1], &[]);
}

#[test]
fn loads_and_stores_are_told_by_their_address() {
    for (text, code, writes, address) in [
        ("ldr r1, [pc, #416]", [0x4968, 0], 1, &[][..]),
        ("ldr.w r9, [pc, #416]", [0xf8df, 0x91a0], 9, &[]),
        ("ldr r1, [r2, r3]", [0x58d1, 0], 1, &[2, 3]),
        ("ldr.w r1, [r2, r9, lsl #2]", [0xf852, 0x1029], 1, &[2, 9]),
        ("ldr.w r9, [r2], #4", [0xf852, 0x9b04], 9, &[2]),
        ("ldr.w r9, [r2, #-4]", [0xf852, 0x9c04], 9, &[2]),
        ("ldr r1, [sp, #4]", [0x9901, 0], 1, &[13]),
        ("ldrb r1, [r2, #1]", [0x7851, 0], 1, &[2]),
        ("ldrsb r1, [r2, r3]", [0x56d1, 0], 1, &[2, 3]),
        ("ldrsb.w r1, [r2, #3]", [0xf992, 0x1003], 1, &[2]),
        ("ldrsh.w r1, [r2, r9]", [0xf932, 0x1009], 1, &[2, 9]),
        ("ldrexb r2, [r0]", [0xe8d0, 0x2f4f], 2, &[0]),
    ] {
        means(text, code, Load, &[writes], address);
    }
    for (text, code, register_offset, address) in [
        ("str r1, [r2, r3]", [0x50d1, 0], true, &[2, 3][..]),
        ("strb.w r1, [r2, r9]", [0xf802, 0x1009], true, &[2, 9]),
        ("str.w r9, [r2, #4]!", [0xf842, 0x9f04], false, &[2]),
        ("strh r1, [r2, #2]", [0x8051, 0], false, &[2]),
        ("str r1, [sp, #4]", [0x9101, 0], false, &[13]),
    ] {
        means(text, code, Store { register_offset }, &[], address);
    }
    for (text, code, words, writes, address) in [
        ("ldrd r1, r2, [r3], #8", [0xe8f3, 0x1202], 2, &[1, 2][..], 3),
        ("strd r1, r2, [r3, #8]", [0xe9c3, 0x1202], 2, &[], 3),
        ("ldmia r1!, {r2-r5}", [0xc93c, 0], 4, &[2, 3, 4, 5], 1),
        ("ldmdb r1!, {r2-r5}", [0xe931, 0x003c], 4, &[2, 3, 4, 5], 1),
        ("stmdb sp!, {r1-r3, r9, lr}", [0xe92d, 0x420e], 5, &[], 13),
        ("push {lr}", [0xb500, 0], 1, &[], 13),
        ("pop {r4-r6, pc}", [0xbd70, 0], 4, &[4, 5, 6, 15], 13),
        ("vldr s1, [r2, #4]", [0xedd2, 0x0a01], 1, &[], 2),
        ("vldr d1, [r2, #4]", [0xed92, 0x1b01], 2, &[], 2),
        ("vstr s1, [r2, #-4]", [0xed42, 0x0a01], 1, &[], 2),
        ("vldmia r2!, {s1-s5}", [0xecf2, 0x0a05], 5, &[], 2),
        ("vstmia r2, {d1-d5}", [0xec82, 0x1b0a], 10, &[], 2),
        ("vpush {s16-s31}", [0xed2d, 0x8a10], 16, &[], 13),
    ] {
        means(text, code, Multiple { words }, writes, &[address]);
    }
}

#[test]
fn whatever_jumps_is_a_branch() {
    for (text, code, call) in [
        ("cbz r1, .+4", [0xb101, 0], false),
        ("beq.n .", [0xd0fe, 0], false),
        ("beq.w .-4", [0xf43f, 0xaffd], false),
        ("b.n .-6", [0xe7fb, 0], false),
        ("b.w .-8", [0xf7ff, 0xbffa], false),
        ("bl .-12", [0xf7ff, 0xfff8], true),
        ("blx r3", [0x4798, 0], true),
        ("bx r3", [0x4718, 0], false),
        ("mov pc, lr", [0x46f7, 0], false),
    ] {
        means(text, code, Branch { call }, &[], &[]);
    }
    means("tbb [pc, r1]", [0xe8df, 0xf001], TableBranch, &[], &[]);
    means("tbh [r2, r1, lsl #1]", [0xe8d2, 0xf011], TableBranch, &[], &[]);
    means("it eq", [0xbf08, 0], Condition { instructions: 1 }, &[], &[]);
    means("ite eq", [0xbf0c, 0], Condition { instructions: 2 }, &[], &[]);
    means("itttt gt", [0xbfc1, 0], Condition { instructions: 4 }, &[], &[]);
}

#[test]
fn floating_point_is_told_by_its_price() {
    for (text, code, cycles, writes) in [
        ("vmla.f32 s1, s2, s3", [0xee41, 0x0a21], 3, &[][..]),
        ("vnmls.f32 s1, s2, s3", [0xee51, 0x0a21], 3, &[]),
        ("vfma.f32 s1, s2, s3", [0xeee1, 0x0a21], 3, &[]),
        ("vfnms.f32 s1, s2, s3", [0xeed1, 0x0a21], 3, &[]),
        ("vnmul.f32 s1, s2, s3", [0xee61, 0x0a61], 1, &[]),
        ("vsub.f32 s1, s2, s3", [0xee71, 0x0a61], 1, &[]),
        ("vdiv.f32 s31, s30, s29", [0xeecf, 0xfa2e], 14, &[]),
        ("vsqrt.f32 s31, s30", [0xeef1, 0xfacf], 14, &[]),
        ("vneg.f32 s1, s2", [0xeef1, 0x0a41], 1, &[]),
        ("vcmp.f32 s1, #0.0", [0xeef5, 0x0a40], 1, &[]),
        ("vcvt.s32.f32 s1, s2", [0xeefd, 0x0ac1], 1, &[]),
        ("vmov r1, s2", [0xee11, 0x1a10], 1, &[1]),
        ("vmov s2, r1", [0xee01, 0x1a10], 1, &[]),
        ("vmov r1, r2, d3", [0xec52, 0x1b13], 2, &[1, 2]),
        ("vmov s3, s4, r1, r2", [0xec42, 0x1a31], 2, &[]),
        ("vmrs APSR_nzcv, fpscr", [0xeef1, 0xfa10], 1, &[]),
    ] {
        means(text, code, Float { cycles }, writes, &[]);
    }
}

#[test]
fn other_cores_instructions_are_not_known() {
    for (text, code) in [
        ("vadd.i32 d0, d1, d2", [0xef21, 0x0802]),
        ("mcr p15, 0, r0, c7, c5, 0", [0xee07, 0x0f15]),
        ("rfeia r0", [0xe990, 0xc000]),
    ] {
        assert_eq!(decode(code), None, "{text}");
    }
}

/// Code that runs once from top to bottom.
fn cost_of(code: &[u16]) -> u64 {
    let counts = once(code);
    price(&counts, halfwords(code)).unwrap().iter().sum()
}

fn once(code: &[u16]) -> Vec<Count> {
    let (mut counts, mut at) = (Vec::new(), 0);
    while at < code.len() {
        let length = if code[at] >> 11 >= 0b11101 { 4 } else { 2 };
        counts.push(Count {
            address: 2 * at as u32,
            length,
            executions: 1,
            ..Count::default()
        });
        at += length as usize / 2;
    }
    counts
}

fn halfwords(code: &[u16]) -> impl Fn(u32) -> Option<[u16; 2]> {
    move |address| {
        let at = address as usize / 2;
        Some([*code.get(at)?, code.get(at + 1).copied().unwrap_or(0)])
    }
}

#[test]
fn loads_overlap_unless_their_address_waits() {
    let (ldr_r0_r7, ldr_r1_r7, ldr_r1_r0, str_r1_r7_r2) = (0x6838, 0x6879, 0x6801, 0x50b9);
    assert_eq!(cost_of(&[ldr_r0_r7, ldr_r1_r7]), 2 + 1);
    assert_eq!(cost_of(&[ldr_r0_r7, ldr_r1_r0]), 2 + 2);
    assert_eq!(cost_of(&[ldr_r0_r7, str_r1_r7_r2]), 2 + 1);
    assert_eq!(cost_of(&[str_r1_r7_r2, ldr_r1_r7]), 2 + 2);
    let (it_eq, nop) = (0xbf08, 0xbf00);
    assert_eq!(
        cost_of(&[it_eq, ldr_r0_r7, ldr_r1_r7]),
        1 + 2 + 2,
        "the first may be skipped"
    );
    assert_eq!(
        cost_of(&[it_eq, nop, ldr_r0_r7, ldr_r1_r7]),
        1 + 1 + 2 + 1,
        "the first is none of its"
    );
}

#[test]
fn addresses_wait_for_data_processing() {
    let (adds_r0, ldr_r1_r0, pop_r4, add_sp) = (0x3004, 0x6801, 0xbc10, 0xb002);
    assert_eq!(cost_of(&[adds_r0, ldr_r1_r0]), 1 + 2 + 1);
    assert_eq!(cost_of(&[adds_r0, pop_r4]), 1 + 2);
    assert_eq!(cost_of(&[add_sp, pop_r4]), 1 + 2 + 1);
}

#[test]
fn only_what_passed_straight_on_is_waited_for() {
    let (adds_r0, ldr_r1_r0) = (0x3004, 0x6801);
    let code = [adds_r0, ldr_r1_r0];
    let mut counts = once(&code);
    // Ten loads, of which six come by a jump from elsewhere.
    (counts[0].executions, counts[0].departures) = (5, 1);
    counts[1].executions = 10;
    assert_eq!(price(&counts, halfwords(&code)), Ok(vec![5, 20 + 4]));
    counts[1].extra_transfers = 3;
    assert_eq!(price(&counts, halfwords(&code)), Ok(vec![5, 20 + 4 + 3]));
}

#[test]
fn taken_branches_refill_the_pipeline() {
    for jump in [0xd1fd, 0x4770, 0xe7fe] {
        let mut counts = once(&[jump]);
        (counts[0].executions, counts[0].departures) = (10, 9);
        assert_eq!(price(&counts, halfwords(&[jump])), Ok(vec![10 + 2 * 9]), "{jump:x}");
    }
    let pop_r4_pc = 0xbd10;
    let mut counts = once(&[pop_r4_pc]);
    counts[0].departures = 1;
    assert_eq!(price(&counts, halfwords(&[pop_r4_pc])), Ok(vec![1 + 2 + 2]));
}

#[test]
fn what_is_not_known_has_no_price() {
    let code = [0xbf00, 0xef21, 0x0802];
    assert_eq!(price(&once(&code), halfwords(&code)), Err(Unpriced { address: 2 }));
    assert_eq!(price(&once(&[0xbf00]), |_| None), Err(Unpriced { address: 0 }));
}

#[test]
fn a_trace_is_the_sum_of_its_functions() {
    let cost = |name: &str, instructions, cycles| FunctionCost {
        name: name.to_owned(),
        instructions,
        cycles,
    };
    let trace = Trace::of(vec![cost("a", 1, 2), cost("read_picture", 30, 40), cost("b", 5, 6)]);
    assert_eq!((trace.instructions, trace.cycles), (36, 48));
    assert_eq!(trace.per_function[0].name, "read_picture");
    let without = trace.without(|name| name == "read_picture");
    assert_eq!(without, Trace::of(vec![cost("b", 5, 6), cost("a", 1, 2)]));
    assert_eq!((without.instructions, without.cycles), (6, 8));
}
