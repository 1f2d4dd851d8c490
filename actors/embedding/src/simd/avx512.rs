use std::arch::x86_64::*;
use std::mem::transmute;

use super::bf16::{Pairs, widen};
use super::{Bytes, Floats, Ints, Isa, LANES, Op};

/// AVX-512 with VNNI: a lane of sixteen is one register, of which there are thirty-two. `BF16` says whether products of
/// bfloat16 have an instruction.
#[derive(Clone, Copy)]
pub(super) struct Avx512<const BF16: bool>(());

/// An intrinsic of AVX-512.
macro_rules! avx512 {
    ($call:expr) => {
        // SAFETY: an Avx512 is made by `detect` alone, so the processor has the instruction; what is read or written is
        // behind a reference to as many bytes.
        unsafe { $call }
    };
}

impl Avx512<false> {
    pub(super) fn detect() -> Option<Self> {
        let has = is_x86_feature_detected!("avx512f")
            && is_x86_feature_detected!("avx512bw")
            && is_x86_feature_detected!("avx512dq")
            && is_x86_feature_detected!("avx512vl")
            && is_x86_feature_detected!("avx512vnni")
            && is_x86_feature_detected!("fma");
        has.then_some(Self(()))
    }

    /// The same with instructions for bfloat16, where the processor has them.
    pub(super) fn with_bf16(self) -> Option<Avx512<true>> {
        is_x86_feature_detected!("avx512bf16").then_some(Avx512(()))
    }

    pub(super) fn run<O: Op>(self, op: O) {
        avx512!(enter(self, op));
    }
}

impl Avx512<true> {
    pub(super) fn run<O: Op>(self, op: O) {
        avx512!(enter_bf16(self, op));
    }
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx2,fma")]
fn enter<O: Op>(isa: Avx512<false>, op: O) {
    op.run(isa);
}

#[target_feature(enable = "avx512f,avx512bw,avx512dq,avx512vl,avx512vnni,avx512bf16,avx2,fma")]
fn enter_bf16<O: Op>(isa: Avx512<true>, op: O) {
    op.run(isa);
}

/// Folds the lanes by halves with an operation on 256 and the same on 128 bits.
macro_rules! fold {
    ($value:expr, $wide:ident, $narrow:ident) => {
        avx512!({
            let value = $value;
            let eight = $wide(_mm512_castps512_ps256(value), _mm512_extractf32x8_ps::<1>(value));
            let four = $narrow(_mm256_castps256_ps128(eight), _mm256_extractf128_ps::<1>(eight));
            let two = $narrow(four, _mm_movehl_ps(four, four));
            _mm_cvtss_f32($narrow(two, _mm_shuffle_ps::<1>(two, two)))
        })
    };
}

impl<const BF16: bool> Isa for Avx512<BF16> {
    type F = __m512;
    type I = __m512i;
    type Four = [[u8; 4]; 1];
    const FLOAT_ROWS: usize = 12;
    const INT_ROWS: usize = 12;
    const PAIR_ROWS: usize = 12;
    const VALUE_ROWS: usize = 8;
    const PANELS: usize = 2;

    #[inline(always)]
    fn splat(self, value: f32) -> __m512 {
        avx512!(_mm512_set1_ps(value))
    }
    #[inline(always)]
    fn load(self, from: &Floats) -> __m512 {
        avx512!(_mm512_load_ps(from.0.as_ptr()))
    }
    #[inline(always)]
    fn store(self, value: __m512, to: &mut Floats) {
        avx512!(_mm512_store_ps(to.0.as_mut_ptr(), value));
    }
    #[inline(always)]
    fn add(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_add_ps(a, b))
    }
    #[inline(always)]
    fn sub(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_sub_ps(a, b))
    }
    #[inline(always)]
    fn mul(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_mul_ps(a, b))
    }
    #[inline(always)]
    fn div(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_div_ps(a, b))
    }
    #[inline(always)]
    fn fma(self, a: __m512, b: __m512, c: __m512) -> __m512 {
        avx512!(_mm512_fmadd_ps(a, b, c))
    }
    #[inline(always)]
    fn min(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_min_ps(a, b))
    }
    #[inline(always)]
    fn max(self, a: __m512, b: __m512) -> __m512 {
        avx512!(_mm512_max_ps(a, b))
    }
    #[inline(always)]
    fn round(self, a: __m512) -> __m512i {
        avx512!(_mm512_cvtps_epi32(a))
    }
    #[inline(always)]
    fn to_float(self, a: __m512i) -> __m512 {
        avx512!(_mm512_cvtepi32_ps(a))
    }
    #[inline(always)]
    fn exp2_int(self, n: __m512i) -> __m512 {
        avx512!(_mm512_castsi512_ps(_mm512_slli_epi32::<23>(_mm512_add_epi32(n, _mm512_set1_epi32(127)))))
    }
    #[inline(always)]
    fn no_sums(self) -> __m512i {
        avx512!(_mm512_setzero_si512())
    }
    #[inline(always)]
    fn load_ints(self, from: &Ints) -> __m512i {
        avx512!(_mm512_load_si512(from.0.as_ptr().cast()))
    }
    #[inline(always)]
    fn store_ints(self, value: __m512i, to: &mut Ints) {
        avx512!(_mm512_store_si512(to.0.as_mut_ptr().cast(), value));
    }
    #[inline(always)]
    fn to_fours(self, value: __m512i) -> [Self::Four; 4] {
        let mut fours = [[[0; 4]]; 4];
        avx512!(_mm_storeu_si128(fours.as_mut_ptr().cast(), _mm512_cvtepi32_epi8(value)));
        fours
    }
    #[inline(always)]
    fn dot(self, sums: __m512i, [input]: &Self::Four, weights: &Bytes) -> __m512i {
        avx512!({
            let input = _mm512_set1_epi32(i32::from_le_bytes(*input));
            _mm512_dpbusd_epi32(sums, input, _mm512_load_si512(weights.0.as_ptr().cast()))
        })
    }
    #[inline(always)]
    fn to_bf16(self, value: __m512) -> [u16; LANES] {
        let mut rounded = [0; LANES];
        avx512!({
            let bits = _mm512_castps_si512(value);
            let odd = _mm512_and_si512(_mm512_srli_epi32::<16>(bits), _mm512_set1_epi32(1));
            let bits = _mm512_add_epi32(bits, _mm512_add_epi32(odd, _mm512_set1_epi32(0x7fff)));
            let upper = _mm512_cvtepi32_epi16(_mm512_srli_epi32::<16>(bits));
            _mm256_storeu_si256(rounded.as_mut_ptr().cast(), upper);
        });
        rounded
    }
    #[inline(always)]
    fn dot_pair(self, sums: __m512, input: [u16; 2], weights: &Pairs) -> __m512 {
        let pairs = avx512!(_mm512_load_si512(weights.0.as_ptr().cast()));
        if BF16 {
            let [first, second] = input.map(u32::from);
            let two = avx512!(_mm512_set1_epi32((first | second << 16) as i32));
            // SAFETY: an Avx512<true> is made by `with_bf16` alone, so the processor has the instruction; the numbers
            // of all these types are as many bits.
            return unsafe {
                _mm512_dpbf16_ps(
                    sums,
                    transmute::<__m512i, __m512bh>(two),
                    transmute::<__m512i, __m512bh>(pairs),
                )
            };
        }
        let lower = avx512!(_mm512_castsi512_ps(_mm512_slli_epi32::<16>(pairs)));
        let upper = avx512!(_mm512_castsi512_ps(_mm512_and_si512(pairs, _mm512_set1_epi32(-0x1_0000))));
        let [first, second] = input.map(|value| self.splat(widen(value)));
        self.fma(second, upper, self.fma(first, lower, sums))
    }
    #[inline(always)]
    fn sum(self, a: __m512) -> f32 {
        fold!(a, _mm256_add_ps, _mm_add_ps)
    }
    #[inline(always)]
    fn least(self, a: __m512) -> f32 {
        fold!(a, _mm256_min_ps, _mm_min_ps)
    }
    #[inline(always)]
    fn greatest(self, a: __m512) -> f32 {
        fold!(a, _mm256_max_ps, _mm_max_ps)
    }
}
