//! Tables: rows of data become lines with tabs, tables for the layout become blocks.

use super::Row;

/// A label column has at most this many lines per cell.
const LABEL_LINES: usize = 2;
/// A label has at most this many characters.
const LABEL_CHARS: usize = 60;

/// An open table.
#[derive(Debug, Default)]
pub(super) struct Table {
    /// Finished rows.
    pub rows: Vec<Row>,
    /// The cells of the open row.
    pub cells: Vec<Vec<Row>>,
    /// Fill of the open cell, else of the table.
    pub cell_fill: Option<String>,
    pub fill: Option<String>,
    /// A table style may color cells in ways the text part does not tell.
    pub styled: bool,
    pub in_cell: bool,
}

impl Table {
    /// Ends a row. `next_block` numbers the cells of a layout row; gives whether it was one.
    pub(super) fn end_row(&mut self, next_block: &mut u32) -> bool {
        let cells: Vec<Vec<Row>> =
            std::mem::take(&mut self.cells).into_iter().filter(|cell| !cell.is_empty()).collect();
        if cells.len() < 2 {
            self.rows.extend(cells.into_iter().flatten());
            return false;
        }
        if is_data(&cells) {
            self.rows.extend(zip(cells));
            return false;
        }
        for cell in cells {
            *next_block += 1;
            let block = *next_block;
            // Lines of a table inside this cell keep the blocks they have: those are finer.
            let outer = cell.iter().map(|row| row.line.block).min().unwrap_or(block);
            self.rows.extend(cell.into_iter().map(|mut row| {
                if row.line.block == outer {
                    row.line.block = block;
                }
                row
            }));
        }
        true
    }
}

/// One line per cell, or labels beside one longer cell.
fn is_data(cells: &[Vec<Row>]) -> bool {
    let long = cells.iter().filter(|cell| cell.len() > 1).count();
    let label = |cell: &Vec<Row>| {
        cell.len() <= LABEL_LINES
            && cell.iter().all(|row| row.line.text.chars().count() <= LABEL_CHARS && row.line.heading == 0)
    };
    long == 0 || cells.len() <= 3 && cells.iter().filter(|cell| !label(cell)).count() <= 1
}

/// Joins the first lines of all cells, the second lines, and so on.
fn zip(cells: Vec<Vec<Row>>) -> Vec<Row> {
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    let mut columns: Vec<_> = cells.into_iter().map(Vec::into_iter).collect();
    let mut out = Vec::with_capacity(height);
    for _ in 0..height {
        let mut joined: Option<Row> = None;
        for row in columns.iter_mut().filter_map(Iterator::next) {
            match &mut joined {
                None => joined = Some(row),
                Some(first) => {
                    first.line.text.push('\t');
                    first.line.text.push_str(&row.line.text);
                    first.line.bold |= row.line.bold;
                    first.line.bullet &= row.line.bullet;
                    first.links.extend(row.links);
                }
            }
        }
        out.extend(joined);
    }
    out
}
