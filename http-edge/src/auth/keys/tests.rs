use serde_json::json;

use super::*;
use crate::auth::testing::{Signer, decoded, encoded};

/// The payload of the examples in appendix A of RFC 7515.
const PAYLOAD: &str =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";

fn one(jwk: &Value) -> Option<NamedKey> {
    keys_of(json!({ "keys": [jwk] }).to_string().as_bytes()).ok().and_then(|mut keys| keys.pop())
}

/// Checks an example and that no bit of it can be changed.
fn check(key: &Key, header: &str, signature: &str) {
    let signed = format!("{header}.{PAYLOAD}").into_bytes();
    let signature = decoded(signature);
    assert!(key.verifies(&signed, &signature));
    for bit in 0..signature.len() * 8 {
        let mut changed = signature.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        assert!(!key.verifies(&signed, &changed), "bit {bit}");
    }
    assert!(!key.verifies(&signed[1..], &signature));
    assert!(!key.verifies(&signed, &signature[1..]) && !key.verifies(&signed, &[]));
}

#[test]
fn hs256_is_what_rfc_7515_says() {
    let secret =
        decoded("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow");
    let key = Key::Secret(hmac::Key::new(hmac::HMAC_SHA256, &secret));
    let header = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9";
    check(&key, header, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
}

#[test]
fn rs256_is_what_rfc_7515_says() {
    let key = one(&Signer::rs256("a.2").jwk()).unwrap().key;
    let signature = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJ\
                     dbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN\
                     9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLI\
                     hWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
    check(&key, "eyJhbGciOiJSUzI1NiJ9", signature);
}

#[test]
fn es256_is_what_rfc_7515_says() {
    let y = "c7f144cd1bbd9b7e872cdfedb9eeb9f4b3695d6ea90b24ad8a4623288588e5ad";
    let jwk = json!({
        "kty": "EC", "crv": "P-256",
        "x": "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
        "y": encoded(hex::decode(y).unwrap()),
    });
    let signature = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    check(&one(&jwk).unwrap().key, "eyJhbGciOiJFUzI1NiJ9", signature);
}

#[test]
fn keys_that_are_not_for_signatures_of_ours_are_passed_over() {
    let (ec, rsa) = (Signer::es256("ec").jwk(), Signer::rs256("rsa").jwk());
    let changed = |jwk: &Value, name: &str, to: Value| {
        let mut jwk = jwk.clone();
        jwk[name] = to;
        jwk
    };
    for bad in [
        json!({ "kty": "oct", "kid": "s", "k": encoded([7; 32]), "alg": "HS256" }),
        json!({ "kty": "OKP", "crv": "Ed25519", "x": encoded([7; 32]) }),
        changed(&rsa, "use", json!("enc")),
        changed(&rsa, "alg", json!("RS512")),
        changed(&rsa, "alg", json!("HS256")),
        changed(&rsa, "alg", json!("ES256")),
        changed(&rsa, "key_ops", json!(["encrypt"])),
        changed(&rsa, "n", json!("not+base64url")),
        changed(&rsa, "n", Value::Null),
        changed(&rsa, "kid", json!(7)),
        changed(&ec, "crv", json!("P-384")),
        changed(&ec, "x", json!(encoded([7; 31]))),
        changed(&ec, "y", json!(encoded([7; 33]))),
        changed(&ec, "kty", json!("RSA")),
        json!("a text"),
        json!(null),
        json!([]),
    ] {
        assert!(one(&bad).is_none(), "{bad}");
        let set = json!({ "keys": [bad, ec] }).to_string();
        assert_eq!(keys_of(set.as_bytes()).unwrap().len(), 1, "beside another key: {bad}");
    }
    let more = json!({ "key_ops": ["verify"], "x5t": "q83vASNFZ4k", "x5c": ["MIIC"] });
    let mut decorated = rsa.clone();
    decorated.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    assert_eq!(one(&decorated).unwrap().key.algorithm(), Algorithm::Rs256);
}

#[test]
fn zeros_before_a_modulus_change_nothing() {
    let mut jwk = Signer::rs256("zeros").jwk();
    let n = [vec![0, 0], decoded(jwk["n"].as_str().unwrap())].concat();
    jwk["n"] = json!(encoded(n));
    let token = Signer::rs256("zeros").sign("signed");
    let signature = decoded(token.split('.').nth(1).unwrap());
    assert!(one(&jwk).unwrap().key.verifies(b"signed", &signature));
}

#[test]
fn keys_that_are_none_verify_nothing() {
    let small = json!({ "kty": "RSA", "n": encoded([0xff; 128]), "e": "AQAB" });
    let nothing = json!({ "kty": "RSA", "n": "", "e": "" });
    let off_curve = json!({ "kty": "EC", "crv": "P-256", "x": encoded([1; 32]), "y": encoded([1; 32]) });
    for jwk in [small, nothing, off_curve] {
        let key = one(&jwk).unwrap().key;
        assert!(
            !key.verifies(b"signed", &[0; 64])
                && !key.verifies(b"signed", &[0; 128])
                && !key.verifies(b"", b"")
        );
    }
}

#[test]
fn answers_that_are_no_keys_are_refused() {
    let key = Signer::es256("many").jwk();
    let many = json!({ "keys": vec![&key; MAX_KEYS + 1] }).to_string();
    assert!(matches!(keys_of(many.as_bytes()), Err(KeysError::TooMany)));
    assert_eq!(
        keys_of(json!({ "keys": vec![&key; MAX_KEYS] }).to_string().as_bytes()).unwrap().len(),
        MAX_KEYS
    );
    for empty in ["{\"keys\":[]}", "{\"keys\":[{}]}"] {
        assert!(matches!(keys_of(empty.as_bytes()), Err(KeysError::NoneUsable)), "{empty}");
    }
    let deep = format!("{{\"keys\":{}", "[".repeat(100_000));
    for bad in ["", "<html>", "[]", "{}", "{\"keys\":{}}", "{\"keys\":[", "\u{0}", deep.as_str()] {
        assert!(matches!(keys_of(bad.as_bytes()), Err(KeysError::Malformed)), "{bad:.20}");
    }
}
