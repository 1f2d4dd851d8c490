//! Writing a file of rows, from documents or from the rows of other segments, a column at a time: nothing but ids and
//! one row at once is held in memory.

use super::*;
use tandem_domain::embedding::dot;
use tandem_ports::index::IndexedDocument;

/// What a row is made of.
pub(crate) trait Row {
    fn owner(&self) -> Result<&OwnerId, IndexError>;
    fn kind(&self) -> DocumentKind;
    fn id(&self) -> DocumentId;
    fn digest(&self) -> ContentDigest;
    fn version(&self) -> u32;
    fn words(&self) -> u32;
    /// Hands over the coordinates, as bytes.
    fn vector(&self) -> Vec<u8>;
    fn square(&self) -> i32;
    /// The features in postcard.
    fn features(&self) -> Result<Vec<u8>, IndexError>;
}

/// A document that comes in.
pub(crate) struct NewRow<'a> {
    pub(crate) document: &'a IndexedDocument,
    pub(crate) words: u32,
}

impl Row for NewRow<'_> {
    fn owner(&self) -> Result<&OwnerId, IndexError> {
        Ok(&self.document.owner)
    }

    fn kind(&self) -> DocumentKind {
        self.document.kind
    }

    fn id(&self) -> DocumentId {
        self.document.id
    }

    fn digest(&self) -> ContentDigest {
        self.document.features.digest
    }

    fn version(&self) -> u32 {
        self.document.version.0
    }

    fn words(&self) -> u32 {
        self.words
    }

    fn vector(&self) -> Vec<u8> {
        self.document.features.document.coordinates().iter().map(|c| c.cast_unsigned()).collect()
    }

    fn square(&self) -> i32 {
        let vector = self.document.features.document.coordinates();
        dot(vector, vector)
    }

    fn features(&self) -> Result<Vec<u8>, IndexError> {
        postcard::to_stdvec(&self.document.features)
            .map_err(|error| IndexError::Io(format!("features cannot be encoded: {error}")))
    }
}

/// A row that another segment has already.
pub(crate) type OldRow<'a> = (&'a Rows, usize);

impl Row for OldRow<'_> {
    fn owner(&self) -> Result<&OwnerId, IndexError> {
        self.0.owner(self.1).ok_or_else(|| damaged("the owner of a document"))
    }

    fn kind(&self) -> DocumentKind {
        self.0.tag_of(self.1).kind()
    }

    fn id(&self) -> DocumentId {
        self.0.id(self.1)
    }

    fn digest(&self) -> ContentDigest {
        self.0.digest(self.1)
    }

    fn version(&self) -> u32 {
        u32::from_le_bytes(self.0.cell(&self.0.columns.versions, self.1))
    }

    fn words(&self) -> u32 {
        self.0.words(self.1)
    }

    fn vector(&self) -> Vec<u8> {
        let width = self.0.columns.coordinates;
        self.0.vectors().get(self.1 * width..(self.1 + 1) * width).unwrap_or_default().to_vec()
    }

    fn square(&self) -> i32 {
        self.0.squares().get(self.1).map_or(0, |square| i32::from_le_bytes(*square))
    }

    fn features(&self) -> Result<Vec<u8>, IndexError> {
        let encoded = self.0.encoded_features(self.1);
        encoded.map(<[u8]>::to_vec).ok_or_else(|| damaged("the features of a document"))
    }
}

/// Writes the file [`FILE`] of a segment's folder. The caller makes it durable.
///
/// # Errors
/// Io; Damaged, when an old row cannot be read.
pub(crate) fn write<R: Row>(folder: &Path, coordinates: usize, rows: &[R]) -> Result<(), IndexError> {
    let mut owners: Vec<&OwnerId> = rows.iter().map(Row::owner).collect::<Result<_, _>>()?;
    owners.sort_unstable();
    owners.dedup();
    let list = postcard::to_stdvec(&owners).map_err(|error| IndexError::Io(error.to_string()))?;
    let mut starts = vec![0u64];
    for row in rows {
        let end = starts.last().copied().unwrap_or(0) + row.features()?.len() as u64;
        starts.push(end);
    }
    let features = starts.last().copied().unwrap_or(0);

    let mut file = BufWriter::new(File::create_new(folder.join(FILE)).map_err(io_error)?);
    let mut put = |bytes: &[u8]| file.write_all(bytes).map_err(io_error);
    let mut head = MAGIC.to_vec();
    for number in [u64::from(FORMAT), coordinates as u64, rows.len() as u64, list.len() as u64, features] {
        head.extend_from_slice(&number.to_le_bytes());
    }
    head.resize(HEADER, 0);
    put(&head)?;
    rows.iter().try_for_each(|row| put(&row.vector()))?;
    rows.iter().try_for_each(|row| put(&row.square().to_le_bytes()))?;
    for row in rows {
        let place = owners.binary_search(&row.owner()?).unwrap_or_default();
        put(&Tag::new(place, row.kind()).0.to_le_bytes())?;
    }
    rows.iter().try_for_each(|row| put(&row.words().to_le_bytes()))?;
    rows.iter().try_for_each(|row| put(&row.version().to_le_bytes()))?;
    rows.iter().try_for_each(|row| put(row.id().as_uuid().as_bytes()))?;
    rows.iter().try_for_each(|row| put(row.digest().as_bytes()))?;
    let mut order: Vec<(DocumentId, u32)> = rows.iter().map(Row::id).zip(0..).collect();
    order.sort_unstable();
    order.iter().try_for_each(|(_, row)| put(&row.to_le_bytes()))?;
    starts.iter().try_for_each(|start| put(&start.to_le_bytes()))?;
    put(&list)?;
    rows.iter().try_for_each(|row| put(&row.features()?))?;
    file.flush().map_err(io_error)
}
