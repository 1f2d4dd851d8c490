//! What can be wrong with a taxonomy table.

/// A table that cannot be used, with the place of the fault.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{table} line {line}: {fault}")]
pub struct TaxonomyError {
    /// Which table: `skills` or `occupations`.
    pub table: &'static str,
    /// The line of the table, counted from 1 (the header).
    pub line: usize,
    /// What is wrong there.
    pub fault: TaxonomyFault,
}

/// The kinds of fault in a table.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TaxonomyFault {
    /// The first line does not name the expected columns.
    #[error("the header must be {expected:?}")]
    Header {
        /// The columns, joined by tabs.
        expected: &'static str,
    },
    /// A row has too few or too many columns.
    #[error("{found} columns instead of {expected}")]
    Columns {
        /// Columns of the header.
        expected: usize,
        /// Columns of the row.
        found: usize,
    },
    /// A slug is empty, too long or holds something else than `a-z`, `0-9` and `-`.
    #[error("{0:?} is not a slug")]
    Slug(&'static str),
    /// A row does not come after the one before it: out of order, or the same slug twice.
    #[error("{0:?} is out of order or doubled")]
    Order(&'static str),
    /// A column that must say something is empty, or a list has an empty member.
    #[error("column {0} is empty or has an empty member")]
    Empty(&'static str),
    /// A skill's kind is not one of the known ones.
    #[error("{0:?} is not a kind of skill")]
    Kind(&'static str),
    /// A flag is unknown, or speaks of an alias that the row does not have.
    #[error("{0:?} is not a flag of this row")]
    Flag(&'static str),
    /// A row refers to a slug that no row has, or to itself.
    #[error("{0:?} refers to no other row")]
    Reference(&'static str),
    /// A relation is not `slug:strength` with a strength of 10..=90.
    #[error("{0:?} is not slug:strength with a strength of 10 to 90")]
    Strength(&'static str),
    /// The table has more rows than an id can count.
    #[error("more than {0} rows")]
    Rows(usize),
}
