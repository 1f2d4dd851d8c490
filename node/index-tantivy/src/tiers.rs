//! Which segments to merge: tiers by size, so that a document is rewritten about once per tier as a shard grows and
//! the number of segments stays logarithmic.

#[cfg(test)]
mod tests;

/// Segments of one tier before they are merged; also how much larger each tier is than the one below.
const FAN_IN: usize = 8;
/// Segments with fewer living documents all lie in the lowest tier.
const SMALLEST: u32 = 64;

/// How full a segment is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Fill {
    pub(crate) rows: u32,
    pub(crate) living: u32,
}

impl Fill {
    fn tier(self) -> u32 {
        (self.living.max(1) / SMALLEST).checked_ilog(FAN_IN as u32).map_or(0, |tier| tier + 1)
    }

    const fn is_due(self, at_rest: bool) -> bool {
        self.living < self.rows / 2 || (at_rest && self.living < self.rows)
    }
}

/// The places of the segments to merge into one; `None` when all is well. The lowest tier that is full goes first;
/// else a segment that is mostly dead is rewritten alone. At rest every segment with a dead document is, so that no byte of
/// it stays.
pub(crate) fn plan(fills: &[Fill], at_rest: bool) -> Option<Vec<usize>> {
    let tiers = fills.iter().map(|fill| fill.tier()).max()?;
    let of_tier = |tier| (0..fills.len()).filter(|place| fills[*place].tier() == tier).collect::<Vec<_>>();
    let full = (0..=tiers).map(of_tier).find(|places| places.len() >= FAN_IN);
    full.or_else(|| fills.iter().position(|fill| fill.is_due(at_rest)).map(|place| vec![place]))
}
