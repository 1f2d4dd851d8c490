use std::arch::aarch64::*;
use std::arch::asm;
use std::array::from_fn;

use super::bf16::{Pairs, widen};
use super::{Bytes, Floats, Ints, Isa, LANES, Op};

/// NEON with the dot product of Armv8.2: a lane of sixteen is four registers, of which there are thirty-two.
#[derive(Clone, Copy)]
pub(super) struct Neon(());

/// An intrinsic of NEON.
macro_rules! neon {
    ($call:expr) => {
        // SAFETY: a Neon is made by `detect` alone, so the processor has the instruction; what is read or written is
        // behind a reference to as many bytes.
        unsafe { $call }
    };
}

/// The same intrinsic on each quarter.
macro_rules! each {
    ($call:ident, $($value:expr),+) => {
        neon!([
            $call($($value[0]),+), $call($($value[1]),+), $call($($value[2]),+), $call($($value[3]),+)
        ])
    };
}

impl Neon {
    pub(super) fn detect() -> Option<Self> {
        let has = std::arch::is_aarch64_feature_detected!("neon")
            && std::arch::is_aarch64_feature_detected!("dotprod");
        has.then_some(Self(()))
    }

    pub(super) fn run<O: Op>(self, op: O) {
        neon!(enter(self, op));
    }
}

#[target_feature(enable = "neon,dotprod")]
fn enter<O: Op>(isa: Neon, op: O) {
    op.run(isa);
}

type F = [float32x4_t; 4];
type I = [int32x4_t; 4];

/// The smaller; `b` when they do not compare, which is not what `fmin` does.
#[inline(always)]
fn smaller(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    neon!(vbslq_f32(vcltq_f32(a, b), a, b))
}

/// The larger; `b` when they do not compare.
#[inline(always)]
fn larger(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    neon!(vbslq_f32(vcgtq_f32(a, b), a, b))
}

#[inline(always)]
fn sum(a: float32x4_t, b: float32x4_t) -> float32x4_t {
    neon!(vaddq_f32(a, b))
}

/// Folds the lanes by halves.
#[inline(always)]
fn fold([a, b, c, d]: F, two: impl Fn(float32x4_t, float32x4_t) -> float32x4_t) -> f32 {
    let four = two(two(a, c), two(b, d));
    let pair = two(four, neon!(vextq_f32::<2>(four, four)));
    neon!(vgetq_lane_f32::<0>(two(pair, vextq_f32::<1>(pair, pair))))
}

/// To each of four sums, the products of four bytes with four others, all of them signed. The standard library's
/// function of it (`vdotq_s32`) is not stable.
#[inline(always)]
fn dot(_: Neon, mut sums: int32x4_t, a: int8x16_t, b: int8x16_t) -> int32x4_t {
    // SAFETY: registers alone are touched; a Neon proves that the processor has the instruction.
    unsafe {
        asm!(
            "sdot {sums:v}.4s, {a:v}.16b, {b:v}.16b",
            sums = inout(vreg) sums, a = in(vreg) a, b = in(vreg) b,
            options(pure, nomem, nostack, preserves_flags),
        );
    }
    sums
}

impl Isa for Neon {
    type F = F;
    type I = I;
    type Four = [[u8; 4]; 1];
    const FLOAT_ROWS: usize = 6;
    const INT_ROWS: usize = 4;
    const PAIR_ROWS: usize = 4;
    const VALUE_ROWS: usize = 4;
    const PANELS: usize = 1;
    const SIGNED: bool = true;

    #[inline(always)]
    fn splat(self, value: f32) -> F {
        neon!([vdupq_n_f32(value); 4])
    }
    #[inline(always)]
    fn load(self, from: &Floats) -> F {
        let at = from.0.as_ptr();
        from_fn(|quarter| neon!(vld1q_f32(at.add(quarter * 4))))
    }
    #[inline(always)]
    fn store(self, value: F, to: &mut Floats) {
        let at = to.0.as_mut_ptr();
        for (quarter, value) in value.into_iter().enumerate() {
            neon!(vst1q_f32(at.add(quarter * 4), value));
        }
    }
    #[inline(always)]
    fn add(self, a: F, b: F) -> F {
        each!(vaddq_f32, a, b)
    }
    #[inline(always)]
    fn sub(self, a: F, b: F) -> F {
        each!(vsubq_f32, a, b)
    }
    #[inline(always)]
    fn mul(self, a: F, b: F) -> F {
        each!(vmulq_f32, a, b)
    }
    #[inline(always)]
    fn div(self, a: F, b: F) -> F {
        each!(vdivq_f32, a, b)
    }
    #[inline(always)]
    fn fma(self, a: F, b: F, c: F) -> F {
        each!(vfmaq_f32, c, a, b)
    }
    #[inline(always)]
    fn min(self, a: F, b: F) -> F {
        from_fn(|quarter| smaller(a[quarter], b[quarter]))
    }
    #[inline(always)]
    fn max(self, a: F, b: F) -> F {
        from_fn(|quarter| larger(a[quarter], b[quarter]))
    }
    #[inline(always)]
    fn round(self, a: F) -> I {
        each!(vcvtnq_s32_f32, a)
    }
    #[inline(always)]
    fn to_float(self, a: I) -> F {
        each!(vcvtq_f32_s32, a)
    }
    #[inline(always)]
    fn exp2_int(self, n: I) -> F {
        n.map(|n| neon!(vreinterpretq_f32_s32(vshlq_n_s32::<23>(vaddq_s32(n, vdupq_n_s32(127))))))
    }
    #[inline(always)]
    fn no_sums(self) -> I {
        neon!([vdupq_n_s32(0); 4])
    }
    #[inline(always)]
    fn load_ints(self, from: &Ints) -> I {
        let at = from.0.as_ptr();
        from_fn(|quarter| neon!(vld1q_s32(at.add(quarter * 4))))
    }
    #[inline(always)]
    fn store_ints(self, value: I, to: &mut Ints) {
        let at = to.0.as_mut_ptr();
        for (quarter, value) in value.into_iter().enumerate() {
            neon!(vst1q_s32(at.add(quarter * 4), value));
        }
    }
    /// Less 128, by turning the uppermost bit.
    #[inline(always)]
    fn to_fours(self, [a, b, c, d]: I) -> [Self::Four; 4] {
        let mut fours = [[[0; 4]]; 4];
        neon!({
            let low = vcombine_s16(vmovn_s32(a), vmovn_s32(b));
            let high = vcombine_s16(vmovn_s32(c), vmovn_s32(d));
            let bytes = vreinterpretq_u8_s8(vcombine_s8(vmovn_s16(low), vmovn_s16(high)));
            vst1q_u8(fours.as_mut_ptr().cast(), veorq_u8(bytes, vdupq_n_u8(128)));
        });
        fours
    }
    #[inline(always)]
    fn dot(self, sums: I, [input]: &Self::Four, weights: &Bytes) -> I {
        let at = weights.0.as_ptr();
        let input = neon!(vreinterpretq_s8_s32(vdupq_n_s32(i32::from_le_bytes(*input))));
        from_fn(|quarter| dot(self, sums[quarter], neon!(vld1q_s8(at.add(quarter * 16))), input))
    }
    #[inline(always)]
    fn to_bf16(self, value: F) -> [u16; LANES] {
        let mut rounded = [0; LANES];
        for (quarter, value) in value.into_iter().enumerate() {
            neon!({
                let bits = vreinterpretq_u32_f32(value);
                let odd = vandq_u32(vshrq_n_u32::<16>(bits), vdupq_n_u32(1));
                let bits = vaddq_u32(bits, vaddq_u32(odd, vdupq_n_u32(0x7fff)));
                vst1_u16(rounded.as_mut_ptr().add(quarter * 4), vshrn_n_u32::<16>(bits));
            });
        }
        rounded
    }
    #[inline(always)]
    fn dot_pair(self, sums: F, input: [u16; 2], weights: &Pairs) -> F {
        let at = weights.0.as_ptr();
        let [first, second] = input.map(|value| neon!(vdupq_n_f32(widen(value))));
        from_fn(|quarter| {
            neon!({
                let pairs = vreinterpretq_u32_u16(vld1q_u16(at.add(quarter * 8)));
                let lower = vreinterpretq_f32_u32(vshlq_n_u32::<16>(pairs));
                let upper = vreinterpretq_f32_u32(vandq_u32(pairs, vdupq_n_u32(0xffff_0000)));
                vfmaq_f32(vfmaq_f32(sums[quarter], first, lower), second, upper)
            })
        })
    }
    #[inline(always)]
    fn sum(self, a: F) -> f32 {
        fold(a, sum)
    }
    #[inline(always)]
    fn least(self, a: F) -> f32 {
        fold(a, smaller)
    }
    #[inline(always)]
    fn greatest(self, a: F) -> f32 {
        fold(a, larger)
    }
}
