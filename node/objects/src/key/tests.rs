use super::*;

#[test]
fn keys_of_originals_are_paths() {
    for key in ["resumes/0192f0c1-7a3b-7000-8000-000000000001.pdf", "jobs/a.md", "x/0.0"] {
        assert_eq!(path(key).unwrap().as_ref(), key);
    }
}

#[test]
fn everything_else_is_refused() {
    let long = format!("resumes/{}.pdf", "a".repeat(MAX_LEN));
    for key in [
        "",
        "/",
        "resumes",
        "resumes/",
        "resumes/a",
        "resumes/.pdf",
        "resumes/a.",
        "/a.pdf",
        "../a.pdf",
        "resumes/../a.pdf",
        "resumes/..",
        "resumes//a.pdf",
        "resumes/a/b.pdf",
        "resumes/a.pdf/",
        "Resumes/a.pdf",
        "resumes/A.pdf",
        "resumes/g.pdf",
        "resumes/a.p.df",
        "resumes/a.PDF",
        "resumes/a.pdf#1",
        "resumes/a.pdf\0",
        "resumes/a .pdf",
        "resumes/ä.pdf",
        "resumes\\a.pdf",
        "resumes/%2e.pdf",
        "~/a.pdf",
        &long,
    ] {
        assert!(path(key).is_err(), "{key:?}");
    }
}
