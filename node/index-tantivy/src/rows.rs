//! The columns of a segment that are not words, in one file that is written once and then mapped.
//!
//! ```text
//! magic, format, coordinates, rows, bytes of owners, bytes of features     (little endian, 64 bytes)
//! vectors    rows × coordinates × i8     one after the other, so that a scan is one linear pass
//! squares    rows × i32                  squared lengths
//! tags       rows × u32                  2 · owner's place among the owners + kind
//! words      rows × u32                  words of the ranked text
//! versions   rows × u32
//! ids        rows × 16 bytes
//! digests    rows × 32 bytes
//! order      rows × u32                  rows by ascending id
//! starts     (rows + 1) × u64            where each row's features begin
//! owners     postcard list
//! features   postcard, one after the other
//! ```

use std::fs::File;
use std::io::{BufWriter, Write};
use std::ops::Range;
use std::path::Path;

use tandem_domain::document::DocumentKind;
use tandem_domain::ids::{ContentDigest, DocumentId, OwnerId};
use tandem_domain::ranked::Features;
use tandem_ports::index::IndexError;
use tantivy::directory::OwnedBytes;

use crate::files::{damaged, io_error};

pub(crate) use self::writer::{NewRow, write};

mod writer;

#[cfg(test)]
mod tests;

/// The file's name in its segment.
pub(crate) const FILE: &str = "rows";
const MAGIC: &[u8; 8] = b"tandrows";
const FORMAT: u32 = 1;
const HEADER: usize = 64;
const ID: usize = 16;
const DIGEST: usize = 32;

/// An owner's documents of one kind within a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Tag(u32);

impl Tag {
    fn new(owner: usize, kind: DocumentKind) -> Self {
        Self((owner as u32) << 1 | u32::from(kind == DocumentKind::Job))
    }

    fn owner(self) -> usize {
        (self.0 >> 1) as usize
    }

    fn kind(self) -> DocumentKind {
        if self.0 & 1 == 1 { DocumentKind::Job } else { DocumentKind::Resume }
    }
}

/// A mapped file of rows.
pub(crate) struct Rows {
    bytes: OwnedBytes,
    owners: Vec<OwnerId>,
    columns: Columns,
}

/// Where the columns lie.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Columns {
    coordinates: usize,
    rows: usize,
    vectors: Range<usize>,
    squares: Range<usize>,
    tags: Range<usize>,
    words: Range<usize>,
    versions: Range<usize>,
    ids: Range<usize>,
    digests: Range<usize>,
    order: Range<usize>,
    starts: Range<usize>,
    owners: Range<usize>,
    features: Range<usize>,
}

impl Columns {
    /// `None` when a size does not fit.
    fn new(coordinates: usize, rows: usize, owners: usize, features: usize) -> Option<Self> {
        let mut end = HEADER;
        let mut next = |size: Option<usize>| {
            let start = end;
            end = start.checked_add(size?)?;
            Some(start..end)
        };
        let mut column = |width: usize| next(rows.checked_mul(width));
        Some(Self {
            coordinates,
            rows,
            vectors: column(coordinates)?,
            squares: column(4)?,
            tags: column(4)?,
            words: column(4)?,
            versions: column(4)?,
            ids: column(ID)?,
            digests: column(DIGEST)?,
            order: column(4)?,
            starts: next(rows.checked_add(1)?.checked_mul(8))?,
            owners: next(Some(owners))?,
            features: next(Some(features))?,
        })
    }
}

impl Rows {
    /// Reads a file of vectors with this many coordinates. Its checksum was compared before.
    ///
    /// # Errors
    /// Damaged, when it does not have the form it should have.
    pub(crate) fn open(bytes: OwnedBytes, coordinates: usize) -> Result<Self, IndexError> {
        let columns = header(&bytes)
            .filter(|columns| columns.coordinates == coordinates && columns.features.end == bytes.len())
            .ok_or_else(|| damaged("the rows of a segment do not have the expected form"))?;
        let owners = bytes.get(columns.owners.clone()).unwrap_or_default();
        let owners = postcard::from_bytes(owners).map_err(|_| damaged("the owners of a segment"))?;
        Ok(Self { bytes, owners, columns })
    }

    pub(crate) fn len(&self) -> usize {
        self.columns.rows
    }

    /// The tag of an owner's documents; `None` when the segment has none of theirs.
    pub(crate) fn tag(&self, owner: &OwnerId, kind: DocumentKind) -> Option<Tag> {
        self.owners.binary_search(owner).ok().map(|place| Tag::new(place, kind))
    }

    fn column(&self, range: &Range<usize>) -> &[u8] {
        self.bytes.get(range.clone()).unwrap_or_default()
    }

    fn cell<const N: usize>(&self, range: &Range<usize>, row: usize) -> [u8; N] {
        self.column(range).as_chunks().0.get(row).copied().unwrap_or([0; N])
    }

    /// All vectors, one after the other; the coordinates are the bytes as i8.
    pub(crate) fn vectors(&self) -> &[u8] {
        self.column(&self.columns.vectors)
    }

    /// All squared lengths, as little-endian i32.
    pub(crate) fn squares(&self) -> &[[u8; 4]] {
        self.column(&self.columns.squares).as_chunks().0
    }

    pub(crate) fn is(&self, row: usize, tag: Tag) -> bool {
        self.tag_of(row) == tag
    }

    fn tag_of(&self, row: usize) -> Tag {
        Tag(u32::from_le_bytes(self.cell(&self.columns.tags, row)))
    }

    pub(crate) fn owner(&self, row: usize) -> Option<&OwnerId> {
        self.owners.get(self.tag_of(row).owner())
    }

    pub(crate) fn words(&self, row: usize) -> u32 {
        u32::from_le_bytes(self.cell(&self.columns.words, row))
    }

    pub(crate) fn id(&self, row: usize) -> DocumentId {
        let id: [u8; ID] = self.cell(&self.columns.ids, row);
        DocumentId::from_uuid(uuid::Uuid::from_bytes(id))
    }

    pub(crate) fn digest(&self, row: usize) -> ContentDigest {
        ContentDigest::from_bytes(self.cell(&self.columns.digests, row))
    }

    /// The rows of a document id, of whatever owner.
    pub(crate) fn find(&self, id: DocumentId) -> impl Iterator<Item = usize> + '_ {
        let order = self.column(&self.columns.order).as_chunks::<4>().0;
        let row_at = |cell: &[u8; 4]| u32::from_le_bytes(*cell) as usize;
        let first = order.partition_point(|cell| self.id(row_at(cell)) < id);
        order.get(first..).unwrap_or_default().iter().map(row_at).take_while(move |row| self.id(*row) == id)
    }

    fn encoded_features(&self, row: usize) -> Option<&[u8]> {
        let bound = |row| {
            let start: [u8; 8] = self.cell(&self.columns.starts, row);
            usize::try_from(u64::from_le_bytes(start)).ok()
        };
        self.column(&self.columns.features).get(bound(row)?..bound(row + 1)?)
    }

    /// # Errors
    /// Damaged.
    pub(crate) fn features(&self, row: usize) -> Result<Features, IndexError> {
        let encoded = self.encoded_features(row).unwrap_or_default();
        postcard::from_bytes(encoded).map_err(|_| damaged("the features of a document cannot be read"))
    }
}

/// The columns that a file's header announces.
fn header(bytes: &[u8]) -> Option<Columns> {
    let numbers = bytes.get(..HEADER)?.strip_prefix(MAGIC)?.as_chunks::<8>().0;
    let number = |place: usize| usize::try_from(u64::from_le_bytes(*numbers.get(place)?)).ok();
    (number(0)? == FORMAT as usize).then_some(())?;
    Columns::new(number(1)?, number(2)?, number(3)?, number(4)?)
}
