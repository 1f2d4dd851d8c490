use super::*;

#[test]
fn a_value_comes_back() {
    let blob = encode("t", &(7u32, "seven".to_owned())).unwrap();
    assert_eq!(decode::<(u32, String)>("t", &blob), Ok((7, "seven".to_owned())));
}

#[test]
fn foreign_bytes_are_errors() {
    let blob = encode("t", &7u32).unwrap();
    for broken in [&[][..], &[FORMAT][..], &[blob.as_slice(), &[0][..]].concat()[..]] {
        assert!(matches!(decode::<u32>("t", broken), Err(StoreError::Corrupt { table: "t", .. })));
    }
    assert_eq!(decode::<u32>("t", &[9, 7]), Err(StoreError::Newer { table: "t", format: 9 }));
}
