use super::*;

fn key() -> ApiKey {
    ApiKey {
        id: "0192f0c1-2345-7abc-8def-0123456789ab".parse().unwrap(),
        owner: OwnerId::local(),
        label: "laptop".to_owned(),
        scopes: [Scope::Match, Scope::Read].into_iter().collect(),
        created_at: Timestamp::from_millis(1_000),
        expires_at: None,
        revoked_at: None,
    }
}

#[test]
fn roles_and_scopes_have_one_name_everywhere() {
    for role in Role::ALL.iter().copied() {
        assert_eq!(role.as_str().parse::<Role>(), Ok(role));
        assert_eq!(serde_json::to_string(&role).unwrap(), format!("\"{role}\""));
    }
    for scope in Scope::ALL.iter().copied() {
        assert_eq!(scope.as_str().parse::<Scope>(), Ok(scope));
        assert_eq!(serde_json::to_string(&scope).unwrap(), format!("\"{scope}\""));
    }
    assert!("Admin".parse::<Role>().is_err());
    assert!("root".parse::<Scope>().is_err());
}

#[test]
fn scopes_are_a_set_in_order() {
    let scopes: Scopes = [Scope::Match, Scope::Read, Scope::Match].into_iter().collect();
    assert_eq!(serde_json::to_string(&scopes).unwrap(), r#"["read","match"]"#);
    assert!(scopes.has(Scope::Read) && !scopes.has(Scope::Admin));
    assert!(Scopes::default().is_empty());
    assert_eq!(Scopes::all().iter().count(), Scope::ALL.len());
}

#[test]
fn a_key_ends_with_its_time_and_at_its_revocation() {
    let at = Timestamp::from_millis;
    let mut key = key();
    assert_eq!(key.usable(at(i64::MAX)), Ok(()));
    key.expires_at = Some(at(5_000));
    assert_eq!(key.usable(at(4_999)), Ok(()));
    assert_eq!(key.usable(at(5_000)), Err(KeyRefusal::Expired));
    key.revoked_at = Some(at(9_000));
    for now in [0, 4_999, 5_000, 9_001] {
        assert_eq!(key.usable(at(now)), Err(KeyRefusal::Revoked), "at {now}");
    }
}

#[test]
fn a_key_text_is_read_back_and_hidden() {
    let text = KeyText::from_random(&[0xa5; 32]);
    assert_eq!(text.as_str().len(), KeyText::LEN);
    assert_eq!(text.as_str().parse::<KeyText>().unwrap(), text);
    assert_eq!(text.digest(), KeyDigest::of(text.as_str().as_bytes()));
    assert_ne!(text.digest(), KeyText::from_random(&[0xa6; 32]).digest());
    assert!(!format!("{text:?}").contains("a5"));
}

#[test]
fn every_typo_of_one_character_is_told() {
    let text = KeyText::from_random(&[7; 32]);
    for place in 0..KeyText::LEN {
        let mut typo = text.as_str().as_bytes().to_vec();
        typo[place] = if typo[place] == b'e' { b'3' } else { b'e' };
        let typo = String::from_utf8(typo).unwrap();
        assert!(typo.parse::<KeyText>().is_err(), "place {place}");
    }
}

#[test]
fn foreign_texts_are_refused_without_repeating_them() {
    let split = format!("tdm_{}é{}", "0".repeat(63), "0".repeat(7));
    assert_eq!(split.len(), KeyText::LEN);
    for bad in ["", "tdm_", "sk-123", &"tdm_é".repeat(19), &split, &"tdm_00".repeat(100)] {
        let error = bad.parse::<KeyText>().unwrap_err().to_string();
        assert!(bad.len() < 5 || !error.contains(bad), "{error}");
    }
}
