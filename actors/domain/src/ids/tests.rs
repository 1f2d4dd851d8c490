use super::*;

#[test]
fn derived_ids_depend_on_every_part_and_its_boundaries() {
    let one = derived("task", &[b"ab", b"c"]);
    assert_eq!(one, derived("task", &[b"ab", b"c"]));
    assert_ne!(one, derived("task", &[b"a", b"bc"]));
    assert_ne!(one, derived("item", &[b"ab", b"c"]));
    assert_eq!(one.get_version_num(), 8);
}

#[test]
fn owner_ids_are_printable_and_bounded() {
    assert!("auth0|abc".parse::<OwnerId>().is_ok());
    assert_eq!(OwnerId::local().as_str(), "local");
    for bad in ["", "a b", "ä", &"x".repeat(129)] {
        assert!(bad.parse::<OwnerId>().is_err(), "{bad:?}");
    }
}

#[test]
fn digests_survive_json() {
    let digest = ContentDigest::of(b"abc");
    let json = serde_json::to_string(&digest).unwrap();
    assert_eq!(json, "\"ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad\"");
    assert_eq!(serde_json::from_str::<ContentDigest>(&json).unwrap(), digest);
    assert!(serde_json::from_str::<ContentDigest>("\"zz\"").is_err());
}
