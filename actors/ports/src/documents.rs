//! Documents, their versions and the log that index shards follow.

use async_trait::async_trait;
use serde::{Deserialize, Serialize};
use tandem_domain::chunk::{EmbeddedVersion, ModelIdentity};
use tandem_domain::document::{
    Document, DocumentKind, DocumentState, DocumentVersion, ParsedVersion, Version,
};
use tandem_domain::ids::{ContentDigest, DocumentId, OwnerId};

use crate::error::{StoreError, Write};

/// A page of a list, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page<I> {
    /// Begin behind this id; `None` = at the newest.
    pub after: Option<I>,
    /// At most this many, 1..=[`MAX_PAGE`].
    pub limit: u32,
}

/// The most entries of one page.
pub const MAX_PAGE: u32 = 1_000;

/// A position in a change log. Positions grow; the first change lies above [`LogPosition::START`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(transparent)]
pub struct LogPosition(pub u64);

impl LogPosition {
    /// Before every change.
    pub const START: Self = Self(0);
}

/// A part of the key space. Documents fall into [`Bucket::COUNT`] buckets by id; a shard owns a range of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Bucket(u16);

impl Bucket {
    /// How many buckets there are.
    pub const COUNT: u16 = 1_024;

    /// The bucket of a document: it never changes.
    #[must_use]
    pub fn of(document: DocumentId) -> Self {
        let id = tandem_domain::ids::derived("bucket", &[document.as_uuid().as_bytes()]);
        let bytes = id.as_bytes();
        Self(u16::from_be_bytes([bytes[0], bytes[1]]) % Self::COUNT)
    }

    /// Its number, `0..COUNT`.
    #[must_use]
    pub const fn number(self) -> u16 {
        self.0
    }
}

/// The buckets `from..to` of one shard.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct BucketRange {
    /// The first.
    pub from: u16,
    /// One past the last.
    pub to: u16,
}

impl BucketRange {
    /// The range of shard `shard` of `shards`: ranges of equal size, give or take one, that cover every bucket once.
    #[must_use]
    pub fn of_shard(shard: u16, shards: u16) -> Self {
        let bound = |n: u16| {
            let product = u32::from(n) * u32::from(Bucket::COUNT);
            u16::try_from(product / u32::from(shards.max(1))).unwrap_or(Bucket::COUNT).min(Bucket::COUNT)
        };
        Self { from: bound(shard), to: bound(shard.saturating_add(1)) }
    }

    /// Whether `bucket` lies inside.
    #[must_use]
    pub const fn contains(&self, bucket: Bucket) -> bool {
        self.from <= bucket.0 && bucket.0 < self.to
    }
}

/// What a shard has to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ChangeAction {
    /// Make this version searchable in place of any older one.
    Upsert,
    /// Forget the document.
    Remove,
}

/// One entry of the change log.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// Whose document.
    pub owner: OwnerId,
    /// Which.
    pub document: DocumentId,
    /// Which version.
    pub version: Version,
    /// What to do.
    pub action: ChangeAction,
}

/// What a look into the change log found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LogPage {
    /// In order of position.
    pub changes: Vec<(LogPosition, Change)>,
    /// Every change of the buckets that were asked for, up to here, is on this page or was before it: go on from here.
    /// At least where the look began, and at least the last change's position.
    pub seen: LogPosition,
}

/// Keeps documents and everything derived from them.
#[async_trait]
pub trait DocumentStore: Send + Sync + 'static {
    /// Makes a document. Conflict: the owner's document of the same kind with the same digest in one of its versions (or
    /// with the same id), which stays as it is. Unknown: ask [`DocumentStore::document`] for the new id.
    async fn create(&self, document: &Document) -> Result<Write<Document>, StoreError>;

    /// The owner's document of this id.
    async fn document(&self, owner: &OwnerId, id: DocumentId) -> Result<Option<Document>, StoreError>;

    /// The owner's document of this kind that has this content in one of its versions.
    async fn find_by_digest(
        &self,
        owner: &OwnerId,
        kind: DocumentKind,
        digest: ContentDigest,
    ) -> Result<Option<Document>, StoreError>;

    /// The owner's documents of a kind, newest (highest id) first.
    async fn list(
        &self,
        owner: &OwnerId,
        kind: DocumentKind,
        page: Page<DocumentId>,
    ) -> Result<Vec<Document>, StoreError>;

    /// Makes the next version of a document: see [`Document::with_version`]. Conflict: the document as it stands, when
    /// that version cannot be its next one; another of the owner's documents of this kind that has the same content;
    /// `None` when there is no such document. Unknown: read the document back. Where content comes at the same moment as
    /// a version and as a document of its own, both may be kept.
    async fn add_version(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: &DocumentVersion,
    ) -> Result<Write<Option<Document>>, StoreError>;

    /// Moves a version forward: see [`Document::advanced`]. Conflict: the state it has, when that forbids the step; the
    /// document's, when it has no such version; `None` when there is no such document. Unknown: read the document back.
    async fn advance(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        next: &DocumentState,
    ) -> Result<Write<Option<DocumentState>>, StoreError>;

    /// Keeps what parsing made of a version. Conflict: it is kept already; the first one stays.
    async fn put_parsed(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        parsed: &ParsedVersion,
    ) -> Result<Write<()>, StoreError>;

    /// What parsing made of a version.
    async fn parsed(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
    ) -> Result<Option<ParsedVersion>, StoreError>;

    /// Keeps the vectors of a version by one model, beside those of others. Conflict: that model's are kept already; the
    /// first ones stay.
    async fn put_embedded(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        embedded: &EmbeddedVersion,
    ) -> Result<Write<()>, StoreError>;

    /// The vectors of a version by this model.
    async fn embedded(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        model: &ModelIdentity,
    ) -> Result<Option<EmbeddedVersion>, StoreError>;

    /// Forgets the vectors of a version by this model, if there are any; durable when it returns. It can be repeated.
    async fn forget_embedded(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
        model: &ModelIdentity,
    ) -> Result<(), StoreError>;

    /// Removes a document whose latest version is `latest`: from now on no method of this port finds it, and its content
    /// may be submitted anew. What was derived from it stays until [`DocumentStore::forget_version`]. Conflict: the
    /// document as it stands, when it has a later version; `None` when there is no such document. Broken off or unknown,
    /// it can be repeated.
    async fn remove(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        latest: Version,
    ) -> Result<Write<Option<Document>>, StoreError>;

    /// Forgets what parsing and embedding, by any model, made of a version, if they made anything, with the vectors that
    /// [`crate::VectorCache`] keeps of it; durable when it returns. It can be
    /// repeated. Whoever keeps something of a version and then finds the document gone calls it too.
    async fn forget_version(
        &self,
        owner: &OwnerId,
        id: DocumentId,
        version: Version,
    ) -> Result<(), StoreError>;

    /// Appends to the change log of the document's bucket. Conflict: this change is in the log already.
    async fn log_change(&self, change: &Change) -> Result<Write<()>, StoreError>;

    /// The changes of a shard's buckets above `after`, in order of position, at most `limit`. A change that becomes
    /// visible later always has a higher position than every change that was visible before: a reader that goes on
    /// from [`LogPage::seen`] misses nothing.
    async fn changes(
        &self,
        buckets: BucketRange,
        after: LogPosition,
        limit: u32,
    ) -> Result<LogPage, StoreError>;

    /// A position at or above that of every change whose [`DocumentStore::log_change`] was answered before this call
    /// began. A reader that goes on for long enough sees it.
    async fn log_head(&self) -> Result<LogPosition, StoreError>;
}
