use std::sync::{Arc, Mutex};

use super::*;

#[test]
fn what_belongs_to_a_person_leaves_the_line() {
    for (line, expected) in [
        ("mail robin.example+cv@mail.example.org now", "mail [email] now"),
        ("j.müller@exämple.de", "[email]"),
        ("call +1 212 555 0199 or (212) 555-0199 or 212-555-0199", "call [phone] or [phone] or [phone]"),
        ("Tel. 030 901820, +49 (30) 9018-20", "Tel. [phone], [phone]"),
        ("authorization: Bearer abc.def-ghi_jkl", "authorization: [token]"),
        (r#"{"t":"eyJhbGciOiJub25lIn0.eyJzdWIiOiJtZSJ9."}"#, r#"{"t":"[token]"}"#),
        ("key tdm_0123456789abcdef is gone", "key [token] is gone"),
        ("amqp://guest:s3cret@10.0.0.1:5672/%2f", "amqp://[login]@10.0.0.1:5672/%2f"),
    ] {
        assert_eq!(redact(line), expected);
    }
}

#[test]
fn what_is_not_looked_for_without_an_at_holds_one() {
    for name in WITH_AT {
        let (_, pattern, _) = KINDS.iter().find(|(one, ..)| *one == name).unwrap();
        assert!(pattern.contains('@') && !pattern.contains("@?"), "{name}");
    }
    let line = "+1 212 555 0199, Bearer abcdefghij, tdm_0123456789abcdef, 030 901820";
    for end in ["", " x@y"] {
        assert_eq!(redact(&format!("{line}{end}")), format!("[phone], [token], [token], [phone]{end}"));
    }
}

#[test]
fn what_an_operator_needs_stays() {
    for line in [
        "2026-11-21T08:42:45.123456Z  INFO tandem_server: listening on http://127.0.0.1:8080",
        r#"{"timestamp":"2026-11-21T08:42:45.123456Z","level":"WARN","document_id":"0193f0a2-7c1e-7d43-9a55-3f0c12345678"}"#,
        "from=0 to=16 took=1234567890ns bytes=10485760 shard=12",
        "cannot reach 10.0.0.1:9042, 10.0.0.2:9042 within 10s",
        "sha256 8f14e45fceea167a5a36dedd4bea2543 node-2@boot 000123",
    ] {
        assert_eq!(redact(line), line);
    }
}

#[derive(Clone, Default)]
struct Kept(Arc<Mutex<Vec<u8>>>);

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // A writer that takes little at a time must not cut a line in the middle of an address.
        let taken = bytes.len().min(3);
        self.0.lock().unwrap().extend_from_slice(&bytes[..taken]);
        Ok(taken)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[test]
fn events_are_redacted_in_both_forms_with_their_fields_and_spans() {
    for json in [false, true] {
        let kept = Kept::default();
        let (make, redacting) = (kept.clone(), tracing_subscriber::fmt());
        let lines = redacting.with_writer(Redacting(move || make.clone())).with_ansi(false);
        let log = || {
            let span = tracing::info_span!("request", caller = "robin@example.org");
            let _inside = span.enter();
            tracing::info!(phone = "+1 212 555 0199", "asked by robin@example.org");
        };
        if json {
            tracing::subscriber::with_default(lines.json().finish(), log);
        } else {
            tracing::subscriber::with_default(lines.finish(), log);
        }
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert!(text.contains("asked by [email]") && text.contains("[phone]"), "{text}");
        assert!(!text.contains("robin@") && !text.contains("555"), "{text}");
    }
}
