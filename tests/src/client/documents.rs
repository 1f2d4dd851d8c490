//! Résumés and jobs.

use std::path::Path;
use std::time::Duration;

use reqwest::Method;
use reqwest::multipart::{Form, Part};
use serde_json::{Value, json};

use super::{Answer, Client, ended, list, text};
use crate::{poll, sample};

/// Entries per page of a list: few, so that lists have pages.
const PAGE: usize = 200;
/// How long a document may take until it is searchable, behind others.
const SETTLED_WITHIN: Duration = Duration::from_secs(120);

/// The two kinds of documents.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A person's résumé.
    Resume,
    /// A job posting.
    Job,
}

impl Kind {
    /// The path of the collection.
    #[must_use]
    pub const fn path(self) -> &'static str {
        match self {
            Self::Resume => "/api/v1/resumes",
            Self::Job => "/api/v1/jobs",
        }
    }
}

impl Client {
    /// Sends a file. With a `key` the same call may be repeated: it is done once.
    ///
    /// # Errors
    /// When no answer came: whether the file was taken is unknown.
    pub fn try_submit(
        &self,
        kind: Kind,
        file_name: &str,
        content: &[u8],
        key: Option<&str>,
    ) -> Result<Answer, reqwest::Error> {
        let part = Part::bytes(content.to_vec()).file_name(file_name.to_owned());
        let mut request = self.request(Method::POST, kind.path()).multipart(Form::new().part("file", part));
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        self.send(request)
    }

    /// Sends a file and gives the answer.
    ///
    /// # Panics
    /// When no answer came.
    #[must_use]
    pub fn submit(&self, kind: Kind, file_name: &str, content: &[u8]) -> Answer {
        self.try_submit(kind, file_name, content, None)
            .unwrap_or_else(|error| panic!("submitting {file_name}: {error:?}"))
    }

    /// Sends a file that must be taken and gives the document's id.
    ///
    /// # Panics
    /// When it is not taken.
    #[must_use]
    pub fn accepted(&self, kind: Kind, file_name: &str, content: &[u8]) -> String {
        text(&self.submit(kind, file_name, content).data(), "id")
    }

    /// Sends every file of a folder and gives names with ids.
    ///
    /// # Panics
    /// When one is not taken.
    #[must_use]
    pub fn submit_folder(&self, kind: Kind, folder: &Path) -> Vec<(String, String)> {
        let files = sample::files(folder);
        files
            .iter()
            .map(|path| {
                let name = sample::name(path);
                let id = self.accepted(kind, &name, &std::fs::read(path).expect("the sample can be read"));
                (name, id)
            })
            .collect()
    }

    /// Sends a text that must be taken and gives the document's id.
    ///
    /// # Panics
    /// When it is not taken.
    #[must_use]
    pub fn accepted_text(&self, kind: Kind, content: &str) -> String {
        text(&self.post(kind.path(), &json!({ "text": content })).data(), "id")
    }

    /// A document as it is now.
    ///
    /// # Panics
    /// When there is none of this id.
    #[must_use]
    pub fn document(&self, kind: Kind, id: &str) -> Value {
        self.get(&format!("{}/{id}", kind.path())).data()
    }

    /// Waits until a document is complete or has failed, and gives it.
    ///
    /// # Panics
    /// When it takes too long.
    #[must_use]
    pub fn settled(&self, kind: Kind, id: &str) -> Value {
        poll::until_ok("the document is complete or has failed", SETTLED_WITHIN, || {
            ended(self.document(kind, id))
        })
    }

    /// Waits until every one of these documents is complete.
    ///
    /// # Panics
    /// When one fails or takes too long.
    pub fn expect_complete<'a>(&self, kind: Kind, ids: impl IntoIterator<Item = &'a String>) {
        for id in ids {
            let document = self.settled(kind, id);
            assert_eq!(text(&document, "status"), "complete", "{document}");
        }
    }

    /// Every document of a kind, newest first, read page by page.
    ///
    /// # Panics
    /// When a page is not what it should be.
    #[must_use]
    pub fn all(&self, kind: Kind) -> Vec<Value> {
        let mut all = Vec::new();
        let mut cursor = String::new();
        loop {
            let page = self.get(&format!("{}?limit={PAGE}{cursor}", kind.path())).data();
            all.extend(list(&page, "items").iter().cloned());
            match page.get("next_cursor").and_then(Value::as_str) {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }
}
