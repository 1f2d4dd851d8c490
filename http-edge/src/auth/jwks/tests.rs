use tokio::task::JoinSet;

use super::*;
use crate::auth::testing::{Answer, Issuer, Signer, jwks};

/// Keys that are kept by a task, until it is dropped.
struct Kept {
    jwks: Arc<Jwks>,
    _keeper: JoinSet<()>,
}

impl Kept {
    fn new(url: &str) -> Self {
        let jwks = Arc::new(Jwks::new(url.to_owned()).unwrap());
        let (kept, mut keeper) = (Arc::clone(&jwks), JoinSet::new());
        keeper.spawn(async move { kept.keep().await });
        Self { jwks, _keeper: keeper }
    }

    async fn has(&self, id: &str) -> Result<(), Refusal> {
        self.jwks.find(Some(id), Algorithm::Es256).await.map(|_| ())
    }

    /// Lets so much time pass that the keys are fetched again, and waits for the end of it.
    async fn age(&self) {
        let mut fetches = self.jwks.known.subscribe();
        pass(FRESH).await;
        fetches.changed().await.unwrap();
    }
}

/// Lets time pass at once. It goes on by itself afterwards, so that what waits for the network is not overtaken.
async fn pass(time: Duration) {
    tokio::time::pause();
    tokio::time::advance(time).await;
    tokio::time::resume();
}

fn text(text: &str) -> Answer {
    Answer::Text(StatusCode::OK, text.to_owned())
}

#[tokio::test]
async fn a_request_waits_for_the_first_keys() {
    let issuer = Issuer::start(jwks(&[&Signer::es256("a"), &Signer::rs256("r")])).await;
    let kept = Kept::new(&issuer.url);
    kept.has("a").await.unwrap();
    assert!(kept.jwks.find(Some("r"), Algorithm::Rs256).await.is_ok());
    // A name says nothing about another algorithm.
    assert_eq!(kept.has("r").await, Err(Refusal::UnknownKey));
    assert_eq!(issuer.hits(), 1);
}

#[tokio::test]
async fn a_token_that_names_no_key_is_signed_by_the_only_one() {
    let (a, b, r) = (Signer::es256("a"), Signer::es256("b"), Signer::rs256("r"));
    let issuer = Issuer::start(jwks(&[&a, &b, &r])).await;
    let kept = Kept::new(&issuer.url);
    let found = kept.jwks.find(None, Algorithm::Rs256).await.unwrap();
    assert_eq!(found.id.as_deref(), Some("r"));
    assert_eq!(kept.jwks.find(None, Algorithm::Es256).await.err(), Some(Refusal::UnknownKey));
}

#[tokio::test]
async fn a_thousand_requests_with_unknown_keys_cause_one_fetch() {
    let issuer = Issuer::start(jwks(&[&Signer::es256("a")])).await;
    let kept = Kept::new(&issuer.url);
    let flood = async |begin: usize| {
        let mut requests = JoinSet::new();
        for number in begin..begin + 1000 {
            let keys = Arc::clone(&kept.jwks);
            requests.spawn(async move { keys.find(Some(&number.to_string()), Algorithm::Es256).await.err() });
        }
        let refused = requests.join_all().await;
        assert!(refused.iter().all(|refusal| *refusal == Some(Refusal::UnknownKey)));
    };
    // The first ones wait for the first fetch.
    flood(0).await;
    assert_eq!(issuer.hits(), 1);
    flood(1000).await;
    assert_eq!(issuer.hits(), 1, "too soon after it for another");
    pass(AGAIN).await;
    flood(2000).await;
    assert_eq!(issuer.hits(), 2);
    flood(3000).await;
    assert_eq!(issuer.hits(), 2);
    // The known key never waits.
    kept.has("a").await.unwrap();
}

#[tokio::test]
async fn a_new_key_is_found_with_the_request_that_needs_it() {
    let (old, new) = (Signer::es256("old"), Signer::es256("new"));
    let issuer = Issuer::start(jwks(&[&old])).await;
    let kept = Kept::new(&issuer.url);
    kept.has("old").await.unwrap();
    issuer.answer(jwks(&[&new]));
    assert_eq!(kept.has("new").await, Err(Refusal::UnknownKey));
    pass(AGAIN).await;
    kept.has("new").await.unwrap();
    assert_eq!(kept.has("old").await, Err(Refusal::UnknownKey), "the issuer has taken it back");
    assert_eq!(issuer.hits(), 2);
}

#[tokio::test]
async fn old_keys_are_fetched_again_without_anybody_waiting() {
    let (old, new) = (Signer::es256("old"), Signer::es256("new"));
    let issuer = Issuer::start(jwks(&[&old])).await;
    let kept = Kept::new(&issuer.url);
    kept.has("old").await.unwrap();
    issuer.answer(jwks(&[&old, &new]));
    kept.age().await;
    assert_eq!(issuer.hits(), 2);
    kept.has("new").await.unwrap();
    assert_eq!(issuer.hits(), 2);
}

#[tokio::test]
async fn the_last_good_keys_hold_whatever_the_issuer_answers() {
    let other = Issuer::start(jwks(&[&Signer::es256("b")])).await;
    let issuer = Issuer::start(jwks(&[&Signer::es256("a")])).await;
    let kept = Kept::new(&issuer.url);
    kept.has("a").await.unwrap();
    let huge = format!("{{\"keys\":[],\"more\":\"{}\"}}", "x".repeat(MAX_BYTES));
    for bad in [
        Answer::Text(StatusCode::INTERNAL_SERVER_ERROR, String::new()),
        Answer::Text(StatusCode::NOT_FOUND, "{\"keys\":[]}".to_owned()),
        text(""),
        text("{\"keys\":[]}"),
        text("<html>sign in</html>"),
        text("{\"keys\":[{\"kty\":\"EC\""),
        text(&huge),
        Answer::Redirect(other.url.clone()),
    ] {
        let asked = issuer.hits();
        issuer.answer(bad);
        kept.age().await;
        assert_eq!(issuer.hits(), asked + 1);
        kept.has("a").await.unwrap();
        assert_eq!(kept.has("b").await, Err(Refusal::UnknownKey));
    }
    assert_eq!(other.hits(), 0, "a redirection is not followed");
    drop(issuer);
    for _ in 0..10 {
        kept.age().await;
        kept.has("a").await.unwrap();
    }
}

#[tokio::test]
async fn a_slow_issuer_holds_up_nobody_but_those_with_new_keys() {
    let issuer = Issuer::start(jwks(&[&Signer::es256("a")])).await;
    let kept = Kept::new(&issuer.url);
    kept.has("a").await.unwrap();
    issuer.answer(Answer::Never);
    pass(AGAIN).await;
    let keys = Arc::clone(&kept.jwks);
    let mut waiting = JoinSet::new();
    waiting.spawn(async move { keys.find(Some("b"), Algorithm::Es256).await.err() });
    issuer.asked(2).await;
    kept.has("a").await.unwrap();
    assert!(waiting.try_join_next().is_none(), "it waits for the fetch");
    pass(FETCH_TIMEOUT).await;
    assert_eq!(waiting.join_next().await.unwrap().unwrap(), Some(Refusal::UnknownKey));
    kept.has("a").await.unwrap();
}

#[tokio::test]
async fn a_request_that_is_given_up_takes_no_fetch_with_it() {
    let (old, new) = (Signer::es256("old"), Signer::es256("new"));
    let issuer = Issuer::start(jwks(&[&old])).await;
    let kept = Kept::new(&issuer.url);
    kept.has("old").await.unwrap();
    issuer.answer(jwks(&[&new]));
    pass(AGAIN).await;
    let mut fetches = kept.jwks.known.subscribe();
    {
        let given_up = kept.has("new");
        tokio::pin!(given_up);
        assert!(futures::poll!(given_up.as_mut()).is_pending());
    }
    fetches.changed().await.unwrap();
    kept.has("new").await.unwrap();
    assert_eq!(issuer.hits(), 2);
}

#[tokio::test]
async fn without_any_keys_tokens_are_refused_until_the_issuer_is_back() {
    let issuer = Issuer::start(Answer::Text(StatusCode::BAD_GATEWAY, String::new())).await;
    let kept = Kept::new(&issuer.url);
    assert_eq!(kept.has("a").await, Err(Refusal::KeysUnavailable));
    assert_eq!(kept.has("a").await, Err(Refusal::KeysUnavailable));
    assert_eq!(issuer.hits(), 1);
    issuer.answer(jwks(&[&Signer::es256("a")]));
    pass(AGAIN_WITHOUT_KEYS).await;
    kept.has("a").await.unwrap();
    assert_eq!(issuer.hits(), 2);
}

#[tokio::test]
async fn nobody_listening_and_nobody_fetching_are_refusals_too() {
    let gone = Issuer::start(Answer::Never).await.url;
    assert_eq!(Kept::new(&gone).has("a").await, Err(Refusal::KeysUnavailable));
    let jwks = Jwks::new(gone).unwrap();
    let find = jwks.find(Some("a"), Algorithm::Es256);
    tokio::pin!(find);
    assert!(futures::poll!(find.as_mut()).is_pending());
    pass(WAIT).await;
    assert_eq!(find.await.err(), Some(Refusal::KeysUnavailable));
}
