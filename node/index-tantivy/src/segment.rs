//! A segment: a folder that is written once, with the rows and the words of some documents.

use std::fs::{self, File};
use std::path::Path;
use std::sync::Arc;

use tandem_ports::index::{IndexError, IndexedDocument};
use tantivy::directory::{Directory, MmapDirectory, OwnedBytes, RamDirectory};
use tantivy::fastfield::{AliveBitSet, write_alive_bitset};
use tantivy::index::{Index, IndexBuilder, IndexSettings, InvertedIndexReader, SegmentReader};
use tantivy::indexer::merge_filtered_segments;
use tantivy::postings::SegmentPostings;
use tantivy::schema::{Field, IndexRecordOption, Schema, TextFieldIndexing, TextOptions};
use tantivy::tokenizer::TokenizerManager;
use tantivy::{BitSet, TantivyDocument, Term};

use crate::files::{checksum, damaged, io_error, open_error, sync_folder, tantivy_error};
use crate::manifest::FileSum;
use crate::rows::{self, NewRow, Rows};
use crate::words::{Words, cut};

/// The name of the only field and of its tokenizer.
const WORDS: &str = "words";
/// Bytes that a segment's writer makes its first tables for. They grow with the batch; clearing larger ones would cost
/// more than indexing a single document.
const WRITER_MEMORY: usize = 2 << 20;
/// Segments of at most this many documents are put together in memory first: Tantivy syncs its bookkeeping with every
/// file that it makes in a folder.
pub(crate) const MAX_IN_MEMORY: usize = 4_096;

/// What identifies a segment and proves it whole.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub(crate) struct Identity {
    pub(crate) number: u64,
    pub(crate) files: Vec<FileSum>,
}

/// An open segment. Its files are mapped; what is held in memory does not grow with the documents.
pub(crate) struct Segment {
    pub(crate) identity: Identity,
    pub(crate) rows: Rows,
    words: Arc<InvertedIndexReader>,
    field: Field,
}

/// The name of a segment's folder.
pub(crate) fn folder_name(number: u64) -> String {
    format!("segment-{number}")
}

/// Documents of a segment that count no more.
pub(crate) type IsDead<'a> = &'a dyn Fn(u32) -> bool;

impl Segment {
    /// Writes a segment with at most [`MAX_IN_MEMORY`] documents and opens it. Durable when it returns.
    ///
    /// # Errors
    /// Io. The folder may be left behind.
    pub(crate) fn create(
        shard: &Path,
        number: u64,
        coordinates: usize,
        documents: &[&IndexedDocument],
    ) -> Result<Self, IndexError> {
        let folder = shard.join(folder_name(number));
        fs::create_dir(&folder).map_err(io_error)?;
        let memory = RamDirectory::create();
        let (builder, field) = builder();
        let mut writer =
            builder.single_segment_index_writer(memory.clone(), WRITER_MEMORY).map_err(tantivy_error)?;
        let mut new_rows = Vec::with_capacity(documents.len());
        for &document in documents {
            let mut words = TantivyDocument::new();
            words.add_text(field, &document.ranked_text);
            writer.add_document(words).map_err(tantivy_error)?;
            let words = u32::try_from(cut(&document.ranked_text).len()).unwrap_or(u32::MAX);
            new_rows.push(NewRow { document, words });
        }
        writer.finalize().map_err(tantivy_error)?;
        memory.persist(&directory(&folder)?).map_err(tantivy_error)?;
        rows::write(&folder, coordinates, &new_rows)?;
        Self::seal(shard, number, coordinates)
    }

    /// Writes a segment with the living documents of others, in their order, and opens it. Durable when it returns.
    ///
    /// # Errors
    /// Io; Damaged. The folder may be left behind.
    pub(crate) fn merge(
        shard: &Path,
        number: u64,
        coordinates: usize,
        sources: &[(&Self, IsDead<'_>)],
    ) -> Result<Self, IndexError> {
        let folder = shard.join(folder_name(number));
        fs::create_dir(&folder).map_err(io_error)?;
        let (mut segments, mut alive, mut old_rows) = (Vec::new(), Vec::new(), Vec::new());
        for &(source, is_dead) in sources {
            let index = Index::open(directory(&shard.join(folder_name(source.identity.number)))?);
            segments.extend(index.and_then(|index| index.searchable_segments()).map_err(tantivy_error)?);
            let count = source.rows.len() as u32;
            alive.push(Some(alive_bits(count, is_dead)?));
            old_rows.extend((0..count).filter(|row| !is_dead(*row)).map(|row| (&source.rows, row as usize)));
        }
        if old_rows.len() <= MAX_IN_MEMORY {
            let memory = RamDirectory::create();
            let merged = merge_filtered_segments(&segments, settings(), alive, memory.clone());
            merged.map_err(tantivy_error)?;
            memory.persist(&directory(&folder)?).map_err(tantivy_error)?;
        } else {
            merge_filtered_segments(&segments, settings(), alive, directory(&folder)?)
                .map_err(tantivy_error)?;
        }
        rows::write(&folder, coordinates, &old_rows)?;
        Self::seal(shard, number, coordinates)
    }

    /// Makes a written folder durable, takes its checksums and opens it.
    fn seal(shard: &Path, number: u64, coordinates: usize) -> Result<Self, IndexError> {
        let folder = shard.join(folder_name(number));
        let mut files = Vec::new();
        for entry in fs::read_dir(&folder).map_err(io_error)? {
            let entry = entry.map_err(io_error)?;
            let file = File::open(entry.path()).map_err(io_error)?;
            file.sync_all().map_err(io_error)?;
            let (length, crc) = checksum(file)?;
            let name = entry.file_name().to_string_lossy().into_owned();
            files.push(FileSum { name, length, crc });
        }
        sync_folder(&folder)?;
        sync_folder(shard)?;
        files.sort_unstable_by(|a, b| a.name.cmp(&b.name));
        Self::open(shard, Identity { number, files }, coordinates)
    }

    /// Opens a segment whose checksums hold.
    ///
    /// # Errors
    /// Io; Damaged.
    pub(crate) fn open(shard: &Path, identity: Identity, coordinates: usize) -> Result<Self, IndexError> {
        let directory = directory(&shard.join(folder_name(identity.number)))?;
        let bytes = directory.open_read(Path::new(rows::FILE)).map_err(open_error)?;
        let rows = Rows::open(bytes.read_bytes().map_err(io_error)?, coordinates)?;
        let index = Index::open(directory).map_err(tantivy_error)?;
        let field = index.schema().get_field(WORDS).map_err(tantivy_error)?;
        let segments = index.searchable_segments().map_err(tantivy_error)?;
        let [segment] = segments.as_slice() else {
            return Err(damaged("a segment's words are not one Tantivy segment"));
        };
        let reader = SegmentReader::open(segment).map_err(tantivy_error)?;
        if reader.max_doc() as usize != rows.len() {
            return Err(damaged("a segment has more or fewer rows than documents"));
        }
        let words = reader.inverted_index(field).map_err(tantivy_error)?;
        Ok(Self { identity, rows, words, field })
    }

    /// How many documents have a word, dead ones counted too, and where they are.
    ///
    /// # Errors
    /// Io.
    pub(crate) fn postings(&self, word: &str) -> Result<Option<SegmentPostings>, IndexError> {
        let term = Term::from_field_text(self.field, word);
        self.words.read_postings(&term, IndexRecordOption::WithFreqs).map_err(io_error)
    }
}

/// Compares the files of a segment with the sums that were taken when it was written.
///
/// # Errors
/// Damaged, when one is missing or differs.
pub(crate) fn verify(shard: &Path, identity: &Identity) -> Result<(), IndexError> {
    let folder = shard.join(folder_name(identity.number));
    for sum in &identity.files {
        let name = format!("{}/{}", folder_name(identity.number), sum.name);
        let file = File::open(folder.join(&sum.name)).map_err(|error| damaged(format!("{name}: {error}")))?;
        if checksum(file)? != (sum.length, sum.crc) {
            return Err(damaged(format!("{name} does not have its checksum")));
        }
    }
    Ok(())
}

fn directory(folder: &Path) -> Result<MmapDirectory, IndexError> {
    MmapDirectory::open(folder).map_err(|error| IndexError::Io(error.to_string()))
}

fn settings() -> IndexSettings {
    IndexSettings { docstore_compress_dedicated_thread: false, ..IndexSettings::default() }
}

/// One field of words with frequencies; lengths are kept exactly in the rows, so Tantivy keeps none.
fn builder() -> (IndexBuilder, Field) {
    let indexing = TextFieldIndexing::default()
        .set_tokenizer(WORDS)
        .set_fieldnorms(false)
        .set_index_option(IndexRecordOption::WithFreqs);
    let mut schema = Schema::builder();
    let field = schema.add_text_field(WORDS, TextOptions::default().set_indexing_options(indexing));
    let tokenizers = TokenizerManager::new();
    tokenizers.register(WORDS, Words);
    (Index::builder().schema(schema.build()).tokenizers(tokenizers).settings(settings()), field)
}

fn alive_bits(count: u32, is_dead: IsDead<'_>) -> Result<AliveBitSet, IndexError> {
    let mut bits = BitSet::with_max_value_and_full(count);
    (0..count).filter(|row| is_dead(*row)).for_each(|row| bits.remove(row));
    let mut bytes = Vec::new();
    write_alive_bitset(&bits, &mut bytes).map_err(io_error)?;
    Ok(AliveBitSet::open(OwnedBytes::new(bytes)))
}
