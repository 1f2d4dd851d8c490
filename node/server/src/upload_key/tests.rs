use std::os::unix::fs::PermissionsExt as _;

use super::*;

#[test]
fn a_key_is_made_once_for_its_user_alone() {
    let folder = tempfile::tempdir().unwrap();
    let data = folder.path().join("data");
    let made = own(&data).unwrap();
    assert_eq!(made.len(), 2 * MIN_SECRET);
    assert_eq!(own(&data).unwrap(), made, "the next start finds it");
    let file = data.join(FILE);
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_ne!(own(&folder.path().join("other")).unwrap(), made);
    fs::write(&file, "short").unwrap();
    let refused = own(&data).unwrap_err().to_string();
    assert!(refused.contains("uploads.key") && !refused.contains("short"), "{refused}");
}
