//! A tile unit in software: what a processor without AMX refuses to run of it is computed here, after Intel's
//! "Architecture Instruction Set Extensions Programming Reference" (319433), chapter 3, from the very machine code.

use std::cell::UnsafeCell;
use std::ffi::{c_int, c_void};
use std::mem::zeroed;
use std::ptr::null_mut;
use std::sync::LazyLock;

use crate::simd::bf16::widen;

/// Rows of a tile at most, and bytes of a row.
const ROWS: usize = 16;
const ROW: usize = 64;

/// The tiles of a thread.
struct Unit {
    /// Rows and bytes of a row that are in use, of each tile; None before `ldtilecfg` and after `tilerelease`.
    shapes: Option<[(usize, usize); 8]>,
    tiles: [[[u8; ROW]; ROWS]; 8],
}

thread_local! {
    static UNIT: UnsafeCell<Unit> =
        const { UnsafeCell::new(Unit { shapes: None, tiles: [[[0; ROW]; ROWS]; 8] }) };
}

/// Whether instructions for tiles are computed in software from now on.
pub(in crate::simd) fn emulate() -> bool {
    static INSTALLED: LazyLock<bool> = LazyLock::new(|| {
        // SAFETY: all zeros is a valid sigaction, and `refused` a handler of the kind that its flags declare.
        unsafe {
            let mut action: libc::sigaction = zeroed();
            action.sa_sigaction = refused as *const () as usize;
            action.sa_flags = libc::SA_SIGINFO;
            libc::sigaction(libc::SIGILL, &raw const action, null_mut()) == 0
        }
    });
    *INSTALLED
}

extern "C" fn refused(_signal: c_int, _info: *mut libc::siginfo_t, context: *mut c_void) {
    // SAFETY: the kernel hands a handler with SA_SIGINFO a ucontext_t, which is this thread's alone until it returns.
    let registers = unsafe { &mut (*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
    let at = registers[libc::REG_RIP as usize];
    // SAFETY: an instruction was read from there; the longest has 15 bytes, and behind this program's code lies more.
    let code = unsafe { *(at as *const [u8; 12]) };
    let done = Instruction::read(code, registers).and_then(|instruction| {
        // SAFETY: only this thread reaches its unit, and nothing of this module runs on it meanwhile.
        UNIT.with(|unit| unsafe { (*unit.get()).run(&instruction) })?;
        Some(instruction.length)
    });
    if let Some(length) = done {
        registers[libc::REG_RIP as usize] = at + length;
    } else {
        // SAFETY: the default is a valid handler; the instruction is met again, and the process ends of it.
        unsafe { libc::signal(libc::SIGILL, libc::SIG_DFL) };
    }
}

/// An instruction with a three-byte VEX prefix of the map 0F 38, and where its memory operand lies.
struct Instruction {
    opcode: u8,
    /// 0: none, 1: 66, 2: F3, 3: F2.
    prefix: u8,
    /// Tiles in the fields reg, rm and vvvv; rm is none where the operand is memory.
    reg: usize,
    rm: Option<usize>,
    third: usize,
    address: usize,
    /// Bytes between the rows of a tile in memory.
    stride: usize,
    length: i64,
}

impl Instruction {
    fn read(code: [u8; 12], registers: &[i64]) -> Option<Self> {
        let [0xc4, map, last, opcode, modrm, ..] = code else { return None };
        // The register numbers' upper bits are inverted; tiles have none.
        let [_, index_high, base_high] = [7, 6, 5].map(|bit| usize::from(!map >> bit & 1) << 3);
        let (mode, rm) = (modrm >> 6, usize::from(modrm & 7));
        let mut length = 5;
        let (mut base, mut index) = (rm | base_high, None);
        if mode != 3 && rm == 4 {
            let sib = code[5];
            length += 1;
            base = usize::from(sib & 7) | base_high;
            let number = usize::from(sib >> 3 & 7) | index_high;
            index = (number != 4).then_some((number, sib >> 6));
        }
        let displacement = match mode {
            0 if base & 7 == 5 => return None,
            1 => i64::from(code[length].cast_signed()),
            2 => i64::from(i32::from_le_bytes(*code[length..].first_chunk()?)),
            _ => 0,
        };
        length += [0, 1, 4, 0][usize::from(mode)];
        let value = |number: usize| registers[REGISTERS[number] as usize];
        let stride = index.map_or(0, |(number, scale)| value(number) << scale);
        (map & 0x1f == 2 && last & 0x84 == 0).then_some(Self {
            opcode,
            prefix: last & 3,
            reg: usize::from(modrm >> 3 & 7),
            rm: (mode == 3).then_some(rm),
            third: usize::from(!last >> 3 & 7),
            address: (value(base) + displacement) as usize,
            stride: stride as usize,
            length: length as i64,
        })
    }
}

/// Where a register lies in what the kernel saves, by its number in instructions.
const REGISTERS: [c_int; 16] = [
    libc::REG_RAX,
    libc::REG_RCX,
    libc::REG_RDX,
    libc::REG_RBX,
    libc::REG_RSP,
    libc::REG_RBP,
    libc::REG_RSI,
    libc::REG_RDI,
    libc::REG_R8,
    libc::REG_R9,
    libc::REG_R10,
    libc::REG_R11,
    libc::REG_R12,
    libc::REG_R13,
    libc::REG_R14,
    libc::REG_R15,
];

impl Unit {
    /// None for what is no instruction of the unit, or must not be run in its state.
    ///
    /// # Safety
    /// The instruction's memory operand is valid for what it reads or writes.
    unsafe fn run(&mut self, instruction: &Instruction) -> Option<()> {
        let &Instruction { opcode, prefix, reg, rm, third, address, stride, .. } = instruction;
        if (opcode, prefix, rm) == (0x49, 0, None) {
            // SAFETY: by the caller's promise.
            return self.configure(unsafe { &*(address as *const [u8; 64]) });
        }
        let shapes = self.shapes?;
        let (rows, bytes) = shapes[reg];
        match (opcode, prefix, rm) {
            (0x49, 0, Some(0)) if reg == 0 => self.shapes = None,
            (0x49, 3, Some(0)) => self.tiles[reg] = [[0; ROW]; ROWS],
            (0x4b, 3, None) => {
                self.tiles[reg] = [[0; ROW]; ROWS];
                for row in 0..rows {
                    let from = (address + row * stride) as *const u8;
                    // SAFETY: by the caller's promise.
                    unsafe { from.copy_to_nonoverlapping(self.tiles[reg][row].as_mut_ptr(), bytes) };
                }
            }
            (0x4b, 2, None) => {
                for row in 0..rows {
                    let to = (address + row * stride) as *mut u8;
                    // SAFETY: by the caller's promise.
                    unsafe { to.copy_from_nonoverlapping(self.tiles[reg][row].as_ptr(), bytes) };
                }
            }
            (0x5e, 1, Some(rm)) => self.multiply(shapes, [reg, rm, third], bytes_dot)?,
            (0x5c, 2, Some(rm)) => self.multiply(shapes, [reg, rm, third], pairs_dot)?,
            _ => return None,
        }
        Some(())
    }

    fn configure(&mut self, memory: &[u8; 64]) -> Option<()> {
        let mut shapes = [(0, 0); 8];
        for (tile, (rows, bytes)) in shapes.iter_mut().enumerate() {
            *rows = usize::from(memory[48 + tile]);
            *bytes = usize::from(u16::from_le_bytes([memory[16 + 2 * tile], memory[17 + 2 * tile]]));
            if *rows > ROWS || *bytes > ROW {
                return None;
            }
        }
        let reserved = memory[1] != 0 || memory[2..16].iter().chain(&memory[56..]).any(|&byte| byte != 0);
        self.shapes = (memory[0] == 1 && !reserved).then_some(shapes);
        self.tiles = [[[0; ROW]; ROWS]; 8];
        self.shapes.map(|_| ())
    }

    /// Each four bytes of the sums: what `dot` gives for it, the row of `a` and the column of `b`.
    fn multiply(
        &mut self,
        shapes: [(usize, usize); 8],
        [sums, a, b]: [usize; 3],
        dot: fn([u8; 4], &mut Steps<'_>) -> [u8; 4],
    ) -> Option<()> {
        let ((rows, bytes), depth) = (shapes[sums], shapes[a].1 / 4);
        let fits = shapes[a].0 == rows && shapes[b] == (depth, bytes);
        if !fits || sums == a || sums == b || a == b {
            return None;
        }
        let four = |row: &[u8; ROW], at: usize| row.as_chunks::<4>().0[at];
        for row in 0..rows {
            for column in 0..bytes / 4 {
                let (left, right) = (&self.tiles[a][row], &self.tiles[b]);
                let mut pairs = (0..depth).map(|step| (four(left, step), four(&right[step], column)));
                let sum = dot(four(&self.tiles[sums][row], column), &mut pairs);
                self.tiles[sums][row].as_chunks_mut::<4>().0[column] = sum;
            }
        }
        Some(())
    }
}

/// Four bytes of each side, step by step.
type Steps<'a> = dyn Iterator<Item = ([u8; 4], [u8; 4])> + 'a;

/// TDPBUSD: bytes without a sign by bytes with one.
fn bytes_dot(sum: [u8; 4], pairs: &mut Steps<'_>) -> [u8; 4] {
    let terms = pairs.flat_map(|(a, b)| a.into_iter().zip(b));
    let terms = terms.map(|(a, b)| i32::from(a) * i32::from(b.cast_signed()));
    terms.fold(i32::from_le_bytes(sum), i32::wrapping_add).to_le_bytes()
}

/// TDPBF16PS: numbers at even and at odd places are summed apart.
fn pairs_dot(sum: [u8; 4], pairs: &mut Steps<'_>) -> [u8; 4] {
    let two = |[a, b, c, d]: [u8; 4]| [[a, b], [c, d]].map(|half| widen(u16::from_le_bytes(half)));
    let sums = pairs.fold([0.0_f32; 2], |[even, odd], (a, b)| {
        let (a, b) = (two(a), two(b));
        [a[0].mul_add(b[0], even), a[1].mul_add(b[1], odd)]
    });
    (f32::from_le_bytes(sum) + (sums[0] + sums[1])).to_le_bytes()
}
