use super::*;

fn key(secret: u8) -> UploadKey {
    UploadKey::new(&[secret; 32])
}

fn ticket() -> Ticket {
    Ticket {
        owner: "alice".parse().unwrap(),
        upload: Uuid::from_u128(7),
        file_name: "résumé.pdf".to_owned(),
        size: 1234,
        digest: Some(ContentDigest::of(b"content")),
        until_s: 1_793_534_400,
    }
}

/// Every text that differs from this one in one character.
fn changed(text: &str) -> impl Iterator<Item = String> {
    (0..text.len()).map(move |at| {
        let mut bytes = text.as_bytes().to_vec();
        bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
        String::from_utf8(bytes).unwrap()
    })
}

#[test]
fn an_id_says_what_was_asked_for_to_whoever_has_the_key() {
    let id = key(1).id_of(&ticket()).unwrap();
    assert!(id.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b)), "{id} fits into a path");
    assert_eq!(key(1).ticket_of(&id), Some(ticket()));
    assert_eq!(key(2).ticket_of(&id), None);
    assert_eq!(changed(&id).find(|other| key(1).ticket_of(other).is_some()), None);
    for other in
        ["", ".", "a.b", id.get(1..).unwrap(), &format!("{id}A"), &format!(".{id}"), &"A".repeat(10_000)]
    {
        assert_eq!(key(1).ticket_of(other), None, "{other}");
    }
}

#[test]
fn the_longest_id_is_read() {
    let longest = Ticket {
        owner: "x".repeat(OwnerId::MAX_LEN).parse().unwrap(),
        file_name: "\u{1d11e}".repeat(255),
        size: u64::MAX,
        until_s: i64::MAX,
        ..ticket()
    };
    let id = key(1).id_of(&longest).unwrap();
    assert!(id.len() < MAX_ID, "{}", id.len());
    assert_eq!(key(1).ticket_of(&id), Some(longest));
}

#[test]
fn a_url_is_signed_as_a_whole() {
    let (key, until_s) = (key(1), ticket().until_s);
    let id = key.id_of(&ticket()).unwrap();
    let signature = key.sign_put(&id, until_s);
    assert!(key.has_signed_put(&id, until_s, &signature));
    assert_eq!(changed(&signature).find(|other| key.has_signed_put(&id, until_s, other)), None);
    assert!(!key.has_signed_put(&id, until_s + 1, &signature));
    let other = key.id_of(&Ticket { size: 1235, ..ticket() }).unwrap();
    assert!(!key.has_signed_put(&other, until_s, &signature));
    let of_id = id.rsplit_once('.').unwrap().1;
    assert!(!key.has_signed_put(&id, until_s, of_id), "the signature of an id is none of a URL");
    assert!(!key.has_signed_put(&id, until_s, ""));
    assert!(!format!("{key:?}").contains("1, 1"));
}
