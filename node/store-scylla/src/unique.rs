//! Values that are unique in two ways: by their id and by something else (a digest, an operation).
//!
//! The two lie in different partitions, so no single write can check both. A maker first claims the second key; the claim
//! carries the whole value. Then it writes the list entry, then the cell under the id, which makes the value visible.
//! Whoever finds a claim without its cell does these last steps itself, so a crash in between loses nothing and blocks
//! nobody. A claim whose id turns out to belong to another value can never be fulfilled, because cells are not removed:
//! it is released. So at every moment: a cell has its claim, and two cells never share a key.

use scylla::statement::prepared::PreparedStatement;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use tandem_domain::ids::OwnerId;
use tandem_ports::{StoreError, Write};
use uuid::Uuid;

use crate::cells::{At, Next, Written};
use crate::codec::{decode, encode};
use crate::statements::{CellTable, Statements};
use crate::store::{Conditional, ScyllaStore};

const CLAIMS: &str = "claims";

/// How often a claim that cannot be fulfilled is released and made anew.
const ATTEMPTS: u32 = 4;

/// The revision of a new cell.
pub(crate) const FIRST_REV: i64 = 1;

/// Codes of lists and of the second keys. A number that was given is never given to anything else.
pub(crate) mod space {
    pub(crate) const RESUMES: u8 = 1;
    pub(crate) const JOBS: u8 = 2;
    pub(crate) const RUNS: u8 = 3;
    pub(crate) const MATCHES: u8 = 4;
    pub(crate) const AGREEMENT: u8 = 5;
    pub(crate) const MODELS: u8 = 6;
}

/// A value with an id and a second key.
pub(crate) trait Unique: Serialize + DeserializeOwned + Send + Sync {
    /// Its table.
    fn table(statements: &Statements) -> &CellTable;
    fn owner(&self) -> &OwnerId;
    fn id(&self) -> Uuid;
    /// The space in which the second key is unique; the list too, where there is one.
    fn space(&self) -> u8;
    /// What is unique in the space: what it is made with, and what has come to it since.
    fn distinctions(&self) -> Vec<Vec<u8>>;
    /// Whether there is a list of these.
    const LISTED: bool;
    /// Whether it is only the mark of a value that was removed.
    fn is_removed(&self) -> bool {
        false
    }
}

fn claim_key(space: u8, distinction: &[u8]) -> Vec<u8> {
    let mut key = vec![space];
    key.extend_from_slice(distinction);
    key
}

#[derive(Serialize, Deserialize)]
struct Claim {
    id: Uuid,
    body: Vec<u8>,
}

/// What a claim came to.
enum Fulfilled<T> {
    /// The value is visible, in its state of now.
    Yes(T),
    /// Its id belongs to this other value.
    Never(T),
    Unknown,
}

impl ScyllaStore {
    /// The value of an id.
    pub(crate) async fn by_id<T: Unique>(&self, owner: &OwnerId, id: Uuid) -> Result<Option<T>, StoreError> {
        let table = T::table(self.statements());
        let cell = self.cell(At { table, owner, key: &id.into_bytes() }).await?;
        cell.map(|cell| decode(table.name, &cell.body)).transpose()
    }

    /// The value of a second key.
    pub(crate) async fn by_distinction<T: Unique>(
        &self,
        owner: &OwnerId,
        space: u8,
        distinction: &[u8],
    ) -> Result<Option<T>, StoreError> {
        let key = claim_key(space, distinction);
        let Some(cell) = self.cell(At { table: &self.statements().claims, owner, key: &key }).await? else {
            return Ok(None);
        };
        let claim: Claim = decode(CLAIMS, &cell.body)?;
        match self.fulfill::<T>(owner, &key, &claim, &cell.born).await? {
            Fulfilled::Yes(value) => Ok(Some(value).filter(|value| !value.is_removed())),
            Fulfilled::Never(_) => Ok(None),
            Fulfilled::Unknown => Err(StoreError::Timeout),
        }
    }

    /// Makes a value unless its id or its second key is taken.
    pub(crate) async fn create_unique<T: Unique>(&self, value: &T) -> Result<Write<T>, StoreError> {
        let (owner, id, op) = (value.owner(), value.id(), self.operation());
        if let Some(there) = self.by_id::<T>(owner, id).await? {
            return Ok(Write::Conflict(there));
        }
        let key = claim_key(value.space(), &value.distinctions().into_iter().next().unwrap_or_default());
        let body = encode(T::table(self.statements()).name, value)?;
        let body = encode(CLAIMS, &Claim { id, body })?;
        let at = At { table: &self.statements().claims, owner, key: &key };
        for _ in 0..ATTEMPTS {
            let next = Next { op: &op, rev: FIRST_REV, body: &body };
            let (holder, claim) = match self.insert_cell(at, next).await? {
                Written::Done => (op.clone(), decode(CLAIMS, &body)?),
                Written::Other(Some(cell)) => (cell.born, decode::<Claim>(CLAIMS, &cell.body)?),
                Written::Other(None) => continue,
                Written::Unknown => return Ok(Write::Unknown),
            };
            match self.fulfill::<T>(owner, &key, &claim, &holder).await {
                Ok(Fulfilled::Yes(_)) if holder == op => return Ok(Write::Applied),
                Ok(Fulfilled::Yes(there)) => return Ok(Write::Conflict(there)),
                Ok(Fulfilled::Never(there)) => {
                    self.release(owner, &key, &holder).await;
                    if claim.id == id {
                        return Ok(Write::Conflict(there));
                    }
                }
                Ok(Fulfilled::Unknown) => return Ok(Write::Unknown),
                // The claim stands, and the next who finds it fulfills it.
                Err(_) if holder == op => return Ok(Write::Unknown),
                Err(error) => return Err(error),
            }
        }
        Err(StoreError::Timeout)
    }

    /// Claims another second key for a value whose cell has it already, unless it is taken; whether it is its own now.
    pub(crate) async fn claim_unique<T: Unique>(
        &self,
        value: &T,
        distinction: &[u8],
    ) -> Result<bool, StoreError> {
        let (owner, op, key) = (value.owner(), self.operation(), claim_key(value.space(), distinction));
        let body = encode(T::table(self.statements()).name, value)?;
        let body = encode(CLAIMS, &Claim { id: value.id(), body })?;
        let at = At { table: &self.statements().claims, owner, key: &key };
        match self.insert_cell(at, Next { op: &op, rev: FIRST_REV, body: &body }).await? {
            Written::Done => Ok(true),
            Written::Other(Some(cell)) => Ok(decode::<Claim>(CLAIMS, &cell.body)?.id == value.id()),
            Written::Other(None) | Written::Unknown => Ok(false),
        }
    }

    /// Takes a value out of its list and gives its second keys free, if they are still its own. It can be repeated.
    pub(crate) async fn unlist_unique<T: Unique>(&self, value: &T) -> Result<(), StoreError> {
        self.release_claims(value).await?;
        if T::LISTED {
            self.drop_from_list(value.owner(), i32::from(value.space()), value.id()).await
        } else {
            Ok(())
        }
    }

    /// Gives the second keys of a value free, if they are still its own.
    async fn release_claims<T: Unique>(&self, value: &T) -> Result<(), StoreError> {
        let owner = value.owner();
        for distinction in value.distinctions() {
            let key = claim_key(value.space(), &distinction);
            let at = At { table: &self.statements().claims, owner, key: &key };
            if let Some(cell) = self.cell_serial(at).await?
                && decode::<Claim>(CLAIMS, &cell.body)?.id == value.id()
            {
                let release = (owner.as_str(), &key[..], &cell.op[..]);
                if self.conditional(&self.statements().release_claim, release).await? == Conditional::Unknown
                {
                    return Err(StoreError::Timeout);
                }
            }
        }
        Ok(())
    }

    /// Forgets a value that nothing is left of but its second keys, its cell and its place in the list, which goes last:
    /// broken off, it can be repeated. `drop` removes the cell if it has the operation that is named.
    pub(crate) async fn forget_unique<T: Unique>(
        &self,
        value: &T,
        drop: &PreparedStatement,
    ) -> Result<(), StoreError> {
        let (owner, id) = (value.owner(), value.id());
        self.release_claims(value).await?;
        let at = At { table: T::table(self.statements()), owner, key: &id.into_bytes() };
        if let Some(cell) = self.cell_serial(at).await? {
            match self.conditional(drop, (owner.as_str(), at.key, &cell.op[..])).await? {
                Conditional::Applied => {}
                // Somebody else wrote it or does not answer: it is looked at again.
                Conditional::Refused | Conditional::Unknown => return Err(StoreError::Timeout),
            }
        }
        self.drop_from_list(owner, i32::from(value.space()), id).await
    }

    /// Does what is left to do for a claim.
    async fn fulfill<T: Unique>(
        &self,
        owner: &OwnerId,
        key: &[u8],
        claim: &Claim,
        op: &[u8],
    ) -> Result<Fulfilled<T>, StoreError> {
        let table = T::table(self.statements());
        let id = claim.id.into_bytes();
        let at = At { table, owner, key: &id };
        let judged = |there: T| {
            if there.distinctions().iter().any(|one| claim_key(there.space(), one) == key) {
                Fulfilled::Yes(there)
            } else {
                Fulfilled::Never(there)
            }
        };
        if let Some(cell) = self.cell(at).await? {
            return Ok(judged(decode(table.name, &cell.body)?));
        }
        let value: T = decode(table.name, &claim.body)?;
        if T::LISTED {
            self.add_to_list(owner, i32::from(value.space()), claim.id).await?;
        }
        match self.insert_cell(at, Next { op, rev: FIRST_REV, body: &claim.body }).await? {
            Written::Done => Ok(Fulfilled::Yes(value)),
            Written::Other(Some(cell)) => Ok(judged(decode(table.name, &cell.body)?)),
            Written::Other(None) | Written::Unknown => Ok(Fulfilled::Unknown),
        }
    }

    /// Removes a claim that cannot be fulfilled. Should this fail, the next who finds it tries again.
    async fn release(&self, owner: &OwnerId, key: &[u8], holder: &[u8]) {
        let end = self.conditional(&self.statements().release_claim, (owner.as_str(), key, holder)).await;
        if let Err(error) = end {
            tracing::warn!(%error, "a claim that nobody can fulfill could not be released");
        }
    }
}
