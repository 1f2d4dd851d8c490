use std::sync::{Arc, Mutex};

use tandem_ports::testsuite::objects;

use super::*;

const KEY: &str = "resumes/0192f0c1-7a3b-7000-8000-000000000001.pdf";

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract() {
    let folders = Mutex::new(Vec::new());
    let make = || {
        let folder = tempfile::tempdir().unwrap();
        let objects = LocalObjects::open(folder.path().join("objects")).unwrap();
        folders.lock().unwrap().push(folder);
        Arc::new(objects) as Arc<dyn ObjectStore>
    };
    objects::contract(&make).await;
}

#[tokio::test]
async fn objects_survive_reopening_and_lie_where_their_key_says() {
    let folder = tempfile::tempdir().unwrap();
    let bytes = Bytes::from_static(b"original");
    LocalObjects::open(folder.path()).unwrap().put(KEY, bytes.clone()).await.unwrap();
    assert_eq!(fs::read(folder.path().join(KEY)).unwrap(), bytes);
    assert_eq!(fs::read_dir(folder.path().join("resumes")).unwrap().count(), 1, "no other file is left");
    let again = LocalObjects::open(folder.path()).unwrap();
    assert_eq!(again.get(KEY).await.unwrap(), Some(bytes));
}

#[tokio::test]
async fn keys_that_are_none_touch_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let objects = LocalObjects::open(folder.path().join("objects")).unwrap();
    let outside = folder.path().join("a.pdf");
    fs::write(&outside, b"outside").unwrap();
    for key in ["../a.pdf", "resumes/../../a.pdf", "resumes", ""] {
        assert!(objects.put(key, Bytes::from_static(b"x")).await.is_err());
        assert!(objects.get(key).await.is_err());
        assert!(objects.delete(key).await.is_err());
    }
    assert_eq!(fs::read(&outside).unwrap(), b"outside");
    assert_eq!(fs::read_dir(folder.path().join("objects")).unwrap().count(), 0);
}

#[tokio::test]
async fn folders_that_cannot_be_used_are_errors() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, b"").unwrap();
    for bad in [file.clone(), file.join("below")] {
        let error = LocalObjects::open(&bad).unwrap_err();
        assert!(matches!(error, ObjectsError::Folder { .. }), "{error:?}");
        assert!(error.to_string().contains(&bad.display().to_string()));
    }
    // A file where the folder of résumés should be.
    let objects = LocalObjects::open(folder.path().join("objects")).unwrap();
    fs::write(folder.path().join("objects/resumes"), b"").unwrap();
    let error = objects.put(KEY, Bytes::from_static(b"x")).await.unwrap_err();
    assert!(matches!(error, StoreError::Unavailable(_)), "{error:?}");
}

#[cfg(unix)]
#[test]
fn a_folder_that_is_made_is_its_users_alone() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let made = folder.path().join("objects");
    LocalObjects::open(&made).unwrap();
    assert_eq!(fs::metadata(&made).unwrap().permissions().mode() & 0o777, 0o700);
}

#[tokio::test(flavor = "multi_thread")]
async fn of_many_that_put_it_as_new_one_does() {
    let folder = tempfile::tempdir().unwrap();
    let objects = LocalObjects::open(folder.path()).unwrap();
    let puts = (0..16).map(|n| objects.put_new(KEY, Bytes::from(vec![n; 1000])));
    let done: Vec<bool> = futures::future::join_all(puts).await.into_iter().map(Result::unwrap).collect();
    assert_eq!(done.iter().filter(|is_new| **is_new).count(), 1);
    let first = done.iter().position(|is_new| *is_new).unwrap();
    assert_eq!(objects.get(KEY).await.unwrap().unwrap(), vec![first as u8; 1000]);
    let listed = objects.list("resumes", 10).await.unwrap();
    assert!(listed.len() == 1 && listed[0].put_at.millis() > 1_700_000_000_000, "{listed:?}");
    assert!(objects.list("../resumes", 10).await.is_err() && objects.list("", 10).await.is_err());
}

#[tokio::test]
async fn what_is_no_object_is_not_listed() {
    let folder = tempfile::tempdir().unwrap();
    let objects = LocalObjects::open(folder.path()).unwrap();
    objects.put(KEY, Bytes::from_static(b"one")).await.unwrap();
    fs::create_dir(folder.path().join("resumes/below")).unwrap();
    for name in ["resumes/notes", "resumes/A.pdf", "resumes/below/a.pdf"] {
        fs::write(folder.path().join(name), b"a stranger's").unwrap();
    }
    let listed = objects.list("resumes", 10).await.unwrap();
    assert_eq!(listed.into_iter().map(|entry| entry.key).collect::<Vec<_>>(), [KEY]);
    assert_eq!(
        objects
            .sign_put(PutGrant { key: KEY, media_type: "text/plain", valid: std::time::Duration::MAX })
            .await,
        Ok(None)
    );
}
