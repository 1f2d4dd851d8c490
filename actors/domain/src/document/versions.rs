//! A document in several versions: which one is searched, and what becomes of the others.
//!
//! The row's own fields are those of the version that is searched, or of the first one as long as none is. A newer version
//! takes its place at the moment at which it is searchable; an older one never does.

use serde::{Deserialize, Deserializer, Serialize};

use super::{Document, DocumentState, MediaKind, Notes, Version};
use crate::ids::ContentDigest;
use crate::time::Timestamp;

#[cfg(test)]
mod tests;

/// A version that is not the one in its document's own fields.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct DocumentVersion {
    /// Its number.
    pub version: Version,
    /// The file's name as submitted; see [`Document::file_name`].
    pub file_name: String,
    /// A title given by the submitter.
    pub title: Option<String>,
    /// What the bytes are.
    pub media: MediaKind,
    /// SHA-256 of the original.
    pub digest: ContentDigest,
    /// Size of the original in bytes.
    pub size: u64,
    /// Where the original lies in the object store.
    pub object_key: String,
    /// How far it has come.
    pub state: DocumentState,
    /// When it was accepted.
    pub created_at: Timestamp,
    /// What its submitter said beside it.
    pub notes: Notes,
}

impl Document {
    /// The most versions of one document: all of them are in its row.
    pub const MAX_VERSIONS: usize = 64;

    /// The version that came last.
    #[must_use]
    pub fn latest(&self) -> Version {
        self.others.last().map_or(self.version, |other| other.version.max(self.version))
    }

    /// The row as if `version` were the only one; `None` = there is no such version.
    #[must_use]
    pub fn at(&self, version: Version) -> Option<Self> {
        let alone = Self { others: Vec::new(), ..self.clone() };
        if version == self.version {
            return Some(alone);
        }
        let other = self.others.iter().find(|other| other.version == version)?;
        Some(alone.exchanged(other.clone()).0)
    }

    /// Every version as [`Document::at`] shows it, in order.
    pub fn versions(&self) -> impl Iterator<Item = Self> + '_ {
        (Version::FIRST.0..=self.latest().0).filter_map(|number| self.at(Version(number)))
    }

    /// The latest version with this content.
    #[must_use]
    pub fn with_digest(&self, digest: ContentDigest) -> Option<Self> {
        self.versions().filter(|version| version.digest == digest).last()
    }

    /// The row with one version more; `None` = it is not the next one, or there are [`Document::MAX_VERSIONS`].
    #[must_use]
    pub fn with_version(&self, new: DocumentVersion) -> Option<Self> {
        let fits =
            new.version.0 == self.latest().0.checked_add(1)? && self.others.len() + 1 < Self::MAX_VERSIONS;
        let mut next = self.clone();
        next.others.push(new);
        fits.then_some(next)
    }

    /// The row after a step of one of its versions. One that has become searchable takes the place of an older one.
    ///
    /// # Errors
    /// The state of that version, when [`DocumentState::may_become`] forbids the step; that of the row, when there is no
    /// such version.
    pub fn advanced(&self, version: Version, next: &DocumentState) -> Result<Self, DocumentState> {
        let mut row = self.clone();
        let state = if version == row.version {
            &mut row.state
        } else {
            let other = row.others.iter_mut().find(|other| other.version == version);
            &mut other.ok_or_else(|| self.state.clone())?.state
        };
        if !state.may_become(next) {
            return Err(state.clone());
        }
        *state = next.clone();
        if version > row.version && *next == DocumentState::Indexed {
            row.search(version);
        }
        Ok(row)
    }

    /// Gives the row's own fields to `version`.
    fn search(&mut self, version: Version) {
        let Some(place) = self.others.iter().position(|other| other.version == version) else { return };
        let other = self.others.remove(place);
        let (next, before) = self.clone().exchanged(other);
        *self = next;
        let place = self.others.partition_point(|other| other.version < before.version);
        self.others.insert(place, before);
    }

    /// The row with the fields of another version, and the version that had them.
    fn exchanged(self, other: DocumentVersion) -> (Self, DocumentVersion) {
        let before = DocumentVersion {
            version: self.version,
            file_name: self.file_name,
            title: self.title,
            media: self.media,
            digest: self.digest,
            size: self.size,
            object_key: self.object_key,
            state: self.state,
            created_at: self.created_at,
            notes: self.notes,
        };
        let row = Self {
            owner: self.owner,
            id: self.id,
            kind: self.kind,
            version: other.version,
            file_name: other.file_name,
            title: other.title,
            media: other.media,
            digest: other.digest,
            size: other.size,
            object_key: other.object_key,
            state: other.state,
            created_at: other.created_at,
            notes: other.notes,
            others: self.others,
        };
        (row, before)
    }
}

/// Rows of before there were versions end where the others begin: their documents have one.
pub(super) fn or_none<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<DocumentVersion>, D::Error> {
    Ok(Vec::deserialize(deserializer).unwrap_or_default())
}
