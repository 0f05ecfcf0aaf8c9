//! What stops the stack from growing out of its memory.
#![allow(unsafe_code)]

use core::ptr::addr_of;

unsafe extern "C" {
    static _stack_start: u32;
    static _stack_end: u32;
}

/// How far below the stack an access is taken for an overflow, in bytes: more than any frame, and a size that the MPU knows.
#[cfg(not(armv6m))]
pub(super) const GUARD_LEN: usize = 64 << 10;

/// The stack's lowest address.
pub(super) fn stack_end() -> usize {
    addr_of!(_stack_end) as usize
}

/// The address above the stack.
pub(super) fn stack_start() -> usize {
    addr_of!(_stack_start) as usize
}

/// Makes an overflow a fault.
#[cfg(armv8m)]
pub(in super::super) fn guard_stack() {
    // SAFETY: the limit is where the linker script ends the stack, and the stack pointer is above it, or the start-up code that
    // painted the stack would not have come here.
    unsafe { cortex_m::register::msplim::write(stack_end() as u32) };
}

/// Makes an overflow a fault.
#[cfg(armv7m)]
pub(in super::super) fn guard_stack() {
    const EXECUTE_NEVER: u32 = 1 << 28;
    // Access permission 0: nobody.
    const REGION_ENABLE: u32 = 1 << 0;
    const SIZE_SHIFT: u32 = 1;
    /// Elsewhere the default memory map holds; in `HardFault` and `NMI` there is no guard.
    const CTRL_PRIVILEGED_DEFAULT: u32 = 1 << 2;
    const CTRL_ENABLE: u32 = 1 << 0;
    const { assert!(GUARD_LEN.is_power_of_two() && GUARD_LEN >= 32) };

    // SAFETY: the MPU's registers lie there on every core of Armv7-M that has one, and its type reads as 0 regions on one that has
    // none. The region ends at the stack's end, to which the linker script gives the alignment that it needs, and holds no
    // object of this program: forbidding it changes nothing for a program that stays in its stack.
    unsafe {
        let mpu = &*cortex_m::peripheral::MPU::PTR;
        if mpu._type.read() >> 8 & 0xff == 0 {
            defmt::warn!("this core has no MPU: nothing guards the stack");
            return;
        }
        mpu.rnr.write(0);
        mpu.rbar.write((stack_end() - GUARD_LEN) as u32);
        mpu.rasr
            .write(EXECUTE_NEVER | (GUARD_LEN.ilog2() - 1) << SIZE_SHIFT | REGION_ENABLE);
        mpu.ctrl.write(CTRL_PRIVILEGED_DEFAULT | CTRL_ENABLE);
    }
    cortex_m::asm::dsb();
    cortex_m::asm::isb();
}

/// This core has nothing that could.
#[cfg(armv6m)]
pub(in super::super) fn guard_stack() {}
