//! Who asks, and the keys with which they do.

use tandem_domain::account::{AccessRefusal, Account, ApiKey, KeyError, MAX_LABEL, User};
use tandem_domain::document::Failure;
use tandem_domain::error::ErrorCode;
use tandem_domain::ids::OwnerId;
use tandem_messages::accounts::{
    AccountView, CreateKey, GetAccount, IdentifyKey, IdentifyUser, KeyAccess, KeyView, KnownUser, RevokeKey,
};
use tandem_ports::{AccountStore, Write};

use super::Parts;

/// How often a change is made again over what another has written meanwhile.
const ATTEMPTS: u32 = 16;

impl Parts {
    pub(super) async fn identify_key(&self, request: IdentifyKey) -> Result<KeyAccess, Failure> {
        let owner = self.accounts.owner_of_key(request.digest).await?;
        let owner = owner.ok_or_else(|| refused(AccessRefusal::Unknown))?;
        let account = self.accounts.account(&owner).await?.ok_or_else(|| refused(AccessRefusal::Unknown))?;
        let scopes = account.access(request.digest, self.clock.now()).map_err(refused)?;
        let key = account.keys.iter().find(|key| key.digest == request.digest).map(|key| key.id);
        let key = key.ok_or_else(|| refused(AccessRefusal::Unknown))?;
        Ok(KeyAccess { user: account.user, scopes, key })
    }

    pub(super) async fn identify_user(&self, request: IdentifyUser) -> Result<KnownUser, Failure> {
        let user = self.accounts.account(&request.owner).await?.map(|account| account.user);
        match user {
            Some(user) if user.disabled => Err(refused(AccessRefusal::Disabled)),
            user => Ok(KnownUser { user }),
        }
    }

    pub(super) async fn account(&self, request: GetAccount) -> Result<AccountView, Failure> {
        Ok(AccountView { account: self.accounts.account(&request.owner).await? })
    }

    pub(super) async fn create_key(&self, request: CreateKey) -> Result<KeyView, Failure> {
        let CreateKey { owner, tenant, role, id, digest, label, scopes, lives } = request;
        let created_at = self.clock.now();
        let expires_at = lives.map(|lives| created_at.plus(lives));
        let user = User { tenant, owner, role, plan: None, disabled: false, created_at };
        let key = ApiKey { id, digest, label, scopes, created_at, expires_at, revoked_at: None };
        Ok(KeyView { key: add_key(&*self.accounts, user, key).await? })
    }

    pub(super) async fn revoke_key(&self, request: RevokeKey) -> Result<KeyView, Failure> {
        let RevokeKey { owner, id } = request;
        let account = change(&*self.accounts, &owner, |there| {
            let changed = there.and_then(|account| account.without_key(id, self.clock.now()));
            changed.ok_or_else(no_key)
        })
        .await?;
        let key = account.keys.into_iter().find(|key| key.id == id).ok_or_else(no_key)?;
        Ok(KeyView { key })
    }
}

/// Adds a key to the account of `user`, which is made where there is none.
///
/// # Errors
/// `VALIDATION_ERROR` for a label or scopes that do not fit, `CONFLICT` where there is no room.
pub(crate) async fn add_key(store: &dyn AccountStore, user: User, key: ApiKey) -> Result<ApiKey, Failure> {
    if key.label.is_empty() || key.label.len() > MAX_LABEL || key.label.chars().any(char::is_control) {
        return Err(wrong(format!("a key's label has 1 to {MAX_LABEL} bytes without control characters")));
    }
    if key.scopes.is_empty() {
        return Err(wrong("a key without scopes would open nothing".to_owned()));
    }
    let (owner, id) = (user.owner.clone(), key.id);
    let none = Account { rev: 0, user, keys: Vec::new() };
    let account = change(store, &owner, |there| {
        let with_key = there.unwrap_or(&none).with_key(key.clone());
        with_key.map_err(|error: KeyError| Failure { code: ErrorCode::Conflict, reason: error.to_string() })
    })
    .await?;
    account.keys.into_iter().find(|key| key.id == id).ok_or_else(no_key)
}

/// Writes what `next` makes of the account as it stands, again for as long as others write meanwhile; gives what is
/// written. An account of the same revision is left as it is.
///
/// # Errors
/// What `next` says; `UNAVAILABLE` when the store does not confirm.
pub(crate) async fn change(
    store: &dyn AccountStore,
    owner: &OwnerId,
    next: impl Fn(Option<&Account>) -> Result<Account, Failure>,
) -> Result<Account, Failure> {
    for _ in 0..ATTEMPTS {
        let there = store.account(owner).await?;
        let account = next(there.as_ref())?;
        if there.as_ref().is_some_and(|there| there.rev == account.rev) {
            return Ok(account);
        }
        match store.put_account(&account).await? {
            Write::Applied => return Ok(account),
            // What was written, if it was, is seen when the account is read again.
            Write::Conflict(_) | Write::Unknown => {}
        }
    }
    let reason = "the account is being changed by many at once".to_owned();
    Err(Failure { code: ErrorCode::Unavailable, reason })
}

fn refused(refusal: AccessRefusal) -> Failure {
    Failure { code: ErrorCode::AuthRequired, reason: refusal.to_string() }
}

fn wrong(reason: String) -> Failure {
    Failure { code: ErrorCode::Validation, reason }
}

fn no_key() -> Failure {
    Failure { code: ErrorCode::NotFound, reason: "there is no such key".to_owned() }
}
