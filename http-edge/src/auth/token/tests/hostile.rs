//! Tokens that nobody's issuer made.

use super::*;

/// Tokens of somebody else's making, and the keys that are believed instead.
async fn public() -> (Believed, Issuer, [Signer; 2]) {
    let signers = [Signer::es256("ec"), Signer::rs256("rsa")];
    let issuer = Issuer::start(jwks(&[&signers[0], &signers[1]])).await;
    (Believed::new(&[("jwks_url", &issuer.url)]), issuer, signers)
}

fn plain() -> Value {
    claims("tenant", Value::Null)
}

#[tokio::test]
async fn unsigned_tokens_are_refused_whatever_they_call_it() {
    let (believed, issuer, _) = public().await;
    let shared = Believed::shared();
    for name in
        ["none", "None", "NONE", "nOnE", "", "null", "HS512", "RS384", "PS256", "EdDSA", "rs256", "RS256 "]
    {
        let signed =
            format!("{}.{}", encoded(json!({ "alg": name }).to_string()), encoded(plain().to_string()));
        for token in [format!("{signed}."), secret().sign(&signed), format!("{signed}.AA")] {
            assert_eq!(believed.verify(&token).await, Err(Refusal::Algorithm), "{name}");
            assert_eq!(shared.verify(&token).await, Err(Refusal::Algorithm), "{name}");
        }
    }
    for header in [json!({}), json!({ "alg": null }), json!({ "alg": ["RS256"] }), json!([]), json!("RS256")]
    {
        let token = secret().token_with(&header, &plain());
        assert_eq!(believed.verify(&token).await, Err(Refusal::Malformed));
        assert_eq!(shared.verify(&token).await, Err(Refusal::Malformed));
    }
    assert!(issuer.hits() <= 1, "none of these asks for keys");
}

#[tokio::test]
async fn a_public_key_is_no_secret() {
    let (believed, _issuer, [ec, rsa]) = public().await;
    let body = base64::engine::general_purpose::STANDARD.encode(rsa.der());
    let pem = format!("-----BEGIN RSA PUBLIC KEY-----\n{body}\n-----END RSA PUBLIC KEY-----\n");
    let n = rsa.jwk()["n"].as_str().unwrap().to_owned();
    for public in
        [pem.as_bytes(), pem.trim().as_bytes(), &rsa.der(), n.as_bytes(), rsa.jwk().to_string().as_bytes()]
    {
        let forger = Signer::hs256(public);
        for kid in ["rsa", "ec"] {
            for alg in ["HS256", "RS256", "ES256"] {
                let token = forger.token_with(&json!({ "alg": alg, "kid": kid }), &plain());
                let refusal = believed.verify(&token).await.unwrap_err();
                let expected: &[Refusal] = match alg {
                    "HS256" => &[Refusal::Algorithm],
                    _ => &[Refusal::Signature, Refusal::UnknownKey],
                };
                assert!(expected.contains(&refusal), "{alg} {kid}: {refusal}");
            }
        }
    }
    // And what is right with public keys is wrong with a secret.
    for token in [ec.token(&plain()), rsa.token(&plain())] {
        believed.verify(&token).await.unwrap();
        assert_eq!(Believed::shared().verify(&token).await, Err(Refusal::Algorithm));
    }
}

#[tokio::test]
async fn keys_that_a_token_brings_along_are_not_listened_to() {
    let (believed, _issuer, _) = public().await;
    let forger = Signer::es256("ec");
    let evil = Issuer::start(jwks(&[&forger])).await;
    for header in [
        json!({ "alg": "ES256", "kid": "ec", "jwk": forger.jwk() }),
        json!({ "alg": "ES256", "kid": "ec", "jku": evil.url }),
        json!({ "alg": "ES256", "kid": "ec", "x5u": evil.url, "x5c": ["MIIC"] }),
        json!({ "alg": "ES256", "kid": "ec" }),
        json!({ "alg": "ES256" }),
    ] {
        assert_eq!(believed.verify(&forger.token_with(&header, &plain())).await, Err(Refusal::Signature));
    }
    assert_eq!(evil.hits(), 0);
    let stranger = Signer::es256("../../etc/passwd' OR 1=1 --");
    assert_eq!(believed.verify(&stranger.token(&plain())).await, Err(Refusal::UnknownKey));
}

#[tokio::test]
async fn extensions_that_must_be_understood_are_refused() {
    let shared = Believed::shared();
    for crit in [json!(["b64"]), json!(["exp"]), json!([]), json!("b64")] {
        let header = json!({ "alg": "HS256", "crit": crit, "b64": false });
        assert_eq!(shared.verify(&secret().token_with(&header, &plain())).await, Err(Refusal::Extension));
    }
}

#[tokio::test]
async fn no_character_of_a_token_can_be_changed() {
    let (believed, _issuer, signers) = public().await;
    let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=";
    for (believed, token) in [
        (&Believed::shared(), secret().token(&plain())),
        (&believed, signers[0].token(&plain())),
        (&believed, signers[1].token(&plain())),
    ] {
        believed.verify(&token).await.unwrap();
        let bytes = token.as_bytes();
        for (index, byte) in bytes.iter().enumerate() {
            let other = alphabet[(index * 7 + usize::from(*byte)) % alphabet.len()];
            for new in [other, b'.', b'='].into_iter().filter(|new| new != byte) {
                let mut changed = bytes.to_vec();
                changed[index] = new;
                let changed = String::from_utf8(changed).unwrap();
                assert!(believed.verify(&changed).await.is_err(), "{index}");
            }
            let cut = String::from_utf8(bytes[..index].to_vec()).unwrap();
            assert!(believed.verify(&cut).await.is_err(), "cut at {index}");
        }
        for around in ["=", "==", "A", ".", " ", "\n", "\0"] {
            assert!(believed.verify(&format!("{token}{around}")).await.is_err());
            assert!(believed.verify(&format!("{around}{token}")).await.is_err());
        }
    }
}

#[tokio::test]
async fn a_token_of_a_mebibyte_is_refused_unread() {
    let shared = Believed::shared();
    assert_eq!(shared.verify(&"A".repeat(1 << 20)).await, Err(Refusal::TooLong));
    let fits = |padding: usize| secret().token(&claims("padding", json!("x".repeat(padding))));
    assert_eq!(shared.verify(&fits(1 << 20)).await, Err(Refusal::TooLong));
    // The longest one that may be, and one byte more.
    let padding = (0..MAX_LEN).find(|padding| fits(11_900 + padding).len() >= MAX_LEN).unwrap() + 11_900;
    assert!(fits(padding).len() - MAX_LEN <= 1);
    let longest = (padding - 2..=padding).map(fits).rfind(|token| token.len() <= MAX_LEN).unwrap();
    shared.verify(&longest).await.unwrap();
    assert_eq!(shared.verify(&fits(padding + 2)).await, Err(Refusal::TooLong));
}

/// A cheap generator whose numbers repeat with their seed (xorshift64*, Vigna 2016).
struct Chance(u64);

impl Chance {
    fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33) as usize % bound
    }

    fn text(&mut self, alphabet: &[char], longest: usize) -> String {
        (0..self.below(longest)).map(|_| alphabet[self.below(alphabet.len())]).collect()
    }
}

#[tokio::test]
async fn garbage_is_refused() {
    let (believed, _issuer, signers) = public().await;
    let shared = Believed::shared();
    let alphabet: Vec<char> = "ABCxyz019-_..=+/{}[]\":, \u{0}\u{e9}\u{1f600}".chars().collect();
    let json: Vec<char> = "{}[]\":,\\01eE+-.truefalsnl \u{0}".chars().collect();
    let real = signers[0].token(&plain());
    let parts: Vec<&str> = real.split('.').collect();
    let mut chance = Chance(7);
    for _ in 0..20_000 {
        let part = |chance: &mut Chance, at: usize| match chance.below(4) {
            0 => parts[at].to_owned(),
            1 => chance.text(&alphabet, 40),
            2 => encoded(chance.text(&json, 40)),
            _ => encoded(chance.text(&alphabet, 40)),
        };
        let token = match chance.below(4) {
            0 => chance.text(&alphabet, 200),
            // Signed, so that what comes after the signature sees it.
            1 => {
                let header = encoded(json!({ "alg": "HS256" }).to_string());
                secret().sign(&format!("{header}.{}", part(&mut chance, 2)))
            }
            _ => (0..chance.below(6)).map(|at| part(&mut chance, at % 3)).collect::<Vec<_>>().join("."),
        };
        assert!(token == real || believed.verify(&token).await.is_err(), "{token}");
        assert!(shared.verify(&token).await.is_err(), "{token}");
    }
}

#[tokio::test]
async fn of_signed_claims_each_must_be_right() {
    let shared = Believed::shared();
    // The first one of each is right.
    let pools: [(&str, Vec<Value>); 6] = [
        ("iss", vec![json!(ISSUER), json!(""), json!(7), json!([ISSUER])]),
        ("aud", vec![json!(AUDIENCE), json!([]), json!({}), json!(true), json!("x")]),
        ("sub", vec![json!("auth0|64a1f0c2"), json!("local"), json!(""), json!(0), json!([])]),
        ("exp", vec![json!(NOW + 1), json!(0), json!("1"), json!(-1e308), json!({})]),
        ("nbf", vec![json!(NOW), json!(1e308), json!("0"), json!([])]),
        ("tenant", vec![json!("acme"), json!(" "), json!(1), json!([])]),
    ];
    let (mut chance, mut opened) = (Chance(11), 0);
    for _ in 0..10_000 {
        let (mut claims, mut right) = (plain(), true);
        for (name, pool) in &pools {
            // Mostly the right one, or hardly any token would have them all.
            let choice = if chance.below(3) > 0 { 0 } else { chance.below(pool.len()) };
            right &= choice == 0;
            claims[*name] = pool[choice].clone();
        }
        let seen = shared.verify(&secret().token(&claims)).await;
        assert_eq!(seen.is_ok(), right, "{claims} {seen:?}");
        opened += usize::from(right);
    }
    assert!((100..9_000).contains(&opened), "{opened}");
}
