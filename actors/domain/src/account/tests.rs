use super::*;

fn key(number: u8) -> ApiKey {
    ApiKey {
        id: format!("0192f0c1-2345-7abc-8def-0123456789{number:02x}").parse().unwrap(),
        digest: KeyDigest::of(&[number]),
        label: "laptop".to_owned(),
        scopes: [Scope::Match, Scope::Read, Scope::Bulk].into_iter().collect(),
        created_at: Timestamp::from_millis(1_000),
        expires_at: None,
        revoked_at: None,
    }
}

fn account() -> Account {
    let user = User {
        tenant: "acme".parse().unwrap(),
        owner: "auth0|5f7c8ec7".parse().unwrap(),
        role: Role::User,
        plan: None,
        disabled: false,
        created_at: Timestamp::from_millis(1_000),
    };
    Account { rev: 1, user, keys: vec![key(1)] }
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
    assert_eq!(scopes.and(&Role::Reviewer.scopes()).iter().collect::<Vec<_>>(), [Scope::Read]);
}

#[test]
fn a_key_ends_with_its_time_and_at_its_revocation() {
    let at = Timestamp::from_millis;
    let mut key = key(1);
    assert_eq!(key.usable(at(i64::MAX)), Ok(()));
    key.expires_at = Some(at(5_000));
    assert_eq!(key.usable(at(4_999)), Ok(()));
    assert_eq!(key.usable(at(5_000)), Err(AccessRefusal::Expired));
    key.revoked_at = Some(at(9_000));
    for now in [0, 4_999, 5_000, 9_001] {
        assert_eq!(key.usable(at(now)), Err(AccessRefusal::Revoked), "at {now}");
    }
}

#[test]
fn a_key_opens_what_it_and_the_role_allow() {
    let (mut account, now) = (account(), Timestamp::from_millis(5_000));
    let opened = account.access(key(1).digest, now).unwrap();
    assert_eq!(opened.iter().collect::<Vec<_>>(), [Scope::Read, Scope::Match]);
    assert_eq!(account.access(key(2).digest, now), Err(AccessRefusal::Unknown));
    account.user.disabled = true;
    assert_eq!(account.access(key(1).digest, now), Err(AccessRefusal::Disabled));
}

#[test]
fn only_operators_operate_and_only_who_may_match_in_bulk_does() {
    let having =
        |scope| Role::ALL.iter().copied().filter(|role| role.scopes().has(scope)).collect::<Vec<_>>();
    assert_eq!(having(Scope::Operate), [Role::Operator]);
    assert_eq!(having(Scope::Bulk), [Role::Employer, Role::Admin]);
    assert_eq!(having(Scope::Write), [Role::User, Role::Employer, Role::Admin]);
    assert_eq!(having(Scope::Read), Role::ALL);
}

#[test]
fn keys_come_once_and_stay_revoked() {
    let now = Timestamp::from_millis(5_000);
    let two = account().with_key(key(2)).unwrap();
    assert_eq!((two.rev, two.keys.len()), (2, 2));
    assert_eq!(two.with_key(key(2)).unwrap(), two);
    let other = ApiKey { digest: KeyDigest::of(b"other"), ..key(2) };
    assert_eq!(two.with_key(other), Err(KeyError::Taken));
    assert_eq!(two.without_key(key(3).id, now), None);
    let revoked = two.without_key(key(2).id, now).unwrap();
    assert_eq!(revoked.access(key(2).digest, now), Err(AccessRefusal::Revoked));
    assert!(revoked.access(key(1).digest, now).is_ok());
    assert_eq!(revoked.without_key(key(2).id, Timestamp::from_millis(9_000)).unwrap(), revoked);
    let mut full = account();
    full.keys = (0..MAX_KEYS).map(|number| key(u8::try_from(number).unwrap())).collect();
    assert_eq!(full.with_key(key(200)), Err(KeyError::TooMany));
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

#[test]
fn of_an_erased_account_the_id_is_left_and_that_it_is_shut_out() {
    let (there, later) = (account(), Timestamp::from_millis(9_000));
    let (owner, other) = (there.user.owner.clone(), "other".parse().unwrap());
    let emptied = Account::emptied(Some(&there), &owner, &other, later);
    assert_eq!((emptied.rev, emptied.keys.len(), emptied.user.disabled), (2, 0, true));
    assert_eq!(emptied.user.tenant, there.user.tenant, "it stays a member of its tenant");
    assert_eq!(emptied.access(key(1).digest, later), Err(AccessRefusal::Unknown));
    let again = Account::emptied(Some(&emptied), &owner, &other, Timestamp::from_millis(10_000));
    assert_eq!(again, emptied);
    let stranger = Account::emptied(None, &owner, &other, later);
    assert_eq!((stranger.rev, stranger.user.disabled, &stranger.user.tenant), (1, true, &other));
}
