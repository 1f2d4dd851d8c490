use super::*;
use tandem_domain::finding::FindingKind;

#[test]
fn blocks_lists_tables_and_links_are_read() {
    let page = "<!doctype html><html><head><title>CV of Amal</title><style>.when{float:right}</style></head><body>\
        <h2>Work</h2><div><span class=when>2019 - 2021</span><b>Engineer</b><br>Acme</div>\
        <ul><li>Rust<li>Go <a href='https://example.org/go'>link</a></ul>\
        <table><tr><td>Arabic</td><td>native</td></tr></table>\
        <div style='display:flex'><span>Left</span><span>Right</span></div>\
        <p>a&nbsp;b &amp; c\n   d</p><script>var x = 'no';</script></body></html>";
    let read = read(page.as_bytes(), "cv.html");
    assert_eq!(
        read.text(),
        "CV of Amal\nWork\nEngineer\t2019 - 2021\nAcme\nRust\nGo link\nArabic\tnative\nLeft\tRight\na b & c d"
    );
    let bullets: Vec<&str> =
        read.lines.iter().filter(|line| line.bullet).map(|line| line.text.as_str()).collect();
    assert_eq!(bullets, ["Rust", "Go link"]);
    assert_eq!(read.lines.get(1).map(|line| (line.heading, line.bold)), Some((2, true)));
    assert_eq!(read.links, [Link { uri: "https://example.org/go".to_owned(), line: Some(5) }]);
}

#[test]
fn what_a_browser_hides_is_counted_and_not_read() {
    let page = "<html><style>.x, .y { display: none } @media print { p { display: none } }</style>\
        <p>Seen</p><p hidden>a1</p><p class=x>a2</p><p style='visibility:hidden'>a3</p><p style='font-size:0'>a4</p>\
        <p style='color:#fff'>a5</p><p style='color:white;background:#003'>Light</p><p style='font-size:1px'>a6</p>\
        <p style='position:absolute;left:-9999px'>a7</p><i class='material-icons'>phone</i>";
    let read = read(page.as_bytes(), "cv.html");
    assert_eq!(read.text(), "Seen\nLight");
    for kind in [FindingKind::HiddenText, FindingKind::TinyText, FindingKind::OffPageText] {
        assert!(has(&read, kind), "{kind:?}");
    }
    let hidden = read.findings.iter().find(|finding| finding.kind == FindingKind::HiddenText).unwrap();
    assert_eq!(hidden.note, "10 characters");
}

#[test]
fn regions_and_layout_cells_are_blocks_of_their_own() {
    let page = "<html><body><aside><p>Contact</p></aside><main><p>Work</p></main>\
        <table><tr><td><p>A<p>B</td><td><p>C<p>D</td></tr></table></body></html>";
    let read = read(page.as_bytes(), "cv.html");
    let blocks: Vec<u32> = read.lines.iter().map(|line| line.block).collect();
    assert_eq!(read.text(), "Contact\nWork\nA\nB\nC\nD");
    assert_eq!(blocks, [1, 2, 3, 3, 4, 4]);
}

#[test]
fn a_job_posting_in_json_ld_is_read() {
    let page = r#"<html><head><script type="application/ld+json">{"@graph":[{"@type":"Organization","name":"X"},
        {"@type":["JobPosting"],"title":"Rust Engineer &amp; Lead","hiringOrganization":{"name":"Acme"},
        "jobLocation":[{"address":{"addressLocality":"Damascus","addressCountry":{"name":"SY"}}}],
        "jobLocationType":"TELECOMMUTE","employmentType":["FULL_TIME","CONTRACTOR"],
        "baseSalary":{"currency":"USD","value":{"minValue":1000,"maxValue":2000.5,"unitText":"MONTH"}},
        "experienceRequirements":{"monthsOfExperience":60},
        "description":"&lt;p&gt;Build things.&lt;/p&gt;&lt;ul&gt;&lt;li&gt;Rust&lt;/li&gt;&lt;/ul&gt;"}]}</script></head>
        <body></body></html>"#;
    let job = read(page.as_bytes(), "job.html").job_posting.unwrap();
    let expected = JobPostingLd {
        title: Some("Rust Engineer & Lead".to_owned()),
        organization: Some("Acme".to_owned()),
        location: Some("Damascus, SY".to_owned()),
        location_type: Some("TELECOMMUTE".to_owned()),
        employment_type: Some("FULL_TIME, CONTRACTOR".to_owned()),
        salary_currency: Some("USD".to_owned()),
        salary_min: Some("1000".to_owned()),
        salary_max: Some("2000.5".to_owned()),
        salary_unit: Some("MONTH".to_owned()),
        experience: Some("60 months".to_owned()),
        description_lines: vec!["Build things.".to_owned(), "Rust".to_owned()],
        ..JobPostingLd::default()
    };
    assert_eq!(job, expected);
}

#[test]
fn depth_ends_in_a_limit_and_forgotten_end_tags_do_not() {
    let deep = format!("<html>{}x", "<div>".repeat(100_000));
    let result = extract(deep.as_bytes(), "cv.html", &Limits::default());
    assert!(matches!(result, Err(ExtractError::LimitExceeded { .. })), "{result:?}");
    let messy = format!("<html>{}", "<p>line<br><li>item".repeat(2_000));
    assert_eq!(read(messy.as_bytes(), "cv.html").lines.len(), 4_000);
}

#[test]
fn a_declared_encoding_is_believed() {
    let page =
        [b"<html><meta charset=windows-1256><p>".as_slice(), &encoding_rs::WINDOWS_1256.encode("مهندس é").0]
            .concat();
    assert_eq!(lines(&page, "cv.html"), ["مهندس é"]);
}
