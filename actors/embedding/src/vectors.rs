/// Below this length a vector has no direction; sentence-transformers uses the same bound.
const MIN_NORM: f64 = 1e-12;

/// Scales `vector` to length 1; one of length 0 stays as it is.
pub fn normalize(vector: &mut [f32]) {
    let norm = vector.iter().map(|&value| f64::from(value).powi(2)).sum::<f64>().sqrt().max(MIN_NORM);
    for value in vector {
        *value = (f64::from(*value) / norm) as f32;
    }
}

/// The mean of vectors of `dimensions` coordinates, each weighted by its tokens, scaled to length 1. None without parts.
pub(crate) fn weighted_mean<'a>(
    parts: impl IntoIterator<Item = (&'a [f32], usize)>,
    dimensions: usize,
) -> Option<Vec<f32>> {
    // Dividing by the sum of the weights is left out: the scaling undoes it.
    let mut sum = vec![0.0_f64; dimensions];
    let mut any = false;
    for (vector, tokens) in parts {
        any = true;
        for (total, &value) in sum.iter_mut().zip(vector) {
            *total += f64::from(value) * tokens as f64;
        }
    }
    let norm = sum.iter().map(|value| value.powi(2)).sum::<f64>().sqrt().max(MIN_NORM);
    any.then(|| sum.into_iter().map(|value| (value / norm) as f32).collect())
}

#[cfg(test)]
mod tests;
