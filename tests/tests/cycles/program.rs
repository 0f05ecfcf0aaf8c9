//! A program in machine code, each function of a known price.
//!
//! GNU as made the code from the text beside it; prices stand in the text.

/// A function of the program.
pub struct Function {
    /// Its symbol.
    pub name: &'static str,
    /// Where it lies.
    pub address: u32,
    /// Its code.
    pub code: &'static [u16],
}

/// What a Cortex-M begins with: its stack pointer, and where it starts, with the bit that says Thumb.
pub const VECTORS: [u32; 2] = [0x2001_0000, RESET | 1];

/// Where the program starts.
pub const RESET: u32 = 0x40;

/// All functions, by address.
pub const FUNCTIONS: &[Function] = &[
    // Turns the floating-point unit on, calls all others, and ends the emulator by semihosting.
    Function {
        name: "reset",
        address: RESET,
        code: &[
            0x4810, //         ldr   r0, =0xe000ed88
            0xf44f, 0x0170, // mov   r1, #0xf00000
            0x6001, //         str   r1, [r0]
            0xf3bf, 0x8f4f, // dsb
            0xf3bf, 0x8f6f, // isb
            0x4f0d, //         ldr   r7, =0x20000100
            0xf000, 0xf855, // bl    loads
            0xf000, 0xf85d, // bl    blocks
            0xf000, 0xf865, // bl    branches
            0xf000, 0xf86e, // bl    floats
            0xf000, 0xf9c9, // bl    page_end
            0x2601, //         movs  r6, #1
            0xf000, 0xf81d, // bl    turns
            0x2603, //         movs  r6, #3
            0xf000, 0xf81a, // bl    turns
            0xf000, 0xf815, // bl    jumps
            0xf000, 0xf814, // bl    behind
            0x2018, //         movs  r0, #0x18
            0x4903, //         ldr   r1, =0x20026
            0xbeab, //         bkpt  0xab
            0xe7fe, //         b     .
            0x0000, 0xed88, 0xe000, 0x0100, 0x2000, 0x0026, 0x0002,
        ],
    },
    Function {
        name: "jumps",
        address: 0xa0,
        code: &[0xe000], //    b     jumped_to
    },
    Function {
        name: "behind",
        address: 0xa2,
        code: &[0x4770], //    bx    lr
    },
    Function {
        name: "jumped_to",
        address: 0xa4,
        code: &[0x4770], //    bx    lr
    },
    // As many turns as r6 says, three cycles each but the last, which costs two.
    Function {
        name: "turns",
        address: 0xa6,
        code: &[
            0x4630, //         mov   r0, r6              1
            0x3801, //         subs  r0, #1              1 per turn
            0xd1fd, //         bne   .-2                 1 per turn, 2 more when taken
            0x4770, //         bx    lr                  3
        ],
    },
    Function {
        name: "loads",
        address: 0x100,
        code: &[
            0x6838, //         ldr   r0, [r7]            2
            0x6879, //         ldr   r1, [r7, #4]        1
            0xbf00, //         nop                       1
            0x6838, //         ldr   r0, [r7]            2
            0x6879, //         ldr   r1, [r7, #4]        1
            0x68ba, //         ldr   r2, [r7, #8]        1
            0xbf00, //         nop                       1
            0x6838, //         ldr   r0, [r7]            2
            0x6178, //         str   r0, [r7, #20]       1
            0x4770, //         bx    lr                  3
        ],
    },
    Function {
        name: "blocks",
        address: 0x114,
        code: &[
            0xe897, 0x000f, // ldm   r7, {r0-r3}         5
            0xe9d7, 0x0100, // ldrd  r0, r1, [r7]        3
            0xb570, //         push  {r4-r6, lr}         5
            0xf107, 0x0604, // add   r6, r7, #4          1
            0x6830, //         ldr   r0, [r6]            3, r6 being new
            0x5038, //         str   r0, [r7, r0]        2, r0 being loaded
            0xbd70, //         pop   {r4-r6, pc}         7
        ],
    },
    Function {
        name: "branches",
        address: 0x128,
        code: &[
            0x2003, //         movs  r0, #3              1
            0xfb22, 0x1103, // smlad r1, r2, r3, r1      3 × 1
            0x3801, //         subs  r0, #1              3 × 1
            0xd1fb, //         bne   .-6                 3 + 3 + 1
            0xbf08, //         it    eq                  1
            0x3101, //         addeq r1, #1              1
            0x4289, //         cmp   r1, r1              1
            0xd000, //         beq   .+4                 3
            0xbf00, //         nop                       never
            0x4770, //         bx    lr                  3
        ],
    },
    Function {
        name: "floats",
        address: 0x13e,
        code: &[
            0xed97, 0x0a00, // vldr  s0, [r7]            2
            0xee00, 0x0a00, // vmla.f32 s0, s0, s0       3
            0xee80, 0x0a00, // vdiv.f32 s0, s0, s0       14
            0xee30, 0x0a00, // vadd.f32 s0, s0, s0       1
            0xee10, 0x0a10, // vmov  r0, s0              1
            0xec51, 0x0b10, // vmov  r0, r1, d0          2
            0xec41, 0x0b11, // vmov  d1, r0, r1          2
            0xec97, 0x0a04, // vldm  r7, {s0-s3}         5
            0xfbb0, 0xf0f7, // udiv  r0, r0, r7          7
            0xf04f, 0x0005, // mov   r0, #5              1
            0xf8d7, 0x1002, // ldr   r1, [r7, #2]        3, in two halves
            0xf8d7, 0x1001, // ldr   r1, [r7, #1]        3, in three parts
            0x4770, //         bx    lr                  3
        ],
    },
    // The emulator looks ahead where an instruction ends two bytes before a page of 1024 does.
    Function {
        name: "page_end",
        address: 0x3f8,
        code: &[
            0xbf00, //         nop                       1
            0xf107, 0x0504, // add   r5, r7, #4          1
            0xf8d5, 0x0000, // ldr   r0, [r5]            3, r5 being new
            0x4770, //         bx    lr                  3
        ],
    },
];
