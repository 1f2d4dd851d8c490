use std::arch::asm;
use std::arch::x86_64::{__cpuid, __cpuid_count};
use std::sync::LazyLock;

use super::avx512::Avx512;
use super::product::IntProduct;
use super::{Ints, Isa, LANES, Op};

/// AMX-INT8: tiles of 16 rows of 64 bytes, of which two by two are multiplied at once. Sums of integers are exact, so
/// they are the same as those of any other kernel.
#[derive(Clone, Copy)]
pub(super) struct Amx {
    lanes: Avx512,
}

/// Rows of the tiles that are computed at once.
const ROWS: usize = 32;

/// What `ldtilecfg` reads.
#[repr(C, align(64))]
struct TileShapes {
    palette: u8,
    start_row: u8,
    reserved: [u8; 14],
    row_bytes: [u16; 16],
    rows: [u8; 16],
}

/// Eight tiles of full size.
static SHAPES: TileShapes = TileShapes {
    palette: 1,
    start_row: 0,
    reserved: [0; 14],
    row_bytes: [64, 64, 64, 64, 64, 64, 64, 64, 0, 0, 0, 0, 0, 0, 0, 0],
    rows: [16, 16, 16, 16, 16, 16, 16, 16, 0, 0, 0, 0, 0, 0, 0, 0],
};

/// Whether processor and kernel let this process use tiles. Asked once: the permission is the process's.
static USABLE: LazyLock<bool> = LazyLock::new(|| has_tiles() && permitted());

impl Amx {
    pub(super) fn detect() -> Option<Self> {
        let lanes = Avx512::detect()?;
        (*USABLE).then_some(Self { lanes })
    }

    /// What computes everything but products of bytes.
    pub(super) const fn lanes(self) -> Avx512 {
        self.lanes
    }

    pub(super) fn product(self, op: IntProduct<'_>) {
        self.lanes.run(Tiled(op));
    }
}

fn has_tiles() -> bool {
    const TILE_AND_INT8: u32 = 1 << 24 | 1 << 25;
    __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & TILE_AND_INT8 == TILE_AND_INT8
}

/// Asks Linux for the tiles' state (arch_prctl ARCH_REQ_XCOMP_PERM, feature 18).
#[cfg(target_os = "linux")]
fn permitted() -> bool {
    const ARCH_PRCTL: i64 = 158;
    let result: i64;
    // SAFETY: the system call takes two numbers and touches no memory of ours.
    unsafe {
        asm!(
            "syscall",
            inlateout("rax") ARCH_PRCTL => result,
            in("rdi") 0x1023,
            in("rsi") 18,
            out("rcx") _,
            out("r11") _,
            options(nostack),
        );
    }
    result == 0
}

#[cfg(not(target_os = "linux"))]
fn permitted() -> bool {
    false
}

/// The same product by tiles; runs only where [`Amx::detect`] found them.
struct Tiled<'a>(IntProduct<'a>);

impl Op for Tiled<'_> {
    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        let mut product = self.0;
        let (weights, rows) = (product.weights, product.rows());
        let (depth, width) = (weights.groups, weights.bias.len());
        assert!(
            product.input.groups.len() >= (product.first + rows.next_multiple_of(ROWS)) * depth,
            "rows lack"
        );
        assert!(weights.panels.len() == width * depth, "a panel has a line for four inputs");
        let mut sums = [[Ints([0; LANES]); 2]; ROWS];
        // SAFETY: `detect` found the instruction, and SHAPES has the 64 bytes that it reads.
        unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const SHAPES, options(nostack, readonly)) };
        for panel in (0..width).step_by(2) {
            // Where there is no second panel the first is computed twice.
            let second = if panel + 1 < width { panel + 1 } else { panel };
            for first in (0..rows).step_by(ROWS) {
                // SAFETY: tiles are set up above; 32 rows from `first` and both panels are within their vectors by the
                // assertions.
                unsafe {
                    let a = product.input.groups.as_ptr().add((product.first + first) * depth);
                    let b = weights.panels.as_ptr();
                    let (b, c) = (b.add(panel * depth), b.add(second * depth));
                    tile(a.cast(), depth * 4, b.cast(), c.cast(), depth / LANES, sums.as_mut_ptr().cast());
                }
                product.finish(isa, &sums, first, panel);
            }
        }
        // SAFETY: as above; gives the tiles back, so that a switch of threads need not save them.
        unsafe { asm!("tilerelease", options(nostack, nomem)) };
    }
}

/// Two by two tiles: 32 rows of `a`, `stride` bytes apart, by the panels `b` and `c`, `steps` times 64 bytes; the sums
/// go to 32 rows of two lines.
///
/// # Safety
/// All pointers are valid for that; the tiles are configured as in [`SHAPES`].
#[inline(always)]
unsafe fn tile(a: *const u8, stride: usize, b: *const u8, c: *const u8, steps: usize, sums: *mut u8) {
    // SAFETY: by the caller's promise.
    unsafe {
        asm!(
            "tilezero tmm0",
            "tilezero tmm1",
            "tilezero tmm2",
            "tilezero tmm3",
            "2:",
            "tileloadd tmm6, [{b} + {line}]",
            "tileloadd tmm7, [{c} + {line}]",
            "tileloadd tmm4, [{upper} + {stride}]",
            "tileloadd tmm5, [{lower} + {stride}]",
            "tdpbusd tmm0, tmm4, tmm6",
            "tdpbusd tmm1, tmm4, tmm7",
            "tdpbusd tmm2, tmm5, tmm6",
            "tdpbusd tmm3, tmm5, tmm7",
            "add {upper}, 64",
            "add {lower}, 64",
            "add {b}, 1024",
            "add {c}, 1024",
            "dec {steps}",
            "jnz 2b",
            "add {line}, 64",
            "tilestored [{sums} + {line}], tmm0",
            "tilestored [{sums} + {line} + 64], tmm1",
            "tilestored [{sums} + {line} + 2048], tmm2",
            "tilestored [{sums} + {line} + 2112], tmm3",
            upper = inout(reg) a => _,
            lower = inout(reg) a.add(16 * stride) => _,
            stride = in(reg) stride,
            b = inout(reg) b => _,
            c = inout(reg) c => _,
            line = inout(reg) 64_usize => _,
            steps = inout(reg) steps => _,
            sums = in(reg) sums,
            out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
            out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
            options(nostack),
        );
    }
}
