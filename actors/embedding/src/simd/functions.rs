use super::Isa;

/// Below this 2ˣ would need a denormal number; nothing that is added to it notices the difference.
const LEAST_EXPONENT: f32 = -126.0;
const MOST_EXPONENT: f32 = 127.0;
/// ln(2)ⁿ / n!, the Taylor series of 2ˣ: on -0.5..=0.5 it is right to 2e-7.
const EXP2: [f32; 7] =
    [1.0, std::f32::consts::LN_2, 0.240_226_5, 0.055_504_11, 0.009_618_129, 0.001_333_355_8, 0.000_154_035_3];

/// Where the distribution function of the normal distribution is taken to be 0 or 1.
const EDGE: f32 = 5.0;
/// (Φ(x) - ½) / x as a polynomial in u = 2x²/25 - 1, fitted on 0..=5 by weighted least squares in Chebyshev
/// polynomials: x·Φ(x) is right to 9e-7 there and to 3e-6 everywhere below 12.
const PHI: [f32; 13] = [
    0.141_363_78,
    -0.070_296_645,
    0.051_521_43,
    -0.040_433_14,
    0.031_426_188,
    -0.023_335_185,
    0.016_497_176,
    -0.010_978_165,
    0.006_168_188_5,
    -0.002_909_014_5,
    0.001_997_226_9,
    -0.001_517_331_8,
    0.000_495_447_66,
];

/// The polynomial with these coefficients, the constant first, by Horner's rule.
#[inline(always)]
fn polynomial<S: Isa, const N: usize>(isa: S, coefficients: &[f32; N], x: S::F) -> S::F {
    let mut value = isa.splat(coefficients[N - 1]);
    let mut at = N - 1;
    while at > 0 {
        at -= 1;
        value = isa.fma(value, x, isa.splat(coefficients[at]));
    }
    value
}

/// 2ˣ, for x outside -126..=127 that of the nearer bound.
#[inline(always)]
pub(super) fn exp2<S: Isa>(isa: S, x: S::F) -> S::F {
    let x = isa.min(isa.max(x, isa.splat(LEAST_EXPONENT)), isa.splat(MOST_EXPONENT));
    let whole = isa.round(x);
    let part = isa.sub(x, isa.to_float(whole));
    isa.mul(polynomial(isa, &EXP2, part), isa.exp2_int(whole))
}

/// x·Φ(x), with Φ the distribution function of the normal distribution, after Hendrycks and Gimpel, "Gaussian Error
/// Linear Units" (2016).
#[inline(always)]
pub(super) fn gelu<S: Isa>(isa: S, x: S::F) -> S::F {
    let near = isa.min(isa.max(x, isa.splat(-EDGE)), isa.splat(EDGE));
    let u = isa.fma(near, isa.mul(near, isa.splat(2.0 / (EDGE * EDGE))), isa.splat(-1.0));
    let phi = isa.fma(near, polynomial(isa, &PHI, u), isa.splat(0.5));
    isa.mul(x, phi)
}

/// The approximation of [`gelu`] by tanh, from the same paper: x / (1 + exp(-2·√(2/π)·(x + 0.044715·x³))).
#[inline(always)]
pub(super) fn gelu_tanh<S: Isa>(isa: S, x: S::F) -> S::F {
    /// -2·√(2/π)·log₂(e)
    const SLOPE: f32 = -2.302_208_2;
    let square = isa.mul(x, x);
    let inner = isa.mul(x, isa.fma(square, isa.splat(0.044_715), isa.splat(1.0)));
    let exp = exp2(isa, isa.mul(inner, isa.splat(SLOPE)));
    isa.div(x, isa.add(exp, isa.splat(1.0)))
}
