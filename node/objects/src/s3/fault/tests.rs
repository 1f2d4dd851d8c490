use super::*;

#[test]
fn a_status_and_a_code_are_found_in_what_was_said() {
    let said = "Generic S3 error: Error performing PUT http://127.0.0.1/b/k in 3ms - Server returned non-2xx status code: \
                403 Forbidden: <?xml version=\"1.0\"?><Error><Code>SignatureDoesNotMatch</Code><Message>no</Message></Error>";
    assert_eq!(status(said), Some(403));
    assert_eq!(code(said).as_deref(), Some("SignatureDoesNotMatch"));
    for said in ["", "status code: ", "<Code>", "<Code></Code>", "<Code>a b</Code>", "<Code>ä</Code>"] {
        assert_eq!((status(said), code(said)), (None, None), "{said:?}");
    }
    assert_eq!(code(&format!("<Code>{}</Code>", "a".repeat(CODE_MOST + 1))), None);
}

#[test]
fn faults_become_the_errors_of_the_port() {
    let place = Place { endpoint: "https://s3.example.org".to_owned(), bucket: "originals".to_owned() };
    let late = Fault::late(&place, "reading", Duration::from_millis(1_500));
    assert_eq!(
        late.text,
        "S3 at https://s3.example.org, bucket originals: reading failed: it took longer than 1.5 s; check the endpoint, \
         and that it answers from this machine"
    );
    assert_eq!(StoreError::from(late), StoreError::Timeout);
}
