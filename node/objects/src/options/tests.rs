use super::*;

fn good() -> S3Options {
    S3Options {
        endpoint: Some("https://s3.example.org:9000".to_owned()),
        public_endpoint: None,
        region: "auto".to_owned(),
        bucket: "originals".to_owned(),
        prefix: "tandem/".to_owned(),
        access_key_id: "AKIAHUNTER".to_owned(),
        secret_access_key: "hunter2".to_owned(),
        path_style: true,
        allow_http: false,
        connect_timeout: S3Options::CONNECT_TIMEOUT,
        request_timeout: S3Options::REQUEST_TIMEOUT,
        retries: S3Options::RETRIES,
    }
}

fn at(endpoint: &str) -> S3Options {
    S3Options { endpoint: Some(endpoint.to_owned()), ..good() }
}

#[test]
fn what_can_be_used_is_accepted() {
    let http = S3Options { allow_http: true, ..at("http://[::1]:9000/") };
    let amazon = S3Options { endpoint: None, region: "eu-central-1".to_owned(), ..good() };
    for prefix in ["", "tandem", "tandem/", "a/b.c/d_e-f/"] {
        let options = S3Options { prefix: prefix.to_owned(), ..good() };
        assert!(options.check().is_ok(), "{prefix:?}");
    }
    for options in [good(), http, amazon] {
        assert!(options.check().is_ok(), "{options:?}");
    }
}

#[test]
fn what_cannot_be_used_is_refused_without_a_secret() {
    let text = str::to_owned;
    let bad = [
        (at("http://s3.example.org"), "no TLS"),
        (at("https://me:hunter2@s3.example.org"), "user or a password"),
        (at("https://s3.example.org/path"), "form"),
        (S3Options { public_endpoint: Some(text("https://")), ..good() }, "form"),
        (at("https://"), "form"),
        (at("hunter2"), "form"),
        (at("ftp://s3.example.org"), "form"),
        (S3Options { region: String::new(), ..good() }, "region"),
        (S3Options { bucket: String::new(), ..good() }, "bucket"),
        (S3Options { bucket: text("a/b"), ..good() }, "bucket"),
        (S3Options { prefix: text("a//b"), ..good() }, "prefix"),
        (S3Options { prefix: text("../b"), ..good() }, "prefix"),
        (S3Options { prefix: text("/b"), ..good() }, "prefix"),
        (S3Options { access_key_id: String::new(), ..good() }, "access key"),
        (S3Options { secret_access_key: String::new(), ..good() }, "secret"),
        (S3Options { connect_timeout: Duration::ZERO, ..good() }, "limits"),
        (S3Options { request_timeout: Duration::from_secs(601), ..good() }, "limits"),
        (S3Options { retries: 11, ..good() }, "retries"),
    ];
    for (options, word) in bad {
        let error = options.check().unwrap_err();
        assert!(matches!(error, ObjectsError::Options(_)), "{error:?}");
        assert!(error.to_string().contains(word), "{error} does not name the {word}");
        assert!(!error.to_string().contains("hunter2"), "{error}");
    }
}

#[test]
fn neither_key_nor_secret_is_shown() {
    let shown = format!("{:?} {:#?}", good(), good());
    assert!(shown.contains("s3.example.org") && shown.contains("originals"), "{shown}");
    assert!(!shown.contains("hunter2") && !shown.contains("AKIAHUNTER"), "{shown}");
}

#[test]
fn the_bucket_is_in_the_path_or_in_the_host() {
    assert_eq!(good().full_endpoint().unwrap(), "https://s3.example.org:9000");
    let hosted = S3Options { path_style: false, ..at("https://s3.example.org:9000/") };
    assert_eq!(hosted.full_endpoint().unwrap(), "https://originals.s3.example.org:9000");
    assert_eq!(S3Options { endpoint: None, ..good() }.full_endpoint(), None);
    assert_eq!(good().full_public_endpoint(), None);
    let public = S3Options { public_endpoint: Some("https://files.example.org".to_owned()), ..hosted };
    assert_eq!(public.full_public_endpoint().unwrap(), "https://originals.files.example.org");
}

#[test]
fn an_operation_has_time_for_all_its_requests() {
    let options = S3Options { request_timeout: Duration::from_secs(2), retries: 3, ..good() };
    assert_eq!(options.limit(), Duration::from_secs(8));
}
