//! The shard: opening it, one writer, many readers.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use tandem_domain::chunk::ModelIdentity;
use tandem_domain::embedding::Embedding;
use tandem_domain::ids::{DocumentId, OwnerId};
use tandem_domain::ranked::Features;
use tandem_ports::documents::LogPosition;
use tandem_ports::index::{
    CorpusStatistics, Filter, Hit, IndexChange, IndexError, IndexedDocument, LexicalQuery, MatchIndex,
};

use crate::files::{damaged, io_error, sync_folder};
use crate::manifest::Manifest;
use crate::segment::{MAX_IN_MEMORY, Segment, folder_name, verify};
use crate::snapshot::{Part, Snapshot};
use crate::{dense, lexical, tiers};

#[cfg(test)]
mod tests;

/// The most merges after one batch; what is left is done after the next.
const MAX_MERGES: usize = 8;
const LOCK: &str = "lock";
const SEGMENT_PREFIX: &str = "segment-";

/// How a shard is opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Options {
    /// The model of every vector in it: vectors of different models never meet.
    pub model: ModelIdentity,
}

/// One shard of the match index in a folder of its own.
///
/// Readers never wait for the writer: each search runs on the snapshot that was current when it began. An idle shard
/// holds only mapped files and a few kilobytes per segment; a batch takes a few megabytes while it is applied.
pub struct TantivyIndex {
    folder: PathBuf,
    options: Options,
    /// Held as long as the shard is open, so that no two processes write it.
    _lock: File,
    writer: Mutex<Writer>,
    current: RwLock<Arc<Snapshot>>,
}

/// What only the one who writes needs.
struct Writer {
    /// The number of the next segment; never used twice while the shard is open.
    next: u64,
}

impl TantivyIndex {
    /// Opens the shard in `folder`, or makes an empty one there. Every file is compared with its checksum (the folder
    /// is read once), and what a crash left behind is removed.
    ///
    /// # Errors
    /// Damaged, when a file is missing or not as it was written: remove the folder and follow the change log from its
    /// start. Model, when its vectors are another model's. Io, also when the shard is open elsewhere.
    pub fn open(folder: &Path, options: Options) -> Result<Self, IndexError> {
        fs::create_dir_all(folder).map_err(io_error)?;
        let lock = lock(folder)?;
        let manifest = match Manifest::read(folder)? {
            Some(manifest) => manifest,
            None if !segments_on_disk(folder)?.is_empty() => return Err(damaged("the manifest is missing")),
            None => found(folder, &options.model)?,
        };
        if manifest.model != options.model {
            return Err(IndexError::Model);
        }
        let coordinates = options.model.dimensions as usize;
        let mut parts = Vec::with_capacity(manifest.segments.len());
        for entry in manifest.segments {
            verify(folder, &entry.segment)?;
            let segment = Segment::open(folder, entry.segment, coordinates)?;
            parts.push(Part::new(Arc::new(segment), entry.dead));
        }
        let next = 1 + parts.iter().map(|part| part.segment.identity.number).max().unwrap_or(0);
        let snapshot = Arc::new(Snapshot { checkpoint: manifest.checkpoint, parts });
        let shard = Self {
            folder: folder.to_owned(),
            options,
            _lock: lock,
            writer: Mutex::new(Writer { next }),
            current: RwLock::new(snapshot),
        };
        shard.sweep()?;
        Ok(shard)
    }

    /// The model of the shard in `folder`; None where there is no shard.
    ///
    /// # Errors
    /// Damaged, Io.
    pub fn model_of(folder: &Path) -> Result<Option<ModelIdentity>, IndexError> {
        if !folder.exists() {
            return Ok(None);
        }
        Ok(Manifest::read(folder)?.map(|manifest| manifest.model))
    }

    /// Removes the shard in `folder`, whole or damaged; says whether there was one. Broken off, it can be repeated.
    ///
    /// # Errors
    /// Io, also when the shard is open elsewhere.
    pub fn remove(folder: &Path) -> Result<bool, IndexError> {
        if !folder.exists() {
            return Ok(false);
        }
        let _lock = lock(folder)?;
        fs::remove_dir_all(folder).map_err(io_error)?;
        Ok(true)
    }

    fn coordinates(&self) -> usize {
        self.options.model.dimensions as usize
    }

    fn current(&self) -> Arc<Snapshot> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn writer(&self) -> MutexGuard<'_, Writer> {
        self.writer.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Removes segments that the current snapshot does not have. Readers that still have one keep its mapped files.
    fn sweep(&self) -> Result<(), IndexError> {
        let snapshot = self.current();
        for number in segments_on_disk(&self.folder)? {
            if !snapshot.parts.iter().any(|part| part.segment.identity.number == number) {
                fs::remove_dir_all(self.folder.join(folder_name(number))).map_err(io_error)?;
            }
        }
        Ok(())
    }

    /// Makes `next` durable, then visible.
    fn commit(&self, next: Snapshot) -> Result<(), IndexError> {
        next.manifest(&self.options.model).write(&self.folder)?;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(next);
        Ok(())
    }

    fn check(&self, document: &IndexedDocument) -> Result<(), IndexError> {
        let features = &document.features;
        let mut vectors = std::iter::once(&features.document).chain(&features.chunks);
        let fits = vectors.all(|vector| vector.coordinates().len() == self.coordinates());
        if features.model == self.options.model && fits { Ok(()) } else { Err(IndexError::Model) }
    }

    /// The snapshot after a batch: what it names is dead where it was, and alive in new segments.
    fn after(
        &self,
        writer: &mut Writer,
        changes: &[IndexChange],
        up_to: LogPosition,
    ) -> Result<Snapshot, IndexError> {
        let mut next = Snapshot::clone(&self.current());
        next.checkpoint = up_to;
        let latest = latest(changes);
        for (owner, id) in latest.keys() {
            if let Some((place, row)) = next.find(owner, *id) {
                next.parts[place].kill(row);
            }
        }
        next.parts.retain(|part| !part.is_empty());
        let fresh: Vec<&IndexedDocument> = latest.into_values().flatten().collect();
        for documents in fresh.chunks(MAX_IN_MEMORY) {
            let number = writer.number();
            let segment = Segment::create(&self.folder, number, self.coordinates(), documents)?;
            next.parts.push(Part::new(Arc::new(segment), Vec::new()));
        }
        Ok(next)
    }

    /// Merges what is due. A merge changes no answer, so a failed one is only reported: the batch before it holds.
    fn merge_due(&self, writer: &mut Writer, at_rest: bool) {
        // At rest each segment is rewritten at most once, and they are no more than the tiers hold.
        let most = if at_rest { usize::MAX } else { MAX_MERGES };
        for _ in 0..most {
            let snapshot = self.current();
            let fills: Vec<_> = snapshot.parts.iter().map(Part::fill).collect();
            let Some(places) = tiers::plan(&fills, at_rest) else { return };
            if let Err(error) = self.merge(writer, &snapshot, &places) {
                tracing::warn!(%error, segments = places.len(), "index segments could not be merged");
                return;
            }
        }
    }

    fn merge(&self, writer: &mut Writer, snapshot: &Snapshot, places: &[usize]) -> Result<(), IndexError> {
        let (merged, mut parts): (Vec<_>, Vec<_>) =
            snapshot.parts.iter().enumerate().partition(|(place, _)| places.contains(place));
        let dead: Vec<_> = merged.iter().map(|(_, part)| |row: u32| part.is_dead(row as usize)).collect();
        let sources: Vec<(&Segment, &dyn Fn(u32) -> bool)> = merged
            .iter()
            .zip(&dead)
            .map(|((_, part), is_dead)| (&*part.segment, is_dead as &dyn Fn(u32) -> bool))
            .collect();
        let segment = Segment::merge(&self.folder, writer.number(), self.coordinates(), &sources)?;
        let mut parts: Vec<Part> = parts.drain(..).map(|(_, part)| part.clone()).collect();
        parts.push(Part::new(Arc::new(segment), Vec::new()));
        self.commit(Snapshot { checkpoint: snapshot.checkpoint, parts })
    }
}

impl Writer {
    fn number(&mut self) -> u64 {
        let number = self.next;
        self.next += 1;
        number
    }
}

impl MatchIndex for TantivyIndex {
    fn checkpoint(&self) -> LogPosition {
        self.current().checkpoint
    }

    fn apply(&self, changes: &[IndexChange], up_to: LogPosition) -> Result<(), IndexError> {
        for change in changes {
            if let IndexChange::Upsert(document) = change {
                self.check(document)?;
            }
        }
        let mut writer = self.writer();
        // What a failed commit left may be named by the manifest after all: it is swept after the next good one.
        self.after(&mut writer, changes, up_to).and_then(|next| self.commit(next))?;
        self.merge_due(&mut writer, changes.is_empty());
        if let Err(error) = self.sweep() {
            tracing::warn!(%error, "an unused index segment could not be removed");
        }
        Ok(())
    }

    fn documents(&self) -> u64 {
        self.current().documents()
    }

    fn lexical_query(&self, text: &str, most: usize) -> LexicalQuery {
        lexical::query(text, most)
    }

    fn statistics(&self, query: &LexicalQuery) -> Result<CorpusStatistics, IndexError> {
        lexical::statistics(&self.current(), query)
    }

    fn lexical(
        &self,
        query: &LexicalQuery,
        statistics: &CorpusStatistics,
        filter: &Filter,
        limit: usize,
    ) -> Result<Vec<Hit>, IndexError> {
        lexical::search(&self.current(), query, statistics, filter, limit)
    }

    fn dense(&self, vector: &Embedding, filter: &Filter, limit: usize) -> Result<Vec<Hit>, IndexError> {
        if vector.coordinates().len() != self.coordinates() {
            return Err(IndexError::Model);
        }
        Ok(dense::search(&self.current(), vector, filter, limit))
    }

    fn features(
        &self,
        owner: &OwnerId,
        documents: &[DocumentId],
    ) -> Result<Vec<(DocumentId, Arc<Features>)>, IndexError> {
        self.current().features(owner, documents)
    }
}

/// What a batch makes of each document it names: the last change wins.
fn latest(changes: &[IndexChange]) -> BTreeMap<(&OwnerId, DocumentId), Option<&IndexedDocument>> {
    let mut latest = BTreeMap::new();
    for change in changes {
        match change {
            IndexChange::Upsert(document) => latest.insert((&document.owner, document.id), Some(&**document)),
            IndexChange::Remove { owner, id } => latest.insert((owner, *id), None),
        };
    }
    latest
}

fn lock(folder: &Path) -> Result<File, IndexError> {
    let lock = File::create(folder.join(LOCK)).map_err(io_error)?;
    lock.try_lock().map_err(|error| IndexError::Io(format!("the shard is open elsewhere: {error}")))?;
    Ok(lock)
}

/// The manifest of a new shard.
fn found(folder: &Path, model: &ModelIdentity) -> Result<Manifest, IndexError> {
    if let Some(parent) = folder.parent() {
        sync_folder(parent)?;
    }
    let manifest = Manifest { model: model.clone(), checkpoint: LogPosition::START, segments: Vec::new() };
    manifest.write(folder)?;
    Ok(manifest)
}

/// The numbers of the segments that have a folder.
fn segments_on_disk(folder: &Path) -> Result<Vec<u64>, IndexError> {
    let mut numbers = Vec::new();
    for entry in fs::read_dir(folder).map_err(io_error)? {
        let name = entry.map_err(io_error)?.file_name();
        let number = name.to_str().and_then(|name| name.strip_prefix(SEGMENT_PREFIX));
        numbers.extend(number.and_then(|number| number.parse::<u64>().ok()));
    }
    Ok(numbers)
}
