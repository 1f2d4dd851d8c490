//! Files that are sent by a signed URL.

use std::fs;
use std::time::{Duration, SystemTime};

use reqwest::Method;
use serde_json::{Value, json};
use tandem_tests::client::{Answer, Client, Kind, list, number, text};
use tandem_tests::sandbox::Sandbox;
use tandem_tests::{paths, poll, services};

use super::resources::{RESUME, of_row};

const UPLOAD: &str = "/api/v1/resumes/upload";
/// How long a node may take to sweep.
const SWEPT_WITHIN: Duration = Duration::from_secs(120);

/// Asks where a file can be sent.
fn opened(client: &Client, content: &str) -> Value {
    let asking = json!({"fileName": "tamsin.md", "contentType": "text/markdown", "size": content.len()});
    let answer = client.post(UPLOAD, &asking);
    assert_eq!(answer.status, 201, "{}", answer.text);
    let opened = answer.data();
    assert_eq!(text(&opened, "method"), "PUT");
    assert!(text(&opened, "expires_at").ends_with('Z'), "{opened}");
    opened
}

/// Sends a file to a URL with what must be sent beside it, and without credentials.
fn sent(url: &str, headers: &Value, content: &str) -> Answer {
    let at = url.match_indices('/').nth(2).map(|(at, _)| at).unwrap();
    let (origin, path) = url.split_at(at);
    let client = Client::new(origin);
    let mut request = client.request(Method::PUT, path);
    for (name, value) in headers.as_object().unwrap() {
        request = request.header(name, value.as_str().unwrap());
    }
    client.send(request.body(content.to_owned())).unwrap()
}

fn sent_as_told(opened: &Value, content: &str) -> Answer {
    sent(&text(opened, "url"), &opened["headers"], content)
}

fn completed(client: &Client, opened: &Value, words: &Value) -> Answer {
    client.post(&text(opened, "complete"), words)
}

fn expect(answer: &Answer, status: u16, code: &str) {
    assert_eq!((answer.status, answer.error_code().as_str()), (status, code), "{}", answer.text);
}

pub(super) fn s3_signed_upload_is_taken_in_as_any_other_file(client: &Client) {
    let content = of_row("s3 signed", RESUME);
    let asked = opened(client, &content);
    expect(&completed(client, &asked, &json!({})), 409, "NOT_READY");
    let sent_once = sent_as_told(&asked, &content);
    assert_eq!((sent_once.status, number(&sent_once.data(), "size")), (200, content.len() as i64));
    let words = json!({"title": "Mine", "resume_lang": "en"});
    let taken = completed(client, &asked, &words);
    assert_eq!((taken.status, &taken.data()["duplicate"]), (202, &json!(false)), "{}", taken.text);
    let id = text(&taken.data(), "id");
    assert_eq!(taken.header("location"), format!("/api/v1/resumes/{id}"));
    let resume = client.settled(Kind::Resume, &id);
    let shown = ["status", "file_name", "title", "resume_lang"].map(|name| text(&resume, name));
    assert_eq!(shown, ["complete", "tamsin.md", "Mine", "en"]);
    assert!(resume["parsed"]["skills"].to_string().contains("\"python\""), "{resume}");

    let again = completed(client, &asked, &words);
    assert_eq!((again.status, text(&again.data(), "id")), (202, id.clone()), "{}", again.text);
    let as_file = client.submit(Kind::Resume, "other.md", content.as_bytes());
    assert_eq!((as_file.status, text(&as_file.data(), "id")), (200, id));
    let image = "\u{89}PNG\r\n\u{1a}\n";
    let asked = opened(client, image);
    assert_eq!(sent_as_told(&asked, image).status, 200);
    expect(&completed(client, &asked, &json!({})), 415, "UNSUPPORTED_TYPE");
}

pub(super) fn s11_signed_urls_take_one_file_as_it_was_announced(client: &Client) {
    let content = of_row("s11 signed", RESUME);
    let (asked, other) = (opened(client, &content), opened(client, &content));
    let (url, headers) = (text(&asked, "url"), &asked["headers"]);
    let (path, signature) = url.rsplit_once("signature=").unwrap();
    let of_other = text(&other, "url").rsplit_once("signature=").unwrap().1.to_owned();
    let turned: String = signature.chars().rev().collect();
    for changed in [
        format!("{path}signature={turned}"),
        format!("{path}signature={of_other}"),
        format!("{path}signature="),
        url.replace("expires=", "expires=1"),
        url.replace("/uploads/", "/uploads/A"),
    ] {
        expect(&sent(&changed, headers, &content), 403, "FORBIDDEN");
    }
    expect(&sent(&url, headers, &format!("{content}!")), 413, "PAYLOAD_TOO_LARGE");
    expect(&sent(&url, headers, content.trim_end()), 400, "VALIDATION_ERROR");
    expect(&completed(client, &asked, &json!({})), 409, "NOT_READY");
    assert_eq!(sent(&url, headers, &content).status, 200, "what was refused has used nothing up");
    expect(&sent(&url, headers, &content), 409, "CONFLICT");
    assert_eq!(completed(client, &asked, &json!({})).status, 202);
    expect(&sent(&url, headers, &content), 409, "CONFLICT");
    let large = json!({"fileName": "a.pdf", "size": 1_u64 << 40});
    expect(&client.post(UPLOAD, &large), 413, "PAYLOAD_TOO_LARGE");
    let image = json!({"fileName": "a.png", "size": 4, "contentType": "image/png"});
    expect(&client.post(UPLOAD, &image), 415, "UNSUPPORTED_TYPE");
}

/// With accounts: `owner` and `stranger` are callers, `anybody` shows no credentials; `said` is what the node has logged.
pub(super) fn hold_for_callers(
    owner: &Client,
    stranger: &Client,
    anybody: &Client,
    said: &dyn Fn() -> String,
) {
    let content = of_row("s11 of callers", RESUME);
    let asking = json!({"fileName": "tamsin.md", "size": content.len()});
    expect(&anybody.post(UPLOAD, &asking), 401, "AUTH_REQUIRED");
    let asked = opened(owner, &content);
    assert_eq!(sent_as_told(&asked, &content).status, 200, "the URL needs no other credential");
    expect(&completed(anybody, &asked, &json!({})), 401, "AUTH_REQUIRED");
    expect(&completed(stranger, &asked, &json!({})), 404, "NOT_FOUND");
    for _ in 0..2 {
        assert_eq!(completed(owner, &asked, &json!({})).status, 202);
    }
    let quota = owner.get("/api/v1/quota").data();
    let used = |name: &str| {
        let measure = list(&quota, "measures").iter().find(|measure| measure["measure"] == name).unwrap();
        number(measure, "used")
    };
    assert_eq!((used("resume_uploads"), used("stored_bytes")), (1, content.len() as i64), "{quota}");
    let larger = json!({"fileName": "a.pdf", "size": 100_000});
    expect(&owner.post(UPLOAD, &larger), 402, "UPGRADE_REQUIRED");
    let url = text(&asked, "url");
    let secrets = [url.rsplit_once("signature=").unwrap().1.to_owned(), text(&asked, "id")];
    let log = said();
    assert!(log.contains("/api/v1/uploads/{upload}"), "the log is not where it was");
    assert!(secrets.iter().all(|secret| !log.contains(secret)), "the log holds a signed URL");
}

/// Any node of a cluster takes what another has asked for.
pub(super) fn hold_across_nodes(one: &Client, other: &Client) {
    let content = of_row("s3 signed, on two nodes", RESUME);
    let asked = opened(one, &content);
    let url = text(&asked, "url");
    let path = url.split_at(url.find("/api/").unwrap()).1;
    let sent = other.send(other.request(Method::PUT, path).body(content)).unwrap();
    assert_eq!(sent.status, 200, "{}", sent.text);
    let taken = completed(one, &asked, &json!({}));
    assert_eq!(taken.status, 202, "{}", taken.text);
    let again = completed(other, &asked, &json!({}));
    assert_eq!(text(&again.data(), "id"), text(&taken.data(), "id"));
}

/// The endpoint of the S3 server of this machine, and the configuration of a node that keeps its originals there.
fn bucket() -> (String, Vec<(&'static str, String)>) {
    let url = std::env::var("TANDEM_TEST_S3_URL")
        .expect("TANDEM_TEST_S3_URL says where S3 is: `make test` sets it");
    let parts = || {
        let (scheme, rest) = url.split_once("://")?;
        let (keys, place) = rest.split_once('@')?;
        Some((scheme, keys.split_once(':')?, place.split_once('/')?))
    };
    let (scheme, (key, secret), (host, bucket)) =
        parts().expect("it has the form http://key:secret@host/bucket");
    let endpoint = format!("{scheme}://{host}");
    let environment = [
        ("TANDEM_OBJECTS__ENGINE", "s3"),
        ("TANDEM_OBJECTS__S3__ENDPOINT", &endpoint),
        ("TANDEM_OBJECTS__S3__BUCKET", bucket),
        ("TANDEM_OBJECTS__S3__PREFIX", &format!("test/uploads-{}/", std::process::id())),
        ("TANDEM_OBJECTS__S3__ACCESS_KEY_ID", key),
        ("TANDEM_OBJECTS__S3__SECRET_ACCESS_KEY", secret),
        ("TANDEM_OBJECTS__S3__ALLOW_HTTP", "true"),
    ];
    let environment = environment.map(|(name, value)| (name, value.to_owned())).to_vec();
    (endpoint, environment)
}

#[test]
fn s3_signed_upload_goes_straight_to_a_bucket() {
    let name = "s3_signed_upload_goes_straight_to_a_bucket";
    if !services::are_there(name) || !paths::has_model(name) {
        return;
    }
    let (endpoint, environment) = bucket();
    let environment: Vec<(&str, &str)> =
        environment.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let mut sandbox = Sandbox::start_with(&environment);
    let client = sandbox.client();
    let content = of_row("s3 of a bucket", RESUME);
    let asked = opened(&client, &content);
    let (url, headers) = (text(&asked, "url"), &asked["headers"]);
    assert!(url.starts_with(&format!("{endpoint}/")) && url.contains("/uploads/"), "{url}");
    expect(&completed(&client, &asked, &json!({})), 409, "NOT_READY");
    let refused = |answer: &Answer| (400..500).contains(&answer.status);
    let changed = sent(&url.replace("X-Amz-Signature=", "X-Amz-Signature=0"), headers, &content);
    assert!(refused(&changed), "{}: {}", changed.status, changed.text);
    let elsewhere = sent(&url.replace("/uploads/", "/resumes/"), headers, &content);
    assert!(refused(&elsewhere), "{}: {}", elsewhere.status, elsewhere.text);
    let larger = sent(&url, headers, &format!("{content}!"));
    assert_eq!(larger.status, 200, "a bucket takes any size: {}", larger.text);
    expect(&completed(&client, &asked, &json!({})), 413, "PAYLOAD_TOO_LARGE");
    let took = sent(&url, headers, &content);
    assert_eq!(took.status, 200, "what was refused is gone: {}", took.text);
    let twice = sent(&url, headers, &content);
    assert!(refused(&twice), "{}: {}", twice.status, twice.text);

    let taken = completed(&client, &asked, &json!({"title": "Mine"}));
    assert_eq!(taken.status, 202, "{}", taken.text);
    let resume = client.settled(Kind::Resume, &text(&taken.data(), "id"));
    assert_eq!(["status", "title"].map(|name| text(&resume, name)), ["complete", "Mine"]);
    let again = completed(&client, &asked, &json!({"title": "Mine"}));
    assert_eq!(text(&again.data(), "id"), text(&taken.data(), "id"));

    let digest = "0".repeat(64);
    let asking = json!({"fileName": "tamsin.md", "size": content.len(), "sha256": digest});
    let other = client.post(UPLOAD, &asking).data();
    assert_eq!(sent_as_told(&other, &content).status, 200);
    expect(&completed(&client, &other, &json!({})), 400, "VALIDATION_ERROR");
    expect(&completed(&client, &other, &json!({})), 409, "NOT_READY");
    sandbox.stop();
    let said = sandbox.said();
    assert!(!said.contains("X-Amz-Signature") && !said.contains(&text(&asked, "id")), "the log holds a URL");
}

#[test]
fn s3_signed_upload_that_nobody_completes_is_swept() {
    if !paths::has_model("s3_signed_upload_that_nobody_completes_is_swept") {
        return;
    }
    let mut sandbox = Sandbox::empty(&[("TANDEM_UPLOADS__EXPIRES_MIN", "1")]);
    let folder = sandbox.data().join("objects/uploads");
    fs::create_dir_all(&folder).unwrap();
    let (old, new) = (folder.join("0a.part"), folder.join("0b.part"));
    for file in [&old, &new] {
        fs::write(file, "what somebody has sent").unwrap();
    }
    fs::File::options().write(true).open(&old).unwrap().set_modified(SystemTime::UNIX_EPOCH).unwrap();
    sandbox.spawn();
    drop(sandbox.expect_ready());
    poll::until("what nobody completed is gone", SWEPT_WITHIN, || (!old.exists()).then_some(()));
    assert!(new.exists(), "what may still be completed stays");
    sandbox.stop();
}
