//! The ZIP container and its relationships (ECMA-376 part 2, Open Packaging Conventions).

use std::collections::HashMap;
use std::io::{Cursor, Read};

use zip::ZipArchive;
use zip::result::ZipError;

use super::super::plain::decode;
use super::super::{ExtractError, Limits};
use super::FORMAT;
use super::xml::{Piece, walk};

/// Entries of an archive; a document has some dozens.
const MAX_ENTRIES: usize = 10_000;
/// Relationships kept of one part.
const MAX_RELATIONS: usize = 5_000;

/// An opened container. Parts are inflated one at a time and never beyond the limits.
pub(super) struct Package<'a> {
    archive: ZipArchive<Cursor<&'a [u8]>>,
    part_bytes: u64,
    /// Bytes that all parts together may still inflate to.
    budget: u64,
    nesting: u32,
}

/// What a part refers to.
#[derive(Debug, Default)]
pub(super) struct Relations {
    by_id: HashMap<String, (String, String)>,
    order: Vec<String>,
}

impl Relations {
    /// The target of one relationship.
    pub(super) fn target(&self, id: &str) -> Option<&str> {
        self.by_id.get(id).map(|(_, target)| target.as_str())
    }

    /// Targets of all relationships whose type ends in `kind`, in file order.
    pub(super) fn of_kind<'r>(&'r self, kind: &'r str) -> impl Iterator<Item = &'r str> {
        self.order
            .iter()
            .filter_map(|id| self.by_id.get(id))
            .filter(move |(k, _)| k == kind)
            .map(|(_, t)| t.as_str())
    }
}

impl<'a> Package<'a> {
    pub(super) fn open(bytes: &'a [u8], limits: &Limits) -> Result<Self, ExtractError> {
        let archive = ZipArchive::new(Cursor::new(bytes)).map_err(|error| container_error(&error))?;
        if archive.len() > MAX_ENTRIES {
            return Err(ExtractError::limit("archive entries"));
        }
        Ok(Self {
            archive,
            part_bytes: limits.part_bytes,
            budget: limits.part_bytes * 2,
            nesting: limits.nesting,
        })
    }

    /// The name of the part that holds the text.
    pub(super) fn main_part(&mut self) -> Result<String, ExtractError> {
        let relations = self.relations("")?;
        let main = relations.of_kind("officeDocument").next();
        Ok(main.unwrap_or("word/document.xml").to_owned())
    }

    /// The text of one part; `None` when there is none of that name.
    pub(super) fn part(&mut self, name: &str) -> Result<Option<String>, ExtractError> {
        let file = match self.archive.by_name(name) {
            Ok(file) => file,
            Err(ZipError::FileNotFound) => return Ok(None),
            Err(error) => return Err(container_error(&error)),
        };
        let limit = self.part_bytes.min(self.budget);
        // The size that the archive states is a claim: only the bytes that come out count.
        let mut bytes = Vec::new();
        let read = file.take(limit + 1).read_to_end(&mut bytes);
        if bytes.len() as u64 > limit {
            return Err(ExtractError::limit("decompressed parts"));
        }
        self.budget -= bytes.len() as u64;
        if read.is_err() && bytes.is_empty() {
            return Err(ExtractError::corrupt(FORMAT, "a part cannot be decompressed"));
        }
        Ok(Some(decode(&bytes).into_owned()))
    }

    /// The relationships of a part (of the package itself for the empty name), targets made absolute.
    pub(super) fn relations(&mut self, part: &str) -> Result<Relations, ExtractError> {
        let (folder, file) = part.rsplit_once('/').unwrap_or(("", part));
        let path = if folder.is_empty() {
            format!("_rels/{file}.rels")
        } else {
            format!("{folder}/_rels/{file}.rels")
        };
        let mut out = Relations::default();
        let Some(xml) = self.part(&path)? else { return Ok(out) };
        walk(&xml, self.nesting, |piece| {
            let Piece::Open(tag) = piece else { return Ok(()) };
            if tag.name != "Relationship" || out.order.len() >= MAX_RELATIONS {
                return Ok(());
            }
            if let (Some(id), Some(kind), Some(target)) =
                (tag.attr("Id"), tag.attr("Type"), tag.attr("Target"))
            {
                let external = tag.attr("TargetMode").is_some_and(|mode| mode == "External");
                let target = if external { target } else { absolute(folder, &target) };
                let kind = kind.rsplit('/').next().unwrap_or_default().to_owned();
                out.order.push(id.clone());
                out.by_id.insert(id, (kind, target));
            }
            Ok(())
        })?;
        Ok(out)
    }
}

fn absolute(folder: &str, target: &str) -> String {
    if let Some(rooted) = target.strip_prefix('/') {
        return rooted.to_owned();
    }
    let mut path: Vec<&str> = folder.split('/').filter(|step| !step.is_empty()).collect();
    for step in target.split('/') {
        match step {
            "" | "." => {}
            ".." => drop(path.pop()),
            step => path.push(step),
        }
    }
    path.join("/")
}

fn container_error(error: &ZipError) -> ExtractError {
    let says_password = matches!(error, ZipError::UnsupportedArchive(reason) if reason.to_ascii_lowercase().contains("password"));
    let locked = says_password || matches!(error, ZipError::InvalidPassword);
    if locked {
        ExtractError::Encrypted
    } else {
        ExtractError::corrupt(FORMAT, "its ZIP container cannot be read")
    }
}
