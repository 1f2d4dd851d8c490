use std::net::TcpListener;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use futures::TryStreamExt;
use futures::future::join_all;
use object_store::ObjectStore as _;
use tandem_ports::testsuite::objects;

use super::testing::{OwnServer, PATIENCE, canned, shared};
use super::*;

mod tls;

const KEY: &str = "resumes/0192f0c1-7a3b-7000-8000-000000000001.pdf";
/// Limits of tests in which a server does not answer.
const SHORT: Duration = Duration::from_millis(400);

fn open(options: S3Options) -> S3Objects {
    S3Objects::open(options).unwrap()
}

fn error_code(code: &str) -> String {
    format!("<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>hunter2</Message></Error>")
}

#[tokio::test(flavor = "multi_thread")]
async fn it_keeps_the_contract() {
    let Some(options) = shared() else { return };
    let number = AtomicU64::new(0);
    let make = || {
        let number = number.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("{}{number}", options.prefix);
        Arc::new(open(S3Options { prefix, ..options.clone() })) as Arc<dyn ObjectStore>
    };
    objects::contract(&make).await;
    wipe(options).await;
}

/// Deletes everything under a prefix.
async fn wipe(options: S3Options) {
    let objects = open(options);
    let left: Vec<_> = objects.bucket.list(Some(&objects.prefix)).try_collect().await.unwrap();
    assert!(!left.is_empty());
    for object in left {
        objects.bucket.delete(&object.location).await.unwrap();
    }
}

#[tokio::test]
async fn objects_lie_under_the_prefix_and_no_key_leads_elsewhere() {
    if shared().is_none() {
        return;
    }
    let server = OwnServer::start();
    let with = |prefix: &str| open(S3Options { prefix: prefix.to_owned(), ..server.options() });
    let (first, second, bare) = (with("a/b/"), with("c"), with(""));
    first.put(KEY, Bytes::from_static(b"first")).await.unwrap();
    second.put(KEY, Bytes::from_static(b"second")).await.unwrap();
    assert_eq!(bare.get(KEY).await.unwrap(), None);
    assert_eq!(first.get(KEY).await.unwrap().as_deref(), Some(&b"first"[..]));
    let bucket = server.folder().join("originals");
    assert_eq!(std::fs::read(bucket.join("a/b").join(KEY)).unwrap(), b"first");
    assert_eq!(std::fs::read(bucket.join("c").join(KEY)).unwrap(), b"second");

    for key in ["../a.pdf", "resumes/../../a.pdf", "resumes", "", "resumes/a.pdf?acl"] {
        assert!(first.put(key, Bytes::from_static(b"x")).await.is_err(), "{key:?}");
        assert!(first.get(key).await.is_err(), "{key:?}");
        assert!(first.delete(key).await.is_err(), "{key:?}");
    }
    first.check().await.unwrap();
    assert!(!bucket.join("a/b/check/0.txt").exists(), "what the check wrote is gone");
}

#[tokio::test]
async fn a_bucket_that_cannot_be_used_says_what_to_check() {
    let Some(good) = shared() else { return };
    open(good.clone()).check().await.unwrap();
    let text = str::to_owned;
    let bad = [
        (S3Options { secret_access_key: text("hunter2"), ..good.clone() }, "its secret"),
        (S3Options { access_key_id: text("AKIAHUNTER"), ..good.clone() }, "access key"),
        (S3Options { endpoint: Some(text("http://127.0.0.1:9")), ..good.clone() }, "check the endpoint"),
        (S3Options { endpoint: Some(text("https://127.0.0.1:9")), ..good.clone() }, "check the endpoint"),
    ];
    for (options, check) in bad {
        let (endpoint, bucket) = (options.shown_endpoint(), options.bucket.clone());
        let objects = open(S3Options { retries: 0, ..options });
        let error = objects.check().await.unwrap_err();
        let put = objects.put(KEY, Bytes::from_static(b"x")).await.unwrap_err();
        assert!(matches!(error, ObjectsError::Bucket(_)), "{error:?}");
        assert!(matches!(put, StoreError::Unavailable(_)), "{put:?}");
        let said = format!("{error} {error:?} {put} {put:?} {objects:?}");
        for part in [check, &endpoint, &bucket] {
            assert!(said.contains(part), "{said} does not say {part}");
        }
        let secret =
            ["hunter2", "AKIAHUNTER", &good.secret_access_key].into_iter().find(|s| said.contains(s));
        assert_eq!(secret, None, "{said}");
    }
    // The server of tests makes a bucket for whoever writes into it, so nothing may have been written before.
    let objects = open(S3Options { bucket: text("nowhere"), ..good });
    let error = objects.check().await.unwrap_err().to_string();
    assert!(error.contains("bucket nowhere") && error.contains("check the bucket's name"), "{error}");
}

/// Puts objects one after the other until all are there; gives how often one was refused.
async fn put_all(objects: &S3Objects, keys: &[String], done: &AtomicU64) -> u64 {
    let mut refused = 0;
    for key in keys {
        while let Err(error) = objects.put(key, body(key)).await {
            assert!(matches!(error, StoreError::Unavailable(_) | StoreError::Timeout), "{error:?}");
            refused += 1;
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        done.fetch_add(1, Ordering::Relaxed);
    }
    refused
}

fn body(key: &str) -> Bytes {
    Bytes::from(key.repeat(2_000))
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_is_killed_is_unavailable_and_loses_nothing_that_was_confirmed() {
    if shared().is_none() {
        return;
    }
    let server = Arc::new(OwnServer::start());
    let options = S3Options { request_timeout: Duration::from_secs(2), retries: 1, ..server.options() };
    let objects = open(options);
    let keys: Vec<Vec<String>> =
        (0..4).map(|part| (0..100).map(|n| format!("jobs/{part}-{n}.txt")).collect()).collect();
    let (done, down) = (AtomicU64::new(0), AtomicBool::new(false));
    let fault = async {
        while done.load(Ordering::Relaxed) < 100 {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        let killed = Arc::clone(&server);
        tokio::task::spawn_blocking(move || killed.kill()).await.unwrap();
        let gone = objects.get("jobs/0-0.txt").await.unwrap_err();
        assert!(matches!(gone, StoreError::Unavailable(_)), "{gone:?}");
        down.store(true, Ordering::Relaxed);
        let killed = Arc::clone(&server);
        tokio::task::spawn_blocking(move || killed.start_again()).await.unwrap();
    };
    let work = join_all(keys.iter().map(|keys| put_all(&objects, keys, &done)));
    let (refused, ()) = timeout(PATIENCE, futures::future::join(work, fault)).await.expect("it recovers");
    assert!(down.load(Ordering::Relaxed) && refused.iter().sum::<u64>() > 0, "the fault was in the middle");
    for keys in &keys {
        let read = join_all(keys.iter().map(|key| objects.get(key))).await;
        for (key, read) in keys.iter().zip(read) {
            assert!(read == Ok(Some(body(key))), "{key}");
        }
    }
}

#[tokio::test]
async fn a_server_that_says_nothing_is_waited_for_no_longer_than_the_limit() {
    // Connections are taken by the system, and nobody ever reads them.
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let endpoint = Some(format!("http://{}", silent.local_addr().unwrap()));
    let objects = open(S3Options { endpoint, request_timeout: SHORT, retries: 2, ..canned(&[]) });
    let put = timeout(PATIENCE, objects.put(KEY, Bytes::from_static(b"x"))).await.expect("bounded");
    assert_eq!(put, Err(StoreError::Timeout));
    assert_eq!(timeout(PATIENCE, objects.get(KEY)).await.expect("bounded"), Err(StoreError::Timeout));
    assert_eq!(timeout(PATIENCE, objects.delete(KEY)).await.expect("bounded"), Err(StoreError::Timeout));
    let error = timeout(PATIENCE, objects.check()).await.expect("bounded").unwrap_err().to_string();
    assert!(error.contains("in time") || error.contains("longer than"), "{error}");
    assert!(error.contains("check the endpoint"), "{error}");
}

#[tokio::test]
async fn an_answer_that_stops_in_the_middle_is_no_object() {
    let silent = canned(&[("200 OK\r\nContent-Length: 100", "half")]);
    let objects = open(S3Options { request_timeout: SHORT, retries: 0, ..silent });
    let got = timeout(PATIENCE, objects.get(KEY)).await.expect("bounded");
    assert!(matches!(got, Err(StoreError::Timeout | StoreError::Unavailable(_))), "{got:?}");
}

#[tokio::test]
async fn only_the_server_can_say_that_there_is_no_object() {
    let missing = error_code("NoSuchKey");
    let objects = open(canned(&[("404 Not Found", &missing), ("404 Not Found", &missing)]));
    assert_eq!(objects.get(KEY).await, Ok(None));
    assert_eq!(objects.delete(KEY).await, Ok(()));

    let bucket = error_code("NoSuchBucket");
    for (body, check) in [(bucket.as_str(), "bucket's name"), ("<html>not here</html>", "the endpoint of")] {
        let objects = open(canned(&[("404 Not Found", body), ("404 Not Found", body)]));
        for error in [objects.get(KEY).await.unwrap_err(), objects.delete(KEY).await.unwrap_err()] {
            assert!(matches!(&error, StoreError::Unavailable(said) if said.contains(check)), "{error:?}");
        }
    }
}

#[tokio::test]
async fn faults_of_the_server_are_tried_again_and_named() {
    let slow = error_code("SlowDown");
    let objects = open(canned(&[("503 Service Unavailable", &slow), ("500 No", &slow), ("200 OK", "whole")]));
    assert_eq!(objects.get(KEY).await, Ok(Some(Bytes::from_static(b"whole"))));

    let codes = [
        ("403 Forbidden", "SignatureDoesNotMatch", "its secret"),
        ("400 Bad Request", "AuthorizationHeaderMalformed", "check the region"),
        ("301 Moved", "PermanentRedirect", "check the region"),
        ("503 Service Unavailable", "SlowDown", "server's log"),
    ];
    for (status, code, check) in codes {
        let objects = open(S3Options { retries: 0, ..canned(&[(status, &error_code(code))]) });
        let error = objects.put(KEY, Bytes::from_static(b"x")).await.unwrap_err();
        assert!(matches!(&error, StoreError::Unavailable(said) if said.contains(check)), "{error:?}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
    let full = [("400 No", error_code("QuotaExceeded")), ("507 Insufficient Storage", String::new())];
    for (status, body) in full {
        let objects = open(S3Options { retries: 0, ..canned(&[(status, &body)]) });
        let error = objects.put(KEY, Bytes::from_static(b"x")).await.unwrap_err();
        assert!(matches!(&error, StoreError::Full(said) if said.contains("quota")), "{error:?}");
    }
}

#[tokio::test]
async fn whoever_has_a_signed_request_puts_one_object_and_nothing_else() {
    let Some(options) = shared() else { return };
    let objects = open(options.clone());
    let grant = PutGrant { key: KEY, media_type: "application/pdf", valid: Duration::from_secs(600) };
    let SignedPut { url, headers } = objects.sign_put(grant).await.unwrap().unwrap();
    assert!(url.starts_with(options.endpoint.as_deref().unwrap()) && url.contains(KEY), "{url}");
    assert!(!url.contains(&options.secret_access_key));
    let put = async |url: &str, media_type: &str| {
        let mut request = reqwest::Client::new().put(url).body("Robin");
        for (name, value) in &headers {
            request = request.header(name, if name == "content-type" { media_type } else { value });
        }
        request.send().await.unwrap().status().as_u16()
    };
    let elsewhere = url.replace(KEY, "jobs/0192f0c1-7a3b-7000-8000-000000000001.pdf");
    let longer = url.replace("X-Amz-Expires=600", "X-Amz-Expires=6000");
    for (url, media_type) in
        [(&elsewhere, "application/pdf"), (&longer, "application/pdf"), (&url, "text/html")]
    {
        assert_eq!(put(url, media_type).await, 403, "{url}");
    }
    assert_eq!(objects.get(KEY).await, Ok(None));
    assert_eq!(put(&url, "application/pdf").await, 200);
    assert_eq!(put(&url, "application/pdf").await, 412, "there is one");
    assert_eq!(objects.get(KEY).await, Ok(Some(Bytes::from_static(b"Robin"))));
    let elsewhere = Some("http://files.example.org".to_owned());
    let public = open(S3Options { public_endpoint: elsewhere, ..options.clone() });
    let signed = public.sign_put(grant).await.unwrap().unwrap();
    assert!(signed.url.starts_with("http://files.example.org/originals/"), "{}", signed.url);
    assert!(public.get(KEY).await.unwrap().is_some(), "nodes go their own way");
    let listed = objects.list("resumes", 10).await.unwrap();
    assert!(listed.len() == 1 && listed[0].put_at.millis() > 1_700_000_000_000, "{listed:?}");
    wipe(options).await;
}
