use super::*;

fn event(number: u128) -> AuditEvent {
    AuditEvent {
        operation: OperationId::from_uuid(Uuid::from_u128(number)),
        at: Timestamp::from_millis(1_793_534_400_000),
        actor: Actor::Key { owner: "alice".parse().unwrap(), key: KeyId::from_uuid(Uuid::from_u128(7)) },
        action: AuditAction::DocumentErased,
        owner: "alice".parse().unwrap(),
        resource: Some(Uuid::from_u128(9)),
        request: Some(request_of("a")),
        outcome: AuditOutcome::Done,
    }
}

fn tenant() -> TenantId {
    "acme".parse().unwrap()
}

fn chain(length: u128) -> Vec<AuditEntry> {
    let mut head = AuditHead::START;
    let link = |number| {
        let entry = AuditEntry::following(head, tenant(), event(number));
        head = entry.head();
        entry
    };
    (1..=length).map(link).collect()
}

/// The first broken link of a chain whose end is that of `whole`.
fn verdict(chain: &[AuditEntry], whole: &[AuditEntry]) -> Result<(), BrokenLink> {
    let mut verifier = Verifier::new(tenant());
    chain.iter().try_for_each(|entry| verifier.follow(entry))?;
    let end = whole.last().map_or(AuditHead::START, AuditEntry::head);
    if verifier.ends_at(end)? { Ok(()) } else { Err(verifier.broken(LinkFault::CutOff)) }
}

#[test]
fn names_are_the_same_in_both_directions() {
    for action in AuditAction::ALL {
        assert_eq!(action.as_str().parse(), Ok(*action));
        assert_eq!(serde_json::to_value(action).unwrap(), action.as_str());
    }
    for outcome in AuditOutcome::ALL {
        assert_eq!(outcome.as_str().parse(), Ok(*outcome));
    }
}

/// Whoever has kept a hash must be able to compare it in ten years.
#[test]
fn the_hash_of_an_entry_never_changes() {
    let [entry] = chain(1).try_into().unwrap();
    let hash = entry.hash.to_string();
    assert_eq!(hash, "52786a20587ef0d3e4cb24bf595c9138dae5113337aca0ee95c29d0029a0a8f3");
}

#[test]
fn a_whole_chain_holds() {
    for length in [0, 1, 9] {
        let chain = chain(length);
        assert_eq!(verdict(&chain, &chain), Ok(()));
    }
}

#[test]
fn every_change_of_every_field_is_found() {
    let whole = chain(5);
    let changes: [fn(&mut AuditEntry); 14] = [
        |entry| entry.tenant = "other".parse().unwrap(),
        |entry| entry.sequence += 1,
        |entry| entry.former = AuditHash::of(b"x"),
        |entry| entry.hash = AuditHash::of(b"x"),
        |entry| entry.event.operation = OperationId::from_uuid(Uuid::nil()),
        |entry| entry.event.at = Timestamp::from_millis(0),
        |entry| entry.event.actor = Actor::Anybody,
        |entry| entry.event.actor = Actor::User("alice".parse().unwrap()),
        |entry| entry.event.action = AuditAction::KeyRevoked,
        |entry| entry.event.owner = "bob".parse().unwrap(),
        |entry| entry.event.resource = None,
        |entry| entry.event.request = None,
        |entry| entry.event.outcome = AuditOutcome::Failed,
        |entry| *entry = AuditEntry::following(AuditHead::START, entry.tenant.clone(), entry.event.clone()),
    ];
    for (number, change) in changes.into_iter().enumerate() {
        let mut chain = whole.clone();
        change(&mut chain[2]);
        assert_eq!(verdict(&chain, &whole).unwrap_err().sequence, 3, "change {number}");
    }
}

#[test]
fn a_link_that_is_removed_moved_or_put_in_is_found() {
    let whole = chain(5);
    let broken = |change: fn(&mut Vec<AuditEntry>)| {
        let mut chain = whole.clone();
        change(&mut chain);
        verdict(&chain, &whole).unwrap_err()
    };
    let at = |sequence, fault| BrokenLink { sequence, fault };
    assert_eq!(broken(|chain| drop(chain.remove(1))), at(2, LinkFault::Order));
    assert_eq!(broken(|chain| chain.swap(1, 2)), at(2, LinkFault::Order));
    assert_eq!(broken(|chain| chain.insert(2, chain[1].clone())), at(3, LinkFault::Order));
    assert_eq!(broken(|chain| chain.truncate(3)), at(4, LinkFault::CutOff));
    let more = |chain: &mut Vec<AuditEntry>| {
        let head = chain[4].head();
        chain.push(AuditEntry::following(head, tenant(), event(77)));
    };
    assert_eq!(broken(more), at(6, LinkFault::Beyond));
    // Written anew from there on: the end is not the one that is known.
    let anew = |chain: &mut Vec<AuditEntry>| {
        let head = chain[3].head();
        chain[4] = AuditEntry::following(head, tenant(), event(77));
    };
    assert_eq!(broken(anew), at(6, LinkFault::Beyond));
}

#[test]
fn a_request_that_is_called_something_is_kept_under_another_name() {
    let id = Uuid::from_u128(5);
    assert_eq!(request_of(&id.to_string()), id);
    assert_eq!(request_of("robin@example.org"), request_of("robin@example.org"));
    assert_ne!(request_of("robin@example.org"), request_of("robin@example.com"));
}
