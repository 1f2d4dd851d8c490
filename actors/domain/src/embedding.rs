//! Vectors as integers, and their similarity as an integer: the same on every machine.

use serde::{Deserialize, Serialize};

use crate::points::{BASIS, Points};

#[cfg(test)]
mod tests;

/// A direction in the model's space: int8 coordinates, scaled so that the largest has magnitude 127.
///
/// The scale itself is not kept: only directions are compared, and [`Embedding::similarity`] divides by integer norms.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Embedding {
    #[serde(with = "bytes")]
    coordinates: Vec<i8>,
}

impl Embedding {
    /// Rounds a vector of any positive length to int8 (half away from zero). A zero or non-finite vector becomes zero.
    #[must_use]
    pub fn quantize(vector: &[f32]) -> Self {
        let max = vector.iter().fold(0.0f32, |m, x| m.max(x.abs()));
        let usable = max > 0.0 && vector.iter().all(|x| x.is_finite());
        let scale = if usable { 127.0 / max } else { 0.0 };
        let coordinates = vector.iter().map(|x| if usable { (x * scale).round() as i8 } else { 0 }).collect();
        Self { coordinates }
    }

    /// Wraps coordinates that were kept.
    #[must_use]
    pub const fn from_coordinates(coordinates: Vec<i8>) -> Self {
        Self { coordinates }
    }

    /// The coordinates, one per dimension.
    #[must_use]
    pub fn coordinates(&self) -> &[i8] {
        &self.coordinates
    }

    /// The exact dot product with another vector of the same length; the shorter one decides otherwise.
    /// At most 127² · 4096 dimensions fit.
    #[must_use]
    pub fn dot(&self, other: &Self) -> i32 {
        dot(&self.coordinates, &other.coordinates)
    }

    /// The cosine in points, -10_000..=10_000, truncated towards zero; 0 where either vector is zero.
    #[must_use]
    pub fn similarity(&self, other: &Self) -> Points {
        cosine(self.dot(other), self.dot(self), other.dot(other))
    }
}

/// The exact dot product of two int8 vectors, over the shorter length. Written so that compilers vectorize it.
#[must_use]
pub fn dot(left: &[i8], right: &[i8]) -> i32 {
    left.iter().zip(right).map(|(&a, &b)| i32::from(i16::from(a) * i16::from(b))).sum()
}

/// The cosine in points from a dot product and the two squared norms: `10_000 · dot / ⌊√(a · b)⌋`, truncated and clamped.
#[must_use]
pub fn cosine(dot: i32, left_square: i32, right_square: i32) -> Points {
    let norm = (i64::from(left_square) * i64::from(right_square)).max(0).isqrt();
    if norm == 0 {
        return 0;
    }
    let limit = i64::from(BASIS);
    (i64::from(dot) * limit / norm).clamp(-limit, limit) as Points
}

mod bytes {
    //! Coordinates as one byte string on binary wires, as numbers in JSON.
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(coordinates: &[i8], serializer: S) -> Result<S::Ok, S::Error> {
        let bytes: Vec<u8> = coordinates.iter().map(|c| c.cast_unsigned()).collect();
        serializer.serialize_bytes(&bytes)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<i8>, D::Error> {
        let bytes = Vec::<u8>::deserialize(deserializer)?;
        Ok(bytes.into_iter().map(u8::cast_signed).collect())
    }
}
