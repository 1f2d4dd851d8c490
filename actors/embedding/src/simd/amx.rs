use std::arch::asm;
use std::arch::x86_64::{__cpuid, __cpuid_count};
use std::sync::LazyLock;

use super::avx512::Avx512;
use super::bf16::PairProduct;
use super::product::{IntProduct, finish_floats};
use super::{Floats, Ints, Isa, LANES, Op};
use crate::Precision;

/// AMX-INT8 and AMX-BF16: tiles of 16 rows of 64 bytes, of which two by two are multiplied at once. Sums of integers are
/// exact, so they are the same as those of any other kernel.
#[derive(Clone, Copy)]
pub(super) struct Amx {
    lanes: Avx512<false>,
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

    /// Tiles on any processor with AVX-512: where there are none, software computes them.
    #[cfg(all(test, target_os = "linux"))]
    pub(super) fn emulated() -> Option<Self> {
        let lanes = Avx512::detect()?;
        (*USABLE || super::tests::tiles::emulate()).then_some(Self { lanes })
    }

    /// What computes everything but products of bytes.
    pub(super) const fn lanes(self) -> Avx512<false> {
        self.lanes
    }

    pub(super) fn product(self, op: IntProduct<'_>) {
        self.lanes.run(Tiled(op));
    }

    pub(super) fn pair_product(self, op: PairProduct<'_>) {
        self.lanes.run(Tiled(op));
    }

    /// Multiplies four tiles by `rounds` times; gives the operations.
    pub(super) fn burn(self, precision: Precision, rounds: usize) -> f64 {
        let rounds = rounds.max(1);
        let (run, inputs): (unsafe fn(usize), usize) =
            if precision == Precision::Bf16 { (burn_pairs, 2) } else { (burn_bytes, 4) };
        // SAFETY: `detect` found the instructions, and `rounds` is not zero.
        unsafe { run(rounds) };
        2.0 * (4 * LANES * LANES * LANES * inputs * rounds) as f64
    }
}

fn has_tiles() -> bool {
    const BF16_TILE_AND_INT8: u32 = 1 << 22 | 1 << 24 | 1 << 25;
    __cpuid(0).eax >= 7 && __cpuid_count(7, 0).edx & BF16_TILE_AND_INT8 == BF16_TILE_AND_INT8
}

/// A loop of nothing but products of tiles, by the instruction for them.
macro_rules! burn {
    ($name:ident, $multiply:literal) => {
        /// # Safety
        /// The processor has the instruction, and `rounds` is not zero.
        unsafe fn $name(rounds: usize) {
            // SAFETY: by the caller's promise; SHAPES has the 64 bytes that are read.
            unsafe {
                asm!(
                    "ldtilecfg [{shapes}]",
                    "2:",
                    concat!($multiply, " tmm0, tmm4, tmm6"),
                    concat!($multiply, " tmm1, tmm4, tmm7"),
                    concat!($multiply, " tmm2, tmm5, tmm6"),
                    concat!($multiply, " tmm3, tmm5, tmm7"),
                    "dec {rounds}",
                    "jnz 2b",
                    "tilerelease",
                    shapes = in(reg) &raw const SHAPES,
                    rounds = inout(reg) rounds => _,
                    out("tmm0") _, out("tmm1") _, out("tmm2") _, out("tmm3") _,
                    out("tmm4") _, out("tmm5") _, out("tmm6") _, out("tmm7") _,
                    options(nostack, readonly),
                );
            }
        }
    };
}

burn!(burn_bytes, "tdpbusd");
burn!(burn_pairs, "tdpbf16ps");

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
struct Tiled<P>(P);

impl Op for Tiled<IntProduct<'_>> {
    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        let mut product = self.0;
        let (weights, first, rows) = (product.weights, product.first, product.rows());
        let (depth, width) = (weights.groups, weights.bias.len());
        let input = &product.input.groups[first * depth..];
        assert!(input.len() >= rows.next_multiple_of(ROWS) * depth, "the input has fewer rows");
        assert!(weights.panels.len() == width * depth, "a panel has a line for four inputs");
        let (a, b) = (input.as_ptr().cast(), weights.panels.as_ptr().cast());
        let mut sums = [[Ints([0; LANES]); 2]; ROWS];
        let to = sums.as_mut_ptr();
        // SAFETY: by the assertions; `detect` found the instructions, and `sums` is as large as four tiles.
        unsafe {
            tiles(a, b, [rows, width, depth], int_tiles, to.cast(), |first, panel| {
                product.finish(isa, &*to.cast::<[[Ints; 2]; ROWS]>(), first, panel);
            });
        }
    }
}

impl Op for Tiled<PairProduct<'_>> {
    #[inline(always)]
    fn run<S: Isa>(self, isa: S) {
        let PairProduct { weights, input, first, out, then } = self.0;
        let (depth, width) = (weights.depth, weights.bias.len());
        let rows = out.len() / width;
        let input = &input.groups[first * depth..];
        assert!(input.len() >= rows.next_multiple_of(ROWS) * depth, "the input has fewer rows");
        assert!(weights.panels.len() == width * depth, "a panel has a line for two inputs");
        let (a, b) = (input.as_ptr().cast(), weights.panels.as_ptr().cast());
        let mut sums = [[Floats::ZERO; 2]; ROWS];
        let to = sums.as_mut_ptr();
        // SAFETY: by the assertions; `detect` found the instructions, and `sums` is as large as four tiles.
        unsafe {
            tiles(a, b, [rows, width, depth], pair_tiles, to.cast(), |first, panel| {
                let (sums, rows) = (&*to.cast::<[[Floats; 2]; ROWS]>(), &mut out[first * width..]);
                finish_floats(isa, &weights.bias, sums, rows, panel, (width - panel).min(2), then);
            });
        }
    }
}

/// Two by two tiles: 32 rows of the first pointer, so many bytes apart, by the panels of the second and the third, for so
/// many steps of 64 bytes; the sums go to 32 rows of two lines.
type FourTiles = unsafe fn(*const u8, usize, *const u8, *const u8, usize, *mut u8);

/// Computes `rows` rows of `width` panels, `depth` groups of four bytes deep, by fours of tiles. After each, `finish` is
/// told the first of its rows and of its panels, whose sums lie in `sums`.
///
/// # Safety
/// The processor has tiles and the instructions of `four`. `a` is valid for `rows` rows, rounded up to [`ROWS`], of
/// `depth` groups; `b` for `width` panels of `depth` lines of 64 bytes; `sums` for [`ROWS`] rows of two lines.
#[inline(always)]
unsafe fn tiles(
    a: *const u8,
    b: *const u8,
    [rows, width, depth]: [usize; 3],
    four: FourTiles,
    sums: *mut u8,
    mut finish: impl FnMut(usize, usize),
) {
    // SAFETY: the processor has the instruction, and SHAPES the 64 bytes that it reads.
    unsafe { asm!("ldtilecfg [{}]", in(reg) &raw const SHAPES, options(nostack, readonly)) };
    for panel in (0..width).step_by(2) {
        // Where there is no second panel the first is computed twice.
        let second = if panel + 1 < width { panel + 1 } else { panel };
        for first in (0..rows).step_by(ROWS) {
            // SAFETY: tiles are set up above; rows and panels are within what the caller promises.
            unsafe {
                let (a, stride) = (a.add(first * depth * 4), depth * 4);
                four(a, stride, b.add(panel * depth * 64), b.add(second * depth * 64), depth / LANES, sums);
            }
            finish(first, panel);
        }
    }
    // SAFETY: as above; gives the tiles back, so that a switch of threads need not save them.
    unsafe { asm!("tilerelease", options(nostack, nomem)) };
}

/// A [`FourTiles`] by the instruction that multiplies two tiles.
macro_rules! four_tiles {
    ($name:ident, $multiply:literal) => {
        /// # Safety
        /// All pointers are valid for what [`FourTiles`] says; the tiles are configured as in [`SHAPES`].
        unsafe fn $name(
            a: *const u8,
            stride: usize,
            b: *const u8,
            c: *const u8,
            steps: usize,
            sums: *mut u8,
        ) {
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
                    concat!($multiply, " tmm0, tmm4, tmm6"),
                    concat!($multiply, " tmm1, tmm4, tmm7"),
                    concat!($multiply, " tmm2, tmm5, tmm6"),
                    concat!($multiply, " tmm3, tmm5, tmm7"),
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
    };
}

four_tiles!(int_tiles, "tdpbusd");
four_tiles!(pair_tiles, "tdpbf16ps");
