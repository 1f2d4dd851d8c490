use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::*;

const KEYS: u32 = 1_024;

fn names() -> impl Strategy<Value = Vec<NodeName>> {
    prop::collection::btree_set("[a-zA-Z0-9-]{1,64}", 1..10)
        .prop_map(|names| names.into_iter().map(|name| NodeName::new(name).unwrap()).collect())
}

fn key(number: u32) -> [u8; 4] {
    number.to_be_bytes()
}

#[test]
fn a_name_has_its_letters_and_its_length() {
    for good in ["a", "node-1", "A-Z-09", &"x".repeat(MAX_NODE_NAME)] {
        assert_eq!(NodeName::new(good).unwrap().as_str(), good);
    }
    for bad in ["", "a b", "a/b", "a.b", "ä", "a\n", &"x".repeat(MAX_NODE_NAME + 1)] {
        assert_eq!(NodeName::new(bad), Err(BadNodeName), "{bad:?}");
        assert_eq!(bad.parse::<NodeName>(), Err(BadNodeName));
    }
}

/// Nodes of different builds must agree: this is a wire format.
#[test]
fn the_owners_of_these_keys_never_change() {
    let members: Vec<NodeName> = ["node-1", "node-2", "node-3"].map(|name| name.parse().unwrap()).into();
    let best: Vec<&str> = (0..8).map(|n| owners(&key(n), &members, 1)[0].as_str()).collect();
    assert_eq!(best.join(" "), "node-3 node-2 node-2 node-3 node-3 node-1 node-3 node-2");
}

#[test]
fn nobody_owns_nothing() {
    let members = [NodeName::new("a").unwrap(), NodeName::new("a").unwrap()];
    assert!(owners(b"key", &[], 2).is_empty());
    assert!(owners(b"key", &members, 0).is_empty());
    assert_eq!(owners(b"key", &members, 5), [&members[0]], "a member owns a key once");
}

proptest! {
    #[test]
    fn the_order_of_members_means_nothing(
        (members, shuffled) in names().prop_flat_map(|names| (Just(names.clone()), Just(names).prop_shuffle())),
        key in prop::collection::vec(any::<u8>(), 0..40),
        count in 0_usize..12,
    ) {
        let found = owners(&key, &members, count);
        prop_assert_eq!(&found, &owners(&key, &shuffled, count));
        prop_assert_eq!(found.len(), count.min(members.len()));
        prop_assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len());
    }

    /// Each member owns its share give or take six standard deviations of a fair draw.
    #[test]
    fn shares_are_even(members in names()) {
        let mut shares: BTreeMap<&NodeName, u32> = members.iter().map(|member| (member, 0)).collect();
        for number in 0..KEYS {
            *shares.get_mut(owners(&key(number), &members, 1)[0]).unwrap() += 1;
        }
        let (keys, part) = (f64::from(KEYS), 1.0 / members.len() as f64);
        let slack = 6.0 * (keys * part * (1.0 - part)).sqrt();
        for (member, share) in shares {
            let off = (f64::from(share) - keys * part).abs();
            prop_assert!(off <= slack, "{} owns {} of {}", member, share, KEYS);
        }
    }

    #[test]
    fn who_leaves_moves_only_its_own_keys(members in names(), gone in any::<prop::sample::Index>()) {
        let gone = gone.get(&members);
        let rest: Vec<NodeName> = members.iter().filter(|member| *member != gone).cloned().collect();
        for number in 0..KEYS {
            let mut before = owners(&key(number), &members, members.len());
            before.retain(|member| *member != gone);
            prop_assert_eq!(before, owners(&key(number), &rest, members.len()));
        }
    }
}
