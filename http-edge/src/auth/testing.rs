//! An issuer of tokens for tests: it signs, and a server of its own gives its public keys.

use std::sync::{Arc, Mutex};

use axum::Router;
use axum::extract::State;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::get;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair};
use ring::{hmac, rsa};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinSet;

// The RSA key of RFC 7515, appendix A.2, which everybody knows, in hexadecimal digits.
const N: &str = "\
    a1f8160ae2e3c9b465ce8d2d656263362b927dbe29e1f02477fc1625cc90a136e38bd93497c5b6ea63dd7711e67c7429\
    f956b0fb8a8f089adc4b69893cc1333f53edd019b87784252fec914fe4857769594bea4280d32c0f55bf62944f130396\
    bc6e9bdf6ebdd2bda3678eeca0c668f701b38dbffb38c8342ce2fe6d27fade4a5a4874979dd4b9cf9adec4c75b05852c\
    2c0f5ef8a5c1750392f944e8ed64c110c6b647609aa4783aeb9c6c9ad755313050638b83665c6f6f7a82a396702a1f64\
    1b82d3ebf2392219491fb686872c5716f50af8358d9a8b9d17c340728f7f87d89a18d8fcab67ad84590c2ecf75933936\
    3c07034d6f606f9e21e05456cae5e9a1";
const D: &str = "\
    12ae71a469cd0a2bc37e526c4500571f1d61751d64e949707b62590f9d0ba57c963c401e3fcf2f2cd3bdec88e503bfc6\
    439b0b28c82f7d3797671f5213eed8c15a25d8d5cea0025ee3ab2e8b7f79216fc63bea562753b40644c6a15127d9b295\
    4540a0bbe1a30556982d4e9fde5f6425f14d4b713441b55dc73b9b4aedcc92ace3927e37f57d0cfd5e7581fa512c8f49\
    61a9eb0b80f8a80746728a55ff46471f3425063b9d53642f5ede1e84d613081afa5c22d051285bd63b943b565d898a05\
    685413e53c3c6c6525ff1fe34e3ddc70f0d56450fda48ba12e104e9deb9fb81881e1c4bdf25d9247f450c865927968e7\
    7334f4414f75a750e139546e3a8a739d";
const P: &str = "\
    e01cc410eb48a6655d54464d0aa4bb6da0b872b774a6a9d11ffe480778f0ddb7311a7e902ef9c4b5f75476262ba8176c\
    b35979f014372a1a2829e4136bd001d07c3f3f2e4f25d4c934f63c7109fba2e67628a0dc9a73c6058e6def22dcd50950\
    e711ddc16d5586f2a7fa75ea8494c18083e0b65742f8a0d5e73fb2d970f01947";
const Q: &str = "\
    b903c47e0995b632f4532cb1f3c199145d5f3ae9c7dfeedc7a92a6b47e29c61b42a07aa95a64fc600999c5a7b01e01c0\
    8cb62ca756527bbcc56078fb0baba5ed38de2d07990ff6300faeadeb6c039a97bf1e507e4e7040fa78db8257c8b112ed\
    5e59c3cd092fe5d4e5b51275d41281072a5e785ebaf3dae3709203133f5159d7";
const DP: &str = "\
    07029f577024ab9fcc1590c56429d6fb0ce5f820a8f375a866f9cb430093783bfcbb396e4529e6ef52374022dd86ba84\
    d9ef58931beec5d05fa53fcf23b633f8538a9eed51e87b097830a39f5d92937be6024b55db36f7e0c09dcbb72975387f\
    615afbb6cb36bbabe7793c2b03ceab66dbb931baf50b55ec9af9311d001d628d";
const DQ: &str = "\
    87ff7afa62b547fee0961b2e9bcd5d6718d39d8ca73db6691f38998de78771762c5da68cc243a5383b166bb23dc570e8\
    4706ca801ef5f6bae6236a0aafa3770e8f54d1a8da1c5f8d2899f082331ddb0f5c8f3dfffa4c8d97102bdafe082a118d\
    a6633988880e4b55599ce67af26ebfa5b2c14a9de7b2c4dd96abddd2d2224c75";
const QI: &str = "\
    21877b0c73a1ad6bf19303d0b11336b4e82b8db72b7efb50262a5df8395cc7256eb8cf6c40b7608d5936a32dba174126\
    a527062ead8ca305fb7e177f409437c9dcb9718ed82018bcef0f7720a2c475f9db26da0e3cb516d084eb25178e828d5c\
    abd49bb3161ac0181fa7f821e80e7ad37936f9943054ad092921ee2c592e4375";

pub(crate) fn encoded(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

pub(crate) fn decoded(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

enum Kind {
    Ec(EcdsaKeyPair),
    Rsa(RsaKeyPair),
    Secret(hmac::Key),
}

/// What signs tokens, under a name.
pub(crate) struct Signer {
    id: String,
    kind: Kind,
}

impl Signer {
    /// A new key for ES256.
    pub(crate) fn es256(id: &str) -> Self {
        let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
        let pkcs8 = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        let pair = EcdsaKeyPair::from_pkcs8(algorithm, pkcs8.as_ref(), &random).unwrap();
        Self { id: id.to_owned(), kind: Kind::Ec(pair) }
    }

    /// The one key for RS256.
    pub(crate) fn rs256(id: &str) -> Self {
        let public_key = rsa::PublicKeyComponents { n: hex::decode(N).unwrap(), e: vec![1, 0, 1] };
        let [d, p, q, dp, dq, qi] = [D, P, Q, DP, DQ, QI].map(|digits| hex::decode(digits).unwrap());
        let components = rsa::KeyPairComponents { public_key, d, p, q, dP: dp, dQ: dq, qInv: qi };
        Self { id: id.to_owned(), kind: Kind::Rsa(RsaKeyPair::from_components(&components).unwrap()) }
    }

    /// The key of a secret.
    pub(crate) fn hs256(secret: &[u8]) -> Self {
        Self { id: "secret".to_owned(), kind: Kind::Secret(hmac::Key::new(hmac::HMAC_SHA256, secret)) }
    }

    /// The public key as its issuer gives it.
    pub(crate) fn jwk(&self) -> Value {
        match &self.kind {
            Kind::Ec(pair) => {
                let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
                let (x, y) = (encoded(x), encoded(y));
                json!({ "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.id, "x": x, "y": y })
            }
            Kind::Rsa(_) => {
                let n = encoded(hex::decode(N).unwrap());
                json!({ "kty": "RSA", "alg": "RS256", "use": "sig", "kid": self.id, "n": n, "e": "AQAB" })
            }
            Kind::Secret(_) => panic!("a secret is not given away"),
        }
    }

    /// The public key of RSA as PKCS #1 has it.
    pub(crate) fn der(&self) -> Vec<u8> {
        let Kind::Rsa(pair) = &self.kind else { panic!("not RSA") };
        pair.public_key().as_ref().to_vec()
    }

    const fn algorithm(&self) -> &'static str {
        match &self.kind {
            Kind::Ec(_) => "ES256",
            Kind::Rsa(_) => "RS256",
            Kind::Secret(_) => "HS256",
        }
    }

    /// A token of these claims.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.token_with(&json!({ "alg": self.algorithm(), "typ": "JWT", "kid": self.id }), claims)
    }

    /// A token with a header that may be anything.
    pub(crate) fn token_with(&self, header: &Value, claims: &Value) -> String {
        self.sign(&format!("{}.{}", encoded(header.to_string()), encoded(claims.to_string())))
    }

    /// `signed`, which may be anything, with its signature behind it.
    pub(crate) fn sign(&self, signed: &str) -> String {
        let random = SystemRandom::new();
        let signature = match &self.kind {
            Kind::Ec(pair) => pair.sign(&random, signed.as_bytes()).unwrap().as_ref().to_vec(),
            Kind::Rsa(pair) => {
                let mut signature = vec![0; pair.public().modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, signed.as_bytes(), &mut signature).unwrap();
                signature
            }
            Kind::Secret(key) => hmac::sign(key, signed.as_bytes()).as_ref().to_vec(),
        };
        format!("{signed}.{}", encoded(signature))
    }
}

/// The public keys of these signers as one answer.
pub(crate) fn jwks(signers: &[&Signer]) -> Answer {
    let keys: Vec<Value> = signers.iter().map(|signer| signer.jwk()).collect();
    Answer::Text(StatusCode::OK, json!({ "keys": keys }).to_string())
}

/// What an issuer answers to whoever asks for its keys.
#[derive(Clone)]
pub(crate) enum Answer {
    Text(StatusCode, String),
    Redirect(String),
    Never,
}

struct Shared {
    answer: Mutex<Answer>,
    hits: watch::Sender<usize>,
}

/// A server that gives keys, until it is dropped.
pub(crate) struct Issuer {
    pub(crate) url: String,
    shared: Arc<Shared>,
    _server: JoinSet<()>,
}

impl Issuer {
    pub(crate) async fn start(answer: Answer) -> Self {
        let shared = Arc::new(Shared { answer: Mutex::new(answer), hits: watch::Sender::new(0) });
        let app = Router::new().route("/keys", get(give)).with_state(Arc::clone(&shared));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/keys", listener.local_addr().unwrap());
        let mut server = JoinSet::new();
        server.spawn(async move { axum::serve(listener, app).await.unwrap() });
        Self { url, shared, _server: server }
    }

    pub(crate) fn answer(&self, answer: Answer) {
        *self.shared.answer.lock().unwrap() = answer;
    }

    /// How often it was asked.
    pub(crate) fn hits(&self) -> usize {
        *self.shared.hits.borrow()
    }

    /// Waits until it was asked so often.
    pub(crate) async fn asked(&self, times: usize) {
        self.shared.hits.subscribe().wait_for(|hits| *hits >= times).await.unwrap();
    }
}

async fn give(State(shared): State<Arc<Shared>>) -> Response {
    shared.hits.send_modify(|hits| *hits += 1);
    let answer = shared.answer.lock().unwrap().clone();
    // A connection that is kept would outlive its server.
    let close = (header::CONNECTION, "close".to_owned());
    match answer {
        Answer::Text(status, text) => (status, [close], text).into_response(),
        Answer::Redirect(to) => (StatusCode::FOUND, [close, (header::LOCATION, to)]).into_response(),
        Answer::Never => std::future::pending().await,
    }
}
