//! The unit of every score.

/// An amount of points; may be negative in between.
pub type Points = i32;

/// All the points there are: 100 %.
pub const BASIS: Points = 10_000;
